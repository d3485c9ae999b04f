//! Starting a program, and what it finds when it starts.

use std::ffi::{CString, OsStr, c_void};
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::os::windows::io::AsRawHandle as _;
use std::path::Path;
use std::ptr;

use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::Console::{
    GetStdHandle, STD_ERROR_HANDLE, STD_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
};
use windows_sys::Win32::System::Threading::{
    CREATE_UNICODE_ENVIRONMENT, CreateProcessW, DeleteProcThreadAttributeList, EXTENDED_STARTUPINFO_PRESENT,
    InitializeProcThreadAttributeList, LPPROC_THREAD_ATTRIBUTE_LIST, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
    PROC_THREAD_ATTRIBUTE_JOB_LIST, PROCESS_INFORMATION, STARTF_USESTDHANDLES, STARTUPINFOEXW,
    UpdateProcThreadAttribute,
};

use super::command_line::{block, line};
use super::handle::{done, made, set_inherited};
use super::{AsFd, BorrowedFd, Child, Image, OwnedFd, job};

/// The program that workers run.
#[derive(Clone, Debug)]
pub(crate) struct Program(Vec<u16>);

impl Program {
    /// The file of this process, which by now may be of another build: that is told in the handshake.
    pub(crate) fn this_one() -> Self {
        let path = Image::of_this_program().map(|image| image.path.clone()).unwrap_or_default();
        Program(path.as_os_str().encode_wide().chain([0]).collect())
    }

    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        let path: Vec<u16> = path.as_os_str().encode_wide().collect();
        if path.contains(&0) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a path with a zero in it"));
        }
        Ok(Program([path, vec![0]].concat()))
    }
}

/// What to start, and what it finds when it starts.
pub(crate) struct Spawn<'a> {
    pub(crate) program: &'a Program,
    pub(crate) arguments: &'a [CString],
    pub(crate) environment: &'a [CString],
    /// Left open in the child under the number that it has here.
    pub(crate) channel: BorrowedFd<'a>,
    /// In place of the standard streams; `None` inherits.
    pub(crate) streams: [Option<BorrowedFd<'a>>; 3],
}

/// This process's environment as it is now, without `except`.
pub(crate) fn environment(except: &str) -> Vec<CString> {
    std::env::vars_os()
        .filter(|(name, _)| !name.eq_ignore_ascii_case(OsStr::new(except)))
        .filter_map(|(name, value)| {
            // Neither half can hold a NUL: in the system's text one ends the variable.
            CString::new([name.as_encoded_bytes(), b"=", value.as_encoded_bytes()].concat()).ok()
        })
        .collect()
}

impl Spawn<'_> {
    /// Starts it. It has the channel and the streams, and no other handle of this process.
    pub(crate) fn start(&self) -> io::Result<Child> {
        let own = [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE];
        let mut streams = [None, None, None];
        for ((copy, given), own) in streams.iter_mut().zip(self.streams).zip(own) {
            *copy = match given {
                Some(given) => Some(inherited(given)?),
                None => own_stream(own).map(inherited).transpose()?,
            };
        }
        let number = |stream: &Option<OwnedFd>| {
            stream.as_ref().map_or(ptr::null_mut(), |stream| stream.as_raw_handle())
        };
        let mut passed: Vec<HANDLE> = streams.iter().flatten().map(|stream| stream.as_raw_handle()).collect();
        passed.push(self.channel.as_raw_handle());
        let jobs = job::of_workers().map(|job| job.as_raw_handle());
        let mut attributes = Attributes::new(2)?;
        attributes.set(PROC_THREAD_ATTRIBUTE_HANDLE_LIST, &passed)?;
        // It is in the job from its first moment on; systems that do not know this put it there in a later one.
        let _ = attributes.set(PROC_THREAD_ATTRIBUTE_JOB_LIST, jobs.as_slice());

        let mut startup = STARTUPINFOEXW::default();
        startup.StartupInfo.cb = size_of::<STARTUPINFOEXW>() as u32;
        startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
        let [stdin, stdout, stderr] = &streams;
        startup.StartupInfo.hStdInput = number(stdin);
        startup.StartupInfo.hStdOutput = number(stdout);
        startup.StartupInfo.hStdError = number(stderr);
        startup.lpAttributeList = attributes.list();
        let (mut arguments, environment) = (line(self.arguments), block(self.environment));
        let mut made_process = PROCESS_INFORMATION::default();
        // Whatever else is started just now, without a list of its own, gets these too; so for as short as can be.
        let inheritable = Inheritable::new(self.channel)?;
        // SAFETY:
        // - `program` and the arguments end with a zero, and the environment with two; all live until the call returns, and
        //   the arguments may be written to;
        // - the startup information says how long it is, and the list in it is set up, with the lists of handles in it alive;
        // - no attributes and no folder are both allowed, and the result has somewhere to go.
        let started = unsafe {
            CreateProcessW(
                self.program.0.as_ptr(),
                arguments.as_mut_ptr(),
                ptr::null(),
                ptr::null(),
                1,
                CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT,
                environment.as_ptr().cast(),
                ptr::null(),
                &raw const startup.StartupInfo,
                &raw mut made_process,
            )
        };
        let started = done(started);
        drop(inheritable);
        started?;
        // SAFETY: the call has made it, for us alone.
        drop(unsafe { made(made_process.hThread) });
        // SAFETY: as above.
        let process = unsafe { made(made_process.hProcess) }?;
        job::take_in(process.as_fd());
        Ok(Child::new(process, made_process.dwProcessId))
    }
}

