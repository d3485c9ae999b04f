use processing::skprocess;

trait Hooks {
    fn run(&mut self);
}

#[skprocess]
struct Worker {
    count: u64,
}

#[skprocess]
impl Hooks for Worker {
    fn run(&mut self) {}
}

fn main() {}
