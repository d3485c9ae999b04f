//! The program as it lies in memory: where its code is, and which build it is.

use std::ffi::{CStr, OsStr};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::trust::Fingerprint;

/// The object that this library is part of.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// Whether it is the program itself and not something that the program has loaded.
    pub(crate) is_program: bool,
    /// Its file, if it is not the program itself.
    pub(crate) path: PathBuf,
    /// Where its code is.
    pub(crate) text: Range<usize>,
    /// Differs between any two builds: the sizes and places of all segments, and the linker's build id if there is
    /// one.
    pub(crate) build: u64,
    /// The table of functions that the loader calls before `main`.
    #[cfg_attr(
        not(feature = "auto-init"),
        expect(dead_code, reason = "only code before `main` asks for it")
    )]
    pub(crate) constructors: Range<usize>,
}

/// An address inside the object that this library is part of. A static's address is unique, a function's is not.
static ANCHOR: u8 = 0;

struct Search {
    anchor: usize,
    first: bool,
    found: Option<Image>,
}

impl Image {
    /// Looked up once.
    pub(crate) fn of_this_program() -> Option<&'static Image> {
        static IMAGE: OnceLock<Option<Image>> = OnceLock::new();
        IMAGE.get_or_init(Image::find).as_ref()
    }
    /// Looks this library up among the loaded objects; `None` if the system lists none that holds it.
    fn find() -> Option<Image> {
        let mut search = Search { anchor: (&raw const ANCHOR) as usize, first: true, found: None };
        // SAFETY: the callback has the right signature, and `search` lives until the call returns.
        unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
        search.found
    }
}

extern "C" fn visit(info: *mut libc::dl_phdr_info, _size: usize, search: *mut libc::c_void) -> i32 {
    // SAFETY: `Image::find` passes a `Search` and waits; nobody else has a reference to it meanwhile.
    let search = unsafe { &mut *search.cast::<Search>() };
    // SAFETY: the dynamic linker passes a valid description, which stays so during the call.
    let info = unsafe { &*info };
    // The program itself comes first.
    let is_program = std::mem::replace(&mut search.first, false);
    let base = info.dlpi_addr as usize;
    // SAFETY: these are the object's program headers, mapped as long as it is.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let place = |header: &libc::Elf64_Phdr| {
        let start = base.wrapping_add(header.p_vaddr as usize);
        start..start.saturating_add(header.p_memsz as usize)
    };
    let loaded = headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    if !loaded.clone().any(|header| place(header).contains(&search.anchor)) {
        return 0;
    }
    let mut build = Fingerprint::new();
    for header in headers {
        build.add(&header.p_vaddr.to_ne_bytes());
        build.add(&header.p_filesz.to_ne_bytes());
        build.add(&header.p_memsz.to_ne_bytes());
        if header.p_type == libc::PT_NOTE {
            let notes = place(header);
            // SAFETY: a note segment lies inside a loaded one, which is readable and never written.
            build.add(unsafe { std::slice::from_raw_parts(notes.start as *const u8, notes.len()) });
        }
    }
    let text = loaded.clone().find(|header| header.p_flags & libc::PF_X != 0).map_or(0..0, place);
    // SAFETY: the name is a C string of the dynamic linker's.
    let path = unsafe { CStr::from_ptr(info.dlpi_name) };
    let path = PathBuf::from(OsStr::from_bytes(path.to_bytes()));
    let constructors = headers
        .iter()
        .find(|header| header.p_type == libc::PT_DYNAMIC)
        .map_or(0..0, |header| constructors(base, place(header)));
    search.found = Some(Image { is_program, path, text, build: build.finish(), constructors });
    1
}

/// Where the dynamic section says that the table of constructors is.
fn constructors(base: usize, section: Range<usize>) -> Range<usize> {
    #[repr(C)]
    struct Entry {
        tag: i64,
        value: u64,
    }
    const INIT_ARRAY: i64 = 25;
    const INIT_ARRAY_SIZE: i64 = 27;
    // SAFETY: the dynamic section lies inside a loaded segment, is aligned, and consists of such entries.
    let entries = unsafe {
        std::slice::from_raw_parts(section.start as *const Entry, section.len() / size_of::<Entry>())
    };
    let value = |tag| {
        entries
            .iter()
            .take_while(|entry| entry.tag != 0)
            .find(|entry| entry.tag == tag)
            .map(|entry| entry.value as usize)
    };
    match (value(INIT_ARRAY), value(INIT_ARRAY_SIZE)) {
        (Some(start), Some(size)) => base.wrapping_add(start)..base.wrapping_add(start).saturating_add(size),
        _ => 0..0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_program_and_its_code() {
        let image = Image::find().unwrap();
        assert!(image.is_program);
        let here = finds_the_program_and_its_code as fn() as usize;
        assert!(image.text.contains(&here));
        assert_eq!(image.build, Image::find().unwrap().build);
    }
}
