//! Which types survive postcard: what their `Deserialize` reads, found out once and compared with every value written.
//!
//! postcard writes no names and no kinds, so it is right only when the reader asks for exactly what the writer wrote.
//! [`know`] makes a type's reading known under its name; the first encoding of a type of that name traces it, and the encoder then walks the traced
//! [`Shape`] beside the value. Whatever does not match, or was never traced, is written as named MessagePack instead.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;

mod lately;
mod probe;
mod trace;

use lately::Lately;

/// The numbers of nodes that have no parts. All others are places in [`Shape::nodes`], from [`FIRST`] up.
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
    pub(crate) const FIRST: u32 = 32;
}

/// What a type reads when it is deserialised.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) root: u32,
    pub(crate) nodes: Vec<Node>,
}

/// Something with parts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) parts: Box<[Part]>,
}

/// A struct's field, an enum's variant, or the like.
#[derive(Debug)]
pub(crate) struct Part {
    /// Empty, where parts have no names.
    pub(crate) name: &'static str,
    /// Its node; that of a part which was never reached is [`leaf::UNSEEN`].
    pub(crate) number: u32,
    /// Where else a constant lies that is this name, as far as that was seen.
    twin: AtomicUsize,
}

impl Part {
    pub(crate) fn new(name: &'static str, number: u32) -> Self {
        Self { name, number, twin: AtomicUsize::new(0) }
    }

    /// Whether this is its name. `Serialize` and `Deserialize` have a constant each, mostly, and neither moves: so the text is
    /// read once only.
    #[inline]
    pub(crate) fn is_called(&self, name: &'static str) -> bool {
        let here = name.as_ptr().addr();
        let known = here == self.twin.load(Ordering::Relaxed) || here == self.name.as_ptr().addr();
        known && name.len() == self.name.len() || self.reads(name)
    }

    #[cold]
    #[inline(never)]
    fn reads(&self, name: &'static str) -> bool {
        let same = self.name == name;
        if same {
            self.twin.store(name.as_ptr().addr(), Ordering::Relaxed);
        }
        same
    }
}

impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        (self.name, self.number) == (other.name, other.number)
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

impl Shape {
    /// Nothing about this type is known to survive.
    fn unknown() -> Self {
        Self { root: leaf::UNKNOWN, nodes: Vec::new() }
    }

    #[inline]
    pub(crate) fn node(&self, number: u32) -> Option<&Node> {
        node(&self.nodes, number)
    }
}

/// The one of this number among a shape's nodes.
#[inline]
pub(crate) fn node(nodes: &[Node], number: u32) -> Option<&Node> {
    nodes.get(number.wrapping_sub(leaf::FIRST) as usize)
}

/// Makes it known how `T` is deserialised, so that values of it can be written in the faster of the two codecs.
///
/// Decoding a type makes it known, too. Without either, everything works as well: a type that is only ever sent is written with
/// its field names. Values that are written alike share what is known: knowing a `Vec<Row>` helps a `&[Row]`.
///
/// ```
/// cucumber::know::<Vec<(u32, String)>>();
/// let bytes = cucumber::to_bytes(&[(1u32, "one")][..])?;
/// # Ok::<(), cucumber::Error>(())
/// ```
#[inline]
pub fn know<T: DeserializeOwned>() {
    thread_local! {
        static KNOWN: Lately<()> = const { Lately::new() };
    }
    let tracer: fn() -> Shape = trace::shape_of::<T>;
    let address = tracer as usize;
    if KNOWN.with(|known| known.find(address)).is_none() {
        register(crate::type_name::<T>(), address, tracer);
        KNOWN.with(|known| known.keep(address, ()));
    }
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
