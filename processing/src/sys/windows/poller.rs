//! Waiting for many sockets and other things at once.
//!
//! Sockets are polled by the thread that waits. Whatever else can be waited for, a process or a timer, is watched by the
//! system's threads, and the first of them that sees it ready says so through a socket of the poller's own.

use std::collections::HashMap;
use std::io;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use windows_sys::Win32::Networking::WinSock::{POLLNVAL, POLLRDNORM, POLLWRNORM};

use super::watch::Watch;
use super::{AsFd, AsRawFd, BorrowedFd, Event, OwnedFd, RawFd};
use super::{socket, wait};

/// A set of handles that one thread waits for.
#[derive(Debug)]
pub(crate) struct Poller {
    news: Arc<News>,
    entries: Mutex<HashMap<RawFd, Entry>>,
}

/// Wakes the thread that waits; from any thread.
#[derive(Debug)]
pub(crate) struct Waker(Arc<News>);

/// Something to do for the handle that was added with this token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) token: u64,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

/// What a woken wait reports for its [`Waker`].
pub(crate) const WAKER: u64 = u64::MAX;

/// What other threads have to say to the one that waits.
#[derive(Debug)]
struct News {
    event: Event,
    /// What they have seen ready; a waker is [`WAKER`].
    tokens: Mutex<Vec<u64>>,
}

#[derive(Debug)]
struct Entry {
    token: u64,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Socket {
        /// By which it is told from another one that has its number.
        port: u16,
        wants_write: bool,
    },
    /// With a copy of the handle, which may be closed meanwhile, and who watches it, if somebody does.
    Other { copy: OwnedFd, watch: Option<Watch> },
}

