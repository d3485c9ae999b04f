//! What nearly every program with processes uses: `use processing::prelude::*`.

pub use crate::{
    Config, Handle, ListenError, Live, Modify, Phase, ProcessError, Share, ShareError, ShareHandle,
    Shareable, Skprocess, Start, StartError, TellError, autoreconnect, shareable, skprocess, task,
};
