//! Memory and files that are gone with their last handle.
//!
//! Memory that is mapped is a section without a name. In front of what was asked for it has one more stretch, which
//! [`Mapping`](super::mapping::Mapping) keeps to itself: who sleeps at which word is written there.
//!
//! A section of more than [`AT_ONCE`] is only set aside, and each part of it becomes memory when it is touched first
//! (`touch.rs`): the system answers for all that is memory, and would refuse what most shares will never use.
//!
//! A file is one of the temporary folder, with a name that nobody can guess, and closed to everybody who does not have
//! its handle. The system deletes it when its last handle is closed, however that comes about.

use std::ffi::c_void;
use std::fs::OpenOptions;
use std::io;
use std::mem::MaybeUninit;
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _};
use std::path::Path;
use std::ptr;

use windows_sys::Win32::Foundation::{INVALID_HANDLE_VALUE, NTSTATUS};
use windows_sys::Win32::Security::Cryptography::{BCRYPT_USE_SYSTEM_PREFERRED_RNG, BCryptGenRandom};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_SPARSE_FILE, FILE_ATTRIBUTE_TEMPORARY, FILE_BASIC_INFO, FILE_FLAG_DELETE_ON_CLOSE,
    FILE_INFO_BY_HANDLE_CLASS, FILE_STANDARD_INFO, FileBasicInfo, FileStandardInfo,
    GetFileInformationByHandleEx,
};
use windows_sys::Win32::System::IO::DeviceIoControl;
use windows_sys::Win32::System::Ioctl::{FILE_ZERO_DATA_INFORMATION, FSCTL_SET_SPARSE, FSCTL_SET_ZERO_DATA};
use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, PAGE_READWRITE, SEC_COMMIT, SEC_FILE, SEC_IMAGE, SEC_RESERVE,
};

use super::mapping::{Mapping, STRETCH};
use super::{AsFd, BorrowedFd, OwnedFd};

/// The unit of memory.
const PAGE: u64 = 4096;
/// Up to here a section is memory as soon as it is made.
const AT_ONCE: u64 = 2 << 20;
/// The longest section: the system is taken to keep eight bytes for each page of one, touched or not.
const LONGEST: u64 = 8 << 30;

/// A file that is written and read by whoever has its handle: for a value that is too big for a socket.
pub(crate) fn memory_file(_name: &str) -> io::Result<OwnedFd> {
    unnamed_file(&std::env::temp_dir())
}

/// Memory of this length for good, all zeroes, to be mapped. A section cannot become shorter or longer.
pub(crate) fn fixed_memory(_name: &str, length: u64) -> io::Result<OwnedFd> {
    let whole = STRETCH as u64 + length_of(length.min(LONGEST));
    if length > LONGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a section of more than 8 GiB"));
    }
    let flags = PAGE_READWRITE | if whole <= AT_ONCE { SEC_COMMIT } else { SEC_RESERVE };
    // SAFETY: no file, no attributes and no name are all allowed, and nothing else is a pointer.
    let section = unsafe {
        CreateFileMappingW(
            INVALID_HANDLE_VALUE,
            ptr::null(),
            flags,
            (whole >> 32) as u32,
            whole as u32,
            ptr::null(),
        )
    };
    if section.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has made this handle, for us alone.
    let memory = unsafe { OwnedFd::from_raw_handle(section) };
    Mapping::new(&memory, 0)?.set_key([random()?, random()?]);
    Ok(memory)
}

/// How long memory is that [`fixed_memory`] made; an error if it is something else.
pub(crate) fn fixed_length(memory: &OwnedFd) -> io::Result<u64> {
    let about = about(memory)?;
    // What is a file may be cut off, or not be readable, when it is looked at.
    let is_memory = about.attributes & (SEC_FILE | SEC_IMAGE) == 0;
    let length = u64::try_from(about.length).ok().and_then(|length| length.checked_sub(STRETCH as u64));
    length
        .filter(|_| is_memory)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "something else than shared memory"))
}

/// How long [`fixed_memory`] becomes that is asked to be so long: whole pages.
pub(crate) const fn length_of(length: u64) -> u64 {
    length.next_multiple_of(PAGE)
}

/// Which memory this is, the same in every process: what its maker drew for it.
pub(crate) fn memory_identity(memory: &OwnedFd) -> io::Result<(u64, u64)> {
    fixed_length(memory)?;
    let [low, high] = Mapping::new(memory, 0)?.key();
    Ok((low, high))
}

/// Whether a section is only set aside, and becomes memory as it is touched.
pub(super) fn is_set_aside(memory: &OwnedFd) -> io::Result<bool> {
    Ok(about(memory)?.attributes & SEC_COMMIT == 0)
}

