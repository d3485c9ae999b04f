//! The program as it lies in memory: where its code is, and which build it is.

use std::ffi::OsString;
use std::ops::Range;
use std::os::windows::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::ptr;
use std::sync::OnceLock;

use windows_sys::Win32::Foundation::HMODULE;
use windows_sys::Win32::System::LibraryLoader::{
    GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT, GetModuleFileNameW,
    GetModuleHandleExW, GetModuleHandleW,
};

use super::trust::Fingerprint;

/// The object that this library is part of.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// Whether it is the program itself and not something that the program has loaded.
    pub(crate) is_program: bool,
    /// Its file.
    pub(crate) path: PathBuf,
    /// Where its code is.
    pub(crate) text: Range<usize>,
    /// Differs between any two builds: the sizes and places of all sections, and the linker's number for the build; where it
    /// has given none, all of the code.
    pub(crate) build: u64,
}

/// An address inside the object that this library is part of. A static's address is unique, a function's is not.
static ANCHOR: u8 = 0;

impl Image {
    /// Looked up once.
    pub(crate) fn of_this_program() -> Option<&'static Image> {
        static IMAGE: OnceLock<Option<Image>> = OnceLock::new();
        IMAGE.get_or_init(Image::find).as_ref()
    }

    /// Looks this library up among the loaded objects; `None` if what the system says of it is not what it should be.
    fn find() -> Option<Image> {
        let mut module: HMODULE = ptr::null_mut();
        let flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
        // SAFETY: with this flag the name is an address, of which nothing is read; the result has somewhere to go.
        if unsafe { GetModuleHandleExW(flags, (&raw const ANCHOR).cast(), &raw mut module) } == 0 {
            return None;
        }
        // SAFETY: no name stands for the program.
        let is_program = module == unsafe { GetModuleHandleW(ptr::null()) };
        let object = Object::at(module)?;
        let code = object.sections().find(Section::is_code)?;
        Some(Image {
            is_program,
            path: path(module)?,
            text: object.place(&code),
            build: object.build(&code)?,
        })
    }
}

/// The file of an object.
fn path(module: HMODULE) -> Option<PathBuf> {
    let mut path = vec![0; 512];
    loop {
        // SAFETY: the object is loaded; there is as much room as is said.
        let length = unsafe { GetModuleFileNameW(module, path.as_mut_ptr(), path.len() as u32) } as usize;
        if length < path.len() {
            return (length > 0).then(|| OsString::from_wide(&path[..length]).into());
        }
        // It was cut off.
        path.resize(2 * length, 0);
    }
}

/// The bytes of a loaded object, by where its file says that they are.
struct Object {
    base: usize,
    /// What stands in front of all sections, and says what follows.
    header: &'static [u8],
    /// Where in it that begins of which the rest is told.
    signature: usize,
    size: usize,
}

/// A part of an object.
struct Section {
    address: u32,
    size: u32,
    size_in_file: u32,
    flags: u32,
}

/// How much of an object is mapped at least, as one page.
const PAGE: usize = 4096;
/// Behind the signature: what every object has, and what programs have.
const OPTIONAL: usize = 24;

impl Object {
    fn at(module: HMODULE) -> Option<Object> {
        // SAFETY: an object's handle is where it begins; it is mapped by the page, the one that holds this code is never
        // unloaded, and nobody writes to what it begins with after it was loaded.
        let header = unsafe { std::slice::from_raw_parts(module.cast::<u8>().cast_const(), PAGE) };
        let signature = number(header, 0x3c)? as usize;
        let is_program_of_64_bits =
            header.get(signature..)?.starts_with(b"PE\0\0") && half(header, signature + OPTIONAL)? == 0x20b;
        let size = number(header, signature + OPTIONAL + 56)? as usize;
        is_program_of_64_bits.then_some(Object { base: module.addr(), header, signature, size })
    }

    fn place(&self, section: &Section) -> Range<usize> {
        let start = self.base + section.address as usize;
        start..start + section.size as usize
    }

    /// As many as there is room for in the first page; those of any real program.
    fn sections(&self) -> impl Iterator<Item = Section> + '_ {
        let read = |at: usize| half(self.header, self.signature + at).unwrap_or_default();
        let (count, first) = (read(6), self.signature + OPTIONAL + usize::from(read(20)));
        (0..usize::from(count)).map_while(move |place| {
            let number = |at: usize| number(self.header, first + 40 * place + at);
            let section = Section {
                size: number(8)?,
                address: number(12)?,
                size_in_file: number(16)?,
                flags: number(36)?,
            };
            let end = u64::from(section.address) + u64::from(section.size);
            (end <= self.size as u64).then_some(section)
        })
    }

    /// Bytes of the object, if it has them.
    fn bytes(&self, address: u32, length: u32) -> Option<&'static [u8]> {
        let wanted = u64::from(address)..u64::from(address) + u64::from(length);
        let holds = |section: &Section| {
            let start = u64::from(section.address);
            start <= wanted.start && wanted.end <= start + u64::from(section.size)
        };
        if !self.sections().any(|section| holds(&section) && section.is_only_read()) {
            return None;
        }
        let start = ptr::with_exposed_provenance(self.base + address as usize);
        // SAFETY: the range lies in a section of an object that is never unloaded, which is readable, and never written, as
        // its flags say.
        Some(unsafe { std::slice::from_raw_parts(start, length as usize) })
    }

    fn build(&self, code: &Section) -> Option<u64> {
        let mut build = Fingerprint::new();
        build.add(&number(self.header, self.signature + 8)?.to_ne_bytes());
        for section in self.sections() {
            for number in [section.address, section.size, section.size_in_file, section.flags] {
                build.add(&number.to_ne_bytes());
            }
        }
        match self.build_number() {
            Some(number) => build.add(number),
            None => build.add_words(self.bytes(code.address, code.size)?),
        }
        Some(build.finish())
    }

    /// What the linker has drawn for this build, so that whoever looks into it finds the names that belong to it.
    fn build_number(&self) -> Option<&'static [u8]> {
        const ENTRY: u32 = 28;
        const NAMES: u32 = 2;
        let directory = self.signature + OPTIONAL + 112 + 6 * 8;
        let entries = self.bytes(number(self.header, directory)?, number(self.header, directory + 4)?)?;
        let entry = entries.chunks_exact(ENTRY as usize).find(|entry| number(entry, 12) == Some(NAMES))?;
        // A signature, 16 bytes, and a count; then a path.
        self.bytes(number(entry, 20)?, number(entry, 16)?.min(24))
    }
}

impl Section {
    fn is_code(&self) -> bool {
        const EXECUTE: u32 = 0x2000_0000;
        self.flags & EXECUTE != 0
    }

    fn is_only_read(&self) -> bool {
        const READ: u32 = 0x4000_0000;
        const WRITE: u32 = 0x8000_0000;
        self.flags & (READ | WRITE) == READ
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_program_and_its_code() {
        let image = Image::find().unwrap();
        assert!(image.is_program);
        assert_eq!(image.path, std::env::current_exe().unwrap());
        let here = finds_the_program_and_its_code as fn() as usize;
        assert!(image.text.contains(&here));
        assert_eq!(image.build, Image::find().unwrap().build);
    }
}
