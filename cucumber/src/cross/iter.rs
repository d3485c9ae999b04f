//! Iterators and readers, by what is left of them.

use std::collections::vec_deque;
use std::io::Cursor;
use std::iter::{Rev, StepBy};
use std::num::NonZeroUsize;
use std::ops::{Range, RangeInclusive};
use std::vec;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::{DeserializeAs, SerializeAs};

use super::Cross;

/// serde forgets whether the end was reached.
///
/// The bounds are those of reading it: a range of floats, which is no iterator, is left to serde both ways.
impl<T> SerializeAs<RangeInclusive<T>> for Cross
where
    T: Serialize + PartialOrd + Clone,
    RangeInclusive<T>: Iterator,
{
    fn serialize_as<S: Serializer>(value: &RangeInclusive<T>, serializer: S) -> Result<S::Ok, S::Error> {
        let is_exhausted = value.is_empty() && value.start() <= value.end();
        (value.start(), value.end(), is_exhausted).serialize(serializer)
    }
}

impl<'de, T> DeserializeAs<'de, RangeInclusive<T>> for Cross
where
    T: Deserialize<'de> + PartialOrd + Clone,
    RangeInclusive<T>: Iterator,
{
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<RangeInclusive<T>, D::Error> {
        let (start, end, is_exhausted) = <(T, T, bool)>::deserialize(deserializer)?;
        if !is_exhausted {
            return Ok(start..=end);
        }
        let mut range = end.clone()..=end;
        range.next();
        Ok(range)
    }
}

impl<T: Serialize> SerializeAs<vec::IntoIter<T>> for Cross {
    fn serialize_as<S: Serializer>(value: &vec::IntoIter<T>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_slice().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> DeserializeAs<'de, vec::IntoIter<T>> for Cross {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<vec::IntoIter<T>, D::Error> {
        Vec::deserialize(deserializer).map(Vec::into_iter)
    }
}

impl<T: Serialize + Clone> SerializeAs<vec_deque::IntoIter<T>> for Cross {
    fn serialize_as<S: Serializer>(value: &vec_deque::IntoIter<T>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(value.clone())
    }
}

impl<'de, T: Deserialize<'de>> DeserializeAs<'de, vec_deque::IntoIter<T>> for Cross {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<vec_deque::IntoIter<T>, D::Error> {
        std::collections::VecDeque::deserialize(deserializer).map(std::collections::VecDeque::into_iter)
    }
}

/// Nothing but an iterator over a copy shows what is left of one that runs backwards.
impl<T: Serialize + Clone> SerializeAs<Rev<vec::IntoIter<T>>> for Cross {
    fn serialize_as<S: Serializer>(value: &Rev<vec::IntoIter<T>>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(value.clone())
    }
}

impl<'de, T: Deserialize<'de>> DeserializeAs<'de, Rev<vec::IntoIter<T>>> for Cross {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Rev<vec::IntoIter<T>>, D::Error> {
        let mut left = Vec::<T>::deserialize(deserializer)?;
        left.reverse();
        Ok(left.into_iter().rev())
    }
}

/// The first and the last number of a range that runs backwards, if any is left.
fn ends<T: Copy>(mut left: impl DoubleEndedIterator<Item = T>) -> Option<(T, T)> {
    let last = left.next()?;
    Some((left.next_back().unwrap_or(last), last))
}

/// What is left of a range with steps: its first number, the step, how many.
#[derive(Serialize, Deserialize)]
struct Steps<T> {
    first: T,
    step: NonZeroUsize,
    count: usize,
}

impl<T: Copy + TryInto<i128>> Steps<T> {
    /// None, if nothing is left.
    fn of(mut left: impl Iterator<Item = T>) -> Result<Option<Self>, &'static str> {
        let (count, most) = left.size_hint();
        let Some(first) = left.next() else { return Ok(None) };
        if most != Some(count) {
            return Err("a range of more numbers than can be counted");
        }
        let wide = |number: T| number.try_into().map_err(|_| IMPOSSIBLE);
        // With a single number left, the step is of no use any more.
        let distance = match left.next() {
            Some(second) => wide(second)? - wide(first)?,
            None => 1,
        };
        let step = usize::try_from(distance).ok().and_then(NonZeroUsize::new).ok_or(IMPOSSIBLE)?;
        Ok(Some(Self { first, step, count }))
    }

    fn last(&self) -> Option<i128> {
        let steps = i128::try_from(self.count).ok()?.checked_sub(1)?;
        let distance = steps.checked_mul(i128::try_from(self.step.get()).ok()?)?;
        self.first.try_into().ok()?.checked_add(distance)
    }
}

