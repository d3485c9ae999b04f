//! `async fn` hooks.

use std::io;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

/// The worker's runtime, made for the first `async fn` hook and kept: what a hook spawns goes on between hooks.
#[derive(Debug, Default)]
pub(super) struct Runtime(OnceLock<tokio::runtime::Runtime>);

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // What a hook has spawned and does not end by itself must not hold up the end of the worker.
            runtime.shutdown_background();
        }
    }
}

impl Runtime {
    /// `None` if the time is over; the future has been dropped then.
    pub(super) fn block_on<T>(
        &self,
        future: Pin<Box<dyn Future<Output = T> + '_>>,
        limit: Option<Duration>,
    ) -> io::Result<Option<T>> {
        let runtime = self.get()?;
        Ok(runtime.block_on(async {
            match limit {
                Some(limit) => tokio::time::timeout(limit, future).await.ok(),
                None => Some(future.await),
            }
        }))
    }

    fn get(&self) -> io::Result<&tokio::runtime::Runtime> {
        if let Some(runtime) = self.0.get() {
            return Ok(runtime);
        }
        // One thread beside the hooks' own: what they spawn goes on while none of them runs.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(self.0.get_or_init(|| runtime))
    }
}
