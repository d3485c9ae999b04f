use processing::cucumber;

#[cucumber]
fn work() {}

fn main() {}
