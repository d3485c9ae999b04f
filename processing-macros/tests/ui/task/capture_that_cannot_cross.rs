use processing::task;

struct Secret(i64);

fn double(x: i64) -> i64 {
    x * 2
}

fn main() {
    let secret = Secret(4);
    let _ = task!(|x: i64| x * secret.0);
    let _ = task!(|x: Option<i64>| x.map(double));
}