const IMPOSSIBLE: &str = "a range that goes further than its numbers";

macro_rules! ranges {
    ($($number:ty)*) => {$(
        impl SerializeAs<Rev<Range<$number>>> for Cross {
            fn serialize_as<S: Serializer>(value: &Rev<Range<$number>>, serializer: S) -> Result<S::Ok, S::Error> {
                ends(value.clone()).serialize(serializer)
            }
        }

        impl<'de> DeserializeAs<'de, Rev<Range<$number>>> for Cross {
            fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Rev<Range<$number>>, D::Error> {
                let Some((first, last)) = Option::<($number, $number)>::deserialize(deserializer)? else {
                    return Ok((0..0).rev());
                };
                let end = last.checked_add(1).ok_or_else(|| D::Error::custom(IMPOSSIBLE))?;
                Ok((first..end).rev())
            }
        }

        impl SerializeAs<Rev<RangeInclusive<$number>>> for Cross {
            fn serialize_as<S: Serializer>(
                value: &Rev<RangeInclusive<$number>>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                ends(value.clone()).serialize(serializer)
            }
        }

        impl<'de> DeserializeAs<'de, Rev<RangeInclusive<$number>>> for Cross {
            fn deserialize_as<D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Rev<RangeInclusive<$number>>, D::Error> {
                let left = Option::<($number, $number)>::deserialize(deserializer)?;
                let (first, last) = left.unwrap_or((1, 0));
                Ok((first..=last).rev())
            }
        }

        impl SerializeAs<StepBy<Range<$number>>> for Cross {
            fn serialize_as<S: Serializer>(value: &StepBy<Range<$number>>, serializer: S) -> Result<S::Ok, S::Error> {
                Steps::of(value.clone()).map_err(S::Error::custom)?.serialize(serializer)
            }
        }

        impl<'de> DeserializeAs<'de, StepBy<Range<$number>>> for Cross {
            fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<StepBy<Range<$number>>, D::Error> {
                let Some(steps) = Option::<Steps<$number>>::deserialize(deserializer)? else {
                    return Ok((0..0).step_by(1));
                };
                let end = steps.last().and_then(|last| <$number>::try_from(last.checked_add(1)?).ok());
                let end = end.ok_or_else(|| D::Error::custom(IMPOSSIBLE))?;
                Ok((steps.first..end).step_by(steps.step.get()))
            }
        }

        impl SerializeAs<StepBy<RangeInclusive<$number>>> for Cross {
            fn serialize_as<S: Serializer>(
                value: &StepBy<RangeInclusive<$number>>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                Steps::of(value.clone()).map_err(S::Error::custom)?.serialize(serializer)
            }
        }

        impl<'de> DeserializeAs<'de, StepBy<RangeInclusive<$number>>> for Cross {
            fn deserialize_as<D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<StepBy<RangeInclusive<$number>>, D::Error> {
                let Some(steps) = Option::<Steps<$number>>::deserialize(deserializer)? else {
                    return Ok(RangeInclusive::new(1, 0).step_by(1));
                };
                let last = steps.last().and_then(|last| <$number>::try_from(last).ok());
                let last = last.ok_or_else(|| D::Error::custom(IMPOSSIBLE))?;
                Ok((steps.first..=last).step_by(steps.step.get()))
            }
        }
    )*};
}

// Wider ones do not say how many are left.
ranges! { u8 u16 u32 u64 usize i8 i16 i32 i64 isize }

impl<T: Serialize> SerializeAs<Cursor<T>> for Cross {
    fn serialize_as<S: Serializer>(value: &Cursor<T>, serializer: S) -> Result<S::Ok, S::Error> {
        (value.get_ref(), value.position()).serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> DeserializeAs<'de, Cursor<T>> for Cross {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Cursor<T>, D::Error> {
        let (inner, position) = <(T, u64)>::deserialize(deserializer)?;
        let mut cursor = Cursor::new(inner);
        cursor.set_position(position);
        Ok(cursor)
    }
}
