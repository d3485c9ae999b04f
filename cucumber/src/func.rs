//! A function of this program, as a place in its image.
//!
//! Function items, local functions and closures without captures have no data: all there is to them is code, and that
//! is the same in every process that runs this program. So a [`Func`] is written as the distance of its code from a static of the same
//! image, which is the same wherever the image was loaded.
//!
//! The other process must run the same build, and only it may be believed: [`set_image`] says where the code is, and gives
//! the token without which no decoding accepts a function.
#![expect(unsafe_code, reason = "an address has to be called as the function that it is")]

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU8;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};
use crate::scope::{self, Failure};

mod pointer;

pub use pointer::{Callable, FnPointer};

/// Distances are measured from here. A static has one address; a function may have several, one for each part of the
/// program that was compiled on its own. It can change, so that it is never merged with a constant.
static ANCHOR: AtomicU8 = AtomicU8::new(0);

static TEXT: OnceLock<Range<usize>> = OnceLock::new();

fn anchor() -> usize {
    std::ptr::from_ref(&ANCHOR).addr()
}

/// The right to accept functions from other processes. Outside this crate there is one way to it, [`set_image`].
#[derive(Clone, Copy, Debug)]
pub struct Trust(());

impl Trust {
    /// For bytes that came together with a function which was accepted already.
    pub(crate) fn same_origin() -> Self {
        Self(())
    }
}

/// Says where the code of this program is in memory, once and for all.
///
/// # Errors
///
/// When it was said before, and differently.
///
/// # Safety
///
/// - `text` is the executable code of the image that this crate is linked into, and stays mapped while the process lives;
/// - the token is used only for bytes which a process running the same build of that image wrote with this crate.
pub unsafe fn set_image(text: Range<usize>) -> Result<Trust> {
    let known = TEXT.get_or_init(|| text.clone());
    if *known == text {
        Ok(Trust(()))
    } else {
        Err(Error::function("the place of this program's code was set before"))
    }
}

/// A function of this program, which can be sent to another process that runs the same build.
///
/// `P` is a function pointer's type. A function that captures something does not fit: `task!(…)` sends the captures along.
///
/// ```
/// use cucumber::Func;
///
/// let double = Func::<fn(i64) -> i64>::new(|x| x * 2);
/// assert_eq!(double.get()(21), 42);
/// ```
///
/// ```compile_fail
/// use cucumber::Func;
///
/// let factor = std::env::args().count() as i64;
/// let times = Func::<fn(i64) -> i64>::new(move |x| x * factor);
/// ```
pub struct Func<P> {
    pointer: P,
}

impl<P: FnPointer> Func<P> {
    /// Takes a function item, a local function or a closure without captures.
    #[must_use]
    pub fn new<F: Callable<P>>(function: F) -> Self {
        Self { pointer: F::pointer(Stateless::new(function)) }
    }

    /// Takes a function pointer. Whether it belongs to this program is found out when it is sent.
    #[must_use]
    pub fn from_pointer(pointer: P) -> Self {
        Self { pointer }
    }

    /// The function itself.
    #[must_use]
    pub fn get(self) -> P {
        self.pointer
    }

    fn offset(self) -> Result<isize> {
        let address = self.pointer.address();
        match TEXT.get() {
            None => Err(Error::function(
                "this program's code has not been located yet, so its functions cannot be sent",
            )),
            Some(text) if text.contains(&address) => Ok(address.wrapping_sub(anchor()).cast_signed()),
            Some(_) => Err(Error::function(
                "the function belongs to a library outside this program, which the other process may not have; \
                 call it from a function of the program",
            )),
        }
    }

    fn from_offset(offset: isize, signature: u64) -> Result<Self> {
        if !scope::trusts_functions() {
            return Err(Error::function(
                "these bytes name a function, and they came over no channel that may; decode them in a scope `with_functions`",
            ));
        }
        if signature != signature_of::<P>() {
            let expected = crate::type_name::<P>();
            return Err(Error::function(format!(
                "the bytes name a function of another type than `{expected}`"
            )));
        }
        let address = anchor().wrapping_add_signed(offset);
        match TEXT.get() {
            Some(text) if text.contains(&address) => {
                // SAFETY:
                // - a function of this type: the scope was given a `Trust`, so by the contract of `set_image` the bytes were
                //   written by `Func::<Q>::serialize` in the same build, and the signature says that `Q` is named like `P`;
                //   offsets from the anchor are the same in every process that runs the build;
                // - not null and still mapped: it is within the code, which stays for the life of the process.
                let pointer = unsafe { P::from_address(address) };
                Ok(Self { pointer })
            }
            Some(_) => Err(Error::function("the bytes name a function outside this program's code")),
            None => Err(Error::function(
                "this program's code has not been located yet, so no function can be found in it",
            )),
        }
    }
}

