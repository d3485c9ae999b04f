//! Tuples, arrays and boxes: places side by side.

use super::error::ShareError;
use super::place::Place;
use super::shareable::{ShareHandle, Shareable};
use crate::shm::view::View;
use crate::shm::writer::Writer;

macro_rules! tuples {
    ($($first:ident: $first_index:tt $(, $name:ident: $index:tt)*;)*) => {$(
        impl<$first: Shareable $(, $name: Shareable)*> Shareable for ($first, $($name,)*) {
            type Handle = ($first::Handle, $($name::Handle,)*);

            const WORDS: u64 = $first::WORDS $(+ $name::WORDS)*;

            #[allow(unused_assignments, reason = "the last part has nothing behind it")]
            fn handle(place: Place) -> Self::Handle {
                let mut at = 0;
                let mut next = |words| {
                    let part = place.further(at);
                    at += words;
                    part
                };
                ($first::handle(next($first::WORDS)), $($name::handle(next($name::WORDS)),)*)
            }

            #[allow(unused_assignments, reason = "the last part has nothing behind it")]
            fn load(view: &View<'_>, at: u64) -> Result<Self, ShareError> {
                let mut at = at;
                Ok(({
                    let part = $first::load(view, at)?;
                    at += $first::WORDS * 8;
                    part
                }, $({
                    let part = $name::load(view, at)?;
                    at += $name::WORDS * 8;
                    part
                },)*))
            }

            #[allow(unused_assignments, reason = "the last part has nothing behind it")]
            fn store(&self, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
                let mut at = at;
                self.$first_index.store(writer, at)?;
                at += $first::WORDS * 8;
                $(
                    self.$index.store(writer, at)?;
                    at += $name::WORDS * 8;
                )*
                Ok(())
            }

            #[allow(unused_assignments, reason = "the last part has nothing behind it")]
            fn free(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
                let mut at = at;
                $first::free(writer, at)?;
                at += $first::WORDS * 8;
                $(
                    $name::free(writer, at)?;
                    at += $name::WORDS * 8;
                )*
                Ok(())
            }
        }

        impl<$first: ShareHandle $(, $name: ShareHandle)*> ShareHandle for ($first, $($name,)*) {
            type Plain = ($first::Plain, $($name::Plain,)*);

            fn place(&self) -> &Place {
                self.0.place()
            }
        }
    )*};
}

tuples! {
    A: 0;
    A: 0, B: 1;
    A: 0, B: 1, C: 2;
    A: 0, B: 1, C: 2, D: 3;
    A: 0, B: 1, C: 2, D: 3, E: 4;
    A: 0, B: 1, C: 2, D: 3, E: 4, F: 5;
    A: 0, B: 1, C: 2, D: 3, E: 4, F: 5, G: 6;
    A: 0, B: 1, C: 2, D: 3, E: 4, F: 5, G: 6, H: 7;
}

impl<T: Shareable, const N: usize> Shareable for [T; N] {
    type Handle = [T::Handle; N];

    const WORDS: u64 = T::WORDS * N as u64;

    fn handle(place: Place) -> [T::Handle; N] {
        const { assert!(N != 0, "an array without elements cannot be shared") };
        std::array::from_fn(|index| T::handle(place.further(T::WORDS * index as u64)))
    }

    fn load(view: &View<'_>, at: u64) -> Result<[T; N], ShareError> {
        let elements: Vec<T> =
            (0..N as u64).map(|index| T::load(view, at + index * T::WORDS * 8)).collect::<Result<_, _>>()?;
        elements.try_into().map_err(|_| ShareError::value("an array of another length"))
    }

    fn store(&self, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        (0..).zip(self).try_for_each(|(index, element)| element.store(writer, at + index * T::WORDS * 8))
    }

    fn free(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        (0..N as u64).try_for_each(|index| T::free(writer, at + index * T::WORDS * 8))
    }
}

impl<H: ShareHandle, const N: usize> ShareHandle for [H; N] {
    type Plain = [H::Plain; N];

    fn place(&self) -> &Place {
        // No array without elements has a handle: `Shareable::handle` refuses to compile.
        self[0].place()
    }
}
