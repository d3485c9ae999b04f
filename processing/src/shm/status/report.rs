//! What a panic says before the process may be gone.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use crate::error::{Location, PanicReport};

const ROOM: usize = 16 * 1024;

/// A panic's message, place and backtrace, cut to fit.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Report {
    /// How many of the bytes are written, after all of them are; 0 for no report.
    length: AtomicU32,
    bytes: [AtomicU8; ROOM],
}

impl Report {
    pub(crate) fn write(&self, report: &PanicReport) {
        let place = report.location.as_ref().map(|at| (at.file.as_str(), at.line, at.column));
        let (file, line, column) = place.unwrap_or_default();
        let backtrace = report.backtrace.as_deref().unwrap_or_default();
        // Lines, with the message last but one, as it may have several: place, length of the message, message, rest.
        let text =
            format!("{line}\n{column}\n{file}\n{}\n{}{backtrace}", report.message.len(), report.message);
        for (target, byte) in self.bytes.iter().zip(text.bytes()) {
            target.store(byte, Ordering::Relaxed);
        }
        self.length.store(text.len().min(ROOM) as u32, Ordering::Release);
    }

    pub(crate) fn read(&self) -> Option<PanicReport> {
        let length = (self.length.load(Ordering::Acquire) as usize).min(ROOM);
        let bytes: Vec<u8> = self.bytes[..length].iter().map(|byte| byte.load(Ordering::Relaxed)).collect();
        let mut parts = bytes.splitn(5, |&byte| byte == b'\n').map(String::from_utf8_lossy);
        let line = parts.next()?.parse().ok()?;
        let column = parts.next()?.parse().ok()?;
        let file = parts.next()?.into_owned();
        let message_length: usize = parts.next()?.parse().ok()?;
        let rest = parts.next()?;
        let mut end = message_length.min(rest.len());
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (message, backtrace) = rest.split_at(end);
        Some(PanicReport {
            message: message.to_owned(),
            location: (line > 0).then_some(Location { file, line, column }),
            backtrace: (!backtrace.is_empty()).then(|| backtrace.to_owned()),
        })
    }

    pub(crate) fn clear(&self) {
        self.length.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shm::Page;
    use crate::shm::status::Status;

    #[test]
    fn a_report_comes_back_whole() {
        let page = Page::<Status>::new("test").unwrap();
        assert!(page.panic.read().is_none());
        let location = Location { file: "src/a.rs".into(), line: 3, column: 9 };
        let report = PanicReport {
            message: "two\nlines".into(),
            location: Some(location.clone()),
            backtrace: Some("0: main\n1: more".into()),
        };
        page.panic.write(&report);
        let read = page.panic.read().unwrap();
        assert_eq!((read.message.as_str(), read.location), ("two\nlines", Some(location)));
        assert_eq!(read.backtrace.as_deref(), Some("0: main\n1: more"));
    }

    #[test]
    fn a_long_report_is_cut_and_garbage_is_none() {
        let page = Page::<Status>::new("test").unwrap();
        let message = "ü".repeat(ROOM);
        page.panic.write(&PanicReport { message, location: None, backtrace: None });
        assert!(page.panic.read().unwrap().message.starts_with("üü"));
        for byte in &page.panic.bytes {
            byte.store(0xff, Ordering::Relaxed);
        }
        assert!(page.panic.read().is_none());
    }
}
