//! The program as it lies in memory: where its code is, and which build it is.

use std::ffi::{CStr, OsStr, c_char};
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
    /// Its file.
    pub(crate) path: PathBuf,
    /// Where its code is.
    pub(crate) text: Range<usize>,
    /// Differs between any two builds: the sizes and places of all segments, and the linker's number for the build if
    /// there is one.
    pub(crate) build: u64,
    /// The functions that the loader calls before `main`, in that order.
    #[cfg_attr(
        not(feature = "auto-init"),
        expect(dead_code, reason = "only code before `main` asks for it")
    )]
    pub(crate) constructors: Vec<usize>,
}

/// An address inside the object that this library is part of. A static's address is unique, a function's is not.
static ANCHOR: u8 = 0;

/// What an object begins with, in memory as in its file.
#[repr(C)]
struct Header {
    magic: u32,
    processor: [u32; 2],
    kind: u32,
    commands: u32,
    commands_size: u32,
    flags: u32,
    reserved: u32,
}

/// What each command behind the header begins with.
#[repr(C)]
#[derive(Clone, Copy)]
struct Command {
    kind: u32,
    size: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Segment {
    command: Command,
    name: [u8; 16],
    address: u64,
    size: u64,
    file_offset: u64,
    file_size: u64,
    protections: [u32; 2],
    sections: u32,
    flags: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Section {
    names: [[u8; 16]; 2],
    address: u64,
    size: u64,
    file_offset: u32,
    alignment: u32,
    relocations: [u32; 2],
    flags: u32,
    reserved: [u32; 3],
}

const MAGIC: u32 = 0xfeed_facf;
const EXECUTABLE: u32 = 2;
const SEGMENT: u32 = 0x19;
const UUID: u32 = 0x1b;
/// Kinds of sections that list functions to be called before `main`: by address, or by distance from the header.
const BY_ADDRESS: u32 = 0x9;
const BY_OFFSET: u32 = 0x16;

unsafe extern "C" {
    fn _dyld_image_count() -> u32;
    fn _dyld_get_image_header(index: u32) -> *const Header;
    fn _dyld_get_image_vmaddr_slide(index: u32) -> isize;
    fn _dyld_get_image_name(index: u32) -> *const c_char;
}

impl Image {
    /// Looked up once.
    pub(crate) fn of_this_program() -> Option<&'static Image> {
        static IMAGE: OnceLock<Option<Image>> = OnceLock::new();
        IMAGE.get_or_init(Image::find).as_ref()
    }

    /// Looks this library up among the loaded objects; `None` if the system lists none that holds it.
    fn find() -> Option<Image> {
        // SAFETY: has no requirement.
        let count = unsafe { _dyld_image_count() };
        (0..count).find_map(Image::look_at)
    }

    fn look_at(index: u32) -> Option<Image> {
        // SAFETY: a number beyond the last one is answered with null.
        let header = unsafe { _dyld_get_image_header(index) };
        // SAFETY: null, or the header of an object, which is mapped; the one that holds this code is never unloaded, and of
        // others nothing is kept.
        let header = unsafe { header.as_ref() }.filter(|header| header.magic == MAGIC)?;
        // SAFETY: as for the header.
        let slide = unsafe { _dyld_get_image_vmaddr_slide(index) };
        let object = Object { header, slide };
        if !object.segments().any(|(segment, _)| object.place(&segment).contains(&anchor())) {
            return None;
        }
        // SAFETY: as for the header.
        let path = unsafe { _dyld_get_image_name(index) };
        // SAFETY: the object holds this code, so it stays loaded, and its name is a C string of the loader's.
        let path = unsafe { CStr::from_ptr(path) };
        let text = object.segments().find(|(segment, _)| segment.name.starts_with(b"__TEXT\0"));
        Some(Image {
            is_program: header.kind == EXECUTABLE,
            path: PathBuf::from(OsStr::from_bytes(path.to_bytes())),
            text: text.map_or(0..0, |(segment, _)| object.place(&segment)),
            build: object.build(),
            constructors: object.constructors(),
        })
    }
}

fn anchor() -> usize {
    (&raw const ANCHOR) as usize
}

/// A loaded object, whose header is mapped with all commands behind it.
struct Object<'a> {
    header: &'a Header,
    slide: isize,
}

impl<'a> Object<'a> {
    fn place(&self, segment: &Segment) -> Range<usize> {
        let start = (segment.address as usize).wrapping_add_signed(self.slide);
        start..start.saturating_add(segment.size as usize)
    }

    /// The bytes of each command, with what kind it is.
    fn commands(&self) -> impl Iterator<Item = (u32, &'a [u8])> + use<'a> {
        let first = std::ptr::from_ref(self.header).wrapping_add(1).cast::<u8>();
        // SAFETY: the loader has mapped the header with all its commands, which are so long together, and nobody writes them.
        let mut rest = unsafe { std::slice::from_raw_parts(first, self.header.commands_size as usize) };
        std::iter::from_fn(move || {
            let command: Command = read(rest)?;
            let (this, following) = rest.split_at_checked(command.size as usize)?;
            if this.is_empty() {
                return None;
            }
            rest = following;
            Some((command.kind, this))
        })
    }

    /// Each segment, with the bytes of its sections' descriptions.
    fn segments(&self) -> impl Iterator<Item = (Segment, &'a [u8])> + use<'a> {
        let segments = self.commands().filter(|(kind, _)| *kind == SEGMENT);
        segments.filter_map(|(_, bytes)| Some((read(bytes)?, bytes.get(size_of::<Segment>()..)?)))
    }

    fn build(&self) -> u64 {
        let mut build = Fingerprint::new();
        for (segment, _) in self.segments() {
            build.add(&segment.address.to_ne_bytes());
            build.add(&segment.size.to_ne_bytes());
            build.add(&segment.file_size.to_ne_bytes());
        }
        for (_, uuid) in self.commands().filter(|(kind, _)| *kind == UUID) {
            build.add(uuid);
        }
        build.finish()
    }

    fn constructors(&self) -> Vec<usize> {
        let base = std::ptr::from_ref(self.header) as usize;
        let mut found = Vec::new();
        for (segment, sections) in self.segments() {
            for section in sections.chunks_exact(size_of::<Section>()).filter_map(read::<Section>) {
                match section.flags & 0xff {
                    BY_ADDRESS => found.extend(self.table::<usize>(&segment, &section)),
                    BY_OFFSET => {
                        found.extend(self.table(&segment, &section).map(|by: u32| base + by as usize));
                    }
                    _ => {}
                }
            }
        }
        found
    }

    /// The numbers in a section; none if that is not inside its segment.
    fn table<T: Copy>(&self, segment: &Segment, section: &Section) -> impl Iterator<Item = T> + use<T> {
        let start = (section.address as usize).wrapping_add_signed(self.slide);
        let (end, inside) = (start.saturating_add(section.size as usize), self.place(segment));
        let is_inside = inside.start <= start && end <= inside.end;
        let places = if is_inside { start..end } else { 0..0 };
        places.step_by(size_of::<T>()).filter(move |place| place + size_of::<T>() <= end).map(|place| {
            // SAFETY: the place lies in a segment of the object that holds this code, which is mapped and, after loading,
            // only read; any bits are a valid number.
            unsafe { (place as *const T).read_unaligned() }
        })
    }
}

/// What these bytes begin with.
fn read<T: Copy>(bytes: &[u8]) -> Option<T> {
    let bytes = bytes.get(..size_of::<T>())?;
    // SAFETY: there are as many bytes as that takes, and every `T` that is read here is made of plain numbers, for which
    // any bits are valid.
    Some(unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
}
