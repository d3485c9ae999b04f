use processing::cucumber;

#[cucumber]
enum Job {
    Running(std::thread::JoinHandle<()>),
}

fn main() {}
