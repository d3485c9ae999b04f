//! The attributes of `processing`.
#![forbid(unsafe_code)]
