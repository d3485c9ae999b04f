//! What nearly every program with processes uses: `use processing::prelude::*`.

pub use crate::{
    Config, Handle, ListenError, Live, Phase, ProcessError, Share, ShareHandle, Shareable, Skprocess, Start,
    StartError, TellError, autoreconnect, skprocess, task,
};
