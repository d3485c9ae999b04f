use processing::skprocess;

#[skprocess(lives = 0)]
struct Worker {}

fn main() {}
