//! A worker with a live connection to a database. It outlives a wrong query, a slow one, and its own end.
//!
//! `cargo run --example database_worker` makes an SQLite database and asks that. With
//! `DATABASE_URL=postgres://user:password@host/database` the same worker asks PostgreSQL.

#[path = "database_worker/database.rs"]
mod database;
#[path = "database_worker/report.rs"]
mod report;

use std::time::{Duration, Instant};

use database::{Database, User, Value};
use processing::prelude::*;
use report::Report;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Query {
    sql: String,
    parameters: Vec<Value>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Reply {
    Found(Vec<User>),
    Failed(String),
    TooSlow,
}

#[autoreconnect(postgres::Client = { "*": function(database::password) })]
#[skprocess(lives = 3, timeouts(run = "500ms"))]
#[serde(bound = "")]
struct DatabaseWorker<D: Database> {
    db: Live<D>,
    query: Option<Query>,
    users: Vec<User>,
}

#[skprocess]
impl<D: Database> DatabaseWorker<D> {
    fn prerun(&mut self) -> anyhow::Result<()> {
        if self.query.is_none() {
            self.query = self.listen(Duration::from_millis(100))?;
        }
        // A query that failed has cost a life, and one that ran into the limit its worker too: the next worker goes on
        // from the last completed run, and is told the query once more. This one asks nothing twice.
        if let Some(failure) = self.last_failure().filter(|_| self.query.is_some()) {
            self.query = None;
            self.tell(&Reply::from(failure))?;
        }
        Ok(())
    }

    fn run(&mut self) -> anyhow::Result<()> {
        if let Some(query) = &self.query {
            self.users = self.db.select(&query.sql, &query.parameters)?;
        }
        Ok(())
    }

    fn postrun(&mut self) -> anyhow::Result<()> {
        if self.query.take().is_some() {
            let reply = Reply::Found(std::mem::take(&mut self.users));
            self.tell(&reply)?;
        }
        Ok(())
    }

    fn onfinish(&mut self) {
        self.db.close();
    }
}

impl From<ProcessError> for Reply {
    fn from(failure: ProcessError) -> Self {
        if failure.is_timeout() {
            return Reply::TooSlow;
        }
        // The first one says in which hook it was, the others why.
        let causes = anyhow::Error::new(failure);
        Reply::Failed(causes.chain().skip(1).map(ToString::to_string).collect::<Vec<_>>().join(": "))
    }
}

fn queries<D: Database>() -> Vec<(&'static str, Query)> {
    let users = |rest: &str| format!("SELECT id, name, city, spent FROM processing_users {rest}");
    let by_id = |id| Query { sql: users("WHERE id = $1"), parameters: vec![Value::Number(id)] };
    let spenders = |city: &str, least| Query {
        sql: users("WHERE city = $1 AND spent >= $2 ORDER BY spent DESC, id"),
        parameters: vec![Value::Text(city.into()), Value::Real(least)],
    };
    vec![
        ("user 123", by_id(123)),
        ("user 4567", by_id(4567)),
        ("a user who is not there", by_id(1_000_000)),
        ("who spends 950 in Oslo?", spenders("Oslo", 950.0)),
        ("one that takes for ever", Query { sql: D::SLOW.into(), parameters: vec![] }),
        ("who spends 990 in Lima?", spenders("Lima", 990.0)),
        ("a table that is not there", Query { sql: "SELECT * FROM nobody".into(), parameters: vec![] }),
        ("user 789", by_id(789)),
    ]
}

fn ask<D: Database>(mut db: Live<D>) -> anyhow::Result<()> {
    println!("{} users in {}\n", db.connection_mut()?.fill(5_000)?, D::NAME);

    let worker = DatabaseWorker { db: db.clone(), query: None, users: vec![] }.start()?;
    let first_pid = worker.pid();
    let mut report = Report::default();
    for (question, query) in queries::<D>() {
        let begin = Instant::now();
        worker.tell(&query)?;
        let reply = worker.listen::<Reply>(Duration::from_secs(10))?;
        report.add(question, reply, begin.elapsed());
    }
    worker.stop();
    worker.wait()?;

    println!("{report}\n{}", report::hooks(&worker.timers()));
    println!("{} runs; worker {first_pid} was replaced by {}", worker.current_run(), worker.pid());
    println!("avg query time: {:?}", worker.timers().run.mean().unwrap_or_default());
    db.clear()
}

fn main() -> anyhow::Result<()> {
    if let Ok(url) = std::env::var("DATABASE_URL") {
        return ask(database::postgres(&url)?);
    }
    let file = std::env::temp_dir().join(format!("processing-users-{}.db", std::process::id()));
    let asked = database::sqlite(&file).and_then(ask);
    std::fs::remove_file(file)?;
    asked
}
