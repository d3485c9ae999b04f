//! What both codecs' writers are held to.

use postcard::ser_flavors::Flavor;

use crate::error::{Error, Result};

/// MessagePack counts with 32 bits.
pub(super) fn short(len: usize) -> Result<u32> {
    u32::try_from(len).map_err(|_| {
        Error::unsupported(format!(
            "{len} elements in one sequence: 4294967295 are possible where field names are written; \
             hold them in a type without `flatten`, `untagged`, `tag` and skipped fields"
        ))
    })
}

/// A sequence that announces one length and has another would shift all that follows.
#[inline]
pub(super) fn counted(said: usize, written: usize) -> Result<()> {
    if said == written {
        return Ok(());
    }
    Err(Error::unsupported(format!("its `Serialize` announces {said} elements and writes {written}")))
}

/// Writing to a vector cannot fail, yet the signature says so.
#[cold]
pub(super) fn out_of_room(error: rmp::encode::ValueWriteError) -> Error {
    rmp_serde::encode::Error::from(error).into()
}

/// An array of floats.
#[inline]
pub(super) fn several<F: Copy, const MANY: usize, const WIDTH: usize, const N: usize>(
    array: [F; MANY],
    to_bytes: fn(F) -> [u8; WIDTH],
) -> [u8; N] {
    let mut bytes = [0; N];
    let (places, _) = bytes.as_chunks_mut::<WIDTH>();
    for (place, float) in places.iter_mut().zip(array) {
        *place = to_bytes(float);
    }
    bytes
}

/// postcard's way of writing to a vector that is ours.
pub(super) struct Out<'a>(pub(super) &'a mut Vec<u8>);

impl Flavor for Out<'_> {
    type Output = ();

    #[inline]
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    #[inline]
    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }

    #[inline]
    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
