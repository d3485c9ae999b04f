//! What a closure captures, taken from its surroundings as data. Called by the code that `task!` generates.
#![allow(
    missing_docs,
    clippy::must_use_candidate,
    clippy::missing_errors_doc,
    clippy::unused_unit,
    reason = "called by generated code only"
)]

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::ser::Encoded;

/// A variable that a closure uses, before it is known which of the traits below is for it.
///
/// `(&&&Captive(&variable)).capture()` takes the first that fits: each stands one reference closer to the receiver
/// than the next.
#[derive(Debug)]
pub struct Captive<'v, T>(pub &'v T);

/// For references: `&str` is captured as `String`, `&[T]` as `Vec<T>`, `&T` as `T`.
pub trait CaptureReference {
    type Captured;
    fn capture(&self) -> Self::Captured;
}

impl<R> CaptureReference for &&Captive<'_, &R>
where
    R: ToOwned + ?Sized,
    R::Owned: Serialize + DeserializeOwned + 'static,
{
    type Captured = Taken<R::Owned>;
    fn capture(&self) -> Taken<R::Owned> {
        Taken((*self.0).to_owned())
    }
}

/// For every other value that crosses.
pub trait CaptureValue {
    type Captured;
    fn capture(&self) -> Self::Captured;
}

impl<'v, T: Serialize + DeserializeOwned + 'static> CaptureValue for &Captive<'v, T> {
    type Captured = Lent<'v, T>;
    fn capture(&self) -> Lent<'v, T> {
        Lent(self.0)
    }
}

/// For what does not cross.
pub trait CaptureNothing {
    type Captured;
    type Value;
    fn capture(&self) -> Self::Captured
    where
        Self::Value: Crosses;
}

impl<T> CaptureNothing for Captive<'_, T> {
    type Captured = Refused<T>;
    type Value = T;
    fn capture(&self) -> Refused<T> {
        Refused(PhantomData)
    }
}

/// Nothing implements it; its message is what a user sees whose capture cannot cross.
#[diagnostic::on_unimplemented(
    message = "a task cannot capture `{Self}`",
    label = "this cannot be sent to another process",
    note = "its type needs serde's `Serialize` and `Deserialize`",
    note = "a function or a constant need not be captured: list what must be, as in `task!([factor] |…| …)`"
)]
pub trait Crosses {}

/// Imported whole, and without names, by generated code.
pub mod capturing {
    pub use super::{CaptureNothing as _, CaptureReference as _, CaptureValue as _};
}

/// A value that crosses as it is.
#[derive(Debug)]
pub struct Lent<'v, T>(&'v T);
/// A value behind a reference: the closure has one of its own.
#[derive(Debug)]
pub struct Taken<T>(T);
/// Stands for the type that the closure expects, so that `Crosses` is the only complaint.
#[derive(Debug)]
pub struct Refused<T>(PhantomData<T>);

/// One capture: what is encoded, and what the closure has.
pub trait Capture {
    type Wire: Serialize + DeserializeOwned + 'static;
    type Owned: 'static;
    fn wire(&self) -> &Self::Wire;
    fn owned(wire: Self::Wire) -> Self::Owned;
}

impl<T: Serialize + DeserializeOwned + 'static> Capture for Lent<'_, T> {
    type Wire = T;
    type Owned = T;
    fn wire(&self) -> &T {
        self.0
    }
    fn owned(wire: T) -> T {
        wire
    }
}

impl<T: Serialize + DeserializeOwned + 'static> Capture for Taken<T> {
    type Wire = T;
    type Owned = T;
    fn wire(&self) -> &T {
        &self.0
    }
    fn owned(wire: T) -> T {
        wire
    }
}

impl<T: 'static> Capture for Refused<T> {
    type Wire = ();
    type Owned = T;
    fn wire(&self) -> &() {
        &()
    }
    fn owned((): ()) -> T {
        unreachable!("`Crosses` lets nothing through")
    }
}

/// All captures of a closure: tuples of up to twelve.
pub trait Captures {
    type Wire: DeserializeOwned + 'static;
    type Owned: 'static;
    fn encode(&self) -> Result<Encoded>;
    fn owned(wire: Self::Wire) -> Self::Owned;
}

macro_rules! captures {
    ($(($($name:ident $value:ident $place:tt),*))*) => {$(
        impl<$($name: Capture),*> Captures for ($($name,)*) {
            type Wire = ($($name::Wire,)*);
            type Owned = ($($name::Owned,)*);
            fn encode(&self) -> Result<Encoded> {
                crate::know::<Self::Wire>();
                crate::ser::encode_for_many(&($(self.$place.wire(),)*))
            }
            fn owned(($($value,)*): Self::Wire) -> Self::Owned {
                ($($name::owned($value),)*)
            }
        }
    )*};
}

captures! {
    ()
    (A a 0)
    (A a 0, B b 1)
    (A a 0, B b 1, C c 2)
    (A a 0, B b 1, C c 2, D d 3)
    (A a 0, B b 1, C c 2, D d 3, E e 4)
    (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5)
    (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6)
    (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7)
    (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8)
    (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9)
    (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10)
    (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10, L l 11)
}
