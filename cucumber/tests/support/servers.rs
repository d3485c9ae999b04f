//! Servers for live connections: real ones where they are there, and those that do not behave.

use std::io::Write;
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use cucumber::{AnyLive, Error, Live, Reconnect};

use super::Unknown;

/// Longer than anything here takes.
pub const LONGEST: Duration = Duration::from_secs(60);

/// A connection to a server of this machine, or the news that there is none; where all should be there, that is a failure.
pub fn open<C: Reconnect>(service: &str, url: &str) -> Option<Live<C>> {
    let error = match Live::<C>::open(url) {
        Ok(live) => return Some(live),
        Err(error) => chain(&error),
    };
    assert!(std::env::var_os("PROCESSING_REQUIRE_SERVICES").is_none(), "no {service}: {error}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Past the test harness, which shows what a passing test prints to nobody.
    std::io::stderr().write_all(format!("SKIPPED {test}: no {service} ({error})\n").as_bytes()).unwrap();
    None
}

/// Until when nothing here waits.
pub fn patience() -> Option<Instant> {
    Some(Instant::now() + LONGEST)
}

/// An error and its causes.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let layers = std::iter::successors(Some(error), |&error| error.source());
    layers.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A peer that takes connections and is silent for as long as the listener lives.
pub fn silent() -> (TcpListener, u16) {
    // The system takes them; nobody reads.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Somebody to connect to who is not there.
pub fn nobody() -> u16 {
    silent().1
}

/// What comes of connecting until a deadline soon; that it comes at all is the point.
pub fn give_up<C: Reconnect>(url: String) -> Error {
    let (done, result) = mpsc::channel();
    std::thread::spawn(move || {
        let mut live = Live::<C>::lazy(&url).unwrap();
        let begin = Instant::now();
        let error = AnyLive::verify(&mut live, Some(begin + Duration::from_millis(400))).unwrap_err();
        // With whom it is no use nobody has to be patient; these are not of that kind.
        assert!(
            begin.elapsed() >= Duration::from_millis(150),
            "{} after {:?}",
            chain(&error),
            begin.elapsed()
        );
        let _ = done.send(error);
    });
    result.recv_timeout(LONGEST).expect("it waits for a peer that is silent")
}

/// Both kinds of server that are none, and that what is said of them names the type and no secret.
pub fn gives_up<C: Reconnect>(url: impl Fn(u16) -> String, secret: &str) {
    let (_listener, port) = silent();
    for port in [port, nobody()] {
        let error = give_up::<C>(url(port));
        assert!(error.is_connect(), "{error:?}");
        let words = format!("{} {error:?}", chain(&error));
        assert!(!words.contains(secret), "{words}");
        assert!(words.contains("cannot connect"), "{words}");
    }
}

/// Looks for a secret in everything that a connection is written as.
pub fn is_discreet<C: Reconnect>(live: &Live<C>, secrets: &[&str])
where
    C::Recipe: std::fmt::Debug,
{
    cucumber::know::<Live<C>>();
    let places = [
        cucumber::to_bytes(live).unwrap(),
        cucumber::to_bytes(&Unknown(live)).unwrap(),
        cucumber::encode_message(live).unwrap().bytes,
        serde_json::to_vec(live).unwrap(),
        format!("{live:?} {:?} {:#?}", live.recipe(), live.clone()).into_bytes(),
    ];
    for place in places {
        for secret in secrets {
            let found = place.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {}", String::from_utf8_lossy(&place));
        }
    }
}

/// That a text which is no URL is refused without being shown.
pub fn refuses_discreetly<C: Reconnect>(texts: &[&str], secret: &str) {
    for text in texts {
        assert!(text.contains(secret));
        let error = Live::<C>::lazy(text).map(drop).expect_err(text);
        let words = format!("{} {error:?}", chain(&error));
        assert!(!words.contains(secret), "{words}");
        assert!(words.contains("write `") || words.contains("write the server"), "{words}");
    }
}

/// That a PostgreSQL URL ends its login at the last `@` before the path, and that where it cannot be told, it is refused.
pub fn ends_the_login_where_it_ends<C: Reconnect>()
where
    C::Recipe: std::fmt::Debug,
{
    let live = Live::<C>::lazy("postgres://u:a@bHUNTER2@h/db").unwrap();
    is_discreet(&live, &["HUNTER2", "a@b"]);
    let words = format!("{:?}", live.recipe());
    assert!(words.contains("[Name(\"h\")]") && words.contains("Some(\"u\")"), "{words}");
    assert!(C::parse("postgres://u:a@bHUNTER2@h/db").unwrap().1.unwrap().expose() == "a@bHUNTER2");
    refuses_discreetly::<C>(
        &[
            "postgres://u:a/b@HUNTER2@h/db",
            "postgresql://u:a@b/cHUNTER2@h/db",
            "postgres://u:a@%62%40HUNTER2/db",
            "host=a@HUNTER2 user=u password=p",
        ],
        "HUNTER2",
    );
}
