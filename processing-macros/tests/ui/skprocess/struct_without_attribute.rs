use processing::skprocess;

struct Worker {
    count: u64,
}

#[skprocess]
impl Worker {
    fn run(&mut self) {}
}

fn main() {}
