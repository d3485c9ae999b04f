use processing::skprocess;

#[skprocess]
struct Worker {
    count: u64,
}

#[skprocess]
impl Worker {
    fn run(&mut self) {}
    fn on_finish(&mut self) {}
    fn prernu(&mut self) {}
}

fn main() {}
