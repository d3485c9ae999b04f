//! A value of any length in two words: short ones lie in the slot itself, long ones in a block.
//!
//! The lowest byte of the first word is the tag: 0, nothing; 1 to 16, that many bytes less one, in the 15 bytes
//! that are left; 255, the rest of the first word is the length and the second word the block.

use std::ops::Deref;

use super::fault::{Fault, Result};
use super::segment::u64_of;
use super::view::View;
use super::writer::Writer;

/// The bytes of a slot.
pub(crate) const SLOT: u64 = 16;
/// The longest value that needs no block.
pub(super) const INLINE: usize = 15;
/// The tag of a value that is in a block.
pub(super) const IN_BLOCK: u64 = 255;
/// Up to this size a value is overwritten where it is, word by word, rather than moved to a fresh block.
const IN_PLACE: u64 = 256;
/// From this size on, all pages of a block are asked for at once.
const POPULATE: u64 = 1 << 20;

/// What was in a slot.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Short([u8; INLINE], usize),
    Long(Vec<u8>),
}

impl Deref for Value {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Value::Short(bytes, len) => &bytes[..*len],
            Value::Long(bytes) => bytes,
        }
    }
}

impl Value {
    pub(crate) fn into_vec(self) -> Vec<u8> {
        match self {
            Value::Short(bytes, len) => bytes[..len].to_vec(),
            Value::Long(bytes) => bytes,
        }
    }
}

/// The two words of a short value.
#[inline]
pub(super) fn pack(bytes: &[u8]) -> (u64, u64) {
    let head = bytes.len().min(7);
    let first = (u64_of(&bytes[..head]) << 8) | (bytes.len() as u64 + 1);
    (first, u64_of(&bytes[head..]))
}

impl View<'_> {
    /// The value in the slot at `at`.
    #[inline]
    pub(crate) fn slot(&self, at: u64) -> Result<Option<Value>> {
        let (first, second) = (self.load(at)?, self.load(at + 8)?);
        let tag = first & 0xff;
        if tag == 0 {
            return Ok(None);
        }
        if tag <= INLINE as u64 + 1 {
            let mut bytes = [0; INLINE];
            bytes[..7].copy_from_slice(&(first >> 8).to_le_bytes()[..7]);
            bytes[7..].copy_from_slice(&second.to_le_bytes());
            self.check()?;
            return Ok(Some(Value::Short(bytes, tag as usize - 1)));
        }
        if tag != IN_BLOCK {
            self.check()?;
            return Err(Fault::Corrupt("slot"));
        }
        Ok(Some(Value::Long(self.bytes(second, first >> 8)?)))
    }

    /// Whether the slot at `at` holds a value.
    #[inline]
    pub(crate) fn is_filled(&self, at: u64) -> Result<bool> {
        Ok(self.load(at)? & 0xff != 0)
    }

    /// How many bytes the slot at `at` holds; 0 for nothing.
    pub(crate) fn slot_len(&self, at: u64) -> Result<u64> {
        let first = self.load(at)?;
        match first & 0xff {
            0 => Ok(0),
            IN_BLOCK => Ok(first >> 8),
            tag => Ok(tag - 1),
        }
    }

    /// The block of the slot at `at`, and the length of the value in it.
    fn slot_block(&self, at: u64) -> Result<Option<(u64, u64)>> {
        let first = self.load(at)?;
        if first & 0xff != IN_BLOCK {
            return Ok(None);
        }
        Ok(Some((self.load(at + 8)?, first >> 8)))
    }
}

