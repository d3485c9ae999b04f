use processing::{autoreconnect, skprocess};

#[autoreconnect(Client = { db: env("PASSWORD") })]
#[skprocess]
struct Worker {}

fn main() {}
