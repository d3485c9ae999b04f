//! Live connections of every other kind in workers: they come up, come back, and end in errors that say what was wrong.

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mysql::prelude::Queryable as _;
use processing::cucumber::HttpRecipe;
use processing::prelude::*;
use processing::{Reconnect, Secret};
use redis::TypedCommands as _;
use tests::services::{is_installed, is_there};
use tests::{LONGEST, chain, watchdog};

const MARIADB: &str = "127.0.0.1:3306";
const POSTGRES: &str = "127.0.0.1:5432";
const REDIS: &str = "127.0.0.1:6379";
const PASSWORD: &str = "s3cr3t-of-a-server";

#[skprocess(lives = 2)]
struct Words {
    db: Live<rusqlite::Connection>,
}

#[skprocess]
impl Words {
    fn run(&mut self) -> anyhow::Result<()> {
        let Some(word) = self.listen::<String>(None)? else { return Ok(()) };
        self.db.execute("INSERT INTO words VALUES (?1)", [&word])?;
        if word == "crash" && self.last_failure().is_none() {
            std::process::abort();
        }
        let count: i64 = self.db.query_row("SELECT count(*) FROM words", (), |row| row.get(0))?;
        self.tell(&count)?;
        Ok(())
    }

    fn result(&mut self) -> Live<rusqlite::Connection> {
        self.db.clone()
    }
}

#[test]
fn a_database_in_memory_goes_to_the_worker_survives_its_crash_and_comes_back() {
    let _dog = watchdog();
    let db = Live::<rusqlite::Connection>::open(":memory:").expect("a database");
    db.execute_batch("CREATE TABLE words (word TEXT UNIQUE); INSERT INTO words VALUES ('here')")
        .expect("a table");
    let words = Words { db: db.clone() }.start().expect("a process");
    // What the run that crashed had written is gone with it, or the word would be there already.
    for (word, count) in [("ada", 2), ("crash", 3), ("grace", 4)] {
        words.tell(word).expect("a listener");
        assert_eq!(words.listen::<i64>(LONGEST).expect("an answer"), Some(count));
    }
    words.stop();
    let back = words.result().expect("the database");
    let all: String =
        back.query_row("SELECT group_concat(word) FROM words", (), |row| row.get(0)).expect("a list");
    assert_eq!((all.as_str(), words.lives_left()), ("here,ada,crash,grace", 0));
    let here: i64 = db.query_row("SELECT count(*) FROM words", (), |row| row.get(0)).expect("a count");
    assert_eq!(here, 1, "it is a copy");
}

/// A session with a server, which somebody else can end.
trait Session: Reconnect {
    fn id(&mut self) -> anyhow::Result<u64>;
    fn end(id: u64) -> anyhow::Result<()>;
}

const MARIADB_URL: &str = "mysql://root@127.0.0.1:3306/test";
const REDIS_URL: &str = "redis://127.0.0.1:6379/6";

impl Session for mysql::Conn {
    fn id(&mut self) -> anyhow::Result<u64> {
        Ok(self.query_first("SELECT connection_id()")?.unwrap_or_default())
    }

    fn end(id: u64) -> anyhow::Result<()> {
        Ok(mysql::Conn::new(MARIADB_URL)?.query_drop(format!("KILL {id}"))?)
    }
}

impl Session for redis::Connection {
    fn id(&mut self) -> anyhow::Result<u64> {
        Ok(redis::cmd("CLIENT").arg("ID").query(self)?)
    }

    fn end(id: u64) -> anyhow::Result<()> {
        let mut admin = redis::Client::open(REDIS_URL)?.get_connection()?;
        Ok(redis::cmd("CLIENT").arg("KILL").arg("ID").arg(id).exec(&mut admin)?)
    }
}

/// Its session ends after the second run, and in the middle of the fourth, which has a life for that.
#[skprocess(runs = 4, lives = 2)]
#[serde(bound = "")]
struct Survivor<C: Session> {
    link: Live<C>,
    sessions: Vec<u64>,
    lives: Vec<u32>,
}

#[skprocess]
impl<C: Session> Survivor<C> {
    fn run(&mut self) -> anyhow::Result<()> {
        let mut id = self.link.id()?;
        if self.sessions.len() == 3 && self.last_failure().is_none() {
            C::end(id)?;
            id = self.link.id()?;
        }
        self.sessions.push(id);
        self.lives.push(self.lives_left());
        Ok(())
    }

    fn postrun(&mut self) -> anyhow::Result<()> {
        if self.sessions.len() == 2 {
            C::end(self.sessions[1])?;
        }
        Ok(())
    }

    fn result(&mut self) -> (Vec<u64>, Vec<u32>) {
        (self.sessions.clone(), self.lives.clone())
    }
}

