//! Values to bytes and back.
//!
//! Every `serde` type crosses: [`to_bytes`] and [`from_bytes`] for plain data, [`encode`] and [`decode`] for values that
//! hold handles, which ride beside the bytes, and [`encode_message`] and [`decode_message`] for messages that know
//! their type's name. What is *live* (a database connection) crosses as a recipe, in a [`Live`], and comes
//! back to life on the other side with a secret that never was in the bytes.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, Debug, PartialEq)]
//! struct Job { id: u64, #[serde(skip_serializing_if = "Option::is_none", default)] note: Option<String> }
//!
//! let job = Job { id: 7, note: None };
//! let bytes = cucumber::to_bytes(&job)?;
//! assert_eq!(cucumber::from_bytes::<Job>(&bytes)?, job);
//! # Ok::<(), cucumber::Error>(())
//! ```

mod bytes;
mod credentials;
pub mod cross;
mod de;
mod error;
mod frame;
pub mod func;
mod graph;
mod inspect;
mod live;
mod name;
mod reconnect;
mod reconnectable;
mod resource;
pub mod scope;
mod secret;
mod ser;
mod shape;
mod stack;
pub mod task;

pub use bytes::{as_bytes, from_its_bytes, is_bytes};
pub use credentials::Credentials;
pub use de::{decode, decode_message, decode_with, from_bytes, message_type};
/// Lets a struct or an enum cross, with all that serde leaves out.
///
/// It derives serde's traits, and puts on each field what the field needs to cross; [`cross`] has the list.
pub use processing_macros::cucumber_alone as cucumber;

pub use error::{BoxError, Error, Result};
pub use func::Func;
pub use inspect::{Tree, inspect, inspect_bytes};
pub use live::Live;
pub use name::type_name;
pub use reconnect::Reconnect;
pub use reconnectable::{
    AnyLive, Path, Reconnectable, Report, reconnect_all, reconnect_until, reconnect_with,
};
#[cfg(feature = "http")]
pub use resource::http::HttpRecipe;
#[cfg(feature = "mysql")]
pub use resource::mysql::MysqlRecipe;
#[cfg(any(feature = "postgres", feature = "tokio-postgres", feature = "sqlx"))]
pub use resource::postgres::PostgresRecipe;
#[cfg(feature = "redis")]
pub use resource::redis::RedisRecipe;
#[cfg(feature = "sqlite")]
pub use resource::sqlite::SqliteRecipe;
#[cfg(feature = "sqlx")]
pub use resource::sqlx::PgPoolRecipe;
pub use scope::{Attachment, Scope};
pub use secret::{Provider, Secret};
pub use ser::{Encoded, encode, encode_into, encode_message, encode_message_into, to_bytes};
pub use shape::know;
pub use stack::set_stack_budget;
pub use task::Task;

/// All that generated code may call, and nothing else. None of it is covered by version promises.
#[doc(hidden)]
pub mod __private {
    pub use core;
    pub use serde;

    /// Finding live resources in fields.
    pub mod live {
        pub use crate::reconnectable::specialised::{Field, ViaNothing, ViaReconnectable};
        pub use crate::reconnectable::{AnyLive, Path, Reconnectable};
    }

    /// What crosses without serde's help.
    pub mod cross {
        pub use crate::cross::via::{Place, Via, choosing, refused};
        pub use crate::cross::*;
    }
}
