//! What the adapters tell an inspection in progress, which serde has no words for: the type, and who is shared.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;

use super::Identity;

#[derive(Default)]
struct Observer {
    /// The type of the value that comes next.
    type_name: Option<&'static str>,
    /// Its identity.
    identity: Option<Identity>,
    numbers: HashMap<(usize, TypeId), u32>,
    /// Those that are shown already.
    shown: Vec<u32>,
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
    with(|observer| *observer.type_name.get_or_insert_with(crate::type_name::<T>));
}

pub(super) fn take_announced() -> (Option<&'static str>, Option<Identity>) {
    with(|observer| (observer.type_name.take(), observer.identity.take())).unwrap_or_default()
}

impl Observer {
    fn number(&mut self, key: (usize, TypeId)) -> u32 {
        let next = self.numbers.len() as u32 + 1;
        *self.numbers.entry(key).or_insert(next)
    }
}

/// Says that a shared value is next. Whether it is to be shown: it is not, if it was before.
pub(crate) fn meet<P: 'static>(address: usize) -> bool {
    let met = with(|observer| {
        let number = observer.number((address, TypeId::of::<P>()));
        let is_new = !observer.shown.contains(&number);
        observer.identity = Some(match is_new {
            true => Identity::Here(number),
            false => Identity::Elsewhere(number),
        });
        if is_new {
            observer.shown.push(number);
        }
        is_new
    });
    met.unwrap_or(true)
}

/// Says that a weak reference is next.
pub(crate) fn meet_weakly<P: 'static>(address: Option<usize>) {
    with(|observer| {
        observer.identity = Some(match address {
            Some(address) => Identity::Weak(observer.number((address, TypeId::of::<P>()))),
            None => Identity::Dangling,
        });
    });
}