/// A session that ended between two runs is replaced, one that ends in a run costs that run's life and is replaced then.
fn survives<C: Session>(url: &str) {
    let link = Live::lazy(url).expect("a recipe");
    let survivor = Survivor::<C> { link, sessions: Vec::new(), lives: Vec::new() };
    let (sessions, lives) = survivor.run().expect("four runs with two lives");
    assert_eq!(sessions[0], sessions[1], "one session for all runs");
    assert_ne!(sessions[1], sessions[2]);
    assert_ne!(sessions[2], sessions[3]);
    assert_eq!(lives, [1, 1, 1, 0]);
}

#[test]
fn a_mariadb_session_that_the_server_ended_is_replaced() {
    let _dog = watchdog();
    if is_there("MariaDB", MARIADB) {
        survives::<mysql::Conn>(MARIADB_URL);
    }
}

#[test]
fn a_redis_connection_that_the_server_ended_is_replaced() {
    let _dog = watchdog();
    if is_there("Redis", REDIS) {
        survives::<redis::Connection>(REDIS_URL);
    }
}

/// Both asynchronous clients, one beside the other.
#[skprocess(runs = 3)]
struct Asynchronous {
    client: Live<tokio_postgres::Client>,
    pool: Live<sqlx::PgPool>,
    backends: Vec<(i32, i32)>,
}

const WHO: &str = "SELECT pg_backend_pid()";

#[skprocess]
impl Asynchronous {
    async fn run(&mut self) -> anyhow::Result<()> {
        let client = self.client.query_one(WHO, &[]).await?.get(0);
        let pool = sqlx::query_scalar(WHO).fetch_one(&*self.pool).await?;
        self.backends.push((client, pool));
        Ok(())
    }

    async fn postrun(&mut self) -> anyhow::Result<()> {
        if self.backends.len() == 2 {
            let admin = Live::<tokio_postgres::Client>::open("postgres://postgres@127.0.0.1/test")?;
            let (client, pool) = self.backends[1];
            let end = "SELECT pg_terminate_backend($1, 5000), pg_terminate_backend($2, 5000)";
            admin.query_one(end, &[&client, &pool]).await?;
        }
        Ok(())
    }

    fn result(&mut self) -> Vec<(i32, i32)> {
        self.backends.clone()
    }
}

#[test]
fn backends_of_asynchronous_clients_are_replaced_between_runs_and_cost_no_life() {
    let _dog = watchdog();
    if !is_there("PostgreSQL", POSTGRES) {
        return;
    }
    let url = "postgres://postgres@127.0.0.1:5432/test";
    let (client, pool) = (Live::lazy(url).expect("a recipe"), Live::lazy(url).expect("a recipe"));
    let backends =
        Asynchronous { client, pool, backends: Vec::new() }.run().expect("three runs with one life");
    assert_eq!(backends[0], backends[1]);
    assert_ne!(backends[1].0, backends[2].0);
    assert_ne!(backends[1].1, backends[2].1);
}

/// A Redis server of our own that asks for a password, gone at the end.
struct Guarded(Child);

impl Guarded {
    fn start(port: u16) -> Self {
        let process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--requirepass", PASSWORD])
            .stdout(Stdio::null())
            .spawn();
        Self(process.expect("a server"))
    }

