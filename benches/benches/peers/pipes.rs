//! Two processes at the other ends of pipes, which are rings in shared memory: what a pool could come to at best.

use processing::prelude::*;
use processing::{Anchor, Handle, Pipe, Point};

type Down = Vec<u64>;

#[skprocess]
pub(crate) struct Doubler {
    pipe: Point<Down, Down>,
}

#[skprocess]
impl Doubler {
    fn run(&mut self) {
        match self.pipe.recv() {
            Ok(numbers) => {
                let doubled = numbers.into_iter().map(|number| 2 * number).collect();
                if self.pipe.send(&doubled).is_err() {
                    self.stop();
                }
            }
            // The other end is gone.
            Err(_) => self.stop(),
        }
    }
}

pub(crate) struct Pipes {
    ends: [Anchor<Down, Down>; 2],
    _workers: [Handle<Doubler>; 2],
}

impl Pipes {
    pub(crate) fn start() -> Self {
        let [(first, one), (second, other)] = [(); 2].map(|()| {
            let (anchor, point) = Pipe::pair().expect("a pipe");
            (anchor, Doubler { pipe: point }.start().expect("it starts"))
        });
        Pipes { ends: [first, second], _workers: [one, other] }
    }

    /// The doubles of `0..count`, which travel so many at a time.
    pub(crate) fn double(&self, count: u64, at_once: u64) -> Vec<u64> {
        // As many under way with each as keep it busy.
        const AHEAD: u64 = 8;
        let batches = count.div_ceil(at_once);
        let end = |batch: u64| &self.ends[(batch % 2) as usize];
        let mut doubled = Vec::with_capacity(count as usize);
        for batch in 0..batches + 2 * AHEAD {
            if let Some(answered) = batch.checked_sub(2 * AHEAD) {
                doubled.extend(end(answered).recv().expect("it lives"));
            }
            if batch < batches {
                let numbers = (batch * at_once..count.min((batch + 1) * at_once)).collect();
                end(batch).send(&numbers).expect("it lives");
            }
        }
        doubled
    }
}
