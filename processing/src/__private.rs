//! All that generated code may call, and nothing else. None of it is covered by version promises.

pub use std::time::Duration;

pub use core;
pub use serde;

pub use cucumber::__private::{cross, live};
pub use cucumber::task::captive::{Captive, capturing};
pub use cucumber::task::task;
pub use cucumber::{Credentials, Provider};

pub use crate::config::{Checkpoint, Config};
pub use crate::error::{Failure, Location, ProcessError};
pub use crate::lifecycle::returned::{
    ByData, ByLocalText, ByText, ByUnit, Fallible, HookReturn, NoValue, Returned, async_hook, settling,
    source,
};
pub use crate::lifecycle::{FromItem, Outcome, ProcessSpec, ProcessType, SingleField, Skprocess};
pub use crate::phase::Phase;
pub use crate::share::generated as share;
pub use crate::share::{Place, ShareError, ShareHandle, Shareable};
#[cfg(target_os = "linux")]
pub use crate::shm::bare::{Bare, BarePipe};