/// A copy of a handle that a process gets which is started now.
fn inherited(handle: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let copy = handle.try_clone_to_owned()?;
    set_inherited(copy.as_fd(), true)?;
    Ok(copy)
}

/// What this process has for a standard stream, if it has that.
fn own_stream(which: STD_HANDLE) -> Option<BorrowedFd<'static>> {
    // SAFETY: has no requirement.
    let handle = unsafe { GetStdHandle(which) };
    if handle.is_null() || handle == INVALID_HANDLE_VALUE {
        return None;
    }
    // SAFETY: whoever closes a standard stream puts another one in its place, or none; it is only copied at once, and a
    // number that is none is an error of that.
    let handle = unsafe { BorrowedFd::borrow_raw(handle) };
    super::is_open(handle).then_some(handle)
}

/// A handle that a process gets which is started while this lives.
struct Inheritable<'a>(BorrowedFd<'a>);

impl<'a> Inheritable<'a> {
    fn new(handle: BorrowedFd<'a>) -> io::Result<Self> {
        set_inherited(handle, true)?;
        Ok(Inheritable(handle))
    }
}

impl Drop for Inheritable<'_> {
    fn drop(&mut self) {
        let _ = set_inherited(self.0, false);
    }
}

/// What else the system is told about a process that it is to make, with what that refers to.
struct Attributes<'a> {
    /// Aligned for any pointer.
    space: Vec<usize>,
    refers_to: std::marker::PhantomData<&'a [HANDLE]>,
}

impl<'a> Attributes<'a> {
    /// Room for so many.
    fn new(count: u32) -> io::Result<Self> {
        let mut size = 0;
        // SAFETY: without a list, the call only says how long one has to be.
        unsafe { InitializeProcThreadAttributeList(ptr::null_mut(), count, 0, &raw mut size) };
        let mut space = vec![0_usize; size.div_ceil(size_of::<usize>())];
        // SAFETY: the list is as long as is said, which is as long as was asked for.
        done(unsafe {
            InitializeProcThreadAttributeList(space.as_mut_ptr().cast(), count, 0, &raw mut size)
        })?;
        Ok(Attributes { space, refers_to: std::marker::PhantomData })
    }

    fn list(&mut self) -> LPPROC_THREAD_ATTRIBUTE_LIST {
        self.space.as_mut_ptr().cast::<c_void>()
    }

    /// Sets one whose value is a list of handles.
    fn set(&mut self, attribute: u32, handles: &'a [HANDLE]) -> io::Result<()> {
        if handles.is_empty() {
            return Ok(());
        }
        // SAFETY: the list was set up in `new`; the handles are as many as is said, and outlive the list, which refers to
        // them.
        done(unsafe {
            UpdateProcThreadAttribute(
                self.list(),
                0,
                attribute as usize,
                handles.as_ptr().cast(),
                size_of_val(handles),
                ptr::null_mut(),
                ptr::null(),
            )
        })
    }
}

impl Drop for Attributes<'_> {
    fn drop(&mut self) {
        // SAFETY: set up in `new` and ended only here.
        unsafe { DeleteProcThreadAttributeList(self.list()) };
    }
}
