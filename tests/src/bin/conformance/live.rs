//! Live connections: what becomes of them where a worker or a server's session ends.

use anyhow::{Context as _, Result, ensure};
use mysql::prelude::Queryable as _;
use processing::Reconnect;
use processing::prelude::*;
use redis::TypedCommands as _;
use tests::services::address_answers;
use tests::{LONGEST, TempDir, chain};

const POSTGRES: &str = "postgres://postgres@127.0.0.1:5432/test";
const MARIADB: &str = "mysql://root@127.0.0.1:3306/test";
const REDIS: &str = "redis://127.0.0.1:6379/6";
/// Must not be found in any error.
const SECRET: &str = "s3cr3t-of-a-row";

/// Writes names down, and is killed by one of them.
#[skprocess(lives = 2)]
struct Ledger {
    db: Live<rusqlite::Connection>,
}

#[skprocess]
impl Ledger {
    fn run(&mut self) -> Result<()> {
        let Some(name) = self.listen::<String>(None)? else { return Ok(()) };
        if name == "crash" && self.last_failure().is_none() {
            std::process::abort();
        }
        self.db.execute("INSERT INTO names (name) VALUES (?1)", [&name])?;
        self.tell(&self.db.query_row("SELECT count(*) FROM names", (), |row| row.get::<_, i64>(0))?)?;
        Ok(())
    }
}

/// A database file that was open in the program is open in its worker, and in the one that replaces that.
pub(crate) fn sqlite() -> Result<String> {
    let dir = TempDir::new();
    let path = dir.path().join("names.db");
    let db = Live::<rusqlite::Connection>::open(path.to_str().context("a plain path")?)?;
    db.execute("CREATE TABLE names (name TEXT NOT NULL)", ())?;
    let ledger = Ledger { db: db.clone() }.start()?;
    for (name, count) in [("ada", 1), ("crash", 2), ("grace", 3)] {
        ledger.tell(name)?;
        let said = ledger.listen::<i64>(LONGEST)?;
        ensure!(said == Some(count), "{said:?} names after `{name}`");
    }
    ledger.stop();
    ledger.wait()?;
    let names: i64 = db.query_row("SELECT count(*) FROM names", (), |row| row.get(0))?;
    ensure!(names == 3, "the program finds {names} names");
    Ok("open in the worker and in its successor; each row written once".to_owned())
}

/// A connection whose other end keeps a session, which somebody else can end.
trait Session: Reconnect {
    const SERVICE: &str;
    const ADDRESS: &str;
    const URL: &str;

    fn id(&mut self) -> Result<u64>;
    fn end(id: u64) -> Result<()>;
}

impl Session for postgres::Client {
    const SERVICE: &str = "PostgreSQL";
    const ADDRESS: &str = "127.0.0.1:5432";
    const URL: &str = POSTGRES;

    fn id(&mut self) -> Result<u64> {
        Ok(u64::try_from(self.query_one("SELECT pg_backend_pid()", &[])?.get::<_, i32>(0))?)
    }

    fn end(id: u64) -> Result<()> {
        let mut admin = postgres::Client::connect(POSTGRES, postgres::NoTls)?;
        admin.query_one("SELECT pg_terminate_backend($1, 5000)", &[&i32::try_from(id)?])?;
        Ok(())
    }
}

impl Session for mysql::Conn {
    const SERVICE: &str = "MariaDB";
    const ADDRESS: &str = "127.0.0.1:3306";
    const URL: &str = MARIADB;

    fn id(&mut self) -> Result<u64> {
        Ok(self.query_first("SELECT connection_id()")?.unwrap_or_default())
    }

    fn end(id: u64) -> Result<()> {
        Ok(mysql::Conn::new(MARIADB)?.query_drop(format!("KILL {id}"))?)
    }
}

impl Session for redis::Connection {
    const SERVICE: &str = "Redis";
    const ADDRESS: &str = "127.0.0.1:6379";
    const URL: &str = REDIS;

    fn id(&mut self) -> Result<u64> {
        Ok(u64::try_from(self.client_id()?)?)
    }

    fn end(id: u64) -> Result<()> {
        let mut admin = redis::Client::open(REDIS)?.get_connection()?;
        redis::cmd("CLIENT").arg("KILL").arg("ID").arg(id).query::<()>(&mut admin)?;
        Ok(())
    }
}

/// Says in each of three runs which session it has, and has the second one ended behind its back.
#[skprocess(runs = 3)]
#[serde(bound = "")]
struct Sessions<C: Session> {
    link: Live<C>,
    ids: Vec<u64>,
}

#[skprocess]
impl<C: Session> Sessions<C> {
    fn run(&mut self) -> Result<()> {
        let id = self.link.id()?;
        self.ids.push(id);
        Ok(())
    }
    fn postrun(&mut self) -> Result<()> {
        if let [_, second] = self.ids[..] { C::end(second) } else { Ok(()) }
    }
    fn result(&mut self) -> Vec<u64> {
        self.ids.clone()
    }
}

/// A session that its server ends between two runs costs no life.
fn session<C: Session>() -> Result<String> {
    if !address_answers(C::ADDRESS) {
        return Ok(format!("skipped: no {} at {}", C::SERVICE, C::ADDRESS));
    }
    let link = Live::<C>::lazy(C::URL)?;
    let ids = Sessions::<C> { link, ids: Vec::new() }.run()?;
    let [first, second, third] = ids[..] else { anyhow::bail!("{} runs", ids.len()) };
    ensure!(first == second, "another session in each run");
    ensure!(second != third, "a session that had been ended");
    Ok("one session for all runs; replaced when the server ends it, at no life".to_owned())
}

pub(crate) fn postgres() -> Result<String> {
    session::<postgres::Client>()
}

pub(crate) fn mariadb() -> Result<String> {
    session::<mysql::Conn>()
}

pub(crate) fn redis() -> Result<String> {
    session::<redis::Connection>()
}

#[autoreconnect(postgres::Client = { "*": "s3cr3t-of-a-row" })]
#[skprocess(runs = 1, timeouts(prerun = "2s"))]
struct Asker {
    db: Live<postgres::Client>,
}

#[skprocess]
impl Asker {
    fn prerun(&mut self) {}
    fn run(&mut self) -> Result<()> {
        self.db.batch_execute("SELECT 1")?;
        Ok(())
    }
}

/// Nobody listens where the recipe leads.
pub(crate) fn nobody() -> Result<String> {
    // The discard port of this machine.
    let db = Live::lazy("postgres://postgres@127.0.0.1:9/test?connect_timeout=1")?;
    let Err(error) = (Asker { db }).run() else { anyhow::bail!("it has connected") };
    let text = chain(&error).join(": ");
    ensure!(error.phase() == Some(Phase::Prerun), "at {:?}", error.phase());
    ensure!(text.contains("field `db`"), "without its field: {text}");
    ensure!(!text.contains(SECRET) && !format!("{error:?}").contains(SECRET), "the password is in the error");
    Ok("a typed error in `prerun` that names the field, without the password".to_owned())
}
