use processing::skprocess;

#[skprocess]
struct Worker {
    count: u64,
}

#[skprocess]
impl Worker {
    fn run(&mut self) {}
    fn result(&mut self) -> u64 {
        self.count
    }
    fn error(&mut self, error: u32) -> Result<u32, u32> {
        Err(error)
    }
}

fn main() {}
