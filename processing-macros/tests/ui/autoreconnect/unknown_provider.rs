use processing::{autoreconnect, skprocess};

#[autoreconnect(Client = { "*": environment("PASSWORD"), "a": files("/run/a"), "b": secret(), "c": env })]
#[skprocess]
struct Worker {}

fn main() {}
