//! The workspace's examples, and what the README shows.

/// Has the README's code compiled with the doctests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
