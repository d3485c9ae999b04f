use processing::{autoreconnect, skprocess};

#[autoreconnect(Client = { "*": env("PASSWORD") })]
fn work() {}

#[skprocess]
struct Worker {}

fn main() {}
