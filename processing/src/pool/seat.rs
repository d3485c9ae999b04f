//! One worker's place in a pool, as the pool sees it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::protocol;
use super::task::Task;
use crate::channel::{Outbox, Packet};
use crate::reactor::ActorId;
use crate::shm::{Claims, Page};

/// A worker that begins nothing for less than that is only kept waiting, and would have to begin anew: however short the
/// limit of its task is, it is not taken for one that was stopped.
const STOPPED: Duration = Duration::from_secs(1);

/// A place for a worker. Workers come and go; each is a generation of its own, with its own channel.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) stage: Stage,
    pub(super) actor: Option<ActorId>,
    pub(super) generation: u64,
    pub(super) pid: u32,
    pub(super) claims: Page<Claims>,
    pub(super) flight: Flight,
    /// What the tasks in flight will take, as far as can be told.
    pub(super) load: Duration,
    /// The tasks begun by this worker so far, and not to be exceeded by far: it is replaced after so many.
    pub(super) given: u64,
    /// The task that is to be ended together with its worker; no other one is begun meanwhile.
    pub(super) doomed: Option<Doom>,
    /// The actor is to kill the worker.
    pub(super) kill: bool,
    /// No worker is started before that, after failed starts.
    pub(super) rests_until: Option<Instant>,
    /// When the worker is killed that has been asked to end.
    pub(super) ends_until: Option<Instant>,
    /// Where the worker was at the last look for tasks that are stuck behind a long one.
    pub(super) seen: u32,
    /// It was idle, and did not begin what it was sent when somebody else could have. Whoever else is idle goes first.
    pub(super) is_slow: bool,
    /// How far the worker had got when it was sent a task with a limit, when it is to have got further, and the limit.
    pub(super) begins_until: Option<(u32, Instant, Duration)>,
    /// The end of what was taken back last, and how far the worker had got then.
    taken_back: Option<(u32, u32)>,
    outbox: Option<Outbox>,
    /// The socket is full; the reactor sends the rest.
    pub(super) is_blocked: bool,
    known: Vec<u64>,
}

/// What there is in a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// No worker.
    Vacant,
    /// The actor is to start a worker.
    Wanted,
    /// A worker that is not ready yet.
    Starting,
    /// A worker that takes tasks.
    Ready,
    /// A worker that takes no more tasks.
    Leaving,
    /// No worker, and never again one.
    Gone,
}

/// Why and when a task is ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Doom {
    pub(super) task: u32,
    pub(super) reason: Reason,
    /// When its worker is killed, unless it is done with it by then.
    pub(super) at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// It has overrun its limit.
    Limit(Duration),
    /// Nobody wants its result any more.
    Cancelled,
}

impl Seat {
    pub(super) fn new(claims: Page<Claims>) -> Self {
        Seat {
            stage: Stage::Vacant,
            actor: None,
            generation: 0,
            pid: 0,
            claims,
            flight: Flight::default(),
            load: Duration::ZERO,
            given: 0,
            doomed: None,
            kill: false,
            rests_until: None,
            ends_until: None,
            seen: 0,
            is_slow: false,
            begins_until: None,
            taken_back: None,
            outbox: None,
            is_blocked: false,
            known: Vec::new(),
        }
    }

    /// A worker has been started here.
    pub(super) fn taken_by(&mut self, pid: u32, outbox: Option<Outbox>) {
        self.stage = Stage::Starting;
        self.generation += 1;
        self.pid = pid;
        self.outbox = outbox;
    }

    /// The worker is gone, and what it had in flight has been taken out.
    pub(super) fn vacate(&mut self) {
        self.stage = Stage::Vacant;
        self.flight = Flight::default();
        self.claims.reset();
        self.load = Duration::ZERO;
        self.given = 0;
        self.doomed = None;
        self.kill = false;
        self.ends_until = None;
        self.seen = 0;
        self.is_slow = false;
        self.begins_until = None;
        self.taken_back = None;
        self.outbox = None;
        self.is_blocked = false;
        self.known.clear();
    }

    pub(super) fn has_worker(&self) -> bool {
        matches!(self.stage, Stage::Starting | Stage::Ready | Stage::Leaving)
    }

