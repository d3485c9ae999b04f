//! Numbers, `bool` and `char`: values that live in place.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{
    Add, AddAssign, BitAnd, BitAndAssign, BitOr, BitOrAssign, BitXor, BitXorAssign, Div, DivAssign, Mul,
    MulAssign, Rem, RemAssign, Shl, ShlAssign, Shr, ShrAssign, Sub, SubAssign,
};

use super::error::{ShareError, raise};
use super::operations::operations;
use super::place::Place;
use super::shareable::{ShareHandle, Shareable};
use crate::shm::fault::Fault;
use crate::shm::view::View;
use crate::shm::writer::Writer;

/// A number, a `bool` or a `char`.
pub trait Scalar: Copy + sealed::Bits + Shareable<Handle = CellHandle<Self>> {}

mod sealed {
    /// How a value is kept in one or two words.
    pub trait Bits: Sized + 'static {
        const WIDE: bool;
        fn to_bits(self) -> u128;
        /// `None` for bits that are no value of the type.
        fn of_bits(bits: u128) -> Option<Self>;
    }
}

use sealed::Bits;

macro_rules! integers {
    ($($type:ty as $unsigned:ty: $words:literal),*) => {$(
        impl Bits for $type {
            const WIDE: bool = $words == 2;
            fn to_bits(self) -> u128 {
                (self as $unsigned).into()
            }
            fn of_bits(bits: u128) -> Option<$type> {
                <$unsigned>::try_from(bits).ok().map(|bits| bits as $type)
            }
        }
    )*};
}

integers! { u8 as u8: 1, u16 as u16: 1, u32 as u32: 1, u64 as u64: 1, u128 as u128: 2 }
integers! { i8 as u8: 1, i16 as u16: 1, i32 as u32: 1, i64 as u64: 1, i128 as u128: 2 }

macro_rules! scalars {
    ($($type:ty: $value:ident => $to:expr, $bits:ident => $of:expr;)*) => {$(
        impl Bits for $type {
            const WIDE: bool = false;
            fn to_bits(self) -> u128 {
                let $value = self;
                $to
            }
            fn of_bits($bits: u128) -> Option<$type> {
                $of
            }
        }
    )*};
}

scalars! {
    usize: value => value as u128, bits => usize::try_from(bits).ok();
    isize: value => value as usize as u128, bits => usize::try_from(bits).ok().map(|bits| bits as isize);
    f32: value => value.to_bits().into(), bits => u32::try_from(bits).ok().map(f32::from_bits);
    f64: value => value.to_bits().into(), bits => u64::try_from(bits).ok().map(f64::from_bits);
    bool: value => value.into(), bits => (bits < 2).then_some(bits == 1);
    char: value => u32::from(value).into(), bits => u32::try_from(bits).ok().and_then(char::from_u32);
}

/// Stands for a shared number, `bool` or `char`.
///
/// Operators and comparisons work as on the plain value, and each is one atomic operation. (An operator that panics,
/// a division by zero for one, changes nothing.)
///
/// ```
/// use processing::Share;
///
/// let mut share = Share::new(40_u64)?;
/// *share += 2;
/// assert_eq!(*share, 42);
/// assert_eq!(share.add(8), 50);
/// assert_eq!(share.replace(0), 50);
/// println!("{}", *share);
/// # Ok::<(), processing::ShareError>(())
/// ```
pub struct CellHandle<T> {
    place: Place,
    value: PhantomData<fn() -> T>,
}

fn value_of<T: Scalar>(bits: u128) -> Result<T, ShareError> {
    T::of_bits(bits).ok_or_else(|| Fault::Corrupt("value of a cell").into())
}

impl<T: Scalar> CellHandle<T> {
    operations! {
        /// The value.
        fn get | try_get(&self) -> T {
            if !T::WIDE {
                return value_of(self.place.store.read_word(self.place.at)?.into());
            }
            self.try_snapshot()
        }

        /// Assigns `value`.
        fn set | try_set(&self, value: T) {
            self.modify(|_| (value, ()))
        }

        /// Assigns `value` and returns what was there.
        fn replace | try_replace(&self, value: T) -> T {
            self.modify(|before| (value, before))
        }

        /// Assigns `value` if the value is `expected`; says whether it was.
        fn replace_if | try_replace_if(&self, expected: T, value: T) -> bool {
            self.modify(|before| {
                let equal = before.to_bits() == expected.to_bits();
                (if equal { value } else { before }, equal)
            })
        }
    }

