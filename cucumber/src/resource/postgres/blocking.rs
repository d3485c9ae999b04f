//! `postgres::Client`.

use std::error::Error as StdError;
use std::time::{Duration, Instant};

use postgres::{Client, Config, NoTls};

use super::{PostgresRecipe, is_transient, knock};
use crate::error::BoxError;
use crate::reconnect::Reconnect;
use crate::resource::bounded;
use crate::secret::Secret;

/// How long a server may take to let us go.
const FAREWELL: Duration = Duration::from_secs(1);

impl Reconnect for Client {
    type Recipe = PostgresRecipe;

    fn parse(text: &str) -> Result<(PostgresRecipe, Option<Secret>), BoxError> {
        PostgresRecipe::parse(text)
    }

    fn needs_secret(recipe: &PostgresRecipe) -> bool {
        recipe.has_password
    }

    fn connect(recipe: &PostgresRecipe, secret: Option<&Secret>, limit: Duration) -> Result<Self, BoxError> {
        let end = Instant::now() + limit;
        let (recipe, secret) = (recipe.clone(), secret.cloned());
        bounded::within(limit, move || {
            // The driver's limit is for reaching the server; it waits for ever for one that then says nothing.
            let recipe = knock::without_silent_hosts(&recipe, limit)?;
            let left = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            Ok(Config::from(recipe.config(secret.as_ref(), left)).connect(NoTls)?)
        })?
    }

    fn is_alive(&mut self, _: &PostgresRecipe, limit: Duration) -> bool {
        // A server that ended the session while it was idle is noticed by asking only.
        !self.is_closed() && self.is_valid(limit).is_ok()
    }

    fn if_alive(self, recipe: &PostgresRecipe, limit: Duration) -> Option<Self> {
        // Dropped, a client waits for the answer that did not come.
        bounded::if_alive(self, recipe, limit)
    }

    fn is_transient(error: &(dyn StdError + 'static)) -> bool {
        is_transient(error)
    }

    fn close(self) {
        // It ends either way, and a server that is silent does not keep us.
        let _ = bounded::within(FAREWELL, || drop(Client::close(self)));
    }
}