    /// Whether a worker can be started here.
    pub(super) fn may_start(&self, now: Instant) -> bool {
        self.stage == Stage::Vacant && self.rests_until.is_none_or(|until| until <= now)
    }

    pub(super) fn takes_tasks(&self) -> bool {
        self.stage == Stage::Ready && self.doomed.is_none() && !self.is_blocked && !self.kill
    }

    /// Sends tasks of one job, and what the job is if this worker has not heard of it yet. Hands them back if they
    /// cannot be packed.
    pub(super) fn send(
        &mut self,
        job: u64,
        job_packet: &Arc<Packet>,
        tasks: Vec<Task>,
    ) -> Result<(), (Vec<Task>, std::io::Error)> {
        let first = self.flight.end;
        let packet = match protocol::chunk_packet(job, first, &tasks) {
            Ok(packet) => packet,
            Err(error) => return Err((tasks, error)),
        };
        if !self.known.contains(&job) {
            self.known.push(job);
            self.push(Arc::clone(job_packet));
        }
        self.claims.offer(first, tasks.len() as u32);
        self.given += tasks.len() as u64;
        tasks.into_iter().for_each(|task| self.flight.push(job, task));
        self.push(Arc::new(packet));
        self.flush();
        Ok(())
    }

    /// The worker need not remember this job any longer.
    pub(super) fn forget(&mut self, job: u64) {
        if let Some(place) = self.known.iter().position(|&known| known == job) {
            self.known.swap_remove(place);
            if let Ok(packet) = protocol::forget_packet(job) {
                self.push(Arc::new(packet));
                self.flush();
            }
        }
    }

    /// Asks the worker to end; it is killed if it has not done so after `grace`.
    pub(super) fn dismiss(&mut self, grace: Duration) {
        if !self.has_worker() || self.ends_until.is_some() {
            return;
        }
        self.stage = Stage::Leaving;
        self.ends_until = Some(Instant::now() + grace);
        match protocol::quit_packet() {
            Ok(packet) => {
                self.push(Arc::new(packet));
                self.flush();
            }
            Err(_) => self.kill = true,
        }
    }

    pub(super) fn push(&mut self, packet: Arc<Packet>) {
        if let Some(outbox) = &mut self.outbox {
            outbox.push(packet);
        }
    }

    /// Sends what waits, as far as it goes.
    pub(super) fn flush(&mut self) {
        // An error means that the worker is gone, and that is heard of elsewhere.
        let flushed = self.outbox.as_mut().map_or(Ok(true), Outbox::flush);
        self.is_blocked = matches!(flushed, Ok(false));
    }

    /// How many tasks in flight the worker has not begun.
    pub(super) fn unbegun(&self) -> u32 {
        self.flight.end - self.claims.first(self.flight.end)
    }

    /// Takes back what the worker has not begun: from here on it begins nothing that it has.
    pub(super) fn take_back(&mut self) -> Vec<(u64, Task)> {
        let first = self.claims.revoke(self.flight.end);
        self.taken_back = Some((self.flight.end, self.begun_before(first)));
        let taken = self.flight.take_from(first);
        self.given = self.given.saturating_sub(taken.len() as u64);
        self.begins_until.take_if(|_| self.flight.len() == 0);
        taken
    }

    /// The number behind the last task that the worker has begun.
    pub(super) fn begun(&self) -> u32 {
        self.begun_before(self.claims.first(self.flight.end))
    }

    /// What was taken back was passed over, and not begun.
    fn begun_before(&self, first: u32) -> u32 {
        match self.taken_back {
            Some((end, begun)) if first <= end => begun,
            _ => first,
        }
    }

    /// Has it looked at after `limit`, or [`STOPPED`], whether the worker has begun something.
    pub(super) fn expect_progress(&mut self, now: Instant, limit: Duration) {
        let begun = self.begun();
        self.begins_until = now.checked_add(limit.max(STOPPED)).map(|until| (begun, until, limit));
    }

    /// The limit within which the worker was to begin the next task, and did not, if that time is over.
    pub(super) fn stands_still(&mut self, now: Instant) -> Option<Duration> {
        let (begun, _, limit) = self.begins_until.take_if(|(_, until, _)| *until <= now)?;
        if self.stage != Stage::Ready || self.doomed.is_some() || self.kill || self.flight.len() == 0 {
            return None;
        }
        if self.begun() != begun {
            self.expect_progress(now, limit);
            return None;
        }
        Some(limit)
    }

