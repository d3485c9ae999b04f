//! What ends workers with their parent, however that ends: a job whose only handle is the parent's.

use std::io;
use std::os::windows::io::AsRawHandle as _;
use std::ptr;
use std::sync::OnceLock;

use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
    JobObjectExtendedLimitInformation, SetInformationJobObject,
};

use super::handle::{done, made};
use super::{BorrowedFd, OwnedFd};

/// The job of this process's workers; none where the system refuses one, and then their channel's end still tells them.
pub(super) fn of_workers() -> Option<&'static OwnedFd> {
    static JOB: OnceLock<Option<OwnedFd>> = OnceLock::new();
    JOB.get_or_init(|| make().ok()).as_ref()
}

fn make() -> io::Result<OwnedFd> {
    // SAFETY: no attributes and no name are both allowed.
    let job = unsafe { CreateJobObjectW(ptr::null(), ptr::null()) };
    // SAFETY: the call has made it, for us alone.
    let job = unsafe { made(job) }?;
    // Programs that a worker starts are its own business, as they are elsewhere; its own workers are in a job of its own.
    let limits = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
    let mut about = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
    about.BasicLimitInformation.LimitFlags = limits;
    let size = size_of::<JOBOBJECT_EXTENDED_LIMIT_INFORMATION>() as u32;
    let (class, about) = (JobObjectExtendedLimitInformation, (&raw const about).cast());
    // SAFETY: the handle is open, and the limits are of this class and as long as is said.
    done(unsafe { SetInformationJobObject(job.as_raw_handle(), class, about, size) })?;
    Ok(job)
}

/// Puts a process into the job that was started outside of it, as old systems do.
pub(super) fn take_in(process: BorrowedFd<'_>) {
    if let Some(job) = of_workers() {
        // It fails where it is in the job already.
        // SAFETY: both handles are open.
        unsafe { AssignProcessToJobObject(job.as_raw_handle(), process.as_raw_handle()) };
    }
}
