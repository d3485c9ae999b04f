//! Processes that start processes: a merge sort, each half in a process of its own.

use processing::prelude::*;

/// Sorts, with `depth` further levels of processes below it.
#[skprocess(runs = 1)]
struct Sort {
    numbers: Vec<u32>,
    depth: u32,
    family: Family,
}

/// Who did the work.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Family {
    pid: u32,
    share: usize,
    children: Vec<Family>,
}

#[skprocess]
impl Sort {
    fn run(&mut self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.family = Family { pid: std::process::id(), share: self.numbers.len(), children: Vec::new() };
        if self.depth == 0 {
            self.numbers.sort_unstable();
            return Ok(());
        }
        let right = self.numbers.split_off(self.numbers.len() / 2);
        let left = std::mem::take(&mut self.numbers);
        let [left, right] = [left, right].map(|half| Sort::of(half, self.depth - 1).start());
        let (left, left_family) = left?.result()?;
        let (right, right_family) = right?.result()?;
        self.numbers = merge(&left, &right);
        self.family.children = vec![left_family, right_family];
        Ok(())
    }

    fn result(&mut self) -> (Vec<u32>, Family) {
        (std::mem::take(&mut self.numbers), std::mem::take(&mut self.family))
    }
}

impl Sort {
    fn of(numbers: Vec<u32>, depth: u32) -> Self {
        Sort { numbers, depth, family: Family::default() }
    }
}

fn merge(mut left: &[u32], mut right: &[u32]) -> Vec<u32> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let ([l, left_rest @ ..], [r, right_rest @ ..]) = (left, right) {
        if l <= r {
            merged.push(*l);
            left = left_rest;
        } else {
            merged.push(*r);
            right = right_rest;
        }
    }
    merged.extend_from_slice(left);
    merged.extend_from_slice(right);
    merged
}

fn print(family: &Family, level: usize) {
    println!("{:1$}worker {2} had {3} numbers", "", level * 4, family.pid, family.share);
    for child in &family.children {
        print(child, level + 1);
    }
}

fn main() -> anyhow::Result<()> {
    let numbers: Vec<u32> = (0..200_000_u32).map(|n| n.wrapping_mul(2_654_435_761)).collect();
    let mut expected = numbers.clone();
    expected.sort_unstable();

    let (sorted, family) = Sort::of(numbers, 2).run()?;
    anyhow::ensure!(sorted == expected, "that is not sorted");
    println!("this is process {}", std::process::id());
    print(&family, 1);
    println!("sorted, from {:?} to {:?}", sorted[0], sorted[sorted.len() - 1]);
    Ok(())
}
