//! Starting a program, and what it finds when it starts.

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use super::Child;

/// The program that workers run.
#[derive(Clone, Debug)]
pub(crate) struct Program(CString);

impl Program {
    /// The image of this very process: also when its file has been replaced or removed since.
    #[cfg(target_os = "linux")]
    pub(crate) fn this_one() -> Self {
        Program(c"/proc/self/exe".to_owned())
    }

    /// The file of this process, which by now may be of another build: that is told in the handshake.
    #[cfg(target_os = "macos")]
    pub(crate) fn this_one() -> Self {
        let path = super::Image::of_this_program().map(|image| image.path.clone()).unwrap_or_default();
        // It came as a C string, so it is one.
        Program(CString::new(path.into_os_string().into_encoded_bytes()).unwrap_or_default())
    }

    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        Ok(Program(CString::new(path.as_os_str().as_bytes())?))
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
        .filter(|(name, _)| name != OsStr::new(except))
        .filter_map(|(name, value)| {
            // Neither half can hold a NUL: the system gave them as C strings.
            CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()
        })
        .collect()
}

impl Spawn<'_> {
    /// Starts it, by `posix_spawn`: whatever this process's size, and without running any code of it in the child.
    pub(crate) fn start(&self) -> io::Result<Child> {
        let mut actions = Actions::new()?;
        for (stream, target) in self.streams.iter().zip(0..) {
            match stream {
                Some(stream) => actions.place(stream.as_raw_fd(), target)?,
                None => actions.keep_stream(target)?,
            }
        }
        actions.keep(self.channel.as_raw_fd())?;
        let attributes = Attributes::new()?;
        let mut pid = 0;
        let arguments = pointers(self.arguments);
        let environment = pointers(self.environment);
        // SAFETY:
        // - `program` and every argument and variable are C strings that live until the call returns;
        // - both lists end with a null pointer, which `pointers` adds;
        // - `actions` and `attributes` were initialised by their constructors.
        let failed = unsafe {
            libc::posix_spawn(
                &raw mut pid,
                self.program.0.as_ptr(),
                &raw const actions.0,
                &raw const attributes.0,
                arguments.as_ptr(),
                environment.as_ptr(),
            )
        };
        check(failed)?;
        Child::new(pid)
    }
}

fn pointers(strings: &[CString]) -> Vec<*mut libc::c_char> {
    strings.iter().map(|string| CStr::as_ptr(string).cast_mut()).chain([ptr::null_mut()]).collect()
}

fn check(error: libc::c_int) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

/// What happens to descriptors between the start of the child and its program.
struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    fn new() -> io::Result<Self> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: the call initialises what it is given.
        check(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        // SAFETY: it has succeeded.
        Ok(Actions(unsafe { actions.assume_init() }))
    }

    /// Puts `from` where `to` is, and leaves it open there.
    fn place(&mut self, from: i32, to: i32) -> io::Result<()> {
        // SAFETY: `self.0` was initialised in `new`; the numbers are only used in the child, where a wrong one is an
        // error of the spawn.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(&raw mut self.0, from, to) })
    }

    /// Leaves a descriptor open where it is.
    #[cfg(target_os = "linux")]
    fn keep(&mut self, number: i32) -> io::Result<()> {
        self.place(number, number)
    }

    /// Leaves a standard stream as it is, which nothing needs to be done for.
    #[cfg(target_os = "linux")]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "elsewhere there is something to do")]
    fn keep_stream(&mut self, _number: i32) -> io::Result<()> {
        Ok(())
    }

    /// Leaves a descriptor open where it is; all others are closed.
    #[cfg(target_os = "macos")]
    fn keep(&mut self, number: i32) -> io::Result<()> {
        unsafe extern "C" {
            fn posix_spawn_file_actions_addinherit_np(
                actions: *mut libc::posix_spawn_file_actions_t,
                number: libc::c_int,
            ) -> libc::c_int;
        }
        // SAFETY: `self.0` was initialised in `new`; the number is only used in the child, where a wrong one is an error
        // of the spawn.
        check(unsafe { posix_spawn_file_actions_addinherit_np(&raw mut self.0, number) })
    }

    /// Leaves a standard stream open, if it is.
    #[cfg(target_os = "macos")]
    fn keep_stream(&mut self, number: i32) -> io::Result<()> {
        // SAFETY: only asks about a number, which need not be that of a descriptor.
        let is_open = unsafe { libc::fcntl(number, libc::F_GETFD) } >= 0;
        if is_open { self.keep(number) } else { Ok(()) }
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: initialised in `new` and destroyed only here.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.0) };
    }
}

/// With which signals blocked, ignored and handled the child starts.
struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    /// Everything as the system has it, whatever this program has done to its own signals; Ctrl-C waits until the
    /// worker has said that it does not care.
    fn new() -> io::Result<Self> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: the call initialises what it is given.
        check(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        // SAFETY: it has succeeded.
        let mut attributes = Attributes(unsafe { attributes.assume_init() });
        let all = signal_set(|set| {
            // SAFETY: `set` points to a whole signal set.
            unsafe { libc::sigfillset(set) };
        });
        let only_interrupt = signal_set(|set| {
            // SAFETY: `set` points to a whole signal set, emptied before.
            unsafe { libc::sigaddset(set, libc::SIGINT) };
        });
        let this = &raw mut attributes.0;
        // SAFETY: `this` was initialised above, and the set is a whole one.
        check(unsafe { libc::posix_spawnattr_setsigdefault(this, &raw const all) })?;
        // SAFETY: as above.
        check(unsafe { libc::posix_spawnattr_setsigmask(this, &raw const only_interrupt) })?;
        let flags = libc::POSIX_SPAWN_SETSIGDEF | libc::POSIX_SPAWN_SETSIGMASK;
        // No other thread's descriptor is marked at once there, so the child takes only what it is given.
        #[cfg(target_os = "macos")]
        let flags = flags | libc::POSIX_SPAWN_CLOEXEC_DEFAULT;
        let flags = libc::c_short::try_from(flags).map_err(io::Error::other)?;
        // SAFETY: `this` was initialised above.
        check(unsafe { libc::posix_spawnattr_setflags(this, flags) })?;
        Ok(attributes)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised in `new` and destroyed only here.
        unsafe { libc::posix_spawnattr_destroy(&raw mut self.0) };
    }
}

/// An empty signal set, changed by `fill`.
pub(super) fn signal_set(fill: impl FnOnce(*mut libc::sigset_t)) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the call initialises what it is given, and cannot fail.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    fill(set.as_mut_ptr());
    // SAFETY: initialised by `sigemptyset`.
    unsafe { set.assume_init() }
}
