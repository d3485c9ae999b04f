//! Live resources behind locks, and behind pointers to locks, which may lead in circles.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock};

use super::{Path, Reconnectable, Visitor};

/// What can be looked into by whoever only shares it.
///
/// What is locked by somebody else is in use just then; by ourselves, it is being looked into already.
pub trait Lock {
    /// Shows what is in it to `visitor`, if it can be had at once.
    fn visit_shared(&self, path: &Path<'_>, visitor: Visitor<'_>);
}

impl<T: Reconnectable + ?Sized> Lock for Mutex<T> {
    fn visit_shared(&self, path: &Path<'_>, visitor: Visitor<'_>) {
        if let Ok(mut inner) = self.try_lock() {
            inner.visit_live(path, visitor);
        }
    }
}

impl<T: Reconnectable + ?Sized> Lock for RwLock<T> {
    fn visit_shared(&self, path: &Path<'_>, visitor: Visitor<'_>) {
        if let Ok(mut inner) = self.try_write() {
            inner.visit_live(path, visitor);
        }
    }
}

impl<T: Reconnectable + ?Sized> Lock for RefCell<T> {
    fn visit_shared(&self, path: &Path<'_>, visitor: Visitor<'_>) {
        if let Ok(mut inner) = self.try_borrow_mut() {
            inner.visit_live(path, visitor);
        }
    }
}

thread_local! {
    /// What the outermost pointer has led to so far: many ways may lead to one thing, and more to what it leads to.
    static SEEN: RefCell<HashSet<usize>> = RefCell::default();
}

/// Looks into what a pointer leads to, once for each outermost pointer.
fn visit_once<L: Lock + ?Sized>(shared: &L, path: &Path<'_>, visitor: Visitor<'_>) {
    let place = std::ptr::from_ref(shared).addr();
    let (is_outermost, is_new) = SEEN.with_borrow_mut(|seen| (seen.is_empty(), seen.insert(place)));
    let _forget = Forget(is_outermost);
    if is_new {
        shared.visit_shared(path, visitor);
    }
}

/// Forgets what was seen, also when a visitor panics.
struct Forget(bool);

impl Drop for Forget {
    fn drop(&mut self) {
        if self.0 {
            SEEN.with_borrow_mut(HashSet::clear);
        }
    }
}

macro_rules! locks {
    ($($lock:ident)*) => {$(
        impl<T: Reconnectable + ?Sized> Reconnectable for $lock<T> {
            fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
                self.visit_shared(path, visitor);
            }
        }
    )*};
}

locks! { Mutex RwLock RefCell }

macro_rules! pointers {
    ($($pointer:ident)*) => {$(
        impl<L: Lock + ?Sized> Reconnectable for $pointer<L> {
            fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
                visit_once(&**self, path, visitor);
            }
        }
    )*};
}

pointers! { Rc Arc }
