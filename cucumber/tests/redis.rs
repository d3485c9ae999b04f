//! A live Redis connection crosses without its password, and comes back when the server ended it.
//!
//! Most of it needs a server on this machine, and says so when there is none; `PROCESSING_REQUIRE_SERVICES` makes that a failure.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cucumber::{AnyLive, Credentials, Live, Provider, Reconnect, RedisRecipe, Scope, reconnect_until};
use redis::{Connection, IntoConnectionInfo, TypedCommands};
use serde::{Deserialize, Serialize};
use support::servers::{self, patience};
use support::silence;

const PASSWORD: &str = "p@ss/w:rd-77d0e4";
const ENCODED: &str = "p%40ss%2Fw%3Ard-77d0e4";

#[derive(Serialize, Deserialize)]
struct Worker {
    cache: Live<Connection>,
}

fn server() -> Option<Live<Connection>> {
    servers::open("Redis", "redis://127.0.0.1:6379/5")
}

fn id(cache: &mut Connection) -> i64 {
    redis::cmd("CLIENT").arg("ID").query(cache).unwrap()
}

#[test]
fn the_other_side_has_a_connection_of_its_own() {
    let Some(cache) = server() else { return };
    let mut here = Worker { cache };
    let key = format!("cucumber-crosses-{}", std::process::id());
    here.cache.set(&key, "there").unwrap();
    let mut there: Worker = cucumber::from_bytes(&cucumber::to_bytes(&here).unwrap()).unwrap();
    assert!(!there.cache.is_connected());
    assert_ne!(id(&mut here.cache), id(&mut there.cache));
    // The number of the database crossed, too.
    assert_eq!(there.cache.get(&key).unwrap().as_deref(), Some("there"));
    there.cache.del(&key).unwrap();
}

#[test]
fn a_connection_that_the_server_ended_is_replaced() {
    let (Some(mut idle), Some(mut killer)) = (server(), server()) else { return };
    let old = id(&mut idle);
    let killed: i64 = redis::cmd("CLIENT").arg("KILL").arg("ID").arg(old).query(&mut *killer).unwrap();
    assert_eq!(killed, 1);
    assert!(AnyLive::verify(&mut idle, patience()).unwrap(), "the dead connection was taken for a live one");
    assert_ne!(id(&mut idle), old);
    assert!(!AnyLive::verify(&mut idle, patience()).unwrap());
}

#[test]
fn a_slow_command_has_all_the_time_that_it_needs_unless_the_recipe_says_another() {
    let Some(mut cache) = server() else { return };
    let soon = || Some(Instant::now() + Duration::from_millis(300));
    assert!(!AnyLive::verify(&mut cache, soon()).unwrap());
    let mut wait = redis::cmd("BLPOP");
    let wait = wait.arg(format!("cucumber-nothing-{}", std::process::id())).arg(0.7);
    wait.exec(&mut *cache).unwrap();

    let recipe = cache.recipe().clone().answer_within(Duration::from_millis(100));
    let mut hasty = Live::<Connection>::new(recipe);
    assert!(wait.exec(&mut *hasty).unwrap_err().is_timeout());
}

/// A server of our own that asks for a password, gone at the end.
struct Guarded {
    process: Child,
    port: u16,
}

