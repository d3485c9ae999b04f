use processing::{autoreconnect, skprocess};

#[autoreconnect(Client = {}, Client = {})]
#[skprocess]
struct Worker {}

fn main() {}