impl Writer<'_> {
    /// Puts `bytes` into a slot that holds nothing, whatever its words are.
    #[inline]
    pub(crate) fn fill_slot(&mut self, at: u64, bytes: &[u8]) -> Result<()> {
        let (first, second) = if bytes.len() <= INLINE { pack(bytes) } else { self.long(bytes, 0)? };
        self.set(at, first)?;
        self.set(at + 8, second)
    }

    /// Puts `bytes` in the place of what the slot holds.
    #[inline]
    pub(crate) fn set_slot(&mut self, at: u64, bytes: &[u8]) -> Result<()> {
        if let Some((block, _)) = self.slot_block(at)? {
            let len = bytes.len() as u64;
            let room = self.block(block)?;
            if bytes.len() > INLINE && len <= IN_PLACE && len <= room && room <= 2 * IN_PLACE {
                for (index, chunk) in bytes.chunks(8).enumerate() {
                    self.set(block + index as u64 * 8, u64_of(chunk))?;
                }
                return self.set(at, (len << 8) | IN_BLOCK);
            }
            self.free(block);
        }
        self.fill_slot(at, bytes)
    }

    /// Takes the value out of the slot: it holds nothing afterwards.
    pub(crate) fn clear_slot(&mut self, at: u64) -> Result<()> {
        self.drop_slot(at)?;
        self.set(at, 0)?;
        self.set(at + 8, 0)
    }

    /// Frees what the slot holds. The words of the slot itself are no longer to be looked at.
    pub(crate) fn drop_slot(&mut self, at: u64) -> Result<()> {
        if let Some((block, _)) = self.slot_block(at)? {
            self.block(block)?;
            self.free(block);
        }
        Ok(())
    }

    /// Adds `more` to the end of the value in the slot. Costs no more than `more` does, most of the time.
    pub(crate) fn append_slot(&mut self, at: u64, more: &[u8]) -> Result<()> {
        let len = self.slot_len(at)?;
        let new = len + more.len() as u64;
        let Some((block, _)) = self.slot_block(at)? else {
            let mut bytes = self.slot(at)?.map_or_else(Vec::new, Value::into_vec);
            bytes.extend_from_slice(more);
            let (first, second) = if bytes.len() <= INLINE { pack(&bytes) } else { self.long(&bytes, new)? };
            self.set(at, first)?;
            return self.set(at + 8, second);
        };
        let room = self.block(block)?;
        if len > room {
            return Err(Fault::Corrupt("length"));
        }
        if new > room {
            let old = self.bytes(block, len)?;
            let (_, moved) = self.long(&old, new)?;
            self.free(block);
            // Nobody knows the new block yet, so its end is written without a word to the log.
            self.splice(moved, len, more, Writer::fresh)?;
            self.set(at + 8, moved)?;
        } else {
            self.splice(block, len, more, Writer::set)?;
        }
        self.set(at, (new << 8) | IN_BLOCK)
    }

    /// Cuts the value in the slot to `len` bytes.
    pub(crate) fn cut_slot(&mut self, at: u64, len: u64) -> Result<()> {
        match self.slot(at)? {
            Some(value) if len < value.len() as u64 => self.set_slot(at, &value[..len as usize]),
            _ => Ok(()),
        }
    }

    /// Writes `more` to `block` from byte `from` on.
    fn splice(
        &mut self,
        block: u64,
        from: u64,
        more: &[u8],
        mut write: impl FnMut(&mut Self, u64, u64) -> Result<()>,
    ) -> Result<()> {
        let (mut at, inside) = (block + (from & !7), (from % 8) as usize);
        let mut rest = more;
        if inside != 0 {
            let (now, after) = rest.split_at(rest.len().min(8 - inside));
            let kept = self.load(at)? & ((1 << (inside * 8)) - 1);
            write(self, at, kept | (u64_of(now) << (inside * 8)))?;
            (at, rest) = (at + 8, after);
        }
        for chunk in rest.chunks(8) {
            write(self, at, u64_of(chunk))?;
            at += 8;
        }
        Ok(())
    }

    /// Moves a long value into a fresh block that has room for `room` bytes and some.
    fn long(&mut self, bytes: &[u8], room: u64) -> Result<(u64, u64)> {
        let len = bytes.len() as u64;
        // A value that is being appended to grows by half at a time.
        let size = if room > len { room + room / 2 } else { len };
        let block = self.allocate(size.max(INLINE as u64 + 1))?;
        if len >= POPULATE {
            self.view.segment.populate(block, len);
        }
        self.view.segment.copy_in(block, bytes)?;
        Ok(((len << 8) | IN_BLOCK, block))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fault::Fault;
    use super::super::store::Store;
    use super::super::testing::Random;

    #[test]
    fn values_of_every_length_come_back() {
        let store = Store::create(1, 1 << 26).unwrap();
        let root = store.write(|writer| writer.allocate_zeroed(64)).unwrap();
        assert!(store.read(|view| view.slot(root)).unwrap().is_none());
        let mut random = Random::new(9);
        for round in 0..3000u64 {
            let most = [20, 300, 9000, 100_000][(round % 4) as usize];
            let len = if round < 600 { round % 40 } else { random.below(most) };
            let bytes: Vec<u8> = (0..len).map(|index| (index + round) as u8).collect();
            store.write(|writer| writer.set_slot(root, &bytes)).unwrap();
            assert_eq!(&*store.read(|view| view.slot(root)).unwrap().unwrap(), &bytes[..]);
        }
        store.write(|writer| writer.clear_slot(root)).unwrap();
        assert!(!store.read(|view| view.is_filled(root)).unwrap());
    }

    #[test]
    fn appending_is_like_appending() {
        let store = Store::create(1, 1 << 26).unwrap();
        let root = store.write(|writer| writer.allocate_zeroed(64)).unwrap();
        let (mut model, mut random) = (Vec::new(), Random::new(2));
        for round in 0..2000u64 {
            let more: Vec<u8> = (0..random.below(30)).map(|index| (index * 7 + round) as u8).collect();
            let keep = random.below(4) != 0;
            let result = store.write(|writer| {
                writer.append_slot(root, &more)?;
                if keep { Ok(()) } else { Err(Fault::TimedOut) }
            });
            assert_eq!(result.is_ok(), keep);
            if keep {
                model.extend_from_slice(&more);
            }
            if round % 500 == 499 {
                let len = random.below(model.len() as u64);
                store.write(|writer| writer.cut_slot(root, len)).unwrap();
                model.truncate(len as usize);
            }
            let now = store.read(|view| view.slot(root)).unwrap();
            assert_eq!(now.as_deref().unwrap_or_default(), &model[..]);
        }
    }
}
