use processing::skprocess;

#[skprocess(live = 3)]
struct Worker {}

fn main() {}
