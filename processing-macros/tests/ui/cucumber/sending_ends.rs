use processing::cucumber;
use std::sync::mpsc::{Sender, SyncSender};

#[cucumber]
struct Reporter {
    events: Sender<u32>,
    answers: Vec<SyncSender<u32>>,
}

fn main() {}
