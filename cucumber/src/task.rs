//! `Task`: a function of this program, and the values it captures.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Func;
use crate::cross::Handles;
use crate::error::Result;
use crate::func::{Shim, Stateless, Trust};
use crate::scope::Scope;
use crate::ser::Encoded;

pub mod captive;

use captive::Captures;

/// The signature of a task, `fn(A) -> R`, and the closure that a worker calls.
pub trait Signature: 'static {
    /// The closure.
    type Closure: ?Sized + 'static;
}

/// A closure of this signature.
pub trait Body<P: Signature> {
    #[doc(hidden)]
    fn boxed(self) -> Box<P::Closure>;
}

macro_rules! signatures {
    ($(($($argument:ident),*))*) => {$(
        impl<R: 'static, $($argument: 'static),*> Signature for fn($($argument),*) -> R {
            type Closure = dyn Fn($($argument),*) -> R;
        }
        impl<Z, R: 'static, $($argument: 'static),*> Body<fn($($argument),*) -> R> for Z
        where
            Z: Fn($($argument),*) -> R + 'static,
        {
            fn boxed(self) -> Box<dyn Fn($($argument),*) -> R> {
                Box::new(self)
            }
        }
    )*};
}

signatures! { () (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) (A, B, C, D, E, F, G) }

/// A closure with what it captures, which can be sent to another process that runs the same build.
///
/// `task!` makes it. It can be a field, be stored and be sent; whoever has it calls its [`closure`](Task::closure).
pub struct Task<P: Signature> {
    captures: Captured,
    make: Func<Maker<P>>,
}

type Made<P> = Result<Box<<P as Signature>::Closure>>;
type Maker<P> = fn(Encoded) -> Made<P>;

/// The encoded captures; or why they cannot be, which is said when the task is to be sent.
#[derive(Clone)]
enum Captured {
    Held(Vec<u8>, Handles),
    Refused(String),
}

impl<P: Signature> Task<P> {
    /// The closure, with captures of its own.
    ///
    /// # Errors
    ///
    /// When the captures could not be encoded, or cannot be decoded.
    pub fn closure(&self) -> Made<P> {
        match &self.captures {
            Captured::Held(bytes, handles) => {
                let attachments = handles.copies()?;
                self.make.get()(Encoded { bytes: bytes.clone(), attachments })
            }
            Captured::Refused(why) => Err(serde::ser::Error::custom(why)),
        }
    }
}

impl<P: Signature> Clone for Task<P> {
    fn clone(&self) -> Self {
        Self { captures: self.captures.clone(), make: self.make }
    }
}

impl<P: Signature> fmt::Debug for Task<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Task<{}>", crate::type_name::<P>())
    }
}

impl<P: Signature> Serialize for Task<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.captures {
            Captured::Held(bytes, handles) => (bytes, handles, self.make).serialize(serializer),
            Captured::Refused(why) => Err(serde::ser::Error::custom(why)),
        }
    }
}

impl<'de, P: Signature> Deserialize<'de> for Task<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (bytes, handles, make) = Deserialize::deserialize(deserializer)?;
        Ok(Self { captures: Captured::Held(bytes, handles), make })
    }
}

struct Make<C, G, P>(PhantomData<(C, G, P)>);

impl<F, C, G, P> Shim<F> for Make<C, G, P>
where
    F: Fn(C::Owned) -> G,
    C: Captures,
    G: Body<P>,
    P: Signature,
{
    type Argument = Encoded;
    type Output = Made<P>;

    fn call(factory: F, captures: Encoded) -> Made<P> {
        // The captures came by the same way as the place of this very function, so what they name is as good: a task
        // may capture another.
        let scope = Scope::new().with_functions(Trust::same_origin()).with_attachments(captures.attachments);
        let wire = crate::decode_with::<C::Wire>(&captures.bytes, scope)?;
        Ok(factory(C::owned(wire)).boxed())
    }
}

/// What `task!` comes to.
#[doc(hidden)]
pub fn task<C, F, G, P>(captures: C, factory: F) -> Task<P>
where
    C: Captures,
    F: Fn(C::Owned) -> G + Copy + 'static,
    G: Body<P>,
    P: Signature,
{
    const {
        assert!(
            size_of::<F>() == 0,
            "this closure uses a variable that `task!` did not find; list all it uses: `task!([variable] |…| …)`"
        );
    }
    let captures = captures
        .encode()
        .and_then(|Encoded { bytes, attachments }| Ok(Captured::Held(bytes, Handles::of(attachments)?)));
    let captures = captures
        .unwrap_or_else(|error| Captured::Refused(format!("a capture of this task cannot cross: {error}")));
    Task { captures, make: Stateless::new(factory).bind::<Make<C, G, P>>() }
}

#[cfg(test)]
mod tests;
