//! Comparisons of what a handle stands for: with other handles of its kind, and in order where the plain type has one.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{BuildHasher, Hash};

use super::deque::DequeHandle;
use super::list::ListHandle;
use super::map::MapHandle;
use super::option::OptionHandle;
use super::ordered::OrderedMapHandle;
use super::set::{OrderedSetHandle, SetHandle};
use super::shareable::{Element, ShareHandle};
use super::text::TextHandle;
use super::value::{Plain, ValueHandle};

/// Handles that are equal where their values are.
macro_rules! equal {
    ($([$($generics:tt)*] $handle:ty;)*) => {$(
        impl<$($generics)*> PartialEq for $handle {
            fn eq(&self, other: &Self) -> bool {
                self.snapshot() == other.snapshot()
            }
        }
    )*};
}

/// Handles that are ordered as their values are, among themselves and with plain ones.
macro_rules! ordered {
    ($([$($generics:tt)*] $handle:ty, $plain:ty;)*) => {$(
        impl<$($generics)*> PartialOrd for $handle {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                self.snapshot().partial_cmp(&other.snapshot())
            }
        }

        impl<$($generics)*> PartialOrd<$plain> for $handle {
            fn partial_cmp(&self, other: &$plain) -> Option<Ordering> {
                self.snapshot().partial_cmp(other)
            }
        }
    )*};
}

equal! {
    [] TextHandle;
    [T: Element + PartialEq] OptionHandle<T>;
    [T: Element + PartialEq] ListHandle<T>;
    [T: Element + PartialEq] DequeHandle<T>;
    [K: Element + Eq + Hash, V: Element + PartialEq, S: BuildHasher + Default + 'static] MapHandle<K, V, S>;
    [K: Element + Ord, V: Element + PartialEq] OrderedMapHandle<K, V>;
    [T: Element + Eq + Hash, S: BuildHasher + Default + 'static] SetHandle<T, S>;
    [T: Element + Ord] OrderedSetHandle<T>;
    [T: Element + PartialEq] ValueHandle<T, Plain<T>>;
}

ordered! {
    [] TextHandle, String;
    [T: Element + PartialOrd] OptionHandle<T>, Option<T>;
    [T: Element + PartialOrd] ListHandle<T>, Vec<T>;
    [T: Element + PartialOrd] DequeHandle<T>, VecDeque<T>;
    [K: Element + Ord, V: Element + PartialOrd] OrderedMapHandle<K, V>, BTreeMap<K, V>;
    [T: Element + Ord] OrderedSetHandle<T>, BTreeSet<T>;
}

impl PartialOrd<str> for TextHandle {
    fn partial_cmp(&self, other: &str) -> Option<Ordering> {
        self.snapshot().as_str().partial_cmp(other)
    }
}

impl PartialOrd<&str> for TextHandle {
    fn partial_cmp(&self, other: &&str) -> Option<Ordering> {
        self.snapshot().as_str().partial_cmp(*other)
    }
}
