//! Telling builds of this program apart, and what the same build may be trusted with.

use cucumber::func::{Trust, set_image};

use super::Image;

/// The right to take functions from other processes of ours: their channel is one that this program, or its parent,
/// has made, and the handshake has told other builds apart.
pub(crate) fn function_trust() -> Option<Trust> {
    let text = Image::of_this_program()?.text.clone();
    // SAFETY:
    // - `text` is the code of the object that holds this crate, and with it the serialization engine; a program is
    //   never unloaded, and neither is a library that keeps a thread of its own running;
    // - the token is handed to the decoding of what came over a worker's channel only, whose other end runs the same
    //   build: a worker checks that before it decodes anything else.
    unsafe { set_image(text) }.ok()
}

/// FNV-1a: tells builds apart; not against forgery, for which it is never used.
pub(super) struct Fingerprint(u64);

impl Fingerprint {
    pub(super) fn new() -> Self {
        Fingerprint(0xcbf2_9ce4_8422_2325)
    }

    pub(super) fn finish(&self) -> u64 {
        self.0
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.step(byte.into());
        }
    }

    /// The same for many bytes, eight at a time.
    #[cfg(windows)]
    pub(super) fn add_words(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        words.iter().for_each(|word| self.step(u64::from_le_bytes(*word)));
        self.add(rest);
    }

    fn step(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x0100_0000_01b3);
    }
}
