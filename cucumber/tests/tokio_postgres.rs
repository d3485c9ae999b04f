//! The asynchronous PostgreSQL client, as live as the other one.
//!
//! Most of it needs a server on this machine, and says so when there is none; `PROCESSING_REQUIRE_SERVICES` makes that a failure.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::future::Future;

use cucumber::{AnyLive, Live, PostgresRecipe, Reconnect};
use serde::{Deserialize, Serialize};
use support::servers::{self, patience};
use support::silence;
use tokio_postgres::Client;

const PASSWORD: &str = "p@ss/w:rd-0c33f1";
const ENCODED: &str = "p%40ss%2Fw%3Ard-0c33f1";

#[derive(Serialize, Deserialize)]
struct Worker {
    db: Live<Client>,
}

fn server() -> Option<Live<Client>> {
    servers::open("PostgreSQL", "postgres://postgres@127.0.0.1:5432/test?application_name=asynchronous")
}

/// A runtime as a user has one: of one thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

async fn pid(db: &Client) -> i32 {
    db.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0)
}

#[test]
fn the_other_side_has_a_connection_of_its_own() {
    let Some(db) = server() else { return };
    let here = Worker { db };
    let there: Worker = cucumber::from_bytes(&cucumber::to_bytes(&here).unwrap()).unwrap();
    assert!(!there.db.is_connected());
    // It connects when it is used, which is inside somebody's runtime.
    block_on(async {
        assert_ne!(pid(&here.db).await, pid(&there.db).await);
        let name: String = there.db.query_one("SHOW application_name", &[]).await.unwrap().get(0);
        assert_eq!(name, "asynchronous");
    });
    // One runtime goes, and the connection stays.
    assert_eq!(block_on(pid(&there.db)), block_on(pid(&there.db)));
}

#[test]
fn a_session_that_the_server_ended_is_replaced() {
    let (Some(mut idle), Some(killer)) = (server(), server()) else { return };
    block_on(async {
        let old = pid(&idle).await;
        killer.query_one("SELECT pg_terminate_backend($1, 5000)", &[&old]).await.unwrap();
        assert!(AnyLive::verify(&mut idle, patience()).unwrap(), "the dead session was taken for a live one");
        assert_ne!(pid(&idle).await, old);
        assert!(!AnyLive::verify(&mut idle, patience()).unwrap());
    });
}

#[test]
fn servers_that_are_none_are_given_up_in_time() {
    servers::gives_up::<Client>(|port| format!("postgres://shop:{ENCODED}@127.0.0.1:{port}/x"), PASSWORD);
}

#[test]
fn a_server_that_fell_silent_is_noticed_in_time() {
    silence::is_noticed::<Client>("PostgreSQL", 5432, |port| {
        format!("postgres://postgres@127.0.0.1:{port}/test")
    });
}

#[test]
fn the_password_stays() {
    let live = Live::<Client>::lazy(&format!("postgres://shop:{ENCODED}@127.0.0.1/x")).unwrap();
    assert!(Client::needs_secret(live.recipe()));
    servers::is_discreet(&live, &[PASSWORD, ENCODED]);
    let there: Live<Client> = cucumber::from_bytes(&cucumber::to_bytes(&live).unwrap()).unwrap();
    assert!(there.connection().map(drop).unwrap_err().is_credential());
    let config: tokio_postgres::Config = "host=h user=u password=secret".parse().unwrap();
    assert!(!format!("{:?}", PostgresRecipe::from(&config)).contains("secret"));
}

#[test]
fn the_login_ends_at_the_last_at_sign_before_the_path() {
    servers::ends_the_login_where_it_ends::<Client>();
}
