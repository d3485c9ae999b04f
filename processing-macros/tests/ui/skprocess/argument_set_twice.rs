use processing::skprocess;

#[skprocess(lives = 3, runs = 1, lives = 4)]
struct Worker {}

fn main() {}
