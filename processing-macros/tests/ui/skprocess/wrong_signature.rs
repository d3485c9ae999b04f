use processing::skprocess;

#[skprocess]
struct Worker {
    count: u64,
}

#[skprocess]
impl Worker {
    fn prerun(&mut self, first: bool) {}
    fn run(self) {}
    unsafe fn postrun(&mut self) {}
    fn onfinish() {}
    fn result<T>(&mut self) -> T {
        todo!()
    }
    fn error(&mut self) {}
}

fn main() {}
