//! Handles of `tracing`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::sync::{Arc, Mutex};

use cucumber::cucumber;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Dispatch, Event, Level, Metadata, Span, Subscriber};

/// Notes which spans are begun, and wants none that is called "quiet".
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Subscriber for Notes {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.name() != "quiet"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let about = span.metadata();
        let mut notes = self.0.lock().unwrap();
        notes.push(format!("{} {} {}", about.level(), about.target(), about.name()));
        Id::from_u64(notes.len() as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[cucumber]
struct Handles {
    span: Span,
    none: Span,
    spans: Vec<Option<Span>>,
    level: Level,
    filter: Option<LevelFilter>,
    dispatch: Dispatch,
}

#[test]
fn a_span_is_begun_anew_with_the_subscriber_of_the_other_side() {
    let (here, there) = (Notes::default(), Notes::default());
    let bytes = with_default(here.clone(), || {
        let span = tracing::info_span!(target: "shop::orders", "order", id = 7);
        let handles = Handles {
            spans: vec![Some(span.clone()), None, Some(tracing::error_span!("quiet"))],
            span,
            none: Span::none(),
            level: Level::WARN,
            filter: Some(LevelFilter::OFF),
            dispatch: Dispatch::none(),
        };
        cucumber::know::<Handles>();
        cucumber::to_bytes(&handles).unwrap()
    });
    assert_eq!(*here.0.lock().unwrap(), ["INFO shop::orders order"]);
    with_default(there.clone(), || {
        let back: Handles = cucumber::from_bytes(&bytes).unwrap();
        assert!(!back.span.is_disabled() && back.none.is_disabled());
        assert_eq!(back.span.metadata().unwrap().name(), "order");
        assert!(back.spans[2].as_ref().unwrap().is_disabled());
        assert_eq!((back.level, back.filter), (Level::WARN, Some(LevelFilter::OFF)));
        assert!(back.dispatch.is::<Notes>());
        // Nobody is listening any more.
        let quiet: Handles =
            tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::new(), || {
                cucumber::from_bytes(&bytes).unwrap()
            });
        assert!(quiet.span.is_disabled());
    });
    assert_eq!(*there.0.lock().unwrap(), ["INFO shop::orders order", "INFO shop::orders order"]);
}
