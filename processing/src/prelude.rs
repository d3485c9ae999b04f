//! What nearly every program with processes uses: `use processing::prelude::*`.

pub use crate::{
    Config, Handle, ListenError, Live, Modify, Phase, ProcessError, Skprocess, Start, StartError, TellError,
    autoreconnect, skprocess, task,
};
