//! Which task goes to which worker, and when.
//!
//! A worker has at most about [`TARGET`] of work before it that it has not begun, so that it never waits for more, and
//! hardly anything waits behind it. Where a task takes longer than expected all the same, whatever stands behind it is
//! taken back for a worker that has nothing to do.

use std::time::{Duration, Instant};

use super::crew::{Crew, State};
use super::job::{Job, Kind};
use super::seat::{Doom, Reason, Seat, Stage};
use super::task::Task;

/// How much work is sent to a worker at once.
pub(super) const TARGET: Duration = Duration::from_millis(1);
/// How many tasks are sent at once at most.
const MOST_AT_ONCE: usize = 1024;
/// No less than this part of that is sent, to share what there is more evenly among the workers.
const SMALLEST_SHARE: usize = 8;
/// How many bytes, about.
const MOST_BYTES: usize = 40 * 1024;
/// How many descriptors.
const MOST_FDS: usize = 128;
/// How long a worker may be busy with one task before those behind it are given to another.
const STUCK: Duration = Duration::from_millis(2);
/// Numbers of tasks are small enough for the page that they are claimed on.
const MOST_TASKS: u64 = 1 << 31;

/// How many tasks of this pace make a chunk.
pub(super) fn chunk_size(pace: Option<Duration>) -> usize {
    let Some(pace) = pace else { return 1 };
    let fitting = TARGET.as_nanos() / pace.as_nanos().max(1);
    usize::try_from(fitting).unwrap_or(MOST_AT_ONCE).clamp(1, MOST_AT_ONCE)
}

impl Crew {
    /// Sends what can be sent, has workers started where there is more to do, and sees to the time.
    pub(super) fn feed(&self, state: &mut State) {
        let now = Instant::now();
        while self.feed_one(state, now) {}
        self.want_workers(state, now);
        self.watch_for_stuck(state, now);
        self.set_timer(state, now);
    }

    fn feed_one(&self, state: &mut State, now: Instant) -> bool {
        let Some(job) = state.next_job(now) else { return false };
        let Some(seat) = self.best_seat(state, &state.jobs[job]) else { return false };
        let sharing = state.seats.iter().filter(|seat| seat.stage == Stage::Ready).count();
        let room = self.limits.recycle_after.min(MOST_TASKS) - state.seats[seat].given;
        let (job, seat) = (&mut state.jobs[job], &mut state.seats[seat]);
        let tasks = take_chunk(job, sharing, room);
        if let Some(spacing) = job.rules.spacing {
            job.not_before = now.checked_add(spacing);
        }
        let pace = job.pace.unwrap_or_default();
        seat.load += pace * tasks.len() as u32;
        if let Some(limit) = job.rules.task_timeout.filter(|_| seat.begins_until.is_none()) {
            seat.expect_progress(now, limit);
        }
        if let Err((tasks, error)) = seat.send(job.id, &job.packet, tasks) {
            for task in tasks {
                let failure =
                    crate::error::Failure::with_cause("the item cannot be sent to a worker", &error);
                let at = Box::new(job.position(&task, seat.pid));
                let error = crate::ProcessError::Item { at, failure: Box::new(failure) };
                job.failed(task, error, false, true);
            }
        }
        if seat.is_blocked {
            state.to_wake.extend(seat.actor);
        }
        state.turn += 1;
        true
    }

    /// The seat that will come to the next task soonest.
    fn best_seat(&self, state: &State, job: &Job) -> Option<usize> {
        let is_starting =
            state.seats.iter().any(|seat| matches!(seat.stage, Stage::Wanted | Stage::Starting));
        let accepts = |seat: &Seat| {
            let ahead = seat.flight.len();
            // What is sent ahead cannot go to a worker that is about to be ready.
            let may_wait = job.pace.is_some() && job.rules.spacing.is_none() && !is_starting;
            let has_room = ahead == 0 || may_wait && (ahead < 2 || seat.load < TARGET);
            seat.takes_tasks() && has_room && seat.given < self.limits.recycle_after.min(MOST_TASKS)
        };
        let seats = state.seats.iter().enumerate().filter(|(_, seat)| accepts(seat));
        seats
            .min_by_key(|(_, seat)| (seat.flight.len().min(2), seat.is_slow, seat.load))
            .map(|(number, _)| number)
    }

