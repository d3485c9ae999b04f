use processing::cucumber;
use std::cell::LazyCell;
use std::sync::LazyLock;

#[cucumber]
struct Table {
    rows: LazyLock<Vec<u32>>,
    names: LazyCell<Vec<String>>,
}

fn main() {}
