use processing::skprocess;
use std::sync::{Arc, Barrier};

#[skprocess]
struct Runner {
    start: Arc<Barrier>,
}

#[skprocess]
impl Runner {
    fn run(&mut self) {}
}

fn main() {}
