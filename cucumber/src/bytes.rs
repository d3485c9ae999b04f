//! Plain `Vec<u8>` moved as bytes wherever it stands, and vectors of other numbers in one run.
//!
//! serde hands a `Vec<u8>` over one element at a time, and wants it back the same way. On the way out the type of the
//! elements is known to be `u8`, so they are copied as one run; on the way in the visitor is known to be the one
//! that serde's `Vec<u8>` uses, so the vector is made at once. Both are recognised by the type's identity, never by its name.
#![expect(unsafe_code, reason = "what is known about a generic type has to be told to the compiler")]

use std::any::TypeId;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, transmute, transmute_copy};
use std::ptr;

use serde::de::{Deserialize, Deserializer, Visitor};

use crate::error::{Error, Result};

/// The identity of a type, whatever the lifetimes in it.
#[inline]
fn identity<T: ?Sized>() -> TypeId {
    trait Erased {
        fn identity(&self) -> TypeId
        where
            Self: 'static;
    }

    impl<T: ?Sized> Erased for PhantomData<T> {
        #[inline]
        fn identity(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<T>()
        }
    }

    let phantom = PhantomData::<T>;
    let erased: &dyn Erased = &phantom;
    // SAFETY:
    // - valid: only the bound on lifetimes changes, which has no part in the layout of a reference or its vtable;
    // - no dangling use: the reference ends in this function, `PhantomData` holds nothing that could be reached through
    //   it, and `identity` returns a value that borrows nothing.
    let erased = unsafe { transmute::<&dyn Erased, &(dyn Erased + 'static)>(erased) };
    erased.identity()
}

/// Whether values of a type are bytes and nothing else, as a `Vec<u8>` and a `String` are.
#[must_use]
#[inline]
pub fn is_bytes<T>() -> bool {
    identity::<T>() == TypeId::of::<Vec<u8>>() || identity::<T>() == TypeId::of::<String>()
}

/// The bytes that a value is, if its type [`is_bytes`]: what reaches its reader in one piece needs no frame around it, and
/// then no copy either.
///
/// ```
/// let text = "hello".to_owned();
/// let bytes = cucumber::as_bytes(&text).unwrap().to_vec();
/// assert_eq!(cucumber::from_its_bytes::<String>(bytes)?, text);
/// assert!(cucumber::as_bytes(&7).is_none());
/// # Ok::<(), cucumber::Error>(())
/// ```
#[must_use]
#[inline]
pub fn as_bytes<T>(value: &T) -> Option<&[u8]> {
    if identity::<T>() == TypeId::of::<Vec<u8>>() {
        // SAFETY: `T` is `Vec<u8>`, by its identity and as that has no lifetimes; it stays borrowed as it was.
        let bytes = unsafe { &*ptr::from_ref(value).cast::<Vec<u8>>() };
        Some(bytes)
    } else if identity::<T>() == TypeId::of::<String>() {
        // SAFETY: as above, of `String`.
        let text = unsafe { &*ptr::from_ref(value).cast::<String>() };
        Some(text.as_bytes())
    } else {
        None
    }
}

/// The value that these bytes are, in the memory that they are in: the way back of [`as_bytes`].
///
/// # Errors
///
/// When they are not text and a `String` is wanted, and for a type that is not bytes.
#[inline]
pub fn from_its_bytes<T>(bytes: Vec<u8>) -> Result<T> {
    if identity::<T>() == TypeId::of::<Vec<u8>>() {
        let bytes = ManuallyDrop::new(bytes);
        // SAFETY: `T` is `Vec<u8>`, by its identity; the original is never dropped, so the copy is the only owner.
        Ok(unsafe { transmute_copy::<ManuallyDrop<Vec<u8>>, T>(&bytes) })
    } else if identity::<T>() == TypeId::of::<String>() {
        let text = String::from_utf8(bytes);
        let text = text.map_err(|error| Error::malformed("a text is not UTF-8").caused_by(error))?;
        let text = ManuallyDrop::new(text);
        // SAFETY: as above, of `String`.
        Ok(unsafe { transmute_copy::<ManuallyDrop<String>, T>(&text) })
    } else {
        Err(Error::malformed("bytes without a frame, for a type that needs one"))
    }
}

/// An iterator that is known to yield elements of type `E`.
pub(crate) struct Run<I, E> {
    /// Its items are `E`, or `&E` when `by_reference` is set: `recognise` has seen to it.
    iter: I,
    by_reference: bool,
    element: PhantomData<E>,
}

impl<I: Iterator, E: Copy + 'static> Run<I, E> {
    /// Takes the iterator if its items are `E` or `&E` and it knows how many there are, else gives it back.
    #[inline]
    pub(crate) fn recognise(iter: I) -> std::result::Result<(Self, usize), I> {
        let item = identity::<I::Item>();
        let by_reference = item == identity::<&E>();
        if !by_reference && item != identity::<E>() {
            return Err(iter);
        }
        match iter.size_hint() {
            (low, Some(high)) if low == high => Ok((Self { iter, by_reference, element: PhantomData }, low)),
            _ => Err(iter),
        }
    }

    /// All of them.
    #[inline]
    pub(crate) fn items(self) -> impl Iterator<Item = E> {
        let by_reference = self.by_reference;
        self.iter.map(move |item| {
            if by_reference {
                // SAFETY: `I::Item` is `&E` with some lifetime, by its identity; the copy is a reference as valid as
                // `item`, which lives until the end of this closure, and so does the copy.
                let element = unsafe { transmute_copy::<I::Item, &E>(&item) };
                *element
            } else {
                // SAFETY: `I::Item` is `E`, by its identity, and every `E` may be copied.
                unsafe { transmute_copy::<I::Item, E>(&item) }
            }
        })
    }
}

/// What turns elements into the value of the visitor `V`, if `V` is the one with which serde reads a `Vec<E>`.
#[inline]
pub(crate) fn vec_visitor<'de, V, E>() -> Option<impl FnOnce(Vec<E>) -> V::Value>
where
    V: Visitor<'de>,
    E: Deserialize<'de> + 'static,
{
    let plain =
        identity::<V::Value>() == TypeId::of::<Vec<E>>() && identity::<V>() == vec_visitor_identity::<E>();
    plain.then_some(|elements: Vec<E>| {
        let elements = ManuallyDrop::new(elements);
        // SAFETY:
        // - same type: the identity of `V::Value` is that of `Vec<E>`, which has no lifetimes that could differ;
        // - one owner: `elements` is never dropped, so the copy is the only vector with this buffer.
        unsafe { transmute_copy::<ManuallyDrop<Vec<E>>, V::Value>(&elements) }
    })
}

/// The identity of serde's visitor, whose type has no public name: `Vec<E>` is asked to deserialise itself.
#[inline]
fn vec_visitor_identity<'de, E: Deserialize<'de>>() -> TypeId {
    match Vec::<E>::deserialize(Catcher) {
        Err(Caught(Some(identity))) => identity,
        // Should serde read it in another way one day, no visitor is recognised.
        _ => TypeId::of::<Catcher>(),
    }
}

/// Catches the visitor that a sequence is to be read with.
struct Catcher;

#[derive(Debug)]
struct Caught(Option<TypeId>);

impl std::fmt::Display for Caught {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("only looking")
    }
}

impl std::error::Error for Caught {}

impl serde::de::Error for Caught {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self(None)
    }
}

impl<'de> Deserializer<'de> for Catcher {
    type Error = Caught;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> std::result::Result<V::Value, Caught> {
        Err(Caught(None))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, _: V) -> std::result::Result<V::Value, Caught> {
        Err(Caught(Some(identity::<V>())))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests;
