//! Connections that this crate knows by itself, each behind a feature.

#[cfg(any(feature = "postgres", feature = "mysql", feature = "redis"))]
mod bounded;
#[cfg(feature = "http")]
pub(crate) mod http;
#[cfg(feature = "mysql")]
pub(crate) mod mysql;
#[cfg(any(feature = "postgres", feature = "tokio-postgres", feature = "sqlx"))]
pub(crate) mod postgres;
#[cfg(feature = "redis")]
pub(crate) mod redis;
#[cfg(any(feature = "tokio-postgres", feature = "sqlx"))]
mod runtime;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
#[cfg(feature = "sqlx")]
pub(crate) mod sqlx;
