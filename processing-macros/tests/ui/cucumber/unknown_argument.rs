use processing::cucumber;

#[cucumber(crates = "::processing")]
struct Job;

fn main() {}
