use processing::skprocess;

#[skprocess]
struct Worker<'a> {
    name: &'a str,
}

fn main() {}