/// What the system says of a section.
#[repr(C)]
struct About {
    base: *mut c_void,
    attributes: u32,
    length: i64,
}

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    /// `windows-sys` leaves it out.
    fn NtQuerySection(
        section: *mut c_void,
        class: u32,
        about: *mut c_void,
        size: usize,
        written: *mut usize,
    ) -> NTSTATUS;
}

fn about(memory: &OwnedFd) -> io::Result<About> {
    const SECTION_BASIC_INFORMATION: u32 = 0;
    let mut about = MaybeUninit::<About>::uninit();
    // SAFETY: the handle is open, as it is borrowed; the place is as long as is said, and nobody asks how much of it was
    // written.
    let status = unsafe {
        NtQuerySection(
            memory.as_raw_handle(),
            SECTION_BASIC_INFORMATION,
            about.as_mut_ptr().cast(),
            size_of::<About>(),
            ptr::null_mut(),
        )
    };
    if status < 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "something else than a section"));
    }
    // SAFETY: the call has succeeded, so it has written all of it.
    Ok(unsafe { about.assume_init() })
}

/// Gives a part of a file back to the system; it reads as zeroes afterwards. Not of memory, which the system keeps.
pub(crate) fn punch(file: impl AsFd, start: u64, length: u64) {
    let (Ok(from), Ok(to)) = (i64::try_from(start), i64::try_from(start.saturating_add(length))) else {
        return;
    };
    let hole = FILE_ZERO_DATA_INFORMATION { FileOffset: from, BeyondFinalZero: to };
    let file = file.as_fd();
    // A refusal costs room, nothing else. A file that has no holes yet has to be allowed some first.
    if control(file, FSCTL_SET_SPARSE, ptr::null(), 0) {
        let size = size_of::<FILE_ZERO_DATA_INFORMATION>();
        control(file, FSCTL_SET_ZERO_DATA, (&raw const hole).cast(), size);
    }
}

/// Asks something of the file's system that has no answer; `input` has to be as long as is said.
fn control(file: BorrowedFd<'_>, what: u32, input: *const c_void, size: usize) -> bool {
    let mut written = 0;
    // SAFETY: the handle is open, as it is borrowed; the input is as long as is said, and is only read; there is no room
    // for an answer, and its length has somewhere to go.
    unsafe {
        DeviceIoControl(
            file.as_raw_handle(),
            what,
            input,
            size as u32,
            ptr::null_mut(),
            0,
            &raw mut written,
            ptr::null_mut(),
        ) != 0
    }
}

/// Fails unless the first `length` bytes of a file are there: another process made it.
pub(crate) fn check_filled(file: &OwnedFd, length: u64) -> io::Result<()> {
    // SAFETY: the struct of this class, which is numbers and flags; what is not written of it stays zero.
    let size = unsafe { file_information::<FILE_STANDARD_INFO>(file, FileStandardInfo) }?;
    // SAFETY: as above; numbers only.
    let attributes = unsafe { file_information::<FILE_BASIC_INFO>(file, FileBasicInfo) }?.FileAttributes;
    if u64::try_from(size.EndOfFile).is_ok_and(|size| size < length) {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "shared memory is shorter than was said"));
    }
    // Holes cost whoever made the file nothing, and would cost this process their whole length. Only a file that says so
    // has any.
    if attributes & FILE_ATTRIBUTE_SPARSE_FILE != 0
        && u64::try_from(size.AllocationSize).is_ok_and(|size| size < length)
    {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "shared memory with holes in it"));
    }
    Ok(())
}

