use processing::task;

fn main() {
    let _ = task!(|x, (a, b)| x + a + b);
}
