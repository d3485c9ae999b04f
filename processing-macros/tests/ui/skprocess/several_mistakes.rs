use processing::skprocess;

#[skprocess(live = 3, runs = "10", join_in = 5, timeouts(run = "30", prerum = "1s"), checkpoint = often)]
struct Worker {}

#[skprocess]
impl Worker {
    fn run(&mut self) {}
    fn pre_run(&mut self) {}
    fn onfinish(&mut self, late: bool) {}
}

fn main() {}
