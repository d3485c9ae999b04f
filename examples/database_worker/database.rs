//! Two databases, as far as the example needs them.

use std::io::Write;
use std::path::Path;

use processing::{Live, Provider, Reconnect};
use rusqlite::types::ToSqlOutput;
use serde::{Deserialize, Serialize};

/// A row of the table `processing_users`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) city: String,
    pub(crate) spent: f64,
}

/// What stands in for `$1`, `$2`, … in a query.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Value {
    Number(i64),
    Real(f64),
    Text(String),
}

/// A connection to some database.
pub(crate) trait Database: Reconnect {
    const NAME: &'static str;
    /// A query that takes far too long.
    const SLOW: &'static str;

    /// Makes a table of so many users, and returns how many are in it.
    fn fill(&mut self, users: i64) -> anyhow::Result<i64>;
    fn select(&mut self, sql: &str, parameters: &[Value]) -> anyhow::Result<Vec<User>>;
    /// Takes the table away again.
    fn clear(&mut self) -> anyhow::Result<()>;
}

/// The database in this file, which is created.
pub(crate) fn sqlite(file: &Path) -> anyhow::Result<Live<rusqlite::Connection>> {
    Ok(Live::open(&file.to_string_lossy())?)
}

/// The database at this address.
pub(crate) fn postgres(url: &str) -> anyhow::Result<Live<postgres::Client>> {
    let mut db = Live::<postgres::Client>::lazy(url)?;
    db.set_provider(Provider::function(password));
    Ok(db)
}

/// The password in `DATABASE_URL`, else the one in `PGPASSWORD`. Asked where the connection is made, here and in the
/// worker: it is no part of what travels between them.
pub(crate) fn password() -> anyhow::Result<String> {
    let url: postgres::Config = std::env::var("DATABASE_URL")?.parse()?;
    match url.get_password() {
        Some(password) => Ok(String::from_utf8(password.to_vec())?),
        None => Ok(std::env::var("PGPASSWORD")?),
    }
}

const TABLE: &str = "DROP TABLE IF EXISTS processing_users;
    CREATE TABLE processing_users (
        id BIGINT PRIMARY KEY, name TEXT NOT NULL, city TEXT NOT NULL, spent DOUBLE PRECISION NOT NULL
    );";

impl Database for rusqlite::Connection {
    const NAME: &'static str = "SQLite";
    const SLOW: &'static str = "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count)
        SELECT n, '', '', 0.0 FROM count WHERE n < 0";

    fn fill(&mut self, users: i64) -> anyhow::Result<i64> {
        self.execute_batch(TABLE)?;
        let transaction = self.transaction()?;
        let mut insert = transaction.prepare("INSERT INTO processing_users VALUES ($1, $2, $3, $4)")?;
        for User { id, name, city, spent } in (1..=users).map(user) {
            insert.execute((id, name, city, spent))?;
        }
        drop(insert);
        transaction.commit()?;
        Ok(self.query_row("SELECT count(*) FROM processing_users", (), |row| row.get(0))?)
    }

    fn select(&mut self, sql: &str, parameters: &[Value]) -> anyhow::Result<Vec<User>> {
        let mut query = self.prepare_cached(sql)?;
        let users = query.query_map(rusqlite::params_from_iter(parameters), |row| {
            Ok(User { id: row.get(0)?, name: row.get(1)?, city: row.get(2)?, spent: row.get(3)? })
        })?;
        Ok(users.collect::<Result<_, _>>()?)
    }

    fn clear(&mut self) -> anyhow::Result<()> {
        Ok(self.execute_batch("DROP TABLE processing_users")?)
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Value::Number(number) => number.to_sql(),
            Value::Real(number) => number.to_sql(),
            Value::Text(text) => text.to_sql(),
        }
    }
}

impl Database for postgres::Client {
    const NAME: &'static str = "PostgreSQL";
    const SLOW: &'static str = "SELECT 0::BIGINT, '', '', 0::DOUBLE PRECISION FROM pg_sleep(5)";

    fn fill(&mut self, users: i64) -> anyhow::Result<i64> {
        self.batch_execute(TABLE)?;
        let mut copy = self.copy_in("COPY processing_users FROM STDIN")?;
        for User { id, name, city, spent } in (1..=users).map(user) {
            writeln!(copy, "{id}\t{name}\t{city}\t{spent}")?;
        }
        copy.finish()?;
        Ok(self.query_one("SELECT count(*) FROM processing_users", &[])?.try_get(0)?)
    }

    fn select(&mut self, sql: &str, parameters: &[Value]) -> anyhow::Result<Vec<User>> {
        let parameters: Vec<&(dyn postgres::types::ToSql + Sync)> =
            parameters.iter().map(parameter).collect();
        let rows = self.query(sql, &parameters)?;
        let users = rows.iter().map(|row| {
            Ok(User {
                id: row.try_get(0)?,
                name: row.try_get(1)?,
                city: row.try_get(2)?,
                spent: row.try_get(3)?,
            })
        });
        users.collect()
    }

    fn clear(&mut self) -> anyhow::Result<()> {
        Ok(self.batch_execute("DROP TABLE processing_users")?)
    }
}

fn parameter(value: &Value) -> &(dyn postgres::types::ToSql + Sync) {
    match value {
        Value::Number(number) => number,
        Value::Real(number) => number,
        Value::Text(text) => text,
    }
}

/// The same people every time.
fn user(id: i64) -> User {
    const NAMES: [&str; 7] = ["Ada", "Barbara", "Donald", "Edsger", "Grace", "Niklaus", "Tony"];
    const FAMILIES: [&str; 5] = ["Bakke", "Costa", "Haddad", "Moreau", "Tanaka"];
    const CITIES: [&str; 6] = ["Dakar", "Hanoi", "Lima", "Oslo", "Perth", "Quito"];
    let pick = |from: &[&'static str], salt: i64| from[(id * salt % 10_007) as usize % from.len()];
    User {
        id,
        name: format!("{} {}", pick(&NAMES, 31), pick(&FAMILIES, 57)),
        city: pick(&CITIES, 73).to_owned(),
        spent: (id * 7_919 % 100_000) as f64 / 100.0,
    }
}
