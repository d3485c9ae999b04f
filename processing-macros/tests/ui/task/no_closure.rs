use processing::task;

fn double(x: i64) -> i64 {
    x * 2
}

fn main() {
    let _ = task!(double);
    let _ = task!(double(4));
    let _ = task!([double]);
}