    fn want_workers(&self, state: &mut State, now: Instant) {
        let waiting: usize = state.jobs.iter().map(|job| job.queue.len()).sum();
        let coming =
            state.seats.iter().filter(|seat| matches!(seat.stage, Stage::Wanted | Stage::Starting)).count();
        let mut missing = waiting.saturating_sub(coming);
        for seat in &mut state.seats {
            if missing > 0 && seat.may_start(now) {
                seat.stage = Stage::Wanted;
                seat.rests_until = None;
                state.to_wake.extend(seat.actor);
                missing -= 1;
            }
        }
    }

    /// If somebody has nothing to do while tasks stand behind others, their turn is awaited no longer than [`STUCK`].
    fn watch_for_stuck(&self, state: &mut State, now: Instant) {
        let idle = state.idle(now);
        if state.look_at.is_some() || !state.seats.iter().any(|seat| idle.would_help(seat)) {
            return;
        }
        state.look_at = Some(now + STUCK);
        for seat in &mut state.seats {
            seat.seen = seat.flight.end - seat.unbegun();
        }
    }

    /// A time has come.
    pub(super) fn tick(&self, state: &mut State) {
        let now = Instant::now();
        state.timer = state.timer.filter(|&timer| timer > now);
        state.jobs.iter_mut().for_each(|job| job.rested(now));
        state.kill_doomed(now);
        if state.look_at.is_some_and(|at| at <= now) {
            state.look_at = None;
            let idle = state.idle(now);
            for number in 0..state.seats.len() {
                let seat = &mut state.seats[number];
                let is_stuck = idle.would_help(seat) && seat.flight.end - seat.unbegun() == seat.seen;
                if is_stuck && seat.stage == Stage::Ready {
                    let taken = seat.take_back();
                    seat.is_slow = seat.running().is_none();
                    state.requeue(taken);
                }
            }
        }
        // Before they are sent to where they came from.
        self.want_workers(state, now);
        for number in 0..state.seats.len() {
            if let Some(limit) = state.seats[number].stands_still(now) {
                state.end_if_stopped(number, limit, now);
            }
        }
        self.feed(state);
    }

    fn set_timer(&self, state: &mut State, now: Instant) {
        let resting = state.jobs.iter().flat_map(|job| job.resting.iter().map(|(until, _)| *until));
        let spaced = state.jobs.iter().filter(|job| !job.queue.is_empty()).filter_map(|job| job.not_before);
        let seats = state.seats.iter().flat_map(|seat| {
            let doomed = seat.doomed.map(|doom| doom.at).filter(|_| !seat.kill);
            // Whose time is over starts when there is something to do: that is no time to wait for.
            let resting = seat.rests_until.filter(|&until| seat.stage == Stage::Vacant && until > now);
            let ends = seat.ends_until.filter(|_| !seat.kill);
            let begins = seat.begins_until.map(|(_, until, _)| until).filter(|_| seat.flight.len() > 0);
            [doomed, resting, ends, begins].into_iter().flatten()
        });
        let next = resting.chain(spaced.filter(|&at| at > now)).chain(seats).chain(state.look_at).min();
        if let Some(next) = next
            && state.timer.is_none_or(|timer| next < timer)
        {
            state.timer = Some(next);
            state.to_wake.extend(state.timekeeper);
        }
    }
}

/// Who could take over tasks.
#[derive(Clone, Copy)]
struct Idle {
    /// There is somebody.
    any: bool,
    /// And it has begun what it was sent last.
    prompt: bool,
}

impl Idle {
    /// Whether what this worker has not begun would get on elsewhere.
    fn would_help(self, seat: &Seat) -> bool {
        seat.unbegun() > 0 && (self.prompt || self.any && seat.running().is_some())
    }
}

impl State {
    fn idle(&self, now: Instant) -> Idle {
        let idle = || self.seats.iter().filter(|seat| seat.takes_tasks() && seat.flight.len() == 0);
        // Where one worker has been quick enough so far, the others have never been started.
        let startable = self.seats.iter().any(|seat| seat.may_start(now));
        Idle {
            any: startable || idle().next().is_some(),
            prompt: startable || idle().any(|seat| !seat.is_slow),
        }
    }

    /// A worker has begun nothing for as long as a task may take. If no task keeps it, its process was stopped: then no
    /// clock of a task runs, and this is the only one.
    fn end_if_stopped(&mut self, number: usize, limit: Duration, now: Instant) {
        if !self.is_between_tasks(number) {
            return self.seats[number].expect_progress(now, limit);
        }
        let taken = self.seats[number].take_back();
        // It may have begun something just now.
        if self.is_between_tasks(number) {
            let seat = &mut self.seats[number];
            // What it was done with and has not said is in its journal; else it is this one that takes too long.
            let doom = |task| Doom { task, reason: Reason::Limit(limit), at: now };
            seat.doomed = seat.running().map(doom);
            seat.kill = true;
            self.to_wake.extend(seat.actor);
        }
        self.requeue(taken);
    }

