//! Structs and enums through the derive.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use processing::share::{Element, Log, SharedTimer};
use processing::{Share, ShareError, ShareHandle as _, Shareable, shareable};
use serde::{Deserialize, Serialize};

use super::elsewhere::Either;

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
struct Theme {
    dark: bool,
    accent: Option<String>,
}

#[derive(Shareable, Clone, Debug, PartialEq, Default)]
struct Corner(i32, #[shareable(value)] Theme, #[shareable(skip)] usize, Vec<u8>);

#[derive(Shareable, Clone, Debug, PartialEq, Default)]
enum Phase {
    #[default]
    Idle,
    Running {
        done: u64,
        notes: Vec<String>,
    },
    Over(String, #[shareable(value)] Theme),
}

#[derive(Shareable, Clone, Debug, PartialEq, Default)]
struct Nothing;

#[derive(Shareable, Clone, Debug, PartialEq, Default)]
struct State {
    counter: u64,
    corner: Corner,
    phase: Phase,
    nothing: Nothing,
    names: Vec<String>,
    scores: HashMap<String, Vec<u32>>,
    ordered: BTreeMap<(u8, char), f64>,
    #[shareable(value)]
    theme: Theme,
    #[shareable(skip)]
    scratch: Vec<u8>,
    log: Log,
    timer: SharedTimer,
    pairs: [(u8, String); 3],
}

#[shareable]
impl State {
    fn deposit(&mut self, amount: u64, (name, times): (&str, usize)) -> u64 {
        self.counter += amount;
        self.names.extend(std::iter::repeat_n(name.to_owned(), times));
        self.log.info(self.counter);
        self.counter
    }

    fn fail(&mut self) -> Result<(), String> {
        self.counter = 0;
        panic!("on purpose");
    }

    fn describe(&self) -> String {
        format!("{} of {:?}", self.counter, self.names)
    }

    #[shareable(skip)]
    fn first(&self) -> Option<&str> {
        self.names.first().map(String::as_str)
    }
}

#[test]
fn fields_are_handles_all_the_way_down() {
    let mut share = Share::new(State::default()).unwrap();
    share.counter += 1;
    share.corner.0 -= 5;
    share.corner.1.set(Theme { dark: true, accent: None });
    share.corner.2.push(7);
    share.names.push("Ada".into());
    share.scores.change_or_default("Ada".into(), |scores| scores.push(3));
    share.ordered.insert((1, 'x'), 0.5);
    share.theme.change(|theme| theme.accent = Some("teal".into()));
    share.pairs[2].1 += "end";
    share.timer.add(Duration::from_millis(5));
    assert_eq!(share.counter, 1);
    let whole = share.snapshot();
    assert_eq!(whole.corner, Corner(-5, Theme { dark: true, accent: None }, 0, vec![7]));
    assert_eq!(whole.scores, HashMap::from([("Ada".to_owned(), vec![3])]));
    assert_eq!(whole.theme.accent.as_deref(), Some("teal"));
    assert_eq!(whole.pairs[2].1, "end");
    share.corner.assign(Corner::default());
    assert_eq!(
        share.corner.update(|corner| {
            corner.0 = 9;
            corner.2 = 5;
            corner.0
        }),
        9
    );
    assert_eq!(share.corner.snapshot(), Corner(9, Theme::default(), 0, vec![]));
    share.clear();
    assert_eq!(share.snapshot(), State::default());
    let shown = format!("{share:?}");
    assert!(
        shown.contains("counter: 0") && shown.contains("phase: Idle") && shown.contains("Corner(0"),
        "{shown}"
    );
}

#[test]
fn enums_change_as_one() {
    let share = Share::new(State::default()).unwrap();
    assert!(share.phase == Phase::Idle);
    share.phase.set(Phase::Running { done: 1, notes: vec!["a note that is longer than a slot".into()] });
    share.phase.update(|phase| {
        if let Phase::Running { done, notes } = phase {
            *done += 1;
            notes.push("more".into());
        }
    });
    let over = Phase::Over("done".into(), Theme::default());
    let before = share.phase.replace(over.clone());
    assert!(matches!(&before, Phase::Running { done: 2, notes } if notes.len() == 2));
    assert_eq!(share.phase, over);
    assert_eq!(share.phase.get(), over);
}

#[test]
fn generic_types_can_be_shared() {
    #[derive(Shareable, Debug, PartialEq)]
    struct Both<A: Element, B>
    where
        B: Shareable,
    {
        list: Vec<A>,
        other: B,
    }

    let mut share = Share::new(Both { list: vec!["a".to_owned()], other: (1_u8, Phase::Idle) }).unwrap();
    share.list.push("b".into());
    share.other.0 += 1;
    share.other.1.set(Phase::Running { done: 0, notes: vec![] });
    assert_eq!(share.list, ["a", "b"]);
    assert_eq!(share.other.0, 2);

    let either = Share::new(Either::First::<u64, String>(5)).unwrap();
    either.assign(Either::Second { at: "text".into(), view: 1 });
    assert!(matches!(either.snapshot(), Either::Second { at, view: 1 } if at == "text"));
    either.assign(Either::Neither);
    assert!(matches!(either.snapshot(), Either::Neither));
}

#[test]
fn methods_of_the_type_work_on_the_handle() {
    let share = Share::new(State::default()).unwrap();
    assert_eq!(share.deposit(5, ("Ada", 2)), 5);
    assert_eq!(share.transaction(|state| state.deposit(1, ("Bob", 1)) + state.counter.get()), 12);
    assert_eq!(share.describe(), r#"6 of ["Ada", "Ada", "Bob"]"#);
    assert_eq!(share.snapshot().first(), Some("Ada"));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| share.fail())).is_err());
    assert_eq!(share.counter, 6);
    assert_eq!(share.log.messages(), ["5", "6"]);
}

