//! What a thread privately knows of its nodes, whatever the links in shared memory say.

use std::cell::Cell;

/// How many foreign nodes (the C library's own mutexes) may stand between two of ours.
const FOREIGN: usize = 8;
/// What we privately know of a node of ours on the list.
pub(super) struct Record {
    pub(super) node: Cell<usize>,
    /// What stands behind it and the foreign nodes there: the next of our nodes, or the head.
    pub(super) tail: Cell<usize>,
    /// The foreign nodes behind ours, when it was linked. They can only become fewer: new ones come
    /// in at the front.
    pub(super) foreign: [Cell<usize>; FOREIGN],
    pub(super) count: Cell<usize>,
}

impl Record {
    pub(super) const fn empty() -> Record {
        Record {
            node: Cell::new(0),
            tail: Cell::new(0),
            foreign: [const { Cell::new(0) }; FOREIGN],
            count: Cell::new(0),
        }
    }

    /// Notes a foreign node behind those that are noted; `false` if there is no room.
    pub(super) fn add(&self, node: usize) -> bool {
        let room = self.foreign.get(self.count.get());
        if let Some(place) = room {
            place.set(node);
            self.count.set(self.count.get() + 1);
        }
        room.is_some()
    }

    /// What stands behind the node, given what its link in shared memory says.
    pub(super) fn behind(&self, claimed: usize) -> usize {
        let believed = self.foreign[..self.count.get()].iter().any(|foreign| foreign.get() == claimed);
        if believed { claimed } else { self.tail.get() }
    }

    pub(super) fn copy(&self, other: &Record) {
        self.node.set(other.node.get());
        self.tail.set(other.tail.get());
        self.count.set(other.count.get());
        for (mine, theirs) in self.foreign.iter().zip(&other.foreign) {
            mine.set(theirs.get());
        }
    }
}
