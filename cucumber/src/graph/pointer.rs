//! What `Rc` and `Arc` have in common.

use std::rc::{self, Rc};
use std::sync::{self, Arc};

/// A pointer that others may share.
pub(crate) trait Pointer: Clone + 'static {
    type Target: 'static;
    type Weak: Clone + 'static;

    fn new(value: Self::Target) -> Self;
    fn cyclic(make: impl FnOnce(&Self::Weak) -> Self::Target) -> Self;
    fn target(&self) -> &Self::Target;
    fn address(&self) -> usize;
    fn downgrade(&self) -> Self::Weak;
    fn upgrade(weak: &Self::Weak) -> Option<Self>;
    fn dangling() -> Self::Weak;
}

macro_rules! pointers {
    ($($pointer:ident $weak:path;)*) => {$(
        impl<T: 'static> Pointer for $pointer<T> {
            type Target = T;
            type Weak = $weak;

            fn new(value: T) -> Self {
                $pointer::new(value)
            }
            fn cyclic(make: impl FnOnce(&$weak) -> T) -> Self {
                $pointer::new_cyclic(make)
            }
            fn target(&self) -> &T {
                self
            }
            fn address(&self) -> usize {
                $pointer::as_ptr(self).addr()
            }
            fn downgrade(&self) -> $weak {
                $pointer::downgrade(self)
            }
            fn upgrade(weak: &$weak) -> Option<Self> {
                weak.upgrade()
            }
            fn dangling() -> $weak {
                <$weak>::new()
            }
        }
    )*};
}

pointers! {
    Rc rc::Weak<T>;
    Arc sync::Weak<T>;
}
