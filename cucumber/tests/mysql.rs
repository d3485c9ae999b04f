//! A live MariaDB or MySQL connection crosses without its password, and comes back when the server ended it.
//!
//! Most of it needs a server on this machine, and says so when there is none; `PROCESSING_REQUIRE_SERVICES` makes that a failure.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use cucumber::{AnyLive, Credentials, Live, MysqlRecipe, Provider, Reconnect, Scope, reconnect_until};
use mysql::prelude::Queryable;
use mysql::{Conn, Opts, OptsBuilder};
use serde::{Deserialize, Serialize};
use support::servers::{self, patience};
use support::silence;

const PASSWORD: &str = "p@ss/w:rd-51c7a2";
const ENCODED: &str = "p%40ss%2Fw%3Ard-51c7a2";
const SERVER: &str = "mysql://root@127.0.0.1:3306/test?prefer_socket=false";

#[derive(Serialize, Deserialize)]
struct Worker {
    db: Live<Conn>,
}

fn server() -> Option<Live<Conn>> {
    servers::open("MariaDB", SERVER)
}

fn id(db: &mut Conn) -> u64 {
    db.query_first("SELECT connection_id()").unwrap().unwrap()
}

#[test]
fn the_other_side_has_a_connection_of_its_own() {
    let Some(db) = server() else { return };
    let mut here = Worker { db };
    let mut there: Worker = cucumber::from_bytes(&cucumber::to_bytes(&here).unwrap()).unwrap();
    assert!(!there.db.is_connected());
    assert_ne!(id(&mut here.db), id(&mut there.db));
    let name: Option<String> = there.db.query_first("SELECT database()").unwrap();
    assert_eq!(name.as_deref(), Some("test"));
    let mut other = Live::<Conn>::open(&SERVER.replace("mysql:", "mariadb:")).unwrap();
    assert_ne!(id(&mut other), id(&mut there.db));
}

#[test]
fn a_session_that_the_server_ended_is_replaced() {
    let (Some(mut idle), Some(mut killer)) = (server(), server()) else { return };
    let old = id(&mut idle);
    killer.query_drop(format!("KILL {old}")).unwrap();
    assert!(AnyLive::verify(&mut idle, patience()).unwrap(), "the dead session was taken for a live one");
    assert_ne!(id(&mut idle), old);
    assert!(!AnyLive::verify(&mut idle, patience()).unwrap());
}

#[test]
fn a_slow_query_has_all_the_time_that_it_needs() {
    let Some(mut db) = server() else { return };
    let limit = std::time::Duration::from_millis(300);
    let mut live = db.clone();
    assert!(AnyLive::verify(&mut live, Some(std::time::Instant::now() + limit)).is_ok());
    live.query_drop("SELECT sleep(0.7)").unwrap();
    // Nor does the first connection, which was looked at in between, fare worse.
    assert!(!AnyLive::verify(&mut db, Some(std::time::Instant::now() + limit)).unwrap());
    db.query_drop("SELECT sleep(0.7)").unwrap();
}

/// A user of the server with this password, gone at the end.
struct User {
    name: String,
    admin: Live<Conn>,
}

impl User {
    fn new(name: &str) -> Option<Self> {
        let mut admin = server()?;
        let name = format!("{name}_{}", std::process::id());
        admin.query_drop(format!("CREATE OR REPLACE USER '{name}'@'%' IDENTIFIED BY '{PASSWORD}'")).unwrap();
        admin.query_drop(format!("GRANT ALL ON test.* TO '{name}'@'%'")).unwrap();
        Some(Self { name, admin })
    }

    fn url(&self) -> String {
        format!("mysql://{}:{ENCODED}@127.0.0.1:3306/test", self.name)
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = self.admin.query_drop(format!("DROP USER '{}'@'%'", self.name));
    }
}

