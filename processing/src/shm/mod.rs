//! Memory that two processes see. What another process can write is read as input: with atomics, and checked.
#![expect(unsafe_code, reason = "shared memory is reached through pointers; the types here keep that inside")]

mod page;
pub(crate) mod status;

pub(crate) use page::Page;
