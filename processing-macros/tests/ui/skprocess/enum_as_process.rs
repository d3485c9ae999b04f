use processing::skprocess;

#[skprocess]
enum Worker {
    Idle,
    Busy,
}

fn main() {}
