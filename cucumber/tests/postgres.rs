//! A live PostgreSQL connection crosses without its password, and comes back when the server ended it.
//!
//! Most of it needs a server on this machine, and says so when there is none; `PROCESSING_REQUIRE_SERVICES` makes that a failure.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use cucumber::{AnyLive, Credentials, Live, Provider, Reconnect, Scope, reconnect_all, reconnect_until};
use postgres::Client;
use serde::{Deserialize, Serialize};
use support::servers::{self, patience};
use support::silence;

const PASSWORD: &str = "p@ss/w:rd-9f8e7d";

#[derive(Serialize, Deserialize)]
struct Worker {
    db: Live<Client>,
}

fn server(test: &str) -> Option<Live<Client>> {
    let url = format!("postgres://postgres@127.0.0.1:5432/test?connect_timeout=5&application_name={test}");
    servers::open("PostgreSQL", &url)
}

fn pid(db: &mut Client) -> i32 {
    db.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0)
}

#[test]
fn the_other_side_has_a_connection_of_its_own() {
    let Some(db) = server("crosses") else { return };
    let mut here = Worker { db };
    let mut there: Worker = cucumber::from_bytes(&cucumber::to_bytes(&here).unwrap()).unwrap();
    assert!(!there.db.is_connected());
    let (one, other) = (pid(&mut here.db), pid(&mut there.db));
    assert_ne!(one, other);
    let name: String = there.db.query_one("SHOW application_name", &[]).unwrap().get(0);
    assert_eq!(name, "crosses");
}

#[test]
fn a_session_that_the_server_ended_is_replaced() {
    let Some(mut idle) = server("ended") else { return };
    let Some(mut killer) = server("killer") else { return };
    assert!(!AnyLive::verify(&mut idle, None).unwrap());
    let old = pid(&mut idle);
    let ended: bool = killer.query_one("SELECT pg_terminate_backend($1)", &[&old]).unwrap().get(0);
    assert!(ended);
    let deadline = patience();
    assert!(AnyLive::verify(&mut idle, deadline).unwrap(), "the dead session was taken for a live one");
    assert_ne!(pid(&mut idle), old);
    assert!(!AnyLive::verify(&mut idle, deadline).unwrap());
}

#[test]
fn a_closed_connection_is_gone_from_the_server() {
    let Some(mut db) = server("closing") else { return };
    let Some(mut other) = server("watcher") else { return };
    let old = pid(&mut db);
    db.close();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !other.query("SELECT 1 FROM pg_stat_activity WHERE pid = $1", &[&old]).unwrap().is_empty() {
        assert!(Instant::now() < deadline, "session {old} is still there");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_database_that_is_not_there_is_no_matter_of_patience() {
    if server("missing").is_none() {
        return;
    }
    let mut live = Live::<Client>::lazy("postgres://postgres@127.0.0.1/no_such_database").unwrap();
    let hours = Some(Instant::now() + Duration::from_secs(7200));
    let error = AnyLive::verify(&mut live, hours).unwrap_err();
    assert!(error.is_connect());
}

/// A server that asks for a password, lets `PASSWORD` in, and serves so many clients.
fn guarded(clients: usize) -> (u16, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        for _ in 0..clients {
            // Some only ask whether TLS is spoken here, and leave.
            while !ask_password(listener.accept().unwrap().0) {}
        }
    });
    (port, thread)
}

/// The next packet of a client that has not said yet who it is.
fn packet(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut word = [0; 4];
    client.read_exact(&mut word)?;
    let mut packet = vec![0; u32::from_be_bytes(word) as usize - 4];
    client.read_exact(&mut packet)?;
    Ok(packet)
}

/// Whether it was a client that wanted in.
fn ask_password(mut client: TcpStream) -> bool {
    client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut startup = packet(&mut client).unwrap();
    if startup.len() == 4 {
        client.write_all(b"N").unwrap();
        match packet(&mut client) {
            Ok(packet) => startup = packet,
            Err(_) => return false,
        }
    }
    assert!(startup.len() > 4);
    // "Send it in plain text", and then its answer: a letter, a length, a text that ends in zero.
    client.write_all(b"R\0\0\0\x08\0\0\0\x03").unwrap();
    let mut letter = [0];
    if client.read_exact(&mut letter).is_err() {
        return true;
    }
    if packet(&mut client).unwrap().strip_suffix(b"\0").unwrap() == PASSWORD.as_bytes() {
        client.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").unwrap();
    } else {
        let body = b"SFATAL\0C28P01\0Mpassword authentication failed\0\0";
        client.write_all(b"E").unwrap();
        client.write_all(&(body.len() as u32 + 4).to_be_bytes()).unwrap();
        client.write_all(body).unwrap();
    }
    // Until the client goes away.
    let _ = client.read_to_end(&mut Vec::new());
    true
}

fn url(port: u16) -> String {
    format!("postgres://shop:p%40ss%2Fw%3Ard-9f8e7d@127.0.0.1:{port}/orders?sslmode=disable")
}