#[test]
fn a_transaction_over_fields_is_taken_back_whole() {
    let share = Share::new(State::default()).unwrap();
    let result: Result<(), ShareError> = share.try_transaction(|state| {
        state.counter += 1;
        state.names.extend((0..100).map(|n| n.to_string()));
        state.phase.set(Phase::Over("x".repeat(1000), Theme::default()));
        state.scores.insert("a".into(), vec![1]);
        state.ordered.insert((0, 'a'), 1.0);
        state.log.info("never");
        state.counter.try_set(u64::MAX)?;
        state.names.try_get(0)?;
        Share::dynamic()?.try_get::<u8>("missing").map(drop)
    });
    assert!(result.unwrap_err().is_missing());
    assert_eq!(share.snapshot(), State::default());
}

/// A thousand fields.
mod wide {
    use super::*;

    macro_rules! wide {
        ($($name:ident)*) => {
            #[derive(Shareable, Default)]
            struct Wide { $($name: [u64; 10],)* }

            #[test]
            fn a_thousand_fields() {
                let mut share = Share::new(Wide::default()).unwrap();
                $(share.$name[9] += 1;)*
                let whole = share.snapshot();
                assert_eq!([$(whole.$name[9],)*].iter().sum::<u64>(), 100);
            }
        };
    }

    wide! {
        a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 b0 b1 b2 b3 b4 b5 b6 b7 b8 b9 c0 c1 c2 c3 c4 c5 c6 c7 c8 c9
        d0 d1 d2 d3 d4 d5 d6 d7 d8 d9 e0 e1 e2 e3 e4 e5 e6 e7 e8 e9 f0 f1 f2 f3 f4 f5 f6 f7 f8 f9
        g0 g1 g2 g3 g4 g5 g6 g7 g8 g9 h0 h1 h2 h3 h4 h5 h6 h7 h8 h9 i0 i1 i2 i3 i4 i5 i6 i7 i8 i9
        j0 j1 j2 j3 j4 j5 j6 j7 j8 j9
    }
}
