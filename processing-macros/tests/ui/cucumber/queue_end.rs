use processing::skprocess;
use std::sync::mpsc::Receiver;

#[skprocess]
struct Worker {
    jobs: Option<Receiver<u32>>,
}

#[skprocess]
impl Worker {
    fn run(&mut self) {}
}

fn main() {}
