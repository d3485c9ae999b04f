use processing::cucumber;

#[cucumber]
struct Job {
    children: Vec<std::process::Child>,
}

fn main() {}
