use processing::skprocess;

#[skprocess]
struct Worker {
    count: u64,
}

#[skprocess]
impl Worker {
    async fn run(&mut self) {}
}

fn main() {}