/// What the system says of an open file.
///
/// # Safety
/// `T` is the struct of that class, for which zeroes are valid, and all that the system writes.
unsafe fn file_information<T>(file: &OwnedFd, class: FILE_INFO_BY_HANDLE_CLASS) -> io::Result<T> {
    let mut about = MaybeUninit::<T>::zeroed();
    // SAFETY: the handle is open, as it is borrowed, and the place is as long as is said.
    let done = unsafe {
        GetFileInformationByHandleEx(
            file.as_raw_handle(),
            class,
            about.as_mut_ptr().cast(),
            size_of::<T>() as u32,
        )
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeroes, and what the system has written there, which is a valid `T` says the caller.
    Ok(unsafe { about.assume_init() })
}

/// A file in this folder that nobody else can open, and that goes with its last handle.
pub(crate) fn unnamed_file(folder: &Path) -> io::Result<OwnedFd> {
    let path = folder.join(format!("processing-{:016x}{:016x}", random()?, random()?));
    // Who has got a copy of the handle does not open it again, so opening it need not be shared.
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .share_mode(0)
        .attributes(FILE_ATTRIBUTE_TEMPORARY)
        .custom_flags(FILE_FLAG_DELETE_ON_CLOSE)
        .open(path)?;
    Ok(file.into())
}

/// A number that nobody can guess.
pub(crate) fn random() -> io::Result<u64> {
    let mut bytes = [0; 8];
    // SAFETY: the place is as long as is said; the flag stands for an algorithm, which may be none then.
    let status = unsafe {
        BCryptGenRandom(
            ptr::null_mut(),
            bytes.as_mut_ptr(),
            bytes.len() as u32,
            BCRYPT_USE_SYSTEM_PREFERRED_RNG,
        )
    };
    if status < 0 {
        Err(io::Error::other("the system has no random numbers"))
    } else {
        Ok(u64::from_ne_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read as _, Seek as _, Write as _};
    use std::os::windows::io::OwnedHandle;

    use super::*;

    fn section(file: &File) -> OwnedHandle {
        // SAFETY: the file is open; no attributes and no name are allowed.
        let section = unsafe {
            CreateFileMappingW(file.as_raw_handle(), ptr::null(), PAGE_READWRITE, 0, 1 << 20, ptr::null())
        };
        assert!(!section.is_null());
        // SAFETY: the call has made this handle, for us alone.
        unsafe { OwnedHandle::from_raw_handle(section) }
    }

    #[test]
    fn memory_has_one_length_and_is_told_apart() {
        for length in [1, 4096, 5000, 4 << 20] {
            let memory = fixed_memory("test", length).unwrap();
            assert_eq!(fixed_length(&memory).unwrap(), length_of(length));
            let copy = memory.try_clone().unwrap();
            assert_eq!(memory_identity(&memory).unwrap(), memory_identity(&copy).unwrap());
            let other = fixed_memory("test", length).unwrap();
            assert_ne!(memory_identity(&memory).unwrap(), memory_identity(&other).unwrap());
            assert!(Mapping::new(&memory, length_of(length) as usize).is_ok());
            assert!(Mapping::new(&memory, length_of(length) as usize + 1).is_err());
        }
        assert!(fixed_memory("test", LONGEST + 1).is_err());
        assert!(fixed_memory("test", u64::MAX).is_err());
    }

    #[test]
    fn what_is_no_memory_is_refused() {
        let file = memory_file("test").unwrap();
        assert!(fixed_length(&file).is_err() && Mapping::new(&file, 1).is_err());
        let file = File::from(file);
        file.set_len(1 << 20).unwrap();
        assert!(fixed_length(&section(&file)).is_err(), "a file's bytes may go away");
        assert!(memory_identity(&section(&file)).is_err());
    }

    #[test]
    fn a_file_is_there_as_long_as_any_handle_of_it() {
        let folder = std::env::temp_dir().join(format!("processing-test-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let mut file = File::from(unnamed_file(&folder).unwrap());
        file.write_all(b"some bytes").unwrap();
        let mut copy = file.try_clone().unwrap();
        drop(file);
        copy.rewind().unwrap();
        let mut text = String::new();
        copy.read_to_string(&mut text).unwrap();
        assert_eq!(text, "some bytes");
        let entry = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
        assert!(File::open(entry.path()).is_err(), "it can be opened by its name");
        drop(copy);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        std::fs::remove_dir(&folder).unwrap();
    }

    #[test]
    fn a_hole_reads_as_zeroes_or_there_is_none() {
        let file = memory_file("test").unwrap();
        let mut file = File::from(file);
        file.write_all(&[1; 300_000]).unwrap();
        punch(&file, 65_536, 131_072);
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), 300_000);
        let (hole, rest) = (&bytes[65_536..196_608], [&bytes[..65_536], &bytes[196_608..]].concat());
        assert!(rest.iter().all(|&byte| byte == 1));
        assert!(hole.iter().all(|&byte| byte == hole[0]));
        let file = OwnedFd::from(file);
        assert!(check_filled(&file, 300_001).is_err());
        punch(&fixed_memory("test", 4096).unwrap(), 0, 4096);
        punch(&file, u64::MAX, 5);
    }

    #[test]
    fn a_file_that_was_written_is_filled() {
        let mut file = File::from(memory_file("test").unwrap());
        file.write_all(&[1; 100_000]).unwrap();
        let file = OwnedFd::from(file);
        assert!(check_filled(&file, 100_000).is_ok() && check_filled(&file, 0).is_ok());
        assert!(check_filled(&file, 100_001).is_err());
    }

    #[test]
    fn random_numbers_differ() {
        assert_ne!(random().unwrap(), random().unwrap());
    }
}
