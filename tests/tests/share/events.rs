//! What is written to a shared log is an event of `tracing` as well, in the process that writes it.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use processing::prelude::*;
use processing::share::{Level, Log};
use tests::watchdog;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Level and text of an event.
type Heard = (String, String);

/// What the log has had to say in this process.
static HEARD: Mutex<Vec<Heard>> = Mutex::new(Vec::new());

fn heard() -> Vec<Heard> {
    std::mem::take(&mut HEARD.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Keeps the events of the log, and no others.
struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "processing::share"
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let heard = (event.metadata().level().to_string(), text.0);
        HEARD.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

fn listen() {
    tracing::subscriber::set_global_default(Listener).expect("it is the first one");
}

/// Writes to the log, in every way.
fn write(log: &Share<Log>) {
    for level in [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error] {
        log.log(level, format!("a matter of {level}"));
    }
    log.set_level(Level::Warn);
    log.info("not worth keeping");
    log.transaction(|log| log.warn("in a transaction"));
    log.set_level(Level::Trace);
}

fn expected() -> Vec<Heard> {
    let levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"];
    let each = levels.map(|level| (level.to_owned(), format!("a matter of {level}")));
    each.into_iter().chain([("WARN".to_owned(), "in a transaction".to_owned())]).collect()
}

/// Writes to the log, and says what it has heard of that.
#[skprocess(runs = 1)]
struct Writer {
    log: Share<Log>,
    heard: Vec<Heard>,
}

#[skprocess]
impl Writer {
    fn run(&mut self) {
        write(&self.log);
        self.heard = heard();
    }

    fn result(&mut self) -> Vec<Heard> {
        self.heard.clone()
    }
}

#[test]
fn records_are_events_of_the_process_that_writes_them() {
    let _watchdog = watchdog();
    let log = Share::new(Log::default()).unwrap();
    // In this process, for this thread alone; in a worker, for all of it.
    tracing::subscriber::with_default(Listener, || {
        write(&log);
        assert_eq!(heard(), expected());
        processing::on_worker_start(listen);
        assert_eq!(Writer { log: log.clone(), heard: vec![] }.run().unwrap(), expected());
        assert_eq!(heard(), []);
    });
    let written: Vec<_> = expected().into_iter().map(|(_, text)| text).collect();
    assert_eq!(log.messages(), [written.clone(), written].concat());
}
