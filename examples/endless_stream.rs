//! An endless input, from which only so much is pulled as is needed: the first primes beyond a number.

use std::cell::Cell;

use processing::Pool;

fn is_prime(number: u64) -> (u64, bool) {
    let mut divisors = (2..).take_while(|divisor| divisor * divisor <= number);
    (number, number > 1 && divisors.all(|divisor| !number.is_multiple_of(divisor)))
}

fn main() -> anyhow::Result<()> {
    let pool = Pool::new(2)?;
    let pulled = Cell::new(0_u64);
    let candidates = (1_000_000_000_000..).inspect(|_| pulled.set(pulled.get() + 1));

    // Results come in the order of the input, each as soon as it is there.
    let mut primes = Vec::new();
    for result in pool.imap(is_prime, candidates) {
        let (number, prime) = result?;
        if prime {
            println!("{number}");
            primes.push(number);
        }
        if primes.len() == 5 {
            break; // ends the work; the pool stays
        }
    }

    let looked_at = primes[4] - 1_000_000_000_000 + 1;
    println!("looked at {looked_at} numbers, of {} that were pulled from an endless input", pulled.get());
    assert_eq!(primes[0], 1_000_000_000_039);
    assert!(pulled.get() >= looked_at);
    assert!(pool.map(is_prime, [97])?[0].1, "the pool is as good as new");
    Ok(())
}
