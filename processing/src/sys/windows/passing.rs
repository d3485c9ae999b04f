//! Handles on their way to another process.
//!
//! Nothing here carries a handle beside bytes. So what goes is a *description*, among the bytes: whose the handle is, and
//! its number there. The sender keeps a copy of each for as long as they are on their way; whoever reads the description
//! takes a copy from there, and says so by an event that is described first, the *receipt*. Then the sender lets go.
//!
//! | bytes of each | what |
//! |---|---|
//! | 0–3 | the number of the sender's process |
//! | 4–7 | made of when that process began, as numbers are given out again |
//! | 8–15 | the handle's number there |
//!
//! Whoever dies with handles on their way loses those; so a worker waits a moment for receipts before it ends. What the
//! other side was to have and did not take before it died is let go of with the channel. Of a channel that is closed while
//! the other side may still read from it, handles are kept for a minute more.
//!
//! A description is input: whatever numbers it has, the copy that comes of it, if any, is a new handle of this process, and
//! nothing is closed, here or there.

use std::io;
use std::os::windows::io::AsRawHandle as _;
use std::ptr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use windows_sys::Win32::Foundation::{DUPLICATE_SAME_ACCESS, DuplicateHandle, HANDLE};
use windows_sys::Win32::System::Threading::{
    CreateEventW, EVENT_MODIFY_STATE, GetCurrentProcess, PROCESS_DUP_HANDLE, SetEvent,
};

use super::handle::{done, made};
use super::watch::Watch;
use super::{AsFd, AsRawFd, BorrowedFd, OwnedFd, process, wait};

/// Whether handles go as bytes that describe them, and not beside the bytes.
pub(crate) const HANDLES_ARE_BYTES: bool = true;

/// How many bytes describe one handle.
const EACH: usize = 16;
/// How long a handle is kept whose channel is closed here, and perhaps read from there.
const LINGER: Duration = Duration::from_secs(60);
/// How long a process waits for receipts before it ends.
const MOMENT: Duration = Duration::from_secs(2);

/// Handles that are made ready to leave.
#[derive(Debug)]
pub(crate) struct Parcel {
    description: Vec<u8>,
    /// None where there are no handles.
    kept: Option<Kept>,
}

/// The copies that are taken from, until they have been.
#[derive(Debug)]
struct Kept {
    hold: Arc<Hold>,
    /// Lets go of them when the receipt comes.
    _watch: Watch,
    receipt: OwnedFd,
}

#[derive(Debug)]
struct Hold {
    state: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    handles: Vec<OwnedFd>,
    /// Whether the description has left, so that [`let_arrive`] waits for them.
    has_left: bool,
}

/// The handles that have left by one socket and were not received yet.
#[derive(Debug, Default)]
pub(crate) struct Transit(Vec<Kept>);

