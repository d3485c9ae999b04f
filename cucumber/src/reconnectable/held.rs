//! What holds live resources by holding what does.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::hash::BuildHasher;
use std::path::PathBuf;
use std::time::Duration;

use super::{Path, Reconnectable, Visitor};
use crate::live::Live;
use crate::reconnect::Reconnect;

impl<C: Reconnect> Reconnectable for Live<C> {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        visitor(path, self);
    }
}

impl<T: Reconnectable + ?Sized> Reconnectable for Box<T> {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        (**self).visit_live(path, visitor);
    }
}

impl<T: Reconnectable + ?Sized> Reconnectable for &mut T {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        (**self).visit_live(path, visitor);
    }
}

impl<T: Reconnectable> Reconnectable for Option<T> {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        if let Some(inner) = self {
            inner.visit_live(path, visitor);
        }
    }
}

fn visit_each<'a, T: Reconnectable + 'a>(
    items: impl IntoIterator<Item = &'a mut T>,
    path: &Path<'_>,
    visitor: Visitor<'_>,
) {
    for (index, item) in items.into_iter().enumerate() {
        item.visit_live(&path.index(index), visitor);
    }
}

fn visit_entries<'a, K: fmt::Debug + 'a, T: Reconnectable + 'a>(
    entries: impl IntoIterator<Item = (&'a K, &'a mut T)>,
    path: &Path<'_>,
    visitor: Visitor<'_>,
) {
    for (key, value) in entries {
        let shown = format!("{key:?}");
        match text_of(&shown) {
            Some(text) => value.visit_live(&path.key(&text), visitor),
            None => value.visit_live(&path.other(&shown), visitor),
        }
    }
}

/// The text that shows itself like this, which is how credentials name it.
fn text_of(shown: &str) -> Option<String> {
    let mut rest = shown.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut text = String::new();
    while let Some(next) = rest.next() {
        text.push(match next {
            '\\' => match rest.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => '\0',
                'u' => {
                    let code: String = rest.by_ref().skip(1).take_while(|digit| *digit != '}').collect();
                    u32::from_str_radix(&code, 16).ok().and_then(char::from_u32)?
                }
                other => other,
            },
            other => other,
        });
    }
    Some(text)
}

impl<T: Reconnectable> Reconnectable for [T] {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        visit_each(self, path, visitor);
    }
}

impl<T: Reconnectable, const N: usize> Reconnectable for [T; N] {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        visit_each(self, path, visitor);
    }
}

impl<T: Reconnectable> Reconnectable for Vec<T> {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        visit_each(self, path, visitor);
    }
}

impl<T: Reconnectable> Reconnectable for VecDeque<T> {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        visit_each(self, path, visitor);
    }
}

impl<K: fmt::Debug, T: Reconnectable, S: BuildHasher> Reconnectable for HashMap<K, T, S> {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        visit_entries(self, path, visitor);
    }
}

impl<K: fmt::Debug, T: Reconnectable> Reconnectable for BTreeMap<K, T> {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        visit_entries(self, path, visitor);
    }
}

impl<T: Reconnectable, E> Reconnectable for Result<T, E> {
    fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
        if let Ok(inner) = self {
            inner.visit_live(path, visitor);
        }
    }
}

macro_rules! tuples {
    ($(($($part:ident $place:tt)+))*) => {$(
        impl<$($part: Reconnectable),+> Reconnectable for ($($part,)+) {
            fn visit_live(&mut self, path: &Path<'_>, visitor: Visitor<'_>) {
                $(self.$place.visit_live(&path.index($place), visitor);)+
            }
        }
    )*};
}

tuples! {
    (A 0)
    (A 0 B 1)
    (A 0 B 1 C 2)
    (A 0 B 1 C 2 D 3)
    (A 0 B 1 C 2 D 3 E 4)
    (A 0 B 1 C 2 D 3 E 4 F 5)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7)
}

/// What holds none, for its place beside others in a tuple.
macro_rules! nothing {
    ($($type:ty)*) => {$(
        impl Reconnectable for $type {
            fn visit_live(&mut self, _: &Path<'_>, _: Visitor<'_>) {}
        }
    )*};
}

nothing! { () bool char i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 String PathBuf Duration }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_behind_its_escapes() {
        for text in ["", "a", "a\"b\\", "line\nbreak\t\r\0'", "\u{7f}\u{202e}ü", "}{\\u{41}"] {
            assert_eq!(text_of(&format!("{text:?}")).as_deref(), Some(text));
        }
        for other in ["7", "Some(\"a\")", "'a'", "\"", ""] {
            assert_eq!(text_of(other), None, "{other}");
        }
    }
}
