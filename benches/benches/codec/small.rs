//! Small values, beside postcard: each in a frame of its own, and a thousand of them in one.

use std::fmt::Debug;
use std::hint::black_box;

use benches::{Contest, timed};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bytes::{posted, read};
use crate::values::Point;
use crate::{decoded, encoded, versus};

pub(crate) fn compare_all() {
    alone("a small struct", &Point::number(300));
    alone("a pair", &(300u32, 70_000u64));
    alone("a triple", &(1u8, 2.5f64, true));
    alone("four floats", &[1.0f32, 2.0, 3.0, 4.0]);

    together("`(u32, u64)`", |n| (n, u64::from(n) * 7919));
    together("`(u32, u64, i32)`", |n| (n, u64::from(n) * 7919, n as i32 - 500));
    together("`(u8, f64, bool)`", |n| (n as u8, f64::from(n), n.is_multiple_of(3)));
    together("`(f64, f64, f64)`", |n| (f64::from(n), 1.0, 2.5));
    together("`[f32; 4]`", |n| [n as f32, 1.0, 2.5, -3.0]);
}

/// A name, and what is done with it.
type Way<'a, R> = (&'static str, &'a dyn Fn() -> R);

/// A thousand times in one sample: one alone is shorter than the clock's smallest step.
fn alone<T: Serialize + DeserializeOwned + PartialEq + Debug>(what: &str, value: &T) {
    cucumber::know::<T>();
    let (ours, theirs) = (encoded(value), posted(value));
    assert_eq!(&decoded::<T>(&ours), value);
    assert_eq!(&read::<T>(&theirs), value);
    contest(
        format!("encode {what} 1 000 times, each in a frame"),
        ("cucumber", &|| encoded(black_box(value))),
        ("postcard", &|| posted(black_box(value))),
    );
    contest(
        format!("decode {what} 1 000 times, each in a frame"),
        ("cucumber", &|| decoded::<T>(black_box(&ours))),
        ("postcard", &|| read::<T>(black_box(&theirs))),
    );
    // What a value costs that crosses: whichever half the frame burdens.
    contest(
        format!("{what} to bytes and back 1 000 times, each in a frame"),
        ("cucumber", &|| decoded::<T>(&encoded(black_box(value)))),
        ("postcard", &|| read::<T>(&posted(black_box(value)))),
    );
}

fn contest<R>(question: String, ours: Way<'_, R>, theirs: Way<'_, R>) {
    fn often<R>(work: &dyn Fn() -> R) -> std::time::Duration {
        timed(|| (0..1000).for_each(|_| drop(black_box(work())))).1
    }
    let mut contest = Contest::new(question).rounds(100);
    contest.enter(ours.0, || often(ours.1));
    contest.peer(theirs.0, || often(theirs.1));
    print!("{}", contest.run());
}

fn together<T: Serialize + DeserializeOwned + PartialEq + Debug>(what: &str, number: fn(u32) -> T) {
    let values: Vec<T> = (0..1000).map(number).collect();
    cucumber::know::<Vec<T>>();
    versus(
        &format!("1 000 of {what}"),
        ("cucumber", &values, encoded, decoded),
        ("postcard", &values, posted, read),
        50,
    );
}
