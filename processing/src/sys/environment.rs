//! The environment of a process that has one thread, as a whole.

use std::ffi::{CString, c_char};
use std::io;
use std::os::fd::OwnedFd;
use std::ptr;

/// An environment that can be put in force.
#[derive(Debug)]
pub(crate) struct Environment {
    /// Variables, each with a zero byte behind it.
    text: Vec<u8>,
    /// Where they begin, and a null.
    places: Vec<*mut c_char>,
}

impl Environment {
    /// Reads what [`as_text`] wrote.
    pub(crate) fn from_text(mut text: Vec<u8>) -> io::Result<Self> {
        if text.last().is_some_and(|last| *last != 0) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the last variable has no end"));
        }
        let start = text.as_mut_ptr();
        let ends = text.iter().enumerate().filter(|(_, byte)| **byte == 0).map(|(place, _)| place + 1);
        let starts = [0].into_iter().chain(ends).filter(|start| *start < text.len());
        let mut places: Vec<_> = starts.map(|place| start.wrapping_add(place).cast()).collect();
        places.push(ptr::null_mut());
        Ok(Environment { text, places })
    }

    /// Makes it this process's environment, and gives back the one that was put in force before, which may be thrown
    /// away: nobody has its addresses any more, except the C library, which copies what it keeps.
    ///
    /// Called before `main`, where no code runs but ours.
    pub(crate) fn put_in_force(mut self, before: &mut Option<Environment>) {
        debug_assert!(self.places.len() <= self.text.len() + 1);
        // SAFETY: nobody reads the variable meanwhile: there is no other thread but the attendant, perhaps, which sleeps and
        // reads none. What is stored is a list of C strings
        // with a null at its end; both are kept in `before`, which is replaced only after the next list is in force.
        unsafe { libc::environ = self.places.as_mut_ptr() };
        *before = Some(self);
    }
}

/// A whole environment on its way to another process, in memory that nobody can change any more.
pub(crate) fn environment_file(variables: &[CString]) -> io::Result<OwnedFd> {
    super::sealed_file("processing-environment", &as_text(variables))
}

/// The variables of an environment, one after the other, each with a zero byte behind it.
fn as_text(variables: &[CString]) -> Vec<u8> {
    variables.iter().flat_map(|variable| variable.as_bytes_with_nul()).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(environment: &Environment) -> Vec<CString> {
        let (end, places) = environment.places.split_last().unwrap();
        assert!(end.is_null());
        let base = environment.text.as_ptr() as usize;
        let rest = |place: &*mut c_char| &environment.text[*place as usize - base..];
        places
            .iter()
            .map(|place| std::ffi::CStr::from_bytes_until_nul(rest(place)).unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_text_is_read_as_it_was_written() {
        let variables = [c"A=1".to_owned(), c"".to_owned(), c"B=x=y".to_owned()];
        let read = Environment::from_text(as_text(&variables)).unwrap();
        assert_eq!(strings(&read), variables);
        assert!(strings(&Environment::from_text(Vec::new()).unwrap()).is_empty());
        assert!(Environment::from_text(b"A=1".to_vec()).is_err());
    }
}
