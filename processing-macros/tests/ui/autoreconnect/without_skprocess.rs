use processing::autoreconnect;

#[autoreconnect(Client = { "*": env("PASSWORD") })]
struct Worker {}

fn main() {}