    fn is_up(&mut self, port: u16) {
        let deadline = Instant::now() + LONGEST;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                Instant::now() < deadline && self.0.try_wait().is_ok_and(|end| end.is_none()),
                "no server"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that nobody listens at.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its number").port()
}

fn password() -> anyhow::Result<Secret> {
    Ok(Secret::new(PASSWORD))
}

#[autoreconnect(redis::Connection = { "*": password, "shut": "not-the-password", "unset": env("PROCESSING_TEST_NOT_SET") })]
#[skprocess(runs = 1, timeouts(prerun = "30s"))]
struct Caching {
    caches: BTreeMap<String, Live<redis::Connection>>,
}

#[skprocess]
impl Caching {
    fn run(&mut self) -> anyhow::Result<()> {
        for (name, cache) in &mut self.caches {
            cache.set("name", name)?;
        }
        Ok(())
    }
}

fn caching(port: u16, names: &[&str]) -> Caching {
    // As the parent has it, password and all.
    let url = format!("redis://:{PASSWORD}@127.0.0.1:{port}");
    let cache = || Live::lazy(&url).expect("a recipe");
    Caching { caches: names.iter().map(|name| ((*name).to_owned(), cache())).collect() }
}

#[test]
fn a_server_that_comes_up_late_is_waited_for() {
    let _dog = watchdog();
    if !is_installed("redis-server") {
        return;
    }
    let port = free_port();
    let worker = caching(port, &["open"]).start().expect("a process");
    // It knocks while nobody is there: wherever it is by now, it has to come through.
    let mut server = Guarded::start(port);
    server.is_up(port);
    worker.wait().expect("a good end");
    let mut cache =
        Live::<redis::Connection>::open(&format!("redis://:{PASSWORD}@127.0.0.1:{port}")).expect("a server");
    assert_eq!(redis::TypedCommands::get(&mut *cache, "name").expect("an answer").as_deref(), Some("open"));
}

#[test]
fn a_wrong_password_and_a_missing_one_name_the_field_and_not_the_secret() {
    let _dog = watchdog();
    if !is_installed("redis-server") {
        return;
    }
    let port = free_port();
    let mut server = Guarded::start(port);
    server.is_up(port);
    for (name, reason) in [("shut", "authentication failed"), ("unset", "`PROCESSING_TEST_NOT_SET`")] {
        let error = caching(port, &["open", name]).run().expect_err("a server that does not let it in");
        let text = format!("{} {error:?}", chain(&error).join(": "));
        assert!(text.contains(&format!(r#"cannot reconnect field `caches["{name}"]`"#)), "{text}");
        assert!(text.contains(reason), "{text}");
        assert!(!text.contains(PASSWORD) && !text.contains("not-the-password"), "{text}");
    }
}

#[autoreconnect(
    redis::Connection = { "*": password },
    mysql::Conn = { "*": password },
    postgres::Client = { "*": password },
    tokio_postgres::Client = { "*": password },
    sqlx::PgPool = { "*": password },
    ureq::Agent = { "*": password },
)]
#[skprocess(runs = 1, timeouts(prerun = "2s"))]
#[serde(bound = "")]
struct Waiting<C: Reconnect> {
    link: Live<C>,
}

#[skprocess]
impl<C: Reconnect> Waiting<C> {
    fn run(&mut self) {}
}

fn is_given_up<C: Reconnect>(link: Live<C>) {
    let error = Waiting { link }.run().expect_err("a peer that says nothing");
    let text = chain(&error).join(": ");
    assert!(!error.is_timeout(), "the worker had to be ended: {text}");
    assert_eq!(error.phase(), Some(Phase::Prerun), "{text}");
    assert!(text.contains("cannot reconnect field `link`") && !text.contains(PASSWORD), "{text}");
}

#[test]
fn a_peer_that_takes_the_connection_and_says_nothing_is_given_up_before_the_hooks_limit() {
    let _dog = watchdog();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = format!("u:{PASSWORD}@127.0.0.1:{}", listener.local_addr().expect("its number").port());
    let url = |scheme: &str| format!("{scheme}://{place}");
    let server = format!("http://{}", listener.local_addr().expect("its address"));
    let recipe = HttpRecipe::new(&server).and_then(|recipe| recipe.bearer().check("/")).expect("a recipe");
    std::thread::scope(|all| {
        all.spawn(|| is_given_up::<redis::Connection>(Live::lazy(&url("redis")).expect("a recipe")));
        all.spawn(|| is_given_up::<mysql::Conn>(Live::lazy(&url("mysql")).expect("a recipe")));
        all.spawn(|| is_given_up::<postgres::Client>(Live::lazy(&url("postgres")).expect("a recipe")));
        all.spawn(|| is_given_up::<tokio_postgres::Client>(Live::lazy(&url("postgres")).expect("a recipe")));
        all.spawn(|| is_given_up::<sqlx::PgPool>(Live::lazy(&url("postgres")).expect("a recipe")));
        all.spawn(|| is_given_up::<ureq::Agent>(Live::new(recipe)));
    });
}

#[skprocess(runs = 1)]
struct Fetcher {
    api: Live<ureq::Agent>,
    url: String,
    answers: Vec<String>,
}

#[skprocess]
impl Fetcher {
    fn run(&mut self) -> anyhow::Result<()> {
        for path in ["one", "two"] {
            let mut answer = self.api.get(format!("{}/{path}", self.url)).call()?;
            self.answers.push(answer.body_mut().read_to_string()?);
        }
        Ok(())
    }

    fn result(&mut self) -> Vec<String> {
        std::mem::take(&mut self.answers)
    }
}

#[test]
fn an_http_client_asks_from_within_a_worker() {
    use std::io::{BufRead as _, BufReader, Write as _};
    let _dog = watchdog();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    let server = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut lines =
                BufReader::new(stream.try_clone().expect("a stream")).lines().map_while(Result::ok);
            let asked = lines.next().unwrap_or_default();
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let head = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{asked}",
                asked.len()
            );
            stream.write_all(head.as_bytes()).expect("a client that reads");
        }
    });
    let api = Live::open(&url).expect("a client");
    let answers = Fetcher { api, url, answers: Vec::new() }.run().expect("answers");
    assert_eq!(answers, ["GET /one HTTP/1.1", "GET /two HTTP/1.1"]);
    server.join().expect("a server");
}
