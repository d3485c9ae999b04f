//! Function pointers of every arity.
#![expect(unsafe_code, reason = "an address has to be called as the function that it is")]

use super::{Stateless, conjure};

mod sealed {
    pub trait Sealed {}
}

/// A type of function pointer, such as `fn(u32) -> String`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function pointer that can be sent",
    note = "arguments are owned values, and at most seven: `fn(A, B) -> R`"
)]
pub trait FnPointer: Copy + Send + Sync + 'static + sealed::Sealed {
    #[doc(hidden)]
    fn address(self) -> usize;

    /// # Safety
    ///
    /// A function of this type is at the address, for as long as the process lives.
    #[doc(hidden)]
    unsafe fn from_address(address: usize) -> Self;
}

/// A function or closure without data that can be called as a `P`.
pub trait Callable<P>: Copy + 'static {
    #[doc(hidden)]
    fn pointer(proof: Stateless<Self>) -> P;
}

macro_rules! arities {
    ($(($($argument:ident)*))*) => {$(
        impl<R: 'static, $($argument: 'static),*> sealed::Sealed for fn($($argument),*) -> R {}

        impl<R: 'static, $($argument: 'static),*> FnPointer for fn($($argument),*) -> R {
            fn address(self) -> usize {
                self as usize
            }

            unsafe fn from_address(address: usize) -> Self {
                let pointer = std::ptr::with_exposed_provenance::<()>(address);
                // SAFETY: by this function's contract, a function of this type is there.
                unsafe { std::mem::transmute::<*const (), Self>(pointer) }
            }
        }

        impl<F, R, $($argument),*> Callable<fn($($argument),*) -> R> for F
        where
            F: Fn($($argument),*) -> R + Copy + 'static,
        {
            fn pointer(_: Stateless<Self>) -> fn($($argument),*) -> R {
                #[expect(clippy::allow_attributes, reason = "not every arity has names to spell")]
                #[allow(non_snake_case, reason = "a value is called as its type")]
                fn shim<F, R, $($argument),*>($($argument: $argument),*) -> R
                where
                    F: Fn($($argument),*) -> R + Copy + 'static,
                {
                    // SAFETY: this function is named in `pointer` only, which has a proof that there was a value.
                    let function = unsafe { conjure::<F>() };
                    function($($argument),*)
                }
                shim::<F, R, $($argument),*>
            }
        }
    )*};
}

arities! {
    ()
    (A)
    (A B)
    (A B C)
    (A B C D)
    (A B C D E)
    (A B C D E G)
    (A B C D E G H)
}
