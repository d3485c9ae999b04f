use processing::task;

fn main() {
    let _ = task!(|name: &str, bytes: &[u8]| name.len() + bytes.len());
}
