use processing::skprocess;

#[skprocess(timeouts(run = "0s"))]
struct Worker {}

fn main() {}
