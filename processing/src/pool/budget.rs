//! How many processors a pool may use, and how many each of its workers.

use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::thread::available_parallelism;

use crate::spawn::variable;

/// How many threads this process may use, if a pool has said so: also what pools inside it go by.
pub(super) const BUDGET: &str = "PROCESSING_THREADS";

/// What libraries of threads go by.
const LIBRARIES: [&str; 8] = [
    "RAYON_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "TOKIO_WORKER_THREADS",
];

/// How many threads this process may use.
pub(super) fn of_this_process() -> usize {
    let given = variable(BUDGET).and_then(|threads| threads.parse().ok());
    given.or_else(processors).map_or(1, NonZeroUsize::get)
}

/// Asked for once: it is the contents of some files.
fn processors() -> Option<NonZeroUsize> {
    static PROCESSORS: OnceLock<Option<NonZeroUsize>> = OnceLock::new();
    *PROCESSORS.get_or_init(|| available_parallelism().ok())
}

/// What to tell a worker that may use so many threads. What the user has set is left as it is.
pub(super) fn variables(threads: usize) -> Vec<(&'static str, String)> {
    let ours = variable(BUDGET);
    let is_free = |name: &&str| variable(name).is_none_or(|value| ours.as_ref() == Some(&value));
    let names = LIBRARIES.into_iter().filter(is_free);
    names.chain([BUDGET]).map(|name| (name, threads.to_string())).collect()
}