#[test]
fn the_password_stays_and_the_provider_s_is_used() {
    let Some(user) = User::new("keeps") else { return };
    let here = Worker { db: Live::open(&user.url()).unwrap() };
    servers::is_discreet(&here.db, &[PASSWORD, ENCODED]);
    let bytes = cucumber::to_bytes(&here).unwrap();

    let there: Worker = cucumber::from_bytes(&bytes).unwrap();
    assert!(there.db.connection().map(drop).unwrap_err().is_credential());

    let mut credentials = Credentials::new();
    credentials.insert::<Conn>("db", Provider::literal(PASSWORD));
    let scope = Scope::new().with_credentials(credentials.clone());
    let mut there: Worker = cucumber::decode_with(&bytes, scope).unwrap();
    let who: Option<String> = there.db.query_first("SELECT user()").unwrap();
    assert!(who.unwrap().starts_with(&user.name));

    // A wrong one is no matter of patience, and is in no error.
    credentials.insert::<Conn>("*", Provider::literal("wr0ng-secret"));
    let mut db: Live<Conn> = Live::lazy(&user.url()).unwrap();
    let report = reconnect_until(&mut db, &credentials, patience());
    let words = format!("{report:?}");
    assert!(words.contains("Access denied"), "{words}");
    assert!(!words.contains("wr0ng-secret") && !words.contains(PASSWORD), "{words}");
}

#[test]
fn servers_that_are_none_are_given_up_in_time() {
    servers::gives_up::<Conn>(|port| format!("mysql://shop:{ENCODED}@127.0.0.1:{port}/x"), PASSWORD);
}

#[test]
fn a_server_that_is_slow_with_every_letter_is_given_up_in_time() {
    // The length of a greeting, and what may become one.
    let port = silence::after(&[0xff, 0xff, 0, 0, 10], Some(b'x'));
    let error = servers::give_up::<Conn>(format!("mysql://shop:{ENCODED}@127.0.0.1:{port}/x"));
    assert!(error.is_connect(), "{error:?}");
}

#[test]
fn a_server_that_fell_silent_is_noticed_in_time() {
    silence::is_noticed::<Conn>("MariaDB", 3306, |port| SERVER.replace("3306", &port.to_string()));
}

#[test]
fn a_text_that_is_no_url_shows_no_secret() {
    servers::refuses_discreetly::<Conn>(
        &[
            "mysql://a:s3cr3t@h:port/db",
            "mysql://a:s3cr3t@h/db?s3cr3t=1",
            "s3cr3t",
            "http://a:s3cr3t@h",
            "mysql://a:b@c/s3cr3t@h/d",
        ],
        "s3cr3t",
    );
}

#[test]
fn everything_but_the_password_crosses() {
    let url = "mysql://u:secret@h:3307/d?prefer_socket=false&tcp_keepalive_time_ms=5000&tcp_connect_timeout_ms=700\
               &stmt_cache_size=9&compress=fast&secure_auth=false&tcp_user_timeout_ms=4000";
    let opts = OptsBuilder::from_opts(Opts::from_url(url).unwrap())
        .init(vec!["SET @a = 1"])
        .ssl_opts(mysql::SslOpts::default().with_danger_accept_invalid_certs(true))
        .tcp_nodelay(false)
        .read_timeout(Some(std::time::Duration::from_secs(3)))
        .bind_address("127.0.0.9:0".parse::<std::net::SocketAddr>().ok());
    let recipe = MysqlRecipe::from(&Opts::from(opts));
    assert!(Conn::needs_secret(&recipe));
    let back: MysqlRecipe = cucumber::from_bytes(&cucumber::to_bytes(&recipe).unwrap()).unwrap();
    assert_eq!(back, recipe);
    let words = format!("{back:?}");
    for word in [
        "\"h\"",
        "3307",
        "\"u\"",
        "\"d\"",
        "prefer_socket: false",
        "5000",
        "700ms",
        "statement_cache: 9",
        "4000",
        "compression: Some(1)",
        "SET @a = 1",
        "nodelay: false",
        "3s",
        "127.0.0.9",
        "accept_invalid: true",
    ] {
        assert!(words.contains(word), "{word} is not in {words}");
    }
    assert!(!words.contains("secret"));
}
