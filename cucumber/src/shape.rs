//! Which types survive postcard: what their `Deserialize` reads, found out once and compared with every value written.
//!
//! postcard writes no names and no kinds, so it is right only when the reader asks for exactly what the writer wrote.
//! [`know`] makes a type's reading known under its name; the first encoding of a type of that name traces it, and the encoder then walks the traced
//! [`Shape`] beside the value. Whatever does not match, or was never traced, is written as named MessagePack instead.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;

mod lately;
mod numbers;
mod probe;
mod trace;

use lately::Lately;
pub(crate) use numbers::Numbers;

/// The numbers of what has no parts.
pub(crate) mod leaf {
    pub(crate) const UNKNOWN: u32 = 0;
    pub(crate) const UNSEEN: u32 = 1;
    pub(crate) const UNIT: u32 = 2;
    pub(crate) const BOOL: u32 = 3;
    pub(crate) const I8: u32 = 4;
    pub(crate) const I16: u32 = 5;
    pub(crate) const I32: u32 = 6;
    pub(crate) const I64: u32 = 7;
    pub(crate) const I128: u32 = 8;
    pub(crate) const U8: u32 = 9;
    pub(crate) const U16: u32 = 10;
    pub(crate) const U32: u32 = 11;
    pub(crate) const U64: u32 = 12;
    pub(crate) const U128: u32 = 13;
    pub(crate) const F32: u32 = 14;
    pub(crate) const F64: u32 = 15;
    pub(crate) const CHAR: u32 = 16;
    pub(crate) const STR: u32 = 17;
    pub(crate) const BYTES: u32 = 18;
    /// From here up they are free for what has.
    pub(crate) const FIRST: u32 = 32;
}

/// What a type reads when it is deserialised.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) root: Wanted,
    /// Those of one thing lie next to each other.
    pub(crate) parts: Box<[Part]>,
}

/// What is read next: a leaf, or something with parts. One comparison tells whether it is what was expected.
///
/// The lower half is a leaf's number; or a kind, and in its upper bits how many parts there are. The upper half is where its
/// parts begin. One number, and not two, as that stays in a register on its way through calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted(u64);

impl Wanted {
    pub(crate) const fn leaf(number: u32) -> Self {
        Self(number as u64)
    }

    /// Nothing, if there are more parts than can be counted here.
    pub(crate) fn parts(kind: Kind, len: usize, first: usize) -> Option<Self> {
        let fits = len < 1 << (32 - Self::LEN) && first.checked_add(len)? <= u32::MAX as usize;
        fits.then(|| Self(u64::from(Self::kind_of(kind, len)) | (first as u64) << 32))
    }

    /// Above the numbers of leaves and kinds.
    const LEN: u32 = 6;

    #[inline]
    const fn kind_of(kind: Kind, len: usize) -> u32 {
        (leaf::FIRST + kind as u32) | (len as u32) << Self::LEN
    }

    #[inline]
    pub(crate) fn is_leaf(self, number: u32) -> bool {
        self.what() == number
    }

    /// Of a leaf.
    pub(crate) fn number(self) -> u32 {
        self.what()
    }

    #[inline]
    fn what(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    fn first(self) -> usize {
        (self.0 >> 32) as usize
    }

    /// The parts, if it is this kind of thing and has so many.
    #[inline]
    pub(crate) fn exactly(self, kind: Kind, len: usize, parts: &[Part]) -> Option<&[Part]> {
        // What does not fit was never made.
        if self.what() != Self::kind_of(kind, len) || len >> (32 - Self::LEN) != 0 {
            return None;
        }
        let first = self.first();
        parts.get(first..first + len)
    }

    /// The one part, if it is this kind of thing.
    #[inline]
    pub(crate) fn one(self, kind: Kind, parts: &[Part]) -> Option<&Part> {
        self.nth(kind, 0, parts)
    }

    /// The part in this place, if it is this kind of thing.
    #[inline]
    pub(crate) fn nth(self, kind: Kind, place: usize, parts: &[Part]) -> Option<&Part> {
        if self.what() & ((1 << Self::LEN) - 1) != Self::kind_of(kind, 0) || place >= self.len() {
            return None;
        }
        parts.get(self.first() + place)
    }

    #[inline]
    fn len(self) -> usize {
        (self.what() >> Self::LEN) as usize
    }
}

/// Something with parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'s> {
    pub(crate) kind: Kind,
    pub(crate) parts: &'s [Part],
}

/// A struct's field, an enum's variant, or the like.
#[derive(Debug)]
pub(crate) struct Part {
    /// Empty, where parts have no names.
    pub(crate) name: &'static str,
    /// That of a part which was never reached is [`leaf::UNSEEN`].
    pub(crate) wanted: Wanted,
    /// Where the constant lies that is this name, as it was seen last.
    seen: AtomicUsize,
}

impl Part {
    pub(crate) fn new(name: &'static str, wanted: Wanted) -> Self {
        Self { name, wanted, seen: AtomicUsize::new(name.as_ptr().addr()) }
    }

    /// Whether this is its name. `Serialize` and `Deserialize` have a constant each, mostly, and neither moves: so the text is
    /// read once only.
    #[inline]
    pub(crate) fn is_called(&self, name: &'static str) -> bool {
        let known = name.as_ptr().addr() == self.seen.load(Ordering::Relaxed);
        known && name.len() == self.name.len() || self.reads(name)
    }

    #[cold]
    #[inline(never)]
    fn reads(&self, name: &'static str) -> bool {
        let same = self.name == name;
        if same {
            self.seen.store(name.as_ptr().addr(), Ordering::Relaxed);
        }
        same
    }
}

impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        (self.name, self.wanted) == (other.name, other.wanted)
    }
}

