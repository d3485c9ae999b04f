//! Which way workers are started, as the program or its user wishes.

use std::sync::atomic::{AtomicU8, Ordering};

use super::variable;
use crate::config::StartMethod;
use crate::error::StartError;

/// The environment variable that says how workers are started: `auto`, `exec` or `fork-server`.
const VARIABLE: &str = "PROCESSING_START_METHOD";

/// What `set_start_method` was given, by its place in `METHODS`; its length for nothing yet.
static CHOSEN: AtomicU8 = AtomicU8::new(METHODS.len() as u8);

const METHODS: [(&str, StartMethod); 3] =
    [("auto", StartMethod::Auto), ("exec", StartMethod::Exec), ("fork-server", StartMethod::ForkServer)];

/// Sets how workers are started from now on.
///
/// ```
/// use processing::StartMethod;
///
/// processing::set_start_method(StartMethod::Exec);
/// # use processing::prelude::*;
/// # #[skprocess(runs = 1)] struct One {}
/// # #[skprocess] impl One { fn run(&mut self) {} }
/// # One {}.run().unwrap();
/// ```
pub fn set_start_method(method: StartMethod) {
    let place = METHODS.iter().position(|(_, known)| *known == method);
    CHOSEN.store(place.unwrap_or_default() as u8, Ordering::Relaxed);
}

/// The one that is in force.
pub(super) fn start_method(worker: &'static str) -> Result<StartMethod, StartError> {
    if let Some((_, chosen)) = METHODS.get(usize::from(CHOSEN.load(Ordering::Relaxed))) {
        return Ok(*chosen);
    }
    let Some(named) = variable(VARIABLE) else { return Ok(StartMethod::Auto) };
    let method = METHODS.iter().find(|(name, _)| *name == named).map(|(_, method)| *method);
    method.ok_or_else(|| StartError::Variable {
        worker,
        variable: VARIABLE,
        complaint: format!("there is no way called `{named}`; write `auto`, `exec` or `fork-server`"),
    })
}
