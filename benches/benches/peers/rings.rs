//! Two processes at the other ends of bare rings, which know nothing of death: the floor of a pool.

use processing::__private::BarePipe;
use processing::prelude::*;
use processing::{Handle, cucumber};

#[skprocess(runs = 1)]
pub(crate) struct Doubler {
    ring: BarePipe,
}

#[skprocess]
impl Doubler {
    /// Up to an empty message.
    fn run(&mut self) {
        let mut message = Vec::new();
        loop {
            self.ring.recv(&mut message);
            let Ok(number) = message[..].try_into().map(u64::from_le_bytes) else { return };
            self.ring.send(&(2 * number).to_le_bytes());
        }
    }
}

pub(crate) struct Rings {
    ends: [BarePipe; 2],
    workers: [Handle<Doubler>; 2],
}

impl Rings {
    pub(crate) fn start() -> Self {
        let ends = [BarePipe::new(), BarePipe::new()];
        let workers = [&ends[0], &ends[1]].map(|end| {
            let encoded = cucumber::encode(end).expect("it crosses");
            let ring = cucumber::decode(&encoded.bytes, encoded.attachments).expect("it crosses");
            Doubler { ring }.start().expect("it starts")
        });
        Rings { ends, workers }
    }

    /// The doubles of `0..count`, which travel one by one.
    pub(crate) fn double(&self, count: u64) -> Vec<u64> {
        // As many under way with each as keep it busy.
        const AHEAD: u64 = 256;
        let end = |number: u64| &self.ends[(number % 2) as usize];
        let mut doubled = Vec::with_capacity(count as usize);
        let mut message = Vec::new();
        for number in 0..count + 2 * AHEAD {
            if let Some(answered) = number.checked_sub(2 * AHEAD) {
                end(answered).recv(&mut message);
                doubled.extend(message[..].try_into().map(u64::from_le_bytes));
            }
            if number < count {
                end(number).send(&number.to_le_bytes());
            }
        }
        doubled
    }

    /// Ends them: they do not see that nobody is there any more.
    pub(crate) fn end(self) {
        self.ends.iter().for_each(|end| end.send(&[]));
        self.workers.iter().for_each(|worker| worker.wait().expect("it ends well"));
    }
}
