//! The live ones in it: of every kind whose server answers on this machine.

use std::time::Duration;

use mysql::prelude::Queryable as _;
use processing::{Live, cucumber};
use redis::TypedCommands as _;
use tests::services::is_there;

use crate::dice::Dice;

const POSTGRES: &str = "postgres://postgres@127.0.0.1:5432/test";
const MARIADB: &str = "mysql://root@127.0.0.1:3306/test";
const REDIS: &str = "redis://127.0.0.1:6379/7";

#[cucumber]
#[derive(Default)]
pub(crate) struct Connections {
    postgres: Vec<Live<postgres::Client>>,
    asynchronous: Option<Live<tokio_postgres::Client>>,
    pool: Option<Box<Live<sqlx::PgPool>>>,
    mysql: Option<Live<mysql::Conn>>,
    redis: Option<(u8, Live<redis::Connection>)>,
    http: Option<Live<ureq::Agent>>,
    memory: Option<Live<rusqlite::Connection>>,
}

/// Which servers there are; each that is not is said once.
pub(crate) struct Servers {
    postgres: bool,
    mariadb: bool,
    redis: bool,
}

impl Servers {
    pub(crate) fn find() -> Self {
        Self {
            postgres: is_there("PostgreSQL", "127.0.0.1:5432"),
            mariadb: is_there("MariaDB", "127.0.0.1:3306"),
            redis: is_there("Redis", "127.0.0.1:6379"),
        }
    }
}

impl Connections {
    pub(crate) fn any(dice: &mut Dice, servers: &Servers) -> Self {
        let mut all = Self::default();
        let mut some = |is_there: bool| dice.below(2) == 0 && is_there;
        if some(servers.postgres) {
            all.postgres = (0..2).map(|_| Live::lazy(POSTGRES).unwrap()).collect();
        }
        all.asynchronous = some(servers.postgres).then(|| Live::lazy(POSTGRES).unwrap());
        all.pool = some(servers.postgres).then(|| Box::new(Live::lazy(POSTGRES).unwrap()));
        all.mysql = some(servers.mariadb).then(|| Live::lazy(MARIADB).unwrap());
        all.redis = some(servers.redis).then(|| (7, Live::lazy(REDIS).unwrap()));
        all.http = some(true).then(|| Live::lazy("http://127.0.0.1:9/").unwrap());
        all.memory = some(true).then(|| {
            let memory = Live::<rusqlite::Connection>::open(":memory:").unwrap();
            memory.execute_batch("CREATE TABLE two (n INTEGER); INSERT INTO two VALUES (1), (1)").unwrap();
            memory
        });
        all
    }

    /// Asks each of them what one and one is; how many there were.
    pub(crate) fn try_out(&mut self) -> anyhow::Result<usize> {
        let mut sums = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        for postgres in &mut self.postgres {
            sums.push(postgres.connection_mut()?.query_one("SELECT 1 + 1", &[])?.get::<_, i32>(0));
        }
        if let Some(client) = &self.asynchronous {
            let client = client.connection()?;
            sums.push(runtime.block_on(client.query_one("SELECT 1 + 1", &[]))?.get::<_, i32>(0));
        }
        if let Some(pool) = &self.pool {
            let pool = pool.connection()?;
            sums.push(runtime.block_on(sqlx::query_scalar("SELECT 1 + 1").fetch_one(pool))?);
        }
        if let Some(mysql) = &mut self.mysql {
            sums.extend(mysql.connection_mut()?.query_first::<i32, _>("SELECT 1 + 1")?);
        }
        if let Some((_, redis)) = &mut self.redis {
            let redis = redis.connection_mut()?;
            redis.set_ex("one and one", 2, Duration::from_secs(60).as_secs())?;
            sums.push(redis.get("one and one")?.unwrap_or_default().parse()?);
        }
        if let Some(memory) = &self.memory {
            let sum = memory.connection()?.query_row("SELECT sum(n) FROM two", [], |row| row.get(0));
            sums.push(sum?);
        }
        if let Some(agent) = &self.http {
            agent.connection()?;
            sums.push(2);
        }
        anyhow::ensure!(sums.iter().all(|sum| *sum == 2), "{sums:?}");
        Ok(sums.len())
    }
}
