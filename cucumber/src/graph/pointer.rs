//! What `Rc` and `Arc` have in common.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::rc::{self, Rc};
use std::sync::{self, Arc};

/// A pointer that others may share.
pub(crate) trait Pointer: Clone + 'static {
    type Target: ?Sized + 'static;
    /// What it is made from: the target, if that has a size.
    type Content: 'static;
    type Weak: Clone + 'static;

    /// Whether the target can be made knowing its own address.
    const KNOWS_ITSELF: bool;

    fn new(content: Self::Content) -> Self;
    fn cyclic(make: impl FnOnce(&Self::Weak) -> Self::Content) -> Self;
    fn target(&self) -> &Self::Target;
    /// The target as something to store into, if it may be that.
    fn place(&self) -> Option<&dyn Any>;
    fn address(&self) -> usize;
    fn downgrade(&self) -> Self::Weak;
    fn upgrade(weak: &Self::Weak) -> Option<Self>;
    fn dangling() -> Self::Weak;
}

macro_rules! common {
    ($pointer:ident) => {
        fn target(&self) -> &Self::Target {
            self
        }
        fn address(&self) -> usize {
            $pointer::as_ptr(self).addr()
        }
        fn downgrade(&self) -> Self::Weak {
            $pointer::downgrade(self)
        }
        fn upgrade(weak: &Self::Weak) -> Option<Self> {
            weak.upgrade()
        }
    };
}

macro_rules! pointers {
    ($($pointer:ident $weak:path;)*) => {$(
        impl<T: 'static> Pointer for $pointer<T> {
            type Target = T;
            type Content = T;
            type Weak = $weak;

            const KNOWS_ITSELF: bool = true;

            fn new(value: T) -> Self {
                $pointer::new(value)
            }
            fn cyclic(make: impl FnOnce(&$weak) -> T) -> Self {
                $pointer::new_cyclic(make)
            }
            fn place(&self) -> Option<&dyn Any> {
                Some(&**self)
            }
            fn dangling() -> $weak {
                <$weak>::new()
            }
            common! { $pointer }
        }
    )*};
}

pointers! {
    Rc rc::Weak<T>;
    Arc sync::Weak<T>;
}

/// Those to something whose size is known with its content only.
macro_rules! pointers_without_size {
    ($([$($param:tt)*] $pointer:ident<$target:ty>, $weak:ty, $content:ty;)*) => {$(
        impl<$($param)*> Pointer for $pointer<$target> {
            type Target = $target;
            type Content = $content;
            type Weak = $weak;

            const KNOWS_ITSELF: bool = false;

            fn new(content: $content) -> Self {
                $pointer::from(content)
            }
            fn cyclic(make: impl FnOnce(&$weak) -> $content) -> Self {
                Self::new(make(&Self::dangling()))
            }
            fn place(&self) -> Option<&dyn Any> {
                None
            }
            fn dangling() -> $weak {
                $pointer::downgrade(&Self::new(Default::default()))
            }
            common! { $pointer }
        }
    )*};
}

pointers_without_size! {
    [T: 'static] Rc<[T]>, rc::Weak<[T]>, Vec<T>;
    [T: 'static] Arc<[T]>, sync::Weak<[T]>, Vec<T>;
    [] Rc<str>, rc::Weak<str>, String;
    [] Arc<str>, sync::Weak<str>, String;
    [] Rc<Path>, rc::Weak<Path>, PathBuf;
    [] Arc<Path>, sync::Weak<Path>, PathBuf;
}
