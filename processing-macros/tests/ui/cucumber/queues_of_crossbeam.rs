use processing::cucumber;

#[cucumber]
struct Work {
    open: crossbeam_queue::SegQueue<u32>,
    bounded: crossbeam_queue::ArrayQueue<u32>,
    shared: crossbeam_deque::Injector<u32>,
}

fn main() {}
