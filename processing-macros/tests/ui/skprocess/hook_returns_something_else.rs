use processing::skprocess;

struct NotAnError;

#[skprocess]
struct Worker {
    count: u64,
}

#[skprocess]
impl Worker {
    fn prerun(&mut self) -> Option<u64> {
        None
    }
    fn run(&mut self) -> Result<(), NotAnError> {
        Ok(())
    }
    fn postrun(&mut self) -> Result<u64, String> {
        Ok(self.count)
    }
}

fn main() {}