    /// Changes the value to what `change` makes of it.
    #[inline]
    fn modify<R>(&self, change: impl FnOnce(T) -> (T, R)) -> Result<R, ShareError> {
        if T::WIDE {
            return self.place.transact(|| {
                let (value, result) = change(self.try_get()?);
                self.try_assign(value)?;
                Ok(result)
            });
        }
        let changed = self.place.store.change_word(self.place.at, |word| {
            let (after, result) = change(T::of_bits(word.into())?);
            Some((after.to_bits() as u64, result))
        });
        changed.map_err(|fault| ShareError::from(*fault))
    }
}

impl<T: Scalar + Add<Output = T>> CellHandle<T> {
    operations! {
        /// Adds `more` and returns the sum: the value as this very operation left it.
        fn add | try_add(&self, more: T) -> T {
            self.modify(|before| {
                let sum = before + more;
                (sum, sum)
            })
        }
    }
}

impl<T: Scalar + Sub<Output = T>> CellHandle<T> {
    operations! {
        /// Subtracts `less` and returns the difference: the value as this very operation left it.
        fn sub | try_sub(&self, less: T) -> T {
            self.modify(|before| {
                let difference = before - less;
                (difference, difference)
            })
        }
    }
}

impl<T: Scalar> ShareHandle for CellHandle<T> {
    type Plain = T;

    fn place(&self) -> &Place {
        &self.place
    }
}

macro_rules! shareable {
    ($($type:ty)*) => {$(
        impl Scalar for $type {}

        impl Shareable for $type {
            type Handle = CellHandle<$type>;

            const WORDS: u64 = 1 + <$type as Bits>::WIDE as u64;

            fn handle(place: Place) -> CellHandle<$type> {
                CellHandle { place, value: PhantomData }
            }

            fn load(view: &View<'_>, at: u64) -> Result<$type, ShareError> {
                let mut bits = u128::from(view.load(at)?);
                if <$type as Bits>::WIDE {
                    bits |= u128::from(view.load(at + 8)?) << 64;
                }
                view.check()?;
                value_of(bits)
            }

            fn store(&self, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
                let bits = Bits::to_bits(*self);
                writer.set(at, bits as u64)?;
                if <$type as Bits>::WIDE {
                    writer.set(at + 8, (bits >> 64) as u64)?;
                }
                Ok(())
            }

            fn free(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
                for word in 0..<$type as Shareable>::WORDS {
                    writer.set(at + word * 8, 0)?;
                }
                Ok(())
            }
        }
    )*};
}

shareable! { u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 bool char }

macro_rules! operators {
    ($($trait:ident::$method:ident by $plain:ident::$operator:ident)*) => {$(
        impl<T, R> $trait<R> for CellHandle<T>
        where
            T: Scalar + $plain<R, Output = T>,
        {
            #[inline]
            #[track_caller]
            fn $method(&mut self, other: R) {
                self.modify(|before| (before.$operator(other), ())).unwrap_or_else(raise)
            }
        }
    )*};
}

operators! {
    AddAssign::add_assign by Add::add
    SubAssign::sub_assign by Sub::sub
    MulAssign::mul_assign by Mul::mul
    DivAssign::div_assign by Div::div
    RemAssign::rem_assign by Rem::rem
    BitAndAssign::bitand_assign by BitAnd::bitand
    BitOrAssign::bitor_assign by BitOr::bitor
    BitXorAssign::bitxor_assign by BitXor::bitxor
    ShlAssign::shl_assign by Shl::shl
    ShrAssign::shr_assign by Shr::shr
}

impl<T: Scalar + PartialEq> PartialEq<T> for CellHandle<T> {
    fn eq(&self, other: &T) -> bool {
        self.get() == *other
    }
}

impl<T: Scalar + PartialEq> PartialEq for CellHandle<T> {
    fn eq(&self, other: &CellHandle<T>) -> bool {
        self.get() == other.get()
    }
}

impl<T: Scalar + PartialOrd> PartialOrd<T> for CellHandle<T> {
    fn partial_cmp(&self, other: &T) -> Option<std::cmp::Ordering> {
        self.get().partial_cmp(other)
    }
}

impl<T: Scalar + PartialOrd> PartialOrd for CellHandle<T> {
    fn partial_cmp(&self, other: &CellHandle<T>) -> Option<std::cmp::Ordering> {
        self.get().partial_cmp(&other.get())
    }
}

impl<T: Scalar + fmt::Display> fmt::Display for CellHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl<T: Scalar + fmt::Debug> fmt::Debug for CellHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
