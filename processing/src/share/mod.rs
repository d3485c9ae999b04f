//! State that any number of processes share.
//!
//! A [`Share`] holds a value of a [`Shareable`] type in memory that all processes it is passed to see. It gives access
//! to the type's *handle*, which has the same fields as the type: `share.counter += 1`, `share.names.push(name)`. Every
//! operation is atomic, across threads and processes; [`Share::transaction`] makes several into one.
//!
//! Nothing that happens to a process harms the state: whoever is killed in the middle of an operation leaves what was
//! committed last, and the next one goes on at once.

mod cell;
mod codec;
mod comparisons;
mod compound;
mod deque;
mod dynamic;
mod error;
#[doc(hidden)]
pub mod generated;
mod handle;
mod list;
mod log;
mod map;
mod operations;
mod option;
mod ordered;
mod place;
mod row;
mod set;
mod shareable;
#[cfg(test)]
mod tests;
mod text;
mod timer;
mod transfer;
mod value;

pub use cell::{CellHandle, Scalar};
pub use deque::DequeHandle;
pub use dynamic::{Dynamic, DynamicHandle};
pub use error::ShareError;
pub use handle::Share;
pub use list::ListHandle;
pub use log::{Level, Log, LogHandle, Record};
pub use map::MapHandle;
pub use option::OptionHandle;
pub use ordered::OrderedMapHandle;
pub use place::Place;
pub use set::{OrderedSetHandle, SetHandle};
pub use shareable::{Element, ShareHandle, Shareable};
pub use text::TextHandle;
pub use timer::{SharedTimer, TimerHandle};
pub use value::{Plain, ValueHandle};
