use processing::skprocess;

#[skprocess(timeouts(run = 30))]
struct Worker {}

fn main() {}
