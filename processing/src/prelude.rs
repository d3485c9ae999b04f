//! What nearly every program with processes uses: `use processing::prelude::*`.

pub use crate::{
    Config, Handle, ListenError, Live, Phase, ProcessError, Skprocess, Start, StartError, TellError,
    autoreconnect, skprocess, task,
};