    /// Whether a worker runs nothing, as far as can be told.
    fn is_between_tasks(&self, number: usize) -> bool {
        let seat = &self.seats[number];
        let Some((id, _)) = seat.running().and_then(|task| seat.flight.get(task)) else { return true };
        let limited = |job: &&Job| job.kind == Kind::Function && job.rules.task_timeout.is_some();
        let job = self.jobs.iter().find(|job| job.id == *id);
        job.as_ref().is_some_and(limited) && seat.claims.deadline().is_none()
    }

    /// The job whose turn it is among those that have something to do.
    fn next_job(&self, now: Instant) -> Option<usize> {
        let count = self.jobs.len();
        let turns = (0..count).map(|step| (self.turn + step) % count);
        let mut ready = turns.filter(|&place| {
            let job = &self.jobs[place];
            !job.queue.is_empty() && job.not_before.is_none_or(|at| at <= now)
        });
        ready.next()
    }
}

/// Takes as many tasks as suit one worker.
fn take_chunk(job: &mut Job, sharing: usize, room: u64) -> Vec<Task> {
    let suits = || {
        let (full, fair) = (chunk_size(job.pace), job.queue.len().div_ceil(sharing.max(1)));
        // What is shared out further is not worth its packets.
        full.min(fair.max(full.div_ceil(SMALLEST_SHARE)))
    };
    let mut count = job.rules.chunk.unwrap_or_else(suits).min(job.queue.len());
    if job.rules.spacing.is_some() {
        count = 1;
    }
    count = count.min(usize::try_from(room).unwrap_or(usize::MAX)).max(1);
    let (mut tasks, mut bytes, mut fds) = (Vec::with_capacity(count), 0, 0);
    while tasks.len() < count {
        let Some(task) = job.queue.front() else { break };
        bytes += task.body.inline_len();
        fds += task.count_fds();
        // One that has ended a worker before goes alone.
        let is_alone = task.deaths > 0;
        if !tasks.is_empty() && (is_alone || bytes > MOST_BYTES || fds > MOST_FDS) {
            break;
        }
        tasks.extend(job.queue.pop_front());
        if is_alone {
            break;
        }
    }
    tasks
}

#[cfg(test)]
mod tests {
    use super::super::body::{Body, Files};
    use super::super::crew::Limits;
    use super::super::job::Rules;
    use super::super::protocol::quit_packet;
    use super::*;
    use crate::shm::Page;

    #[test]
    fn long_tasks_go_one_by_one() {
        assert_eq!(chunk_size(None), 1);
        assert_eq!(chunk_size(Some(Duration::from_secs(1))), 1);
        assert_eq!(chunk_size(Some(Duration::from_micros(100))), 10);
        assert_eq!(chunk_size(Some(Duration::from_nanos(1))), MOST_AT_ONCE);
    }

    #[test]
    fn what_is_stuck_behind_a_long_task_has_a_worker_started() {
        let seats = (0..2).map(|_| Seat::new(Page::new("test").unwrap())).collect();
        let crew = Crew::new(Limits { workers: 2, recycle_after: u64::MAX }, seats);
        let job = crew.begin("test", Kind::Function, Rules::PLAIN, |_| quit_packet()).unwrap();
        let mut state = crew.lock();
        // One worker has been quick so far, so the other one was never started.
        state.seats[0].stage = Stage::Ready;
        let call = state.job(job).unwrap();
        call.pace = Some(Duration::from_micros(1));
        let empty = || Body::encode(&(), &Files::default()).unwrap();
        call.queue.extend((0..3).map(|index| Task::new(index, empty())));
        crew.feed(&mut state);
        assert_eq!((state.seats[0].flight.len(), state.seats[1].stage), (3, Stage::Vacant));
        assert!(state.seats[0].claims.claim(0));
        // It has begun something since it was last looked at, and the next time it has not.
        for (stage, waiting) in [(Stage::Vacant, 0), (Stage::Wanted, 2)] {
            state.look_at = Some(Instant::now());
            crew.tick(&mut state);
            assert_eq!((state.seats[1].stage, state.job(job).unwrap().queue.len()), (stage, waiting));
        }
    }
}
