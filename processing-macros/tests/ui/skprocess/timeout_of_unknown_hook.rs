use processing::skprocess;

#[skprocess(timeouts(pre_run = "1s"))]
struct Worker {}

fn main() {}
