//! The portable lock and wake-up, by raw_sync: a POSIX mutex and condition variable, or what Windows has for them.
//!
//! raw_sync's mutex does not survive its owner, and waits for it without a limit would never end. So every wait goes in
//! slices, and ends with an error when the patience is over, or by itself after [`PATIENCE`]. Its timed calls fail at once
//! (`EINVAL`) where the nanoseconds of the deadline pass a full second, because it adds them up and does not carry:
//! [`slice`] ends before that.

use std::mem::ManuallyDrop;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant, SystemTime};

use raw_sync::Timeout;
use raw_sync::events::{EventImpl, EventInit, EventState};
use raw_sync::locks::{LockImpl, LockInit};

use super::fault::{Fault, Result};
use super::lock::Taken;
use super::primitive::{Event, Lock};
use super::segment::Segment;

// Places in the segment: the two objects, and how often there was a wake-up.
const MUTEX: u64 = 1024;
const EVENT: u64 = 1280;
const WAKE_UPS: u64 = 1536;
/// How much room each of the objects has; more than any system takes.
const ROOM: usize = 256;

/// How long anyone waits for a lock. Its owner may have died, and nobody would know.
const PATIENCE: Duration = Duration::from_secs(2);

/// raw_sync's mutex in a segment.
pub(crate) struct PortableLock(Box<dyn LockImpl>);

/// raw_sync's event in a segment.
pub(crate) struct PortableEvent<'s> {
    event: Box<dyn EventImpl>,
    wake_ups: &'s AtomicU64,
}

/// How long a call may wait at a time.
fn slice(left: Duration) -> Duration {
    let into = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().subsec_millis();
    left.min(Duration::from_millis(u64::from(999_u32.saturating_sub(into)).clamp(1, 20)))
}

fn refused(error: Box<dyn std::error::Error>) -> Fault {
    Fault::Os(std::io::Error::other(error.to_string()))
}

impl PortableLock {
    /// Makes the lock; once for each segment, before anybody opens it.
    pub(crate) fn make(segment: &Segment) -> Result<()> {
        let place = segment.address(MUTEX) as *mut u8;
        debug_assert!(raw_sync::locks::Mutex::size_of(Some(place)) <= ROOM);
        // SAFETY: the segment is mapped and longer than a page; the lock fits into its room there, which nothing else
        // uses; the data that it guards is none, so the pointer to it is not followed.
        unsafe { raw_sync::locks::Mutex::new(place, std::ptr::null_mut()) }.map(drop).map_err(refused)
    }

    /// The lock of a segment. The segment must outlive it.
    pub(crate) fn of(segment: &Segment) -> Result<PortableLock> {
        let place = segment.address(MUTEX) as *mut u8;
        // SAFETY: as in `make`, which has been called.
        let (lock, _) =
            unsafe { raw_sync::locks::Mutex::from_existing(place, std::ptr::null_mut()) }.map_err(refused)?;
        Ok(PortableLock(lock))
    }
}

impl Lock for PortableLock {
    const SURVIVES: bool = false;

    fn take(&self, patience: Option<Duration>) -> Result<Taken> {
        let (start, patience) = (Instant::now(), patience.unwrap_or(PATIENCE));
        loop {
            let left = patience.saturating_sub(start.elapsed());
            if let Ok(guard) = self.0.try_lock(Timeout::Val(slice(left))) {
                // Given up by `give_up`.
                let _ = ManuallyDrop::new(guard);
                return Ok(Taken { after_death: false });
            }
            if left.is_zero() {
                return Err(Fault::Patience);
            }
        }
    }

    fn give_up(&self) {
        let _ = self.0.release();
    }
}

impl<'s> PortableEvent<'s> {
    /// Makes the event; once for each segment, before anybody opens it.
    pub(crate) fn make(segment: &Segment) -> Result<()> {
        let place = segment.address(EVENT) as *mut u8;
        debug_assert!(raw_sync::events::Event::size_of(Some(place)) <= ROOM);
        // SAFETY: as in `PortableLock::make`.
        unsafe { raw_sync::events::Event::new(place, false) }.map(drop).map_err(refused)
    }

    /// The event of a segment.
    pub(crate) fn of(segment: &'s Segment) -> Result<PortableEvent<'s>> {
        let place = segment.address(EVENT) as *mut u8;
        // SAFETY: as in `make`, which has been called.
        let (event, _) = unsafe { raw_sync::events::Event::from_existing(place) }.map_err(refused)?;
        Ok(PortableEvent { event, wake_ups: segment.word(WAKE_UPS)? })
    }
}

impl Event for PortableEvent<'_> {
    /// How many wake-ups there had been.
    type Ticket = u64;
    const SURVIVES: bool = false;

    fn announce(&self, _version: u32) -> u64 {
        let _ = self.event.set(EventState::Clear);
        self.wake_ups.load(Relaxed)
    }

    fn sleep(&self, ticket: &u64, at_most: Option<Duration>) {
        let (start, at_most) = (Instant::now(), at_most.unwrap_or(PATIENCE));
        // A younger sleeper may have cleared the event before this one has seen it, so the count decides.
        while self.wake_ups.load(Acquire) == *ticket {
            let left = at_most.saturating_sub(start.elapsed());
            if left.is_zero() {
                return;
            }
            let _ = self.event.wait(Timeout::Val(slice(left)));
        }
    }

    fn before_change(&self) {}

    fn after_change(&self) {
        self.wake_ups.store(self.wake_ups.load(Relaxed) + 1, Release);
        let _ = self.event.set(EventState::Signaled);
    }
}
