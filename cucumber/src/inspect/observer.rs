//! What the adapters tell an inspection in progress, which serde has no words for: the type, and who is shared.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use super::{Identity, varint};
use crate::graph;

#[derive(Default)]
struct Observer {
    next: Announced,
    numbers: HashMap<(usize, TypeId), u32>,
    /// Those that are shown already.
    shown: HashSet<u32>,
}

/// What is known of the value that comes next.
#[derive(Default)]
pub(super) struct Announced {
    pub(super) type_name: Option<&'static str>,
    pub(super) met: Option<Met>,
    /// It is written as bytes of its own, with their length and a codec.
    pub(super) in_bytes: bool,
}

/// A reference to a value that may be shared.
#[derive(Clone, Copy)]
pub(super) struct Met {
    pub(super) identity: Identity,
    /// How many bytes it takes that the value is shared: the reference, and where that is met first the header of its part.
    pub(super) cost: usize,
}

thread_local! {
    static OBSERVER: RefCell<Option<Observer>> = const { RefCell::new(None) };
}

fn with<R>(body: impl FnOnce(&mut Observer) -> R) -> Option<R> {
    OBSERVER.try_with(|observer| observer.borrow_mut().as_mut().map(body)).ok().flatten()
}

/// An inspection in progress; another one inside of it is one of its own.
pub(super) struct Observing(Option<Observer>);

impl Observing {
    pub(super) fn begin() -> Self {
        let outer = OBSERVER.try_with(|observer| observer.borrow_mut().replace(Observer::default()));
        Self(outer.ok().flatten())
    }
}

impl Drop for Observing {
    fn drop(&mut self) {
        let _ = OBSERVER.try_with(|observer| *observer.borrow_mut() = self.0.take());
    }
}

/// Whether a value is being inspected, so that it may be shown instead of written.
pub(crate) fn is_inspecting() -> bool {
    with(|_| ()).is_some()
}

/// Says what the type of the value is that is serialised next; of wrappers that are written as what they hold, the outermost.
pub(crate) fn announce<T: ?Sized>() {
    with(|observer| *observer.next.type_name.get_or_insert_with(crate::type_name::<T>));
}

/// Says that the value which comes next is written as bytes of its own.
pub(crate) fn announce_bytes() {
    with(|observer| observer.next.in_bytes = true);
}

pub(super) fn take_announced() -> Announced {
    with(|observer| std::mem::take(&mut observer.next)).unwrap_or_default()
}

/// How many bytes the table of shared values takes besides its parts.
pub(super) fn table() -> usize {
    with(|observer| if observer.numbers.is_empty() { 0 } else { graph::TABLE }).unwrap_or(0)
}

impl Observer {
    /// The value's number, and what a reference to it costs.
    fn refer(&mut self, key: (usize, TypeId)) -> (u32, usize) {
        let next = self.numbers.len() as u32 + 1;
        let number = *self.numbers.entry(key).or_insert(next);
        let header = if number == next { graph::HEADER } else { 0 };
        (number, varint(number.into()) + header)
    }
}

/// Says that a shared value is next. Whether it is to be shown: it is not, if it was before.
pub(crate) fn meet<P: 'static>(address: usize) -> bool {
    let met = with(|observer| {
        let (number, cost) = observer.refer((address, TypeId::of::<P>()));
        let is_new = observer.shown.insert(number);
        let identity = if is_new { Identity::Here(number) } else { Identity::Elsewhere(number) };
        observer.next.met = Some(Met { identity, cost });
        is_new
    });
    met.unwrap_or(true)
}

/// Says that a weak reference is next.
pub(crate) fn meet_weakly<P: 'static>(address: Option<usize>) {
    with(|observer| {
        observer.next.met = Some(match address {
            Some(address) => {
                let (number, cost) = observer.refer((address, TypeId::of::<P>()));
                Met { identity: Identity::Weak(number), cost }
            }
            None => Met { identity: Identity::Dangling, cost: varint(graph::DANGLING.into()) },
        });
    });
}