impl Eq for Part {}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Option,
    Seq,
    Map,
    Tuple,
    Struct,
    Enum,
    NewtypeVariant,
}

impl Kind {
    const ALL: [Self; 7] =
        [Self::Option, Self::Seq, Self::Map, Self::Tuple, Self::Struct, Self::Enum, Self::NewtypeVariant];
}

impl Shape {
    /// Nothing about this type is known to survive.
    fn unknown() -> Self {
        Self { root: Wanted::leaf(leaf::UNKNOWN), parts: Box::default() }
    }

    /// Whether it is worth while to try.
    #[inline]
    pub(crate) fn is_known(&self) -> bool {
        self.root.what() > leaf::UNSEEN
    }

    /// What this is, if it has parts.
    pub(crate) fn node(&self, wanted: Wanted) -> Option<Node<'_>> {
        let kind = *Kind::ALL.iter().find(|kind| Wanted::kind_of(**kind, wanted.len()) == wanted.what())?;
        Some(Node { kind, parts: wanted.exactly(kind, wanted.len(), &self.parts)? })
    }
}

/// Makes it known how `T` is deserialised, so that values of it can be written in the faster of the two codecs.
///
/// Decoding a type makes it known, too. Without either, everything works as well: a type that is only ever sent is written with
/// its field names, and so is each in a program whose panics abort (finding out calls a type's own conversions with made-up
/// values, and some of them panic). Values that are written alike share what is known: knowing a `Vec<Row>` helps a `&[Row]`.
///
/// ```
/// cucumber::know::<Vec<(u32, String)>>();
/// let bytes = cucumber::to_bytes(&[(1u32, "one")][..])?;
/// # Ok::<(), cucumber::Error>(())
/// ```
#[inline]
pub fn know<T: DeserializeOwned>() {
    let tracer: fn() -> Shape = trace::shape_of::<T>;
    // Most often it is the same type again.
    if LAST_KNOWN.get() != tracer as usize {
        recall::<T>(tracer);
    }
}

thread_local! {
    /// The tracers of types that are known, and that of the last one which was asked for.
    static KNOWN: Lately<()> = const { Lately::new() };
    static LAST_KNOWN: Cell<usize> = const { Cell::new(0) };
}

#[inline(never)]
fn recall<T>(tracer: fn() -> Shape) {
    if KNOWN.with(|known| known.find(tracer as usize)).is_none() {
        register(crate::type_name::<T>(), tracer as usize, tracer);
        KNOWN.with(|known| known.keep(tracer as usize, ()));
    }
    LAST_KNOWN.set(tracer as usize);
}

/// The shape of the type that is called `T`'s name, if one is known.
#[inline]
pub(crate) fn of<T: ?Sized>() -> Option<&'static Shape> {
    type Found = (u64, Option<&'static Shape>);
    thread_local! {
        static FOUND: Lately<Found> = const { Lately::new() };
    }
    let raw = std::any::type_name::<T>();
    // The compiler's names are constants of the program, so the place says which; the length tells a name from its beginning.
    let key = raw.as_ptr().addr() ^ raw.len().rotate_right(16);
    let generation = GENERATION.load(Ordering::Acquire);
    match FOUND.with(|found| found.find(key)) {
        Some((at, shape)) if at == generation => shape,
        _ => {
            let shape = look_up(crate::type_name::<T>());
            FOUND.with(|found| found.keep(key, (generation, shape)));
            shape
        }
    }
}

/// The shape of the type of this name, if it is known and survives postcard.
pub(crate) fn named(name: &str) -> Option<&'static Shape> {
    look_up(name)
}

/// Counts the changes of the registry, so that threads know when to look again.
static GENERATION: AtomicU64 = AtomicU64::new(0);

static REGISTRY: Mutex<Option<HashMap<&'static str, Entry>>> = Mutex::new(None);

/// All types of one name.
#[derive(Default)]
struct Entry {
    seen: HashSet<usize>,
    /// Registered, but not traced yet.
    pending: Vec<(usize, fn() -> Shape)>,
    shape: Option<&'static Shape>,
}

fn registry() -> MutexGuard<'static, Option<HashMap<&'static str, Entry>>> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

fn register(name: &'static str, address: usize, tracer: fn() -> Shape) {
    let mut registry = registry();
    let entry = registry.get_or_insert_default().entry(name).or_default();
    if entry.seen.insert(address) {
        entry.pending.push((address, tracer));
        GENERATION.fetch_add(1, Ordering::Release);
    }
}

fn look_up(name: &str) -> Option<&'static Shape> {
    if cfg!(panic = "abort") {
        // Tracing calls a type's own conversions with values of no meaning, and some of them panic.
        return None;
    }
    let pending = match registry().as_ref()?.get(name)? {
        entry if entry.pending.is_empty() => return entry.shape,
        entry => entry.pending.clone(),
    };
    // Tracing runs code of the type, which may encode and decode; so not under the lock. Two threads may do it at once.
    let traced: Vec<Shape> = pending.iter().map(|(_, tracer)| tracer()).collect();
    let mut registry = registry();
    let entry = registry.as_mut()?.get_mut(name)?;
    entry.pending.retain(|known| !pending.iter().any(|done| done.0 == known.0));
    for shape in traced {
        match entry.shape {
            None => entry.shape = Some(kept(shape)),
            Some(known) if *known == shape => {}
            // Two types of one name, such as two local ones of one function: neither can be told from the other.
            Some(_) => entry.shape = Some(kept(Shape::unknown())),
        }
    }
    entry.shape
}

/// There is one for each type of the program, or two, and they are asked for as long as it runs.
fn kept(shape: Shape) -> &'static Shape {
    Box::leak(Box::new(shape))
}

#[cfg(test)]
mod tests;
