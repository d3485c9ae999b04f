//! A live pool of PostgreSQL connections crosses without its password, and comes back when the server is.
//!
//! Most of it needs a server on this machine, and says so when there is none; `PROCESSING_REQUIRE_SERVICES` makes that a failure.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::future::Future;
use std::time::{Duration, Instant};

use cucumber::{AnyLive, Live, PgPoolRecipe, PostgresRecipe, Reconnect};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use support::servers::{self, patience};
use support::silence;

const PASSWORD: &str = "p@ss/w:rd-e95b10";
const ENCODED: &str = "p%40ss%2Fw%3Ard-e95b10";

#[derive(Serialize, Deserialize)]
struct Worker {
    db: Live<PgPool>,
}

fn server() -> Option<Live<PgPool>> {
    servers::open("PostgreSQL", "postgres://postgres@127.0.0.1:5432/test?application_name=pooled")
}

/// A runtime as a user has one: of one thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn pid(pool: &PgPool) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(pool).await.unwrap()
}

#[test]
fn the_other_side_has_connections_of_its_own() {
    let Some(db) = server() else { return };
    let here = Worker { db };
    let there: Worker = cucumber::from_bytes(&cucumber::to_bytes(&here).unwrap()).unwrap();
    assert!(!there.db.is_connected());
    block_on(async {
        assert_ne!(pid(&here.db).await, pid(&there.db).await);
        let name: String = sqlx::query_scalar("SHOW application_name").fetch_one(&*there.db).await.unwrap();
        assert_eq!(name, "pooled");
    });
}

#[test]
fn dead_connections_are_replaced_before_they_are_used() {
    let (Some(mut pool), Some(killer)) = (server(), server()) else { return };
    block_on(async {
        let old = pid(&pool).await;
        let end = sqlx::query("SELECT pg_terminate_backend($1, 5000)").bind(old);
        end.execute(&*killer).await.unwrap();
        // The pool itself is well, and has a look at what it hands out.
        assert!(!AnyLive::verify(&mut pool, patience()).unwrap());
        assert_ne!(pid(&pool).await, old);
        pool.connection().unwrap().close().await;
        assert!(
            AnyLive::verify(&mut pool, patience()).unwrap(),
            "a pool that was closed is as good as a dead connection"
        );
        pid(&pool).await;
    });
}

#[test]
fn a_pool_whose_connections_are_all_in_use_is_alive() {
    let Some(pool) = server() else { return };
    let server: tokio_postgres::Config = "host=127.0.0.1 user=postgres dbname=test".parse().unwrap();
    let options = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(7));
    let mut small = Live::<PgPool>::new(PgPoolRecipe::new(PostgresRecipe::from(&server), &options));
    drop(pool);
    block_on(async {
        assert_eq!(small.options().get_acquire_timeout(), Duration::from_secs(7));
        let only = small.acquire().await.unwrap();
        let soon = Some(Instant::now() + Duration::from_secs(2));
        assert!(!AnyLive::verify(&mut small, soon).unwrap());
        drop(only);
    });
}

#[test]
fn a_deadline_that_has_passed_makes_no_pool_a_dead_one() {
    let Some(mut pool) = server() else { return };
    block_on(pid(&pool));
    assert!(!AnyLive::verify(&mut pool, Some(Instant::now())).unwrap());
}

#[test]
fn a_server_that_fell_silent_is_noticed_in_time() {
    silence::is_noticed::<PgPool>("PostgreSQL", 5432, |port| {
        format!("postgres://postgres@127.0.0.1:{port}/test")
    });
}

#[test]
fn what_the_server_is_told_at_the_start_crosses() {
    if server().is_none() {
        return;
    }
    let text = r"host=127.0.0.1 user=postgres dbname=test options='-c search_path=special -c cucumber.words=two\\ words --work-mem=7MB'";
    let here = Worker { db: Live::lazy(text).unwrap() };
    let there: Worker = cucumber::from_bytes(&cucumber::to_bytes(&here).unwrap()).unwrap();
    block_on(async {
        let shown = sqlx::query_as(
            "SELECT current_setting('search_path'), current_setting('cucumber.words'), current_setting('work_mem')",
        );
        let (path, words, memory): (String, String, String) = shown.fetch_one(&*there.db).await.unwrap();
        assert_eq!((&*path, &*words, &*memory), ("special", "two words", "7MB"));
    });
}

#[test]
fn what_the_pool_cannot_do_is_an_error_and_not_left_out() {
    let hours = || Some(Instant::now() + Duration::from_secs(7200));
    for asked in [
        "target_session_attrs=read-write",
        "load_balance_hosts=random",
        "sslnegotiation=direct",
        "tcp_user_timeout=9",
        "keepalives_idle=11",
        "keepalives_interval=3",
        "keepalives_retries=4",
        "options=-e",
    ] {
        // Nor is it tried again.
        let (done, result) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut live = Live::<PgPool>::lazy(&format!("host=127.0.0.1 user=postgres {asked}")).unwrap();
            done.send(AnyLive::verify(&mut live, hours()).map(drop)).unwrap();
        });
        let error = result.recv_timeout(servers::LONGEST).expect(asked).expect_err(asked);
        let name = asked.split('=').next().unwrap();
        assert!(servers::chain(&error).contains(name), "{}", servers::chain(&error));
    }
}

#[test]
fn servers_that_are_none_are_given_up_in_time() {
    servers::gives_up::<PgPool>(|port| format!("postgres://shop:{ENCODED}@127.0.0.1:{port}/x"), PASSWORD);
}

#[test]
fn the_password_stays() {
    let live = Live::<PgPool>::lazy(&format!("postgres://shop:{ENCODED}@127.0.0.1/x")).unwrap();
    assert!(PgPool::needs_secret(live.recipe()));
    servers::is_discreet(&live, &[PASSWORD, ENCODED]);
    let there: Live<PgPool> = cucumber::from_bytes(&cucumber::to_bytes(&live).unwrap()).unwrap();
    assert!(there.connection().map(drop).unwrap_err().is_credential());
    servers::refuses_discreetly::<PgPool>(
        &["postgres://u:s3cr3t@h:port/db", "host=h password='s3cr3t"],
        "s3cr3t",
    );
}

#[test]
fn more_than_one_server_is_an_error_and_not_the_first_of_them() {
    let mut live = Live::<PgPool>::lazy("host=a,b user=u").unwrap();
    let error = AnyLive::verify(&mut live, None).unwrap_err();
    assert!(servers::chain(&error).contains("name one host"), "{error:?}");
}

#[test]
fn the_login_ends_at_the_last_at_sign_before_the_path() {
    servers::ends_the_login_where_it_ends::<PgPool>();
}
