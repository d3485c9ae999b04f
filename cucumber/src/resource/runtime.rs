//! Where the asynchronous connections live: a tokio runtime of one thread, made when the first of them is.

use std::future::Future;
use std::io;
use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// Waits for a future, in a hook of either kind: inside another runtime, too.
pub(super) fn wait<F>(limit: Duration, future: F) -> io::Result<F::Output>
where
    F: Future + Send,
    F::Output: Send,
{
    let runtime = runtime()?;
    // A thread of its own, because no runtime's thread may wait for another runtime.
    let done = thread::scope(|scope| {
        let waiting = || runtime.block_on(async { tokio::time::timeout(limit, future).await });
        Ok::<_, io::Error>(
            thread::Builder::new().name("live".to_owned()).spawn_scoped(scope, waiting)?.join(),
        )
    })?;
    match done {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(_)) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer in {limit:.1?}"))),
        Err(panic) => resume_unwind(panic),
    }
}

fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: OnceLock<io::Result<Runtime>> = OnceLock::new();
    let make = || Builder::new_multi_thread().worker_threads(1).thread_name("live").enable_all().build();
    RUNTIME.get_or_init(make).as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))
}