impl Guarded {
    fn start() -> Option<Self> {
        let port = servers::nobody();
        let listen = ["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        let mut process = match Command::new("redis-server")
            .args(listen)
            .args(["--requirepass", PASSWORD])
            .stdout(Stdio::null())
            .spawn()
        {
            Ok(process) => process,
            Err(error) => {
                let news = format!("no `redis-server` to start: {error}");
                assert!(std::env::var_os("PROCESSING_REQUIRE_SERVICES").is_none(), "{news}");
                use std::io::Write as _;
                std::io::stderr().write_all(format!("SKIPPED: {news}\n").as_bytes()).unwrap();
                return None;
            }
        };
        let deadline = patience().unwrap();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline && process.try_wait().unwrap().is_none(), "no server came up");
            std::thread::sleep(Duration::from_millis(5));
        }
        Some(Self { process, port })
    }

    fn url(&self, login: &str) -> String {
        format!("redis://{login}127.0.0.1:{}", self.port)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_password_stays_and_the_provider_s_is_used() {
    let Some(server) = Guarded::start() else { return };
    let url = server.url(&format!(":{ENCODED}@"));
    let here = Worker { cache: Live::open(&url).unwrap() };
    servers::is_discreet(&here.cache, &[PASSWORD, ENCODED]);
    let bytes = cucumber::to_bytes(&here).unwrap();

    let there: Worker = cucumber::from_bytes(&bytes).unwrap();
    assert!(there.cache.connection().map(drop).unwrap_err().is_credential());

    let mut credentials = Credentials::new();
    credentials.insert::<Connection>("cache", Provider::literal(PASSWORD));
    let scope = Scope::new().with_credentials(credentials.clone());
    let mut there: Worker = cucumber::decode_with(&bytes, scope).unwrap();
    there.cache.set("a", "b").unwrap();

    // A wrong one is no matter of patience, and is in no error.
    credentials.insert::<Connection>("*", Provider::literal("wr0ng-secret"));
    let mut cache: Live<Connection> = Live::lazy(&url).unwrap();
    let report = reconnect_until(&mut cache, &credentials, patience());
    let words = format!("{report:?}");
    assert!(report.failures[0].is_connect());
    assert!(!words.contains("wr0ng-secret") && !words.contains(PASSWORD), "{words}");

    // Nor is one that was not given at all; what then comes is the server's refusal, and not a connection.
    let mut without: Live<Connection> = Live::lazy(&server.url("")).unwrap();
    let error = AnyLive::verify(&mut without, patience()).unwrap_err();
    assert!(servers::chain(&error).to_lowercase().contains("auth"), "{}", servers::chain(&error));
}

#[test]
fn servers_that_are_none_are_given_up_in_time() {
    servers::gives_up::<Connection>(|port| format!("redis://:{ENCODED}@127.0.0.1:{port}"), PASSWORD);
}

#[test]
fn a_server_that_is_slow_with_every_letter_is_given_up_in_time() {
    let port = silence::after(b"+", Some(b'x'));
    let error = servers::give_up::<Connection>(format!("redis://:{ENCODED}@127.0.0.1:{port}"));
    assert!(error.is_connect(), "{error:?}");
}

#[test]
fn a_server_that_fell_silent_is_noticed_in_time() {
    silence::is_noticed::<Connection>("Redis", 6379, |port| format!("redis://127.0.0.1:{port}/5"));
}

#[test]
fn a_deadline_that_has_passed_makes_no_connection_a_dead_one() {
    let Some(mut cache) = server() else { return };
    assert!(!AnyLive::verify(&mut cache, Some(Instant::now())).unwrap());
}

#[test]
fn a_user_who_may_not_ask_is_let_in_all_the_same() {
    let Some(server) = Guarded::start() else { return };
    let mut admin = Live::<Connection>::open(&server.url(&format!(":{ENCODED}@"))).unwrap();
    let mut rules = redis::cmd("ACL");
    rules
        .arg("SETUSER")
        .arg("quiet")
        .arg("on")
        .arg(format!(">{PASSWORD}"))
        .arg("~*")
        .arg("+@all")
        .arg("-ping");
    rules.exec(&mut *admin).unwrap();
    let mut live = Live::<Connection>::open(&server.url(&format!("quiet:{ENCODED}@"))).unwrap();
    assert!(redis::cmd("PING").exec(&mut *live).is_err());
    assert!(!AnyLive::verify(&mut live, patience()).unwrap(), "the live connection was taken for a dead one");
    live.set("a", "b").unwrap();
    // With the limit that the recipe has, which is none.
    redis::cmd("BLPOP").arg("nothing").arg(0.3).exec(&mut *live).unwrap();
}

#[test]
fn a_word_that_may_be_a_password_is_taken_for_no_name() {
    for text in
        ["redis://s3cr3t@h", "redis://s3cr3t@h:63/4", "redis://s3cr3t@h/?protocol=resp3", "valkey://s3cr3t@h"]
    {
        let error = Live::<Connection>::lazy(text).map(drop).expect_err(text);
        let words = format!("{} {error:?}", servers::chain(&error));
        assert!(!words.contains("s3cr3t") && words.contains("`redis://:password@host`"), "{words}");
    }
    let live = Live::<Connection>::lazy("redis://me:@h").unwrap();
    assert!(format!("{:?}", live.recipe()).contains("Some(\"me\")"));
}

#[test]
fn a_text_that_is_no_url_shows_no_secret() {
    servers::refuses_discreetly::<Connection>(
        &[
            "redis://h/0?password=s3cr3t",
            "redis://h?s3cr3t=1",
            "unix:///x?password=s3cr3t",
            "redis://a:s3cr3t@h:port",
            "redis://:s3cr3t@h/name",
            "http://a:s3cr3t@h",
            "unix:///x?pass=s3cr3t&db=s3cr3t",
        ],
        "s3cr3t",
    );
}

#[test]
fn everything_but_the_password_crosses() {
    for (url, words) in [
        (
            "redis://u:secret@h:63/4?protocol=resp3",
            ["Tcp(\"h\", 63)", "Some(\"u\")", "database: 4", "resp3: true"],
        ),
        (
            "unix:///run/r.sock?user=v&pass=secret&db=6",
            ["Unix(\"/run/r.sock\")", "Some(\"v\")", "database: 6", "false"],
        ),
    ] {
        let recipe = RedisRecipe::new(&url.into_connection_info().unwrap()).unwrap();
        assert!(Connection::needs_secret(&recipe));
        let back: RedisRecipe = cucumber::from_bytes(&cucumber::to_bytes(&recipe).unwrap()).unwrap();
        assert_eq!(back, recipe);
        let shown = format!("{back:?}");
        for word in words {
            assert!(shown.contains(word), "{word} is not in {shown}");
        }
        assert!(!shown.contains("secret"));
    }
}