/// What lingers; and how many parcels of this process are on their way.
static LINGERING: Mutex<Vec<Kept>> = Mutex::new(Vec::new());
static UNDER_WAY: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Parcel {
    pub(crate) fn pack(handles: &[BorrowedFd<'_>]) -> io::Result<Self> {
        if handles.is_empty() {
            return Ok(Parcel { description: Vec::new(), kept: None });
        }
        let copies = handles.iter().map(BorrowedFd::try_clone_to_owned).collect::<io::Result<Vec<_>>>()?;
        // SAFETY: no attributes and no name are both allowed.
        let receipt = unsafe { CreateEventW(ptr::null(), 1, 0, ptr::null()) };
        // SAFETY: the call has made it, for us alone.
        let receipt = unsafe { made(receipt) }?;
        let mut description = Vec::with_capacity(description_length(handles.len()));
        for handle in [&receipt].into_iter().chain(&copies) {
            description.extend_from_slice(&std::process::id().to_le_bytes());
            description.extend_from_slice(&own_check()?.to_le_bytes());
            description.extend_from_slice(&(handle.as_fd().as_raw_fd() as u64).to_le_bytes());
        }
        let hold = Arc::new(Hold { state: Mutex::new(Held { handles: copies, has_left: false }) });
        let watch = hold.watch(&receipt, None)?;
        Ok(Parcel { description, kept: Some(Kept { hold, _watch: watch, receipt }) })
    }

    /// What goes with the bytes.
    pub(crate) fn description(&self) -> &[u8] {
        &self.description
    }
}

impl Hold {
    /// Lets go when this event is set, or after this time.
    fn watch(self: &Arc<Hold>, receipt: &OwnedFd, at_most: Option<Duration>) -> io::Result<Watch> {
        let hold = Arc::clone(self);
        Watch::new(receipt.try_clone()?, at_most, move || hold.let_go())
    }

    fn let_go(&self) {
        let had_left = {
            let mut state = lock(&self.state);
            state.handles.clear();
            std::mem::take(&mut state.has_left)
        };
        if had_left {
            *lock(&UNDER_WAY.0) -= 1;
            UNDER_WAY.1.notify_all();
        }
    }

    fn is_empty(&self) -> bool {
        lock(&self.state).handles.is_empty()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.let_go();
    }
}

impl Transit {
    /// Its description has been sent.
    pub(crate) fn add(&mut self, parcel: Parcel) {
        self.0.retain(|kept| !kept.hold.is_empty());
        if let Some(kept) = parcel.kept {
            {
                // In this order, as who waits for the count looks at the state.
                let mut under_way = lock(&UNDER_WAY.0);
                let mut state = lock(&kept.hold.state);
                // The receipt may have come already.
                state.has_left = !state.handles.is_empty();
                *under_way += usize::from(state.has_left);
            }
            self.0.push(kept);
        }
    }

    /// Waits a moment for those that were not received yet.
    pub(crate) fn settle(&mut self, socket: BorrowedFd<'_>) {
        if self.0.is_empty() || wait::is_hung_up(socket) {
            return;
        }
        let under_way = lock(&UNDER_WAY.0);
        let is_under_way = |_: &mut usize| self.0.iter().any(|kept| !kept.hold.is_empty());
        drop(UNDER_WAY.1.wait_timeout_while(under_way, MOMENT, is_under_way));
    }

    /// Nobody will take them any more if the other side of the socket is gone.
    pub(crate) fn end(&mut self, socket: BorrowedFd<'_>) {
        self.0.retain(|kept| !kept.hold.is_empty());
        if !self.0.is_empty() && wait::is_hung_up(socket) {
            self.0.clear();
        }
    }
}

impl Drop for Transit {
    fn drop(&mut self) {
        let mut over = Vec::new();
        for kept in self.0.drain(..).filter(|kept| !kept.hold.is_empty()) {
            // Without a thread to watch it, it goes at once.
            if let Ok(watch) = kept.hold.watch(&kept.receipt, Some(LINGER)) {
                let Kept { hold, _watch: before, receipt } = kept;
                over.push(before);
                lock(&LINGERING).push(Kept { hold, _watch: watch, receipt });
            }
        }
        let gone: Vec<_> = lock(&LINGERING).extract_if(.., |kept| kept.hold.is_empty()).collect();
        drop((over, gone));
    }
}

/// How many bytes describe so many handles.
pub(crate) const fn description_length(count: usize) -> usize {
    if count == 0 { 0 } else { (count + 1) * EACH }
}

/// Takes the handles that are described. [`ConnectionReset`](io::ErrorKind::ConnectionReset): whoever had them is gone.
pub(crate) fn unpack(description: &[u8]) -> io::Result<Vec<OwnedFd>> {
    let strange = || io::Error::new(io::ErrorKind::InvalidData, "a description of handles that is none");
    let (entries, rest) = description.as_chunks::<EACH>();
    let Some((receipt, handles)) = entries.split_first() else { return Ok(Vec::new()) };
    let (whose, _) = receipt.split_at(8);
    if !rest.is_empty() || handles.iter().any(|handle| !handle.starts_with(whose)) {
        return Err(strange());
    }
    let number = |at: usize| receipt[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let gone = |_| io::Error::new(io::ErrorKind::ConnectionReset, "whoever has sent handles is gone");
    let sender = process::open(number(0), PROCESS_DUP_HANDLE).map_err(gone)?;
    if check(process::start_of(sender.as_fd())?) != number(4) {
        return Err(gone(strange()));
    }
    let take = |entry: &[u8; EACH], rights| {
        let handle = entry[8..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        match take(sender.as_fd(), handle, rights) {
            Err(_) if process::has_ended(sender.as_fd()) => Err(gone(strange())),
            taken => taken,
        }
    };
    let handles = handles.iter().map(|entry| take(entry, None)).collect::<io::Result<Vec<_>>>()?;
    if let Ok(receipt) = take(receipt, Some(EVENT_MODIFY_STATE)) {
        // SAFETY: the handle is open. If it is no event, the call fails.
        unsafe { SetEvent(receipt.as_raw_handle()) };
    }
    Ok(handles)
}

/// A copy of another process's handle, with the same rights or these.
fn take(sender: BorrowedFd<'_>, handle: u64, rights: Option<u32>) -> io::Result<OwnedFd> {
    // Negative ones stand for processes and threads, and for others than is said.
    let handle = usize::try_from(handle).ok().filter(|&handle| handle != 0 && handle >> 31 == 0);
    let handle = handle.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no number of a handle"))?;
    let handle: HANDLE = ptr::without_provenance_mut(handle);
    let mut copy = ptr::null_mut();
    // SAFETY: has no requirement.
    let own = unsafe { GetCurrentProcess() };
    let options = if rights.is_none() { DUPLICATE_SAME_ACCESS } else { 0 };
    // SAFETY: both processes' handles are good; what is copied is looked up by the system; the copy has somewhere to go.
    done(unsafe {
        DuplicateHandle(
            sender.as_raw_handle(),
            handle,
            own,
            &raw mut copy,
            rights.unwrap_or_default(),
            0,
            options,
        )
    })?;
    // SAFETY: the call has made it, for us alone.
    unsafe { made(copy) }
}

fn check(start: u64) -> u32 {
    (start.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

fn own_check() -> io::Result<u32> {
    static CHECK: OnceLock<u32> = OnceLock::new();
    if let Some(check) = CHECK.get() {
        return Ok(*check);
    }
    let found = check(process::own_start()?);
    Ok(*CHECK.get_or_init(|| found))
}

/// Waits a moment for what has been sent and not been received, before this process ends.
pub(crate) fn let_arrive() {
    let under_way = lock(&UNDER_WAY.0);
    drop(UNDER_WAY.1.wait_timeout_while(under_way, MOMENT, |count| *count > 0));
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::{memory_file, read_exact_at, socket_pair, write_at};
    use super::*;

    #[test]
    fn a_handle_arrives_and_is_let_go_of() {
        let (ours, _theirs) = socket_pair().unwrap();
        let file = memory_file("test").unwrap();
        write_at(&file, b"some bytes", 0).unwrap();
        let parcel = Parcel::pack(&[file.as_fd(), file.as_fd()]).unwrap();
        let description = parcel.description().to_vec();
        assert_eq!(description.len(), description_length(2));
        let mut transit = Transit::default();
        transit.add(parcel);
        let taken = unpack(&description).unwrap();
        assert_eq!(taken.len(), 2);
        let mut bytes = [0; 10];
        read_exact_at(&taken[1], &mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"some bytes");
        let start = Instant::now();
        while !transit.0.is_empty() {
            assert!(start.elapsed() < Duration::from_secs(10), "the receipt does not come");
            transit.end(ours.as_fd());
        }
    }

    #[test]
    fn nobody_takes_what_was_for_someone_who_is_gone() {
        let (ours, theirs) = socket_pair().unwrap();
        let parcel = Parcel::pack(&[ours.as_fd()]).unwrap();
        let mut transit = Transit::default();
        transit.add(parcel);
        transit.end(ours.as_fd());
        assert_eq!(transit.0.len(), 1);
        drop(theirs);
        transit.end(ours.as_fd());
        assert!(transit.0.is_empty());
    }

    #[test]
    fn nonsense_is_no_handle() {
        let parcel = Parcel::pack(&[memory_file("test").unwrap().as_fd()]).unwrap();
        let description = parcel.description();
        assert!(unpack(&description[1..]).is_err() && unpack(&description[..31]).is_err());
        assert!(unpack(&[]).unwrap().is_empty());
        for (place, value) in [(0, 1), (4, 1), (16, 1), (24, 0xFF), (31, 0xFF)] {
            let mut wrong = description.to_vec();
            wrong[place] ^= value;
            // Another number may be that of another handle, of which this would be a copy.
            assert!(unpack(&wrong).is_err() || place == 24, "byte {place}");
        }
    }
}
