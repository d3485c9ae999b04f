//! Live resources: what crosses, when they connect, and with which secret.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod support;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cucumber::{
    BoxError, Credentials, Live, Path, Provider, Reconnect, Reconnectable, Scope, Secret, reconnect_all,
};
use serde::{Deserialize, Serialize};
use support::{Unknown, servers};

const PASSWORD: &str = "correct-horse-battery-staple";

/// A connection that remembers how it was made.
struct Link {
    server: String,
    secret: Option<String>,
    alive: bool,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Recipe {
    server: String,
    guarded: bool,
}

static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);

impl Reconnect for Link {
    type Recipe = Recipe;

    fn parse(text: &str) -> Result<(Recipe, Option<Secret>), BoxError> {
        let (secret, server) = match text.split_once('@') {
            Some((secret, server)) => (Some(Secret::new(secret)), server),
            None => (None, text),
        };
        Ok((Recipe { server: server.into(), guarded: secret.is_some() }, secret))
    }

    fn needs_secret(recipe: &Recipe) -> bool {
        recipe.guarded
    }

    fn connect(recipe: &Recipe, secret: Option<&Secret>, limit: Duration) -> Result<Self, BoxError> {
        match recipe.server.as_str() {
            "leaky" => Err(format!("password {} is wrong", secret.unwrap().expose()).into()),
            "locked" => Err("locked".into()),
            "flaky" if ATTEMPTS.fetch_add(1, Ordering::Relaxed) < 3 => Err("not yet".into()),
            "away" => Err("not there".into()),
            "silent" => {
                std::thread::sleep(limit);
                Err(format!("no answer in {limit:?}").into())
            }
            server => {
                let secret = secret.map(|secret| secret.expose().to_owned());
                Ok(Link { server: server.into(), secret, alive: true })
            }
        }
    }

    fn is_alive(&mut self, _: &Recipe, limit: Duration) -> bool {
        // Nobody can answer in no time at all.
        self.alive && limit >= Duration::from_millis(10)
    }

    fn is_transient(error: &(dyn std::error::Error + 'static)) -> bool {
        error.to_string() != "locked"
    }
}

#[derive(Serialize, Deserialize)]
struct Worker {
    id: u8,
    analytics: Live<Link>,
    nested: Nested,
    pool: Vec<Live<Link>>,
    by_name: BTreeMap<String, Option<Live<Link>>>,
}

#[derive(Serialize, Deserialize)]
struct Nested {
    orders: Box<Live<Link>>,
}

fn guarded(server: &str) -> Live<Link> {
    Live::new(Recipe { server: server.into(), guarded: true })
}

fn free(server: &str) -> Live<Link> {
    Live::new(Recipe { server: server.into(), guarded: false })
}

fn worker() -> Worker {
    Worker {
        id: 1,
        analytics: guarded("a"),
        nested: Nested { orders: Box::new(guarded("o")) },
        pool: vec![guarded("p0"), guarded("p1")],
        by_name: BTreeMap::from([("archive".into(), Some(guarded("r"))), ("none".into(), None)]),
    }
}

fn credentials() -> Credentials {
    let mut credentials = Credentials::new();
    credentials
        .insert::<Link>("*", Provider::literal("for-all"))
        .insert::<Link>("orders", Provider::literal("for-orders"))
        .insert::<Link>("pool", Provider::literal("for-pool"))
        .insert::<Link>("archive", Provider::literal("for-archive"));
    credentials
}

#[test]
fn every_resource_gets_the_secret_of_the_nearest_name() {
    cucumber::know::<Worker>();
    let plain = cucumber::to_bytes(&worker()).unwrap();
    assert_eq!(support::codec(&plain), support::Codec::Postcard);
    for bytes in [plain, cucumber::to_bytes(&Unknown(&worker())).unwrap()] {
        let scope = Scope::new().with_credentials(credentials());
        let worker: Worker = cucumber::decode_with(&bytes, scope).unwrap();
        let secret = |live: &Live<Link>| live.connection().unwrap().secret.clone().unwrap();
        assert_eq!(secret(&worker.analytics), "for-all");
        assert_eq!(secret(&worker.nested.orders), "for-orders");
        assert_eq!(secret(&worker.pool[1]), "for-pool");
        assert_eq!(secret(worker.by_name["archive"].as_ref().unwrap()), "for-archive");
        assert_eq!(worker.id, 1);
    }
}

#[test]
fn elements_without_a_name_get_the_default() {
    let bytes = cucumber::to_bytes(&vec![guarded("a")]).unwrap();
    let scope = Scope::new().with_credentials(credentials());
    let back: Vec<Live<Link>> = cucumber::decode_with(&bytes, scope).unwrap();
    assert_eq!(back[0].secret.as_deref(), Some("for-all"));
}

#[test]
fn a_missing_credential_names_the_field() {
    let bytes = cucumber::to_bytes(&worker()).unwrap();
    let scope = Scope::new().with_credentials(Credentials::new());
    let worker: Worker = cucumber::decode_with(&bytes, scope).unwrap();
    let error = worker.analytics.connection().map(drop).unwrap_err().with_root("worker");
    assert!(error.is_credential());
    assert_eq!(
        error.to_string(),
        "worker.analytics: no credential named `analytics`; add it to the `#[autoreconnect]` of the process it is used in, or give it by `set_provider`"
    );
}

#[test]
fn no_secret_is_needed_where_none_is_asked_for() {
    let back: Live<Link> = cucumber::from_bytes(&cucumber::to_bytes(&free("f")).unwrap()).unwrap();
    assert!(!back.is_connected());
    assert_eq!(back.server, "f");
    assert!(back.is_connected());
    assert_eq!(back.secret, None);
}

#[test]
fn using_what_cannot_connect_panics_with_the_error() {
    let live = guarded("a");
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| live.server.clone())).unwrap_err();
    assert!(panic.downcast_ref::<cucumber::Error>().unwrap().is_credential());
}

