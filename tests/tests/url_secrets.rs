//! A password in a URL stays with whoever wrote the URL: it is in no byte of a worker's memory.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::os::unix::fs::FileExt;

use processing::prelude::*;
use serde::{Deserialize, Serialize};
use tests::{LONGEST, watchdog};

#[derive(Serialize, Deserialize)]
struct Urls {
    postgres: Live<postgres::Client>,
    asynchronous: Live<tokio_postgres::Client>,
    pool: Live<sqlx::PgPool>,
    mysql: Live<mysql::Conn>,
    redis: Live<redis::Connection>,
    http: Live<ureq::Agent>,
}

impl Urls {
    /// With this password in each of them, and nobody at the other end.
    fn with(password: &str) -> Self {
        fn url<C: processing::Reconnect>(scheme: &str, password: &str) -> Live<C> {
            let path = if scheme == "http" { "" } else { "/0" };
            Live::lazy(&format!("{scheme}://marked:{password}@127.0.0.1:9{path}")).expect("a recipe")
        }
        Self {
            postgres: url("postgres", password),
            asynchronous: url("postgres", password),
            pool: url("postgres", password),
            mysql: url("mysql", password),
            redis: url("redis", password),
            http: url("http", password),
        }
    }

    fn errors(&self) -> Vec<String> {
        fn error<C: processing::Reconnect>(live: &Live<C>) -> String {
            live.connection().map(drop).expect_err("nobody is there").to_string()
        }
        vec![
            error(&self.postgres),
            error(&self.asynchronous),
            error(&self.pool),
            error(&self.mysql),
            error(&self.redis),
            error(&self.http),
        ]
    }
}

#[skprocess(runs = 1)]
struct Holder {}

#[skprocess]
impl Holder {
    fn run(&mut self) -> anyhow::Result<()> {
        let Some(urls) = self.listen::<Urls>(None)? else { return Ok(()) };
        self.tell(&urls.errors())?;
        self.tell(&urls)?;
        // All of it stays where it is until somebody has looked.
        let _ = self.listen::<String>(None)?;
        drop(urls);
        Ok(())
    }
}

/// Whether a text is anywhere in a process's memory.
fn holds(pid: u32, text: &str) -> bool {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("its maps");
    let memory = File::open(format!("/proc/{pid}/mem")).expect("its memory");
    let mut readable =
        maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with('r')));
    readable.any(|line| {
        let range = line.split(' ').next().and_then(|range| range.split_once('-')).expect("a range");
        let [start, end] = [range.0, range.1].map(|text| u64::from_str_radix(text, 16).expect("an address"));
        let mut bytes = vec![0; (end - start) as usize];
        // Some pages belong to the kernel, which does not show them.
        memory.read_exact_at(&mut bytes, start).is_ok() && String::from_utf8_lossy(&bytes).contains(text)
    })
}

#[test]
fn a_password_in_a_url_is_nowhere_in_the_worker() {
    let _dog = watchdog();
    // Made now, so that it is not in the program that the worker runs.
    let password = format!("{:x}", RandomState::new().hash_one("password"));
    let urls = Urls::with(&password);
    let worker = Holder {}.start().expect("a process");
    worker.tell(&urls).expect("a listener");
    let errors = worker.listen::<Vec<String>>(LONGEST).expect("a message").expect("a message");
    for error in &errors {
        assert!(error.contains("credential"), "{errors:?}");
    }
    let back = worker.listen::<Urls>(LONGEST).expect("a message").expect("a message");
    assert!(!back.postgres.is_connected());
    assert!(holds(worker.pid(), "marked"), "the recipes are not found");
    assert!(holds(std::process::id(), &password), "nothing is found where it is");
    assert!(!holds(worker.pid(), &password), "the password is in the worker");
    worker.tell("seen").expect("a listener");
    worker.wait().expect("a good end");
}
