//! A shared `String`.

use std::fmt;
use std::ops::AddAssign;

use super::error::{ShareError, raise};
use super::operations::operations;
use super::place::Place;
use super::shareable::{ShareHandle, Shareable};
use crate::shm::fault::Fault;
use crate::shm::slot::Value;
use crate::shm::view::View;
use crate::shm::writer::Writer;

/// Stands for a shared `String`. Appending costs what is appended, however long the text is.
///
/// ```
/// use processing::Share;
///
/// let mut share = Share::new(String::from("to"))?;
/// *share += "gether";
/// assert_eq!(*share, "together");
/// assert_eq!(share.len(), 8);
/// # Ok::<(), processing::ShareError>(())
/// ```
pub struct TextHandle {
    place: Place,
}

impl TextHandle {
    operations! {
        /// The text.
        fn get | try_get(&self) -> String {
            self.try_snapshot()
        }

        /// Assigns `text`.
        fn set | try_set(&self, text: impl Into<String>) {
            self.try_assign(text.into())
        }

        /// Assigns `text` and returns what was there.
        fn replace | try_replace(&self, text: impl Into<String>) -> String {
            let text = text.into();
            self.place.write(|writer, at| {
                let before = String::load(writer, at)?;
                text.store(writer, at)?;
                Ok(before)
            })
        }

        /// Appends `more`.
        fn push_str | try_push_str(&self, more: &str) {
            self.place.write(|writer, at| Ok(writer.append_slot(at, more.as_bytes())?))
        }

        /// Appends one character.
        fn push | try_push(&self, more: char) {
            self.try_push_str(more.encode_utf8(&mut [0; 4]))
        }

        /// How many bytes the text has.
        fn len | try_len(&self) -> usize {
            self.place.read(|view, at| Ok(view.slot_len(at)? as usize))
        }

        /// Whether there is no text.
        fn is_empty | try_is_empty(&self) -> bool {
            Ok(self.try_len()? == 0)
        }

        /// Makes the text empty.
        fn clear | try_clear(&self) {
            self.place.write(|writer, at| Ok(writer.clear_slot(at)?))
        }

        /// Shortens the text to `len` bytes, or to the last whole character before that.
        fn truncate | try_truncate(&self, len: usize) {
            self.place.write(|writer, at| {
                let text = String::load(writer, at)?;
                let len = (0..=len.min(text.len())).rfind(|&len| text.is_char_boundary(len)).unwrap_or(0);
                Ok(writer.cut_slot(at, len as u64)?)
            })
        }
    }
}

impl ShareHandle for TextHandle {
    type Plain = String;

    fn place(&self) -> &Place {
        &self.place
    }
}

impl Shareable for String {
    type Handle = TextHandle;

    const WORDS: u64 = 2;

    fn handle(place: Place) -> TextHandle {
        TextHandle { place }
    }

    fn load(view: &View<'_>, at: u64) -> Result<String, ShareError> {
        let bytes = view.slot(at)?.map_or_else(Vec::new, Value::into_vec);
        String::from_utf8(bytes).map_err(|_| Fault::Corrupt("text").into())
    }

    fn store(&self, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        if self.is_empty() {
            return Ok(writer.clear_slot(at)?);
        }
        Ok(writer.set_slot(at, self.as_bytes())?)
    }

    fn free(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        Ok(writer.clear_slot(at)?)
    }
}

impl AddAssign<&str> for TextHandle {
    #[track_caller]
    fn add_assign(&mut self, more: &str) {
        self.try_push_str(more).unwrap_or_else(raise);
    }
}

impl AddAssign<String> for TextHandle {
    #[track_caller]
    fn add_assign(&mut self, more: String) {
        self.try_push_str(&more).unwrap_or_else(raise);
    }
}

impl PartialEq<str> for TextHandle {
    fn eq(&self, other: &str) -> bool {
        self.get() == other
    }
}

impl PartialEq<&str> for TextHandle {
    fn eq(&self, other: &&str) -> bool {
        self.get() == *other
    }
}

impl PartialEq<String> for TextHandle {
    fn eq(&self, other: &String) -> bool {
        self.get() == *other
    }
}

impl fmt::Display for TextHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl fmt::Debug for TextHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
