//! Where in which store a handle points.

use std::sync::Arc;

use super::error::ShareError;
use crate::shm::store::Store;
use crate::shm::view::View;
use crate::shm::writer::Writer;

/// Where in which store a handle points. Generated code makes handles of it; nothing else can be done with it.
#[derive(Debug)]
pub struct Place {
    pub(crate) store: Arc<Store>,
    pub(crate) at: u64,
}

impl Place {
    /// The place `words` words further on.
    #[doc(hidden)]
    #[must_use]
    pub fn further(&self, words: u64) -> Place {
        Place { store: Arc::clone(&self.store), at: self.at + words * 8 }
    }

    /// The same place once more.
    pub(crate) fn again(&self) -> Place {
        self.further(0)
    }

    #[inline]
    pub(crate) fn read<R>(
        &self,
        mut look: impl FnMut(&View<'_>, u64) -> Result<R, ShareError>,
    ) -> Result<R, ShareError> {
        self.store.read(|view| look(view, self.at))
    }

    #[inline]
    pub(crate) fn write<R>(
        &self,
        change: impl FnOnce(&mut Writer<'_>, u64) -> Result<R, ShareError>,
    ) -> Result<R, ShareError> {
        self.store.write(|writer| change(writer, self.at))
    }

    /// Runs code of the user's between operations, all of them as one.
    pub(crate) fn transact<R>(&self, body: impl FnOnce() -> Result<R, ShareError>) -> Result<R, ShareError> {
        let transaction = self.store.begin()?;
        let result = body()?;
        transaction.commit()?;
        Ok(result)
    }
}