    /// The task that the worker began last, if it has not answered for it.
    pub(super) fn running(&self) -> Option<u32> {
        let task = self.begun().checked_sub(1)?;
        self.flight.get(task).map(|_| task)
    }
}

/// The tasks that were sent to a worker and not answered for, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Flight {
    /// The number of the first place below.
    base: u32,
    tasks: VecDeque<Option<(u64, Task)>>,
    unanswered: usize,
    /// The number of the next task.
    pub(super) end: u32,
}

impl Flight {
    pub(super) fn len(&self) -> usize {
        self.unanswered
    }

    fn push(&mut self, job: u64, task: Task) {
        self.tasks.push_back(Some((job, task)));
        self.unanswered += 1;
        self.end += 1;
    }

    fn place(&self, task: u32) -> Option<usize> {
        usize::try_from(task.checked_sub(self.base)?).ok()
    }

    pub(super) fn get(&self, task: u32) -> Option<&(u64, Task)> {
        self.tasks.get(self.place(task)?)?.as_ref()
    }

    /// Takes one out; `None` if it is not in flight, or not any more.
    pub(super) fn take(&mut self, task: u32) -> Option<(u64, Task)> {
        let place = self.place(task)?;
        let taken = self.tasks.get_mut(place)?.take()?;
        self.unanswered -= 1;
        while let Some(None) = self.tasks.front() {
            self.tasks.pop_front();
            self.base += 1;
        }
        Some(taken)
    }

    /// Takes out all from this number on, in their order.
    fn take_from(&mut self, first: u32) -> Vec<(u64, Task)> {
        (first.max(self.base)..self.end).filter_map(|task| self.take(task)).collect()
    }

    /// Takes out all, with their numbers, in their order.
    pub(super) fn take_all(&mut self) -> Vec<(u32, u64, Task)> {
        let numbers = self.base..self.end;
        numbers.filter_map(|number| self.take(number).map(|(job, task)| (number, job, task))).collect()
    }

    /// The numbers of those that belong to this job.
    pub(super) fn of_job(&self, job: u64) -> Vec<u32> {
        let numbered = (self.base..).zip(&self.tasks);
        let own = numbered.filter(|(_, task)| task.as_ref().is_some_and(|(of, _)| *of == job));
        own.map(|(number, _)| number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::body::{Body, Bytes};
    use super::*;

    fn task(index: usize) -> Task {
        Task::new(index, Body { bytes: Bytes::Here(Vec::new().into()), fds: Vec::new() })
    }

    #[test]
    fn numbers_go_on_after_a_revocation() {
        let mut flight = Flight::default();
        (0..4).for_each(|index| flight.push(7, task(index)));
        assert_eq!(flight.take(0).unwrap().1.index, 0);
        assert_eq!(flight.take_from(2).len(), 2);
        flight.push(7, task(9));
        assert!(flight.take(2).is_none());
        assert_eq!(flight.take(4).unwrap().1.index, 9);
        assert_eq!(flight.take_all().iter().map(|(number, ..)| *number).collect::<Vec<_>>(), [1]);
        assert_eq!(flight.len(), 0);
    }

    #[test]
    fn what_was_taken_back_was_not_begun() {
        let mut seat = Seat::new(Page::new("test").unwrap());
        let offer = |seat: &mut Seat, count: u32| {
            seat.claims.offer(seat.flight.end, count);
            (0..count).for_each(|_| seat.flight.push(1, task(0)));
        };
        offer(&mut seat, 4);
        assert!(seat.claims.claim(0) && seat.claims.claim(1));
        assert_eq!((seat.take_back().len(), seat.running()), (2, Some(1)));
        offer(&mut seat, 3);
        assert_eq!((seat.take_back().len(), seat.running()), (3, Some(1)));
        offer(&mut seat, 1);
        assert!(seat.claims.claim(7));
        assert_eq!(seat.running(), Some(7));
    }

    #[test]
    fn an_answer_counts_once() {
        let mut flight = Flight::default();
        flight.push(1, task(0));
        assert!(flight.take(0).is_some() && flight.take(0).is_none() && flight.take(99).is_none());
    }
}
