//! Looks whether a heap is sound, and what is in it.

use super::*;

impl View<'_> {
    /// How many blocks are in use. Goes over every span and every list, and refuses what does not add up.
    pub(crate) fn audit(&self) -> Result<u64> {
        let top = self.load(TOP)?;
        let (mut live, mut free_spans, mut with_room) = (0, 0, 0);
        let mut span = self.layout.heap;
        while span < top {
            let meta = self.meta(span)?;
            let kind = self.load(meta + KIND)?;
            let class = kind & CLASS;
            let spans = match kind & !CLASS {
                SMALL => {
                    let (used, room) = self.audit_small(span, class)?;
                    live += used;
                    with_room += u64::from(room);
                    1
                }
                LARGE => {
                    live += 1;
                    spans_of(class)
                }
                FREED => {
                    free_spans += 1;
                    spans_of(class)
                }
                _ => return Err(Fault::Corrupt("kind of a span")),
            };
            span += spans * SPAN;
        }
        let small = (0..SMALL_CLASSES).map(|class| self.count(PARTIAL + class * 8)).sum::<Result<u64>>()?;
        let freed = (0..SPAN_CLASSES).map(|class| self.count(FREE_SPANS + class * 8)).sum::<Result<u64>>()?;
        if span != top || small != with_room || freed != free_spans {
            return Err(Fault::Corrupt("lists of spans"));
        }
        Ok(live)
    }

    /// How many blocks of a span are in use, and whether it has room.
    fn audit_small(&self, span: u64, class: u64) -> Result<(u64, bool)> {
        let meta = self.meta(span)?;
        let (size, bump, live) = (size_of(class), self.load(meta + BUMP)?, self.load(meta + LIVE)?);
        let (mut free, mut count) = (self.load(meta + FREE)?, 0);
        while free != 0 {
            count += 1;
            if free / SPAN != span / SPAN || free % SPAN / size >= bump || count > bump {
                return Err(Fault::Corrupt("list of free blocks"));
            }
            free = self.load(free)?;
        }
        if live + count != bump || bump > SPAN / size {
            return Err(Fault::Corrupt("blocks of a span"));
        }
        Ok((live, live < SPAN / size))
    }

    /// The length of a list of spans.
    fn count(&self, list: u64) -> Result<u64> {
        let (mut span, mut count) = (self.load(list)?, 0);
        while span != 0 {
            count += 1;
            span = self.load(self.meta(span)? + NEXT)?;
            if count > 1 << 20 {
                return Err(Fault::Corrupt("list of spans"));
            }
        }
        Ok(count)
    }
}
