//! Iterators and readers, by what is left of them.

use std::io::Cursor;
use std::ops::RangeInclusive;
use std::vec;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::{DeserializeAs, SerializeAs};

use super::Cross;

/// serde forgets whether the end was reached.
impl<T: Serialize + PartialOrd> SerializeAs<RangeInclusive<T>> for Cross {
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
