use processing::skprocess;

const LIMIT: u64 = 30;

#[skprocess(timeouts(run = LIMIT))]
struct Worker {}

fn main() {}
