use processing::skprocess;

#[skprocess]
struct Worker {
    count: u64,
}

#[skprocess]
impl Worker {
    fn prerun(&mut self) {}
}

fn main() {}