/// FNV-1a over the type's name: enough to tell one signature from another, and the same in every process.
fn signature_of<P>() -> u64 {
    std::any::type_name::<P>().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl<P: Clone> Clone for Func<P> {
    fn clone(&self) -> Self {
        Self { pointer: self.pointer.clone() }
    }
}

impl<P: Copy> Copy for Func<P> {}

impl<P> fmt::Debug for Func<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Func<{}>", crate::type_name::<P>())
    }
}

impl<P: FnPointer> Serialize for Func<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let offset = self.offset().map_err(|error| {
            scope::note(Failure::Function);
            serde::ser::Error::custom(error)
        })?;
        (offset as i64, signature_of::<P>()).serialize(serializer)
    }
}

impl<'de, P: FnPointer> Deserialize<'de> for Func<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (offset, signature) = <(i64, u64)>::deserialize(deserializer)?;
        let offset = isize::try_from(offset)
            .map_err(|_| Error::function("the bytes name a function outside this program's code"));
        offset.and_then(|offset| Self::from_offset(offset, signature)).map_err(|error| {
            scope::note(Failure::Function);
            serde::de::Error::custom(error)
        })
    }
}

/// Proof that there was a value of the zero-sized type `F`, so that there may be another one, anywhere.
///
/// ```
/// use cucumber::func::{Shim, Stateless};
///
/// struct Twice;
/// impl<F: Fn(i64) -> i64> Shim<F> for Twice {
///     type Argument = i64;
///     type Output = i64;
///     fn call(function: F, argument: i64) -> i64 { function(function(argument)) }
/// }
///
/// // The pointer knows nothing of the closure's type any more.
/// let twice: cucumber::Func<fn(i64) -> i64> = Stateless::new(|x| x + 1).bind::<Twice>();
/// assert_eq!(twice.get()(5), 7);
/// ```
pub struct Stateless<F>(PhantomData<fn() -> F>);

/// What to do with a function that is conjured up where only a [`Func`] arrived.
pub trait Shim<F> {
    /// What the resulting function takes.
    type Argument: 'static;
    /// What it returns.
    type Output: 'static;

    /// Does it.
    fn call(function: F, argument: Self::Argument) -> Self::Output;
}

impl<F: Copy + 'static> Stateless<F> {
    /// Takes the value as the proof.
    #[must_use]
    pub fn new(_: F) -> Self {
        const {
            assert!(
                size_of::<F>() == 0,
                "this closure captures variables of its surroundings; wrap it in `task!(…)`, which sends them along"
            );
        }
        Self(PhantomData)
    }

    /// The value.
    #[must_use]
    pub fn get(self) -> F {
        // SAFETY: the proof was made from a value.
        unsafe { conjure() }
    }

    /// A function that calls `S` with the value, wherever the program runs.
    #[must_use]
    pub fn bind<S: Shim<F>>(self) -> Func<fn(S::Argument) -> S::Output> {
        fn shim<F: Copy + 'static, S: Shim<F>>(argument: S::Argument) -> S::Output {
            // SAFETY: this function is named in `bind` only, which has a proof. Another process that was sent
            // its place runs the same program, where the same value is as good.
            let function = unsafe { conjure::<F>() };
            S::call(function, argument)
        }
        Func { pointer: shim::<F, S> }
    }
}

impl<F> Clone for Stateless<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Stateless<F> {}

impl<F> fmt::Debug for Stateless<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stateless<{}>", std::any::type_name::<F>())
    }
}

/// A value of a type that has but one.
///
/// # Safety
///
/// A value of `F` must have existed.
unsafe fn conjure<F: Copy + 'static>() -> F {
    const { assert!(size_of::<F>() == 0) }
    // SAFETY:
    // - readable: a read of no bytes needs no memory, only a pointer that is not null and aligned, as this one is;
    // - valid: the caller knows that there was a value, a value of no size is the same everywhere, and `F: Copy`
    //   allows for another.
    unsafe { std::ptr::dangling::<F>().read() }
}

#[cfg(test)]
pub(crate) mod tests;
