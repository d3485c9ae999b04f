//! What one reading of a shared value lacks, and whether that can be set right later.

use std::any::{Any, TypeId};

/// How much of a value is set right by storing into its cells.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Coverage {
    /// All of it: the value is a cell.
    Whole,
    /// Those of its fields that are cells; how many a value has.
    Cells(fn(&dyn Any) -> usize),
}

/// Stores what a second reading found into the cells of the first value.
pub(crate) type Refill = fn(&dyn Any, Box<dyn Any>);

/// One part that is being read.
#[derive(Default)]
pub(super) struct Reading {
    /// Something outside of cells was left out.
    pub(super) is_hollow: bool,
    /// What is left out for being read later might be read at once instead.
    pub(super) is_eager: bool,
    /// The types met so far that can be set right: a few, however many values of them there are.
    menders: Vec<Mender>,
}

/// A type whose values can be set right.
struct Mender {
    of: TypeId,
    coverage: Coverage,
    refill: Refill,
    /// How many cells of such values were read, and how many of them lack something. The values may be further inside than the one
    /// that is held, where nobody will set them right.
    cells: usize,
    lacking: usize,
}

/// What a value lacks when it has been read once.
pub(super) enum Lack {
    Nothing,
    /// What is in its cells, and how that is stored.
    Cells(Refill),
    /// Something for which there is no way back.
    Irreparable,
}

impl Reading {
    pub(super) fn new(is_eager: bool) -> Self {
        Self { is_eager, ..Self::default() }
    }

    /// Whether all that was left out can be stored into this value.
    pub(super) fn lack_of(&self, value: &dyn Any) -> Lack {
        let lacking: usize = self.menders.iter().map(|mender| mender.lacking).sum();
        if !self.is_hollow && lacking == 0 {
            return Lack::Nothing;
        }
        let target = value.type_id();
        let is_all = |mender: &&Mender| match mender.coverage {
            Coverage::Whole => true,
            // More cells would be those of another value of this type.
            Coverage::Cells(count) => {
                !self.is_hollow && mender.lacking == lacking && mender.cells == count(value)
            }
        };
        let mender = self.menders.iter().find(|mender| mender.of == target).filter(is_all);
        mender.map_or(Lack::Irreparable, |mender| Lack::Cells(mender.refill))
    }

    /// Notes how values of a type are set right.
    pub(super) fn note(&mut self, of: TypeId, coverage: Coverage, refill: Refill) {
        if self.mender(of).is_none() {
            self.menders.push(Mender { of, coverage, refill, cells: 0, lacking: 0 });
        }
    }

    /// Counts a cell of a value of a type that was noted.
    pub(super) fn count(&mut self, of: TypeId, lacks: bool) {
        if let Some(mender) = self.mender(of) {
            mender.cells += 1;
            mender.lacking += usize::from(lacks);
        }
    }

    fn mender(&mut self, of: TypeId) -> Option<&mut Mender> {
        self.menders.iter_mut().find(|mender| mender.of == of)
    }
}