#[test]
fn the_password_stays_and_the_provider_s_is_used() {
    let (port, thread) = guarded(3);
    let live = Live::<Client>::open(&url(port)).unwrap();
    cucumber::know::<Worker>();
    let here = Worker { db: live };
    let bytes = cucumber::to_bytes(&here).unwrap();
    servers::is_discreet(&here.db, &[PASSWORD, "p%40ss"]);
    drop(here);

    // Without a credential it fails by name, before it knocks.
    let there: Worker = cucumber::from_bytes(&bytes).unwrap();
    assert!(there.db.connection().map(drop).unwrap_err().is_credential());

    let mut credentials = Credentials::new();
    credentials.insert::<Client>("db", Provider::literal(PASSWORD));
    let there: Worker =
        cucumber::decode_with(&bytes, Scope::new().with_credentials(credentials.clone())).unwrap();
    there.db.connection().unwrap();
    drop(there);

    let mut db: Live<Client> = Live::lazy(&url(port)).unwrap();
    credentials.insert::<Client>("*", Provider::literal("wr0ng-secret"));
    let hours = Some(Instant::now() + Duration::from_secs(7200));
    let report = reconnect_until(&mut db, &credentials, hours);
    let words = format!("{report:?}");
    assert!(words.contains("password authentication failed"), "{words}");
    assert!(!words.contains("wr0ng-secret") && !words.contains(PASSWORD), "{words}");
    thread.join().unwrap();
}

#[test]
fn a_provider_that_fails_is_named_when_the_server_refuses() {
    let (port, thread) = guarded(1);
    let config = format!("host=127.0.0.1 port={port} user=shop sslmode=disable");
    let mut db = Live::<Client>::lazy(&config).unwrap();
    let mut credentials = Credentials::new();
    credentials.insert::<Client>("*", Provider::env("CUCUMBER_TEST_NOT_SET"));
    let error = reconnect_all(&mut db, &credentials).into_result().unwrap_err();
    assert!(error.is_connect() && error.to_string().contains("`CUCUMBER_TEST_NOT_SET`"), "{error}");
    thread.join().unwrap();
}

#[test]
fn servers_that_are_none_are_given_up_in_time() {
    servers::gives_up::<Client>(url, PASSWORD);
}

#[test]
fn a_server_that_says_one_word_is_given_up_in_time() {
    for then in [None, Some(b'x')] {
        let error = servers::give_up::<Client>(url(silence::after(b"N", then)));
        assert!(error.is_connect(), "{error:?}");
    }
}

#[test]
fn a_server_that_fell_silent_is_noticed_in_time() {
    silence::is_noticed::<Client>("PostgreSQL", 5432, |port| {
        format!("postgres://postgres@127.0.0.1:{port}/test")
    });
}

#[test]
fn a_silent_host_does_not_keep_us_from_the_next_one() {
    let (_listener, silent) = servers::silent();
    let (port, thread) = guarded(2);
    for order in ["disable", "random"] {
        let text = format!(
            "host=127.0.0.1,127.0.0.1 port={silent},{port} user=shop password={PASSWORD} sslmode=disable \
             load_balance_hosts={order}"
        );
        let mut db = Live::<Client>::lazy(&text).unwrap();
        let deadline = Some(Instant::now() + Duration::from_secs(3));
        assert!(AnyLive::verify(&mut db, deadline).unwrap());
    }
    thread.join().unwrap();
}

#[test]
fn a_text_that_is_no_url_shows_no_secret() {
    for text in ["host=h password='s3cr", "password=s3cr et host=h", "postgres://shop:s3cr@host:notaport/db"]
    {
        let error = Live::<Client>::lazy(text).unwrap_err();
        let words =
            format!("{error} {error:?} {:?}", std::error::Error::source(&error).map(ToString::to_string));
        assert!(!words.contains("s3cr"), "{words}");
        assert!(words.contains("postgres://user:password@host/database"), "{words}");
    }
}

#[test]
fn a_host_that_is_a_piece_of_a_password_does_not_cross() {
    let config: postgres::Config = "postgres://u:a@bHUNTER2@h/db".parse().unwrap();
    let live = Live::<Client>::new(cucumber::PostgresRecipe::from(&config));
    servers::is_discreet(&live, &["HUNTER2"]);
}

#[test]
fn everything_but_the_password_crosses() {
    let text = "host=a,/run/pg port=1,2 user=u dbname=d options='-c x=1' application_name=app connect_timeout=7 \
                keepalives=0 keepalives_idle=11 keepalives_interval=3 keepalives_retries=4 tcp_user_timeout=9 \
                target_session_attrs=read-write sslmode=disable load_balance_hosts=random password=secret";
    let (recipe, secret) = <Client as Reconnect>::parse(text).unwrap();
    assert_eq!(secret.unwrap().expose(), "secret");
    assert!(<Client as Reconnect>::needs_secret(&recipe));
    let bytes = cucumber::to_bytes(&recipe).unwrap();
    let back: cucumber::PostgresRecipe = cucumber::from_bytes(&bytes).unwrap();
    assert_eq!(back, recipe);
    let words = format!("{back:?}");
    for word in [
        "\"a\"",
        "/run/pg",
        "[1, 2]",
        "\"u\"",
        "-c x=1",
        "app",
        "7s",
        "11s",
        "ReadWrite",
        "Disable",
        "shuffled: true",
    ] {
        assert!(words.contains(word), "{word} is not in {words}");
    }
}

#[test]
fn the_login_ends_at_the_last_at_sign_before_the_path() {
    servers::ends_the_login_where_it_ends::<Client>();
}
