//! Shared state: what the derive makes of a type, and that it is the same state in every process.
#![forbid(unsafe_code)]

#[path = "share/derived.rs"]
mod derived;
#[path = "share/elsewhere.rs"]
mod elsewhere;
#[path = "share/events.rs"]
mod events;
#[path = "share/processes.rs"]
mod processes;
#[cfg(target_os = "linux")]
#[path = "share/sizes.rs"]
mod sizes;
#[path = "share/thousand.rs"]
mod thousand;
#[path = "share/ways.rs"]
mod ways;
