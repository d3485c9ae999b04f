use processing::cucumber;
use std::sync::{Arc, Mutex};

struct Mine;

#[cucumber]
struct Job {
    held: Arc<Mutex<Mine>>,
}

fn main() {}