#[test]
fn a_secret_is_in_no_bytes_and_no_words() {
    let live = Live::<Link>::open(&format!("{PASSWORD}@db")).unwrap();
    assert_eq!(live.secret.as_deref(), Some(PASSWORD));
    let mut failing = Live::<Link>::lazy(&format!("{PASSWORD}@leaky")).unwrap();
    let error = failing.connection().map(drop).unwrap_err();
    assert!(error.is_connect());
    let mut words = format!("{live:?} {error} {error:?} {:?}", std::error::Error::source(&error));
    words += &format!("{:?}", reconnect_all(&mut failing, &Credentials::new()));
    let mut credentials = Credentials::new();
    credentials.insert::<Link>("*", Provider::literal(PASSWORD));
    words += &format!("{credentials:?} {:?}", Scope::new().with_credentials(credentials.clone()));
    assert!(!words.contains(PASSWORD), "{words}");
    assert!(words.contains("password [secret] is wrong"), "{words}");

    cucumber::know::<Live<Link>>();
    let frames = [
        cucumber::to_bytes(&live).unwrap(),
        cucumber::to_bytes(&Unknown(&live)).unwrap(),
        cucumber::encode_message(&live).unwrap().bytes,
        serde_json::to_vec(&live).unwrap(),
    ];
    for frame in frames {
        assert!(!frame.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes()));
    }
}

#[test]
fn a_closed_connection_comes_back_when_it_is_used() {
    let mut live = free("a");
    live.alive = true;
    live.close();
    assert!(!live.is_connected());
    assert_eq!(live.server, "a");
    let copy = live.clone();
    assert!(live.is_connected() && !copy.is_connected());
}

