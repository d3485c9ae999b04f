use processing::{autoreconnect, skprocess};

#[autoreconnect]
#[skprocess]
struct Worker {}

fn main() {}
