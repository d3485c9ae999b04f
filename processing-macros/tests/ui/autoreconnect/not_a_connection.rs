use processing::{autoreconnect, skprocess};

struct Client;

#[autoreconnect(Client = { "*": env("PASSWORD") })]
#[skprocess]
struct Worker {}

fn main() {}
