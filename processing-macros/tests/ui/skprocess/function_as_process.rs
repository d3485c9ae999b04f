use processing::skprocess;

#[skprocess]
fn work() {}

fn main() {}