impl News {
    /// Tells of something that is ready.
    fn tell(&self, token: u64) {
        lock(&self.tokens).push(token);
        self.event.set();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Poller {
    pub(crate) fn new() -> io::Result<(Self, Waker)> {
        let news = Arc::new(News { event: Event::new()?, tokens: Mutex::default() });
        let waker = Waker(Arc::clone(&news));
        Ok((Poller { news, entries: Mutex::default() }, waker))
    }

    /// Reports this handle under this token whenever it can be read, or its other side is gone; under no other any more,
    /// and no other under this token.
    pub(crate) fn add(&self, handle: impl AsFd, token: u64) -> io::Result<()> {
        let handle = handle.as_fd();
        let number = handle.as_raw_fd();
        let kind = match socket::is_socket(handle) {
            true => {
                let port = socket::port(number).ok_or(io::ErrorKind::NotConnected)?;
                Kind::Socket { port, wants_write: false }
            }
            false => Kind::Other { copy: handle.try_clone_to_owned()?, watch: None },
        };
        let mut entries = lock(&self.entries);
        // What was closed without a word may have had this token.
        entries.retain(|_, entry| entry.token != token);
        entries.insert(number, Entry { token, kind });
        Ok(())
    }

    /// Reports when it can be written to as well, or no longer does.
    pub(crate) fn want_write(&self, handle: impl AsFd, token: u64, wanted: bool) -> io::Result<()> {
        match lock(&self.entries).get_mut(&handle.as_fd().as_raw_fd()) {
            Some(Entry { token: known, kind: Kind::Socket { wants_write, .. } }) if *known == token => {
                *wants_write = wanted;
                Ok(())
            }
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Forgets this handle.
    pub(crate) fn remove(&self, handle: impl AsFd) {
        lock(&self.entries).remove(&handle.as_fd().as_raw_fd());
    }

    /// Sleeps until something is ready, the waker is used or the time is over; may return for no reason.
    pub(crate) fn wait(&self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        let (mut polled, mut numbers) = (vec![wait::entry(self.news.event.as_fd(), POLLRDNORM)], vec![0]);
        for (&number, entry) in lock(&self.entries).iter_mut() {
            match &mut entry.kind {
                Kind::Socket { wants_write, .. } => {
                    let events = POLLRDNORM | if *wants_write { POLLWRNORM } else { 0 };
                    polled.push(wait::entry(borrow(number), events));
                    numbers.push(number);
                }
                Kind::Other { copy, watch } if watch.is_none() => {
                    let (news, token) = (Arc::clone(&self.news), entry.token);
                    *watch = Some(Watch::new(copy.try_clone()?, None, move || news.tell(token))?);
                }
                Kind::Other { .. } => {}
            }
        }
        if let Err(error) = wait::poll(&mut polled, timeout) {
            // One that was closed without a word may be an error of the whole call.
            return if self.forget_closed() { Ok(()) } else { Err(error) };
        }
        if polled[0].revents != 0 {
            self.take_news(ready);
        }
        let mut entries = lock(&self.entries);
        for (polled, number) in polled.iter().zip(numbers).skip(1).filter(|(polled, _)| polled.revents != 0) {
            let Some(Entry { token, kind: Kind::Socket { port, .. } }) = entries.get(&number) else {
                continue;
            };
            // It was closed without a word, and its number given to another one perhaps.
            if polled.revents & POLLNVAL != 0 || socket::port(number).is_some_and(|other| other != *port) {
                entries.remove(&number);
                continue;
            }
            let is_over = polled.revents & !(POLLRDNORM | POLLWRNORM) != 0;
            ready.push(Ready {
                token: *token,
                readable: is_over || polled.revents & POLLRDNORM != 0,
                writable: is_over || polled.revents & POLLWRNORM != 0,
            });
        }
        Ok(())
    }

    /// Forgets the sockets that are not what they were when they were added; `false` if all of them are.
    fn forget_closed(&self) -> bool {
        let mut entries = lock(&self.entries);
        let before = entries.len();
        entries.retain(|&number, entry| match entry.kind {
            Kind::Socket { port, .. } => socket::port(number) == Some(port),
            Kind::Other { .. } => true,
        });
        entries.len() < before
    }

    fn take_news(&self, ready: &mut Vec<Ready>) {
        self.news.event.clear();
        let mut tokens = std::mem::take(&mut *lock(&self.news.tokens));
        tokens.sort_unstable();
        tokens.dedup();
        let mut entries = lock(&self.entries);
        for token in tokens {
            let mut is_known = token == WAKER;
            // Whoever has seen it has done so for once only.
            for entry in entries.values_mut().filter(|entry| entry.token == token) {
                if let Kind::Other { watch, .. } = &mut entry.kind {
                    *watch = None;
                    is_known = true;
                }
            }
            if is_known {
                ready.push(Ready { token, readable: true, writable: false });
            }
        }
    }
}

/// A socket that is polled by its number: it may have been closed since it was added, which polling finds out.
fn borrow(number: RawFd) -> BorrowedFd<'static> {
    // SAFETY: the handle is only given to `WSAPoll`, for which any number will do.
    unsafe { BorrowedFd::borrow_raw(ptr::with_exposed_provenance_mut(number)) }
}

impl Waker {
    pub(crate) fn wake(&self) {
        self.0.tell(WAKER);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Alarm, Nanos, now, send, socket_pair};
    use super::*;

    fn tokens(poller: &Poller, millis: u64) -> Vec<u64> {
        let mut ready = Vec::new();
        poller.wait(Some(Duration::from_millis(millis)), &mut ready).unwrap();
        ready.iter().map(|ready| ready.token).collect()
    }

    #[test]
    fn sockets_alarms_and_wakers_are_heard() {
        let (poller, waker) = Poller::new().unwrap();
        let (ours, theirs) = socket_pair().unwrap();
        poller.add(&ours, 7).unwrap();
        assert!(tokens(&poller, 20).is_empty());
        send(theirs.as_fd(), b"x", &[]).unwrap();
        assert_eq!(tokens(&poller, 5_000), [7]);
        assert_eq!(tokens(&poller, 5_000), [7], "it was not read");
        assert_eq!(socket::read_socket(ours.as_fd(), &mut [0; 8]).unwrap(), 1);
        assert!(tokens(&poller, 20).is_empty());
        waker.wake();
        assert_eq!(tokens(&poller, 5_000), [WAKER]);
        let alarm = Alarm::new().unwrap();
        poller.add(&alarm, 8).unwrap();
        for _ in 0..2 {
            alarm.set(Nanos(now().0 + 30_000_000)).unwrap();
            assert_eq!(tokens(&poller, 5_000), [8]);
        }
        assert!(tokens(&poller, 20).is_empty());
        alarm.set(Nanos(now().0 + 30_000_000)).unwrap();
        alarm.clear().unwrap();
        assert!(tokens(&poller, 100).is_empty());
        drop(theirs);
        assert_eq!(tokens(&poller, 5_000), [7]);
    }

    #[test]
    fn what_is_closed_without_a_word_is_forgotten() {
        let (poller, _waker) = Poller::new().unwrap();
        let (ours, _theirs) = socket_pair().unwrap();
        poller.add(&ours, 7).unwrap();
        drop(ours);
        assert!(tokens(&poller, 20).is_empty());
        poller.add(&socket_pair().unwrap().0, 7).unwrap();
        // One of these has its number now, perhaps, and is readable.
        let others: Vec<_> = (0..20).map(|_| socket_pair().unwrap()).collect();
        others.iter().for_each(|(_, theirs)| assert_eq!(send(theirs.as_fd(), b"x", &[]).unwrap(), 1));
        assert!(tokens(&poller, 50).is_empty());
    }
}
