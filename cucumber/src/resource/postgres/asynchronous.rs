//! `tokio_postgres::Client`.

use std::error::Error as StdError;
use std::time::Duration;

use tokio_postgres::{Client, NoTls};

use super::{PostgresRecipe, is_transient};
use crate::error::BoxError;
use crate::reconnect::Reconnect;
use crate::resource::runtime;
use crate::secret::Secret;

/// Its connection is served by a thread of this crate, whichever runtime uses the client.
impl Reconnect for Client {
    type Recipe = PostgresRecipe;

    fn parse(text: &str) -> Result<(PostgresRecipe, Option<Secret>), BoxError> {
        PostgresRecipe::parse(text)
    }

    fn needs_secret(recipe: &PostgresRecipe) -> bool {
        recipe.has_password
    }

    fn connect(recipe: &PostgresRecipe, secret: Option<&Secret>, limit: Duration) -> Result<Self, BoxError> {
        let config = recipe.config(secret, limit);
        runtime::wait(limit, async {
            let (client, connection) = config.connect(NoTls).await?;
            // Ends with the client, or with the session; whoever uses the client is told why.
            tokio::spawn(connection);
            Ok(client)
        })?
    }

    fn is_alive(&mut self, _: &PostgresRecipe, limit: Duration) -> bool {
        !self.is_closed() && runtime::wait(limit, self.check_connection()).is_ok_and(|answer| answer.is_ok())
    }

    fn is_transient(error: &(dyn StdError + 'static)) -> bool {
        is_transient(error)
    }
}
