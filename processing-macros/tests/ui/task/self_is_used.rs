use processing::task;

struct Shop {
    factor: i64,
}

impl Shop {
    fn price(&self) {
        let _ = task!(|x: i64| x * self.factor);
    }
}

fn main() {}