impl Reconnectable for Worker {
    fn visit_live(
        &mut self,
        path: &Path<'_>,
        visitor: &mut dyn FnMut(&Path<'_>, &mut dyn cucumber::AnyLive),
    ) {
        use cucumber::__private::live::{Field, ViaNothing, ViaReconnectable};
        Field(&mut self.id).visit_live(&path.field("id"), visitor);
        Field(&mut self.analytics).visit_live(&path.field("analytics"), visitor);
        Field(&mut self.nested).visit_live(&path.field("nested"), visitor);
        Field(&mut self.pool).visit_live(&path.field("pool"), visitor);
        Field(&mut self.by_name).visit_live(&path.field("by_name"), visitor);
    }
}

#[test]
fn reconnecting_reports_every_failure_by_its_path() {
    let mut worker = worker();
    let report = reconnect_all(&mut worker, &credentials());
    assert_eq!(report.reconnected, ["analytics", "pool[0]", "pool[1]", r#"by_name["archive"]"#]);
    assert!(report.is_ok());
    assert_eq!(worker.by_name["archive"].as_ref().unwrap().secret.as_deref(), Some("for-archive"));

    // Again: all are alive.
    assert!(reconnect_all(&mut worker, &credentials()).reconnected.is_empty());

    worker.pool[1].alive = false;
    worker.pool.push(guarded("away"));
    let report = reconnect_all(&mut worker, &credentials());
    assert_eq!(report.reconnected, ["pool[1]"]);
    let failure = report.into_result().unwrap_err();
    assert_eq!(failure.path(), "pool[2]");
    assert!(failure.is_connect());
    assert_eq!(std::error::Error::source(&failure).unwrap().to_string(), "not there");
}

#[test]
fn without_credentials_every_resource_that_needs_one_fails_by_name() {
    let report = reconnect_all(&mut worker(), &Credentials::new());
    let texts: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 4);
    assert_eq!(
        texts[0],
        "analytics: no credential named `analytics`; add it to the `#[autoreconnect]` of the process it is used in, or give it by `set_provider`"
    );
    assert!(texts[2].starts_with("pool[1]: no credential named `pool`;"), "{}", texts[2]);
}

#[test]
fn a_provider_that_panics_fails_by_name() {
    let mut credentials = credentials();
    credentials
        .insert::<Link>("pool", Provider::function(|| -> Result<Secret, BoxError> { panic!("no vault") }));
    let report = reconnect_all(&mut worker(), &credentials);
    assert_eq!(report.reconnected, ["analytics", r#"by_name["archive"]"#]);
    let paths: Vec<_> = report.failures.iter().map(cucumber::Error::path).collect();
    assert_eq!(paths, ["pool[0]", "pool[1]"]);
    assert!(report.failures[0].is_credential());
    assert!(servers::chain(&report.failures[0]).contains("no vault"));
}

#[test]
fn what_needs_no_secret_waits_for_its_first_use() {
    let mut lives = VecDeque::from([free("a"), free("away")]);
    let report = reconnect_all(&mut lives, &Credentials::new());
    assert!(report.is_ok() && report.reconnected.is_empty());
    assert!(!lives[0].is_connected());
}

#[test]
fn a_deadline_allows_for_more_attempts_and_then_ends_them() {
    let mut flaky = guarded("flaky");
    let soon = Instant::now() + Duration::from_secs(30);
    let report = cucumber::reconnect_until(&mut flaky, &credentials(), Some(soon));
    assert!(report.is_ok(), "{report:?}");
    assert_eq!(ATTEMPTS.load(Ordering::Relaxed), 4);

    let mut away = guarded("away");
    let start = Instant::now();
    let wait = Duration::from_millis(60);
    let report = cucumber::reconnect_until(&mut away, &credentials(), Some(start + wait));
    assert!(!report.is_ok());
    assert!(start.elapsed() >= wait);

    // A wrong password stays wrong.
    let start = Instant::now();
    let mut locked = guarded("locked");
    let hour = Some(start + Duration::from_secs(3600));
    assert!(!cucumber::reconnect_until(&mut locked, &credentials(), hour).is_ok());
}

#[test]
fn an_attempt_gets_what_is_left_of_the_time_and_no_more() {
    let start = Instant::now();
    let wait = Duration::from_millis(80);
    let mut lives = vec![guarded("silent"), guarded("a")];
    let report = cucumber::reconnect_until(&mut lives, &credentials(), Some(start + wait));
    assert!(start.elapsed() >= wait);
    assert_eq!(report.failures.len(), 2);
    let cause = servers::chain(&report.failures[0]);
    assert!(cause.contains("no answer in ") || cause.contains("no time is left"), "{cause}");
    let expected = format!("[1]: no time is left to connect `{}`", cucumber::type_name::<Link>());
    assert_eq!(report.failures[1].to_string(), expected);
}

#[test]
fn who_comes_after_a_slow_one_is_not_dead_for_that() {
    let mut lives = vec![guarded("a"), guarded("silent"), guarded("b")];
    assert_eq!(reconnect_all(&mut lives[2], &credentials()).reconnected, [""]);
    let deadline = Some(Instant::now() + Duration::from_millis(80));
    let report = cucumber::reconnect_until(&mut lives, &credentials(), deadline);
    assert_eq!(report.reconnected, ["[0]"]);
    assert_eq!(report.failures.len(), 1);
    assert_eq!(report.failures[0].path(), "[1]");
    assert!(lives[2].is_connected());
}

#[test]
fn the_recipe_alone_says_whether_a_text_had_a_secret() {
    let live = Live::<Link>::lazy("secret@a").unwrap();
    assert_eq!(live.recipe(), &Recipe { server: "a".into(), guarded: true });
    let error = Live::<Mute>::open("anything").unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("use `Live::new`"), "{error:?}");
}

/// The least that a resource needs.
struct Mute;

impl Reconnect for Mute {
    type Recipe = ();

    fn connect(_: &(), _: Option<&Secret>, _: Duration) -> Result<Self, BoxError> {
        Ok(Mute)
    }
}
