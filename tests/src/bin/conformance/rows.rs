//! All rows, in the order of the table.

use std::time::Duration;

use processing::Exit;
use rustix::process::Signal;
use tests::deeds::Deed;

use crate::row::{PATIENCE, Row};
use crate::{crossing, forks, live, parents, peers, pools, processes, shares, starts};

const KILLED: Exit = Exit::Signal(9);
const SEGFAULT: Exit = Exit::Signal(11);
const ABORTED: Exit = Exit::Signal(6);

macro_rules! rows {
    ($($name:literal $(within $seconds:literal s)?: $event:literal => $run:expr;)*) => {
        pub(crate) const ROWS: &[Row] = &[$(Row {
            name: $name,
            event: $event,
            run: || $run,
            patience: rows!(@patience $($seconds)?),
        }),*];
    };
    (@patience) => { PATIENCE };
    (@patience $seconds:literal) => { Duration::from_secs($seconds) };
}

rows! {
    // What was measured of the neighbours.
    "pool-kill": "pool: a worker is SIGKILLed in a task" => pools::death(Deed::Sigkill, KILLED);
    "pool-segfault": "pool: a worker segfaults" => pools::death(Deed::Sigsegv, SEGFAULT);
    "pool-exit": "pool: a worker calls `_exit(0)`" => pools::death(Deed::ExitZero, Exit::Code(0));
    "pool-endless": "pool: a task loops in native code, with a limit" => pools::endless();
    "pool-infinite": "pool: an endless input, 5 results taken" => pools::infinite();
    "pool-undecodable": "pool: an error that cannot be decoded" => pools::undecodable();
    "pool-initializer": "pool: the initializer fails" => pools::initializer();
    "pool-nested": "pool: a pool inside a worker" => pools::nested();
    "pool-panic": "pool: a task panics" => pools::panic();
    "parent-killed" within 60 s: "the program is SIGKILLed, its workers busy" => parents::ended_by(Signal::KILL);
    "parent-terminated" within 60 s: "the program is SIGTERMed" => parents::ended_by(Signal::TERM);
    "parent-interrupted" within 60 s: "Ctrl-C to the foreground group" => parents::ended_by(Signal::INT);
    "process-lives": "process: SIGKILLed in each of 3 lives" => processes::lives();
    "peer-listen": "`listen` on a worker that is killed" => peers::listen();
    "peer-recv": "`recv` on a pipe whose other end is killed" => peers::receive();
    "pool-process-kill": "pool: a process type, SIGKILLed in a hook" => crossing::mapped(Deed::Sigkill);
    "pool-process-limit": "pool: a process type whose hook overruns its limit" => crossing::mapped(Deed::Spin);
    "share-users": "share: all who use it are SIGKILLed" => shares::killed_users();

    // What is promised.
    "hook-error": "a hook returns an error" => processes::failure(&[Deed::Io, Deed::Chain]);
    "hook-panic": "a hook panics, with any payload" =>
        processes::failure(&[Deed::PanicStr, Deed::PanicString, Deed::PanicAny]);
    "process-kill": "process: SIGKILL" => processes::death(Deed::Sigkill, &[KILLED]);
    "process-segfault": "process: SIGSEGV" => processes::death(Deed::Sigsegv, &[SEGFAULT]);
    "process-abort": "process: `abort`" => processes::death(Deed::Abort, &[ABORTED]);
    "process-exit": "process: `_exit(0)`" => processes::death(Deed::ExitZero, &[Exit::Code(0)]);
    "process-memory": "process: out of memory" => processes::death(Deed::OutOfMemory, &[ABORTED, KILLED]);
    "process-stack": "process: stack overflow" => processes::death(Deed::StackOverflow, &[SEGFAULT, ABORTED]);
    "hook-limit" within 60 s: "a hook loops, sleeps or catches everything, with a limit" => processes::limit();
    "hook-limit-life": "a hook overruns its limit, with a life to spare" => processes::limit_costs_a_life();
    "share-holder" within 60 s: "share: SIGKILLed in a transaction, the lock held" => shares::killed_holder();
    "cannot-cross": "a value that cannot cross" => processes::cannot_cross();
    "open-file": "an open file in a process whose worker is killed" => crossing::open_file();
    "shared-value": "`Rc` and `Weak` with cycles, to a pool and back" => crossing::graph();
    "peer-result": "`result` of a worker that is killed" => peers::result();
    "peer-send": "`send` to a full pipe whose other end is killed" => peers::send();
    "timers": "timers of a worker that was killed in a hook" => processes::timers();
    "live-sqlite": "an SQLite file in a process whose worker is killed" => live::sqlite();
    "live-postgres": "PostgreSQL ends the session of a worker" => live::postgres();
    "live-mariadb": "MariaDB ends the session of a worker" => live::mariadb();
    "live-redis": "Redis ends the session of a worker" => live::redis();
    "live-nobody": "nobody answers where a live connection leads" => live::nobody();
    "streams": "standard streams, captured or leading nowhere" => forks::streams();
    "fork-moment": "environment, directory, mask and limits change before a start" => forks::moment();
    "fork-template": "the template is SIGKILLed, or stopped" => forks::template();
    "crowd" within 120 s: "1 000 processes at once" => forks::crowd();
    "starts" within 300 s: "10 000 starts" => starts::many();
}
