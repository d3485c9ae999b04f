use processing::skprocess;

#[skprocess]
struct Worker {
    count: u64,
}

#[skprocess(lives = 3)]
impl Worker {
    fn run(&mut self) {}
}

fn main() {}
