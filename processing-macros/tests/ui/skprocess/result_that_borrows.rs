use processing::skprocess;

#[skprocess]
struct Worker {
    count: u64,
}

#[skprocess]
impl Worker {
    fn run(&mut self) {}
    fn result(&mut self) -> &u64 {
        &self.count
    }
}

fn main() {}
