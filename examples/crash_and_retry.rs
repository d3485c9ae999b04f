//! Tasks that crash, hang or fail: what it costs, what it does not, and how they are tried again.

use std::time::{Duration, Instant};

use processing::{CurrentTask, Pool, Retry, Stream};

/// What parsers of a foreign format do, now and then.
fn parse(document: u32) -> Result<String, String> {
    let attempt = CurrentTask::get().map_or(0, |task| task.attempt);
    match (document % 10, attempt) {
        (3, 0) => std::process::abort(),
        (5, 0) => Err(format!("document {document} is locked")),
        (7, _) => std::process::abort(),
        (9, 0) => loop {
            std::hint::spin_loop();
        },
        _ => Ok(format!("document {document}, at attempt {}", attempt + 1)),
    }
}

fn main() -> anyhow::Result<()> {
    // The dying words of the workers are not the point here.
    let pool = Pool::builder().workers(2).stderr(Stream::Null).build()?;
    let limit = Duration::from_millis(300);

    println!("each task once:");
    for (document, result) in pool.task_timeout(limit).map_results(parse, 0..10).iter().enumerate() {
        match result {
            Ok(Ok(text)) => println!("  {text}"),
            Ok(Err(text)) => println!("  error: {text}"),
            Err(error) => println!("  {document}: {}", error.source),
        }
    }

    // To `map_results` an `Err` that the function returns is a value like any other; `try_map` tries it again too.
    println!("up to three times each:");
    let begun = Instant::now();
    let retry = Retry::times(3).delay(Duration::from_millis(20)).backoff(2.0);
    let results = pool.task_timeout(limit).retry(retry).map_results(parse, 0..10);
    for (document, result) in results.iter().enumerate() {
        match result {
            Ok(Ok(text)) => println!("  {text}"),
            Ok(Err(text)) => println!("  error: {text}"),
            Err(error) => println!("  {document}: {error}"),
        }
    }
    println!("in {:?}, with no worker harmed beyond replacement: {:?}", begun.elapsed(), pool.pids());

    let failed: Vec<usize> =
        results.iter().flat_map(|result| result.as_ref().err().map(|e| e.index)).collect();
    assert_eq!(failed, [7], "only what ends every worker is given up");
    assert!(results[7].as_ref().is_err_and(processing::PoolError::is_poison));
    Ok(())
}
