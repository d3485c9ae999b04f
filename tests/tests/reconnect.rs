//! Live resources in workers: who gets which secret, when they come up, and what becomes of dead ones.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use processing::cucumber::BoxError;
use processing::prelude::*;
use processing::{Reconnect, Secret, Stream, cucumber};
use serde::{Deserialize, Serialize};
use tests::{LONGEST, Marks, TempDir, watchdog};

/// A resource that notes what happens to it, and can be told to be dead or unreachable.
struct Vault {
    recipe: VaultRecipe,
    secret: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct VaultRecipe {
    name: String,
    journal: Marks,
}

fn vault(name: &str, journal: &Marks) -> Live<Vault> {
    Live::new(VaultRecipe { name: name.to_owned(), journal: journal.clone() })
}

impl Reconnect for Vault {
    type Recipe = VaultRecipe;

    fn needs_secret(_: &VaultRecipe) -> bool {
        true
    }

    fn connect(recipe: &VaultRecipe, secret: Option<&Secret>, _: Duration) -> Result<Self, BoxError> {
        let secret = secret.ok_or("no secret")?.expose().to_owned();
        recipe.journal.add(format_args!("connect {}", recipe.name));
        if secret == "wrong" {
            return Err("the vault stays shut".into());
        }
        Ok(Vault { recipe: recipe.clone(), secret })
    }

    fn is_alive(&mut self, _: &VaultRecipe, _: Duration) -> bool {
        // Dies once, when the journal says so.
        let dead = format!("kill {}", self.recipe.name);
        let buried = format!("dead {}", self.recipe.name);
        if self.recipe.journal.count(&dead) > self.recipe.journal.count(&buried) {
            self.recipe.journal.add(buried);
            return false;
        }
        true
    }

    fn is_transient(_: &(dyn std::error::Error + 'static)) -> bool {
        false
    }
}

fn from_a_function() -> Result<String, BoxError> {
    Ok("secret-of-function".to_owned())
}

#[autoreconnect(Vault = {
    "*": "secret-by-default",
    "orders": env("PROCESSING_TEST_VAULT"),
    "backup": from_a_function,
    "north": "secret-of-north",
})]
#[skprocess(runs = 1)]
struct Keeper {
    orders: Live<Vault>,
    backup: Option<Live<Vault>>,
    spares: Vec<Live<Vault>>,
    regions: HashMap<String, Live<Vault>>,
    seen: BTreeMap<String, String>,
    up_in_prerun: bool,
}

#[skprocess]
impl Keeper {
    fn prerun(&mut self) {
        self.up_in_prerun = self.orders.is_connected() && self.spares.iter().all(Live::is_connected);
    }

    fn run(&mut self) {
        let all =
            [&self.orders].into_iter().chain(&self.backup).chain(&self.spares).chain(self.regions.values());
        self.seen = all.map(|live| (live.recipe.name.clone(), live.secret.clone())).collect();
    }

    fn result(&mut self) -> (bool, BTreeMap<String, String>) {
        (self.up_in_prerun, std::mem::take(&mut self.seen))
    }
}

#[test]
fn every_field_gets_its_own_secret_before_the_first_hook() {
    let _dog = watchdog();
    let dir = TempDir::new();
    let vault = |name: &str| vault(name, &dir.marks());
    let keeper = Keeper {
        orders: vault("orders"),
        backup: Some(vault("backup")),
        spares: vec![vault("spare")],
        regions: HashMap::from([("north".to_owned(), vault("north")), ("south".to_owned(), vault("south"))]),
        seen: BTreeMap::new(),
        up_in_prerun: false,
    };
    if std::env::var_os("PROCESSING_TEST_VAULT").is_none() {
        // Tests are threads of one program, which must not change its environment: this one runs again as a child.
        let again = std::env::current_exe().expect("this program");
        let status = std::process::Command::new(again)
            .args(["--exact", "every_field_gets_its_own_secret_before_the_first_hook"])
            .env("PROCESSING_TEST_VAULT", "secret-of-environment")
            .status();
        assert!(status.expect("this test again").success());
        return;
    }
    let (up_in_prerun, seen) = keeper.run().expect("a result");
    assert!(up_in_prerun);
    let seen: Vec<_> = seen.iter().map(|(name, secret)| (name.as_str(), secret.as_str())).collect();
    assert_eq!(
        seen,
        [
            ("backup", "secret-of-function"),
            ("north", "secret-of-north"),
            ("orders", "secret-of-environment"),
            ("south", "secret-by-default"),
            ("spare", "secret-by-default"),
        ]
    );
}

#[autoreconnect(Vault = { "*": "right" })]
#[skprocess(lives = 2)]
struct Caller {
    vault: Live<Vault>,
    journal: Marks,
}

#[skprocess]
impl Caller {
    fn prerun(&mut self) -> Result<(), ListenError> {
        let _: Option<String> = self.listen(None)?;
        Ok(())
    }

    fn run(&mut self) -> Result<(), TellError> {
        self.tell(&self.vault.secret.len())
    }
}

#[test]
fn a_dead_connection_is_replaced_between_runs_and_costs_no_life() {
    let _dog = watchdog();
    let dir = TempDir::new();
    let journal = dir.marks();
    let caller = Caller { vault: vault("main", &journal), journal: journal.clone() };
    let caller = caller.start().expect("a process");
    for round in 0..3 {
        caller.tell("go").expect("a listener");
        assert_eq!(caller.listen::<usize>(LONGEST).expect("an answer"), Some(5));
        // From the second round on the connection dies after it was used.
        if round == 0 {
            journal.add("kill main");
        }
    }
    // The round after the kill may have begun before it: by the third the dead one is found.
    assert_eq!(journal.count("connect main"), 2);
    assert_eq!((caller.lives_left(), caller.failure().is_none()), (1, true));
    caller.stop();
    caller.wait().expect("a good end");
}

#[autoreconnect(Vault = { "*": "wrong" })]
#[skprocess(lives = 3, runs = 1)]
struct Locked {
    vaults: Vec<Live<Vault>>,
}

#[skprocess]
impl Locked {
    fn run(&mut self) {}
}

#[cucumber]
enum Store {
    Shared { vault: Arc<Mutex<Live<Vault>>> },
}

#[autoreconnect(Vault = { "*": "secret", "vault": "secret-of-vault" })]
#[skprocess(runs = 3)]
struct Shopkeeper {
    store: (u8, Vec<Store>),
    journal: Marks,
}

#[skprocess]
impl Shopkeeper {
    fn prerun(&mut self) -> Result<(), BoxError> {
        if self.journal.count("one with secret") == 0 {
            let sent = self.listen::<Live<Vault>>(LONGEST)?.ok_or("nothing came")?;
            self.journal.add(format_args!("one with {}", sent.secret));
        }
        Ok(())
    }

    fn run(&mut self) -> Result<(), BoxError> {
        let Store::Shared { vault } = &self.store.1[0];
        let vault = vault.lock().map_err(|error| error.to_string())?;
        self.journal.add(format_args!("run with {}, {}", vault.secret, vault.is_connected()));
        if self.journal.count("run with secret-of-vault, true") == 2 {
            self.journal.add("kill inner");
        }
        Ok(())
    }
}

#[test]
fn a_connection_deep_inside_is_replaced_and_one_in_a_message_has_its_secret() {
    let _dog = watchdog();
    let dir = TempDir::new();
    let journal = dir.marks();
    let inner = Arc::new(Mutex::new(vault("inner", &journal)));
    let store = (7, vec![Store::Shared { vault: inner }]);
    let keeper = Shopkeeper { store, journal: journal.clone() }.start().unwrap();
    // One in a message has the worker's credentials, too.
    keeper.tell(&vault("sent", &journal)).unwrap();
    keeper.wait().unwrap();
    let run = "run with secret-of-vault, true";
    let told = ["connect inner", "connect sent", "one with secret"];
    assert_eq!(journal.read()[..3], told);
    assert_eq!(journal.read()[3..], [run, run, "kill inner", "dead inner", "connect inner", run]);
}

#[test]
fn a_failed_reconnect_spends_a_life_and_names_the_field() {
    let _dog = watchdog();
    let dir = TempDir::new();
    let journal = dir.marks();
    let error = Locked { vaults: vec![vault("main", &journal)] }.run().expect_err("a shut vault");
    assert_eq!(journal.count("connect main"), 3, "one attempt a life");
    assert_eq!((error.phase(), error.lives_left()), (Some(Phase::Prerun), Some(0)));
    let text = chain(&error);
    assert!(text.contains("vaults[0]") && text.contains("the vault stays shut"), "{text}");
    assert!(!text.contains("wrong"), "the secret is in the error: {text}");
}

#[skprocess(runs = 1)]
struct Forgotten {
    vault: Live<Vault>,
}

#[skprocess]
impl Forgotten {
    fn run(&mut self) {}
}

#[test]
fn a_missing_credential_says_what_to_write() {
    let _dog = watchdog();
    let dir = TempDir::new();
    let error = Forgotten { vault: vault("main", &dir.marks()) }.run().expect_err("no secret");
    let text = chain(&error);
    assert!(text.contains("vault") && text.contains("autoreconnect"), "{text}");
}

const LITERAL: &str = "hunter2-literal";
const OF_FUNCTION: &str = "hunter2-function";

fn hunter2() -> Result<String, BoxError> {
    Ok(OF_FUNCTION.to_owned())
}

#[autoreconnect(Vault = {
    "by_literal": "hunter2-literal",
    "by_function": hunter2,
    "by_file": file(std::env::temp_dir().join("processing-tests-secret")),
})]
#[skprocess(lives = 2)]
struct Discreet {
    by_literal: Live<Vault>,
    by_function: Live<Vault>,
    by_file: Live<Vault>,
}

#[skprocess]
impl Discreet {
    #[expect(clippy::print_stdout, reason = "what a worker prints is searched for secrets too")]
    fn run(&mut self) -> Result<(), String> {
        println!("{:?} {:?} {:?}", self.by_literal, self.by_function, self.by_file);
        self.tell(&[self.by_literal.secret.len(), self.by_function.secret.len(), self.by_file.secret.len()])
            .map_err(|error| error.to_string())?;
        let _ = self.listen::<String>(None);
        Err(format!("{:?}", self.by_file))
    }
}

/// What can be read of these processes from outside, by where it is.
fn inside(processes: &[u32]) -> BTreeMap<String, Vec<u8>> {
    let mut places = BTreeMap::new();
    for process in processes {
        for file in ["environ", "cmdline"] {
            let path = format!("/proc/{process}/{file}");
            let bytes = fs::read(&path).expect("a file of the process");
            places.insert(path, bytes);
        }
        for entry in fs::read_dir(format!("/proc/{process}/fd")).expect("descriptors").flatten() {
            let target = fs::read_link(entry.path()).unwrap_or_default();
            if target.to_string_lossy().starts_with("/memfd:") {
                let place = format!("{} of {process}", target.display());
                places.entry(place).or_default().extend(fs::read(entry.path()).expect("shared memory"));
            }
        }
    }
    assert!(
        places.keys().any(|place| place.contains("processing-state")),
        "no state was searched: {places:?}"
    );
    places
}

#[test]
fn secrets_are_nowhere_but_in_the_connection() {
    const OF_FILE: &str = "hunter2-file";
    let _dog = watchdog();
    let dir = TempDir::new();
    let file = std::env::temp_dir().join("processing-tests-secret");
    fs::write(&file, OF_FILE).expect("a file for the secret");
    let vault = |name: &str| vault(name, &dir.marks());
    let worker = Discreet { by_literal: vault("l"), by_function: vault("n"), by_file: vault("f") };
    let worker = worker.configure(|config| config.stdout(Stream::Capture).stderr(Stream::Capture));
    let worker = worker.start().expect("a process");
    let lengths = worker.listen::<[usize; 3]>(LONGEST).expect("a message").expect("a message");
    assert_eq!(lengths, [LITERAL.len(), OF_FUNCTION.len(), OF_FILE.len()]);

    let pid = worker.pid();
    let mut places =
        if cfg!(target_os = "linux") { inside(&[pid, std::process::id()]) } else { BTreeMap::new() };
    places.insert("the handle".to_owned(), format!("{worker:?}").into_bytes());
    for life in 0..2 {
        worker.tell("fail").expect("a listener");
        if life == 0 {
            assert!(worker.listen::<[usize; 3]>(LONGEST).expect("another attempt").is_some());
        }
    }
    let error = worker.result().expect_err("a failure");
    worker.wait().expect_err("a failure");
    places.insert("the error".to_owned(), format!("{error:?} {}", chain(&error)).into_bytes());
    let output: Vec<String> = worker.output().iter().map(ToString::to_string).collect();
    assert!(!output.is_empty());
    places.insert("the output".to_owned(), output.join("\n").into_bytes());
    fs::remove_file(&file).expect("the file of the secret");

    for (place, bytes) in &places {
        for secret in [LITERAL, OF_FUNCTION, OF_FILE] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "`{secret}` is in {place}");
        }
    }
}

fn chain(error: &ProcessError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[test]
fn the_patience_of_a_reconnect_is_within_the_hooks_limit() {
    let _dog = watchdog();
    let dir = TempDir::new();
    let locked = Locked { vaults: vec![vault("main", &dir.marks())] };
    let error = locked
        .configure(|config| config.lives(1).timeout(Phase::Prerun, Duration::from_secs(30)))
        .run()
        .expect_err("a shut vault");
    assert!(!error.is_timeout(), "{error}");
}

/// A server that is never there.
struct Away;

impl Reconnect for Away {
    type Recipe = Marks;

    fn needs_secret(_: &Marks) -> bool {
        true
    }

    fn connect(journal: &Marks, _: Option<&Secret>, _: Duration) -> Result<Self, BoxError> {
        journal.add("nobody there");
        Err("nobody is there".into())
    }
}

#[autoreconnect(Away = { "*": "known" })]
#[skprocess]
struct Waiting {
    first: Live<Away>,
    second: Live<Away>,
    ran: bool,
}

#[skprocess]
impl Waiting {
    fn run(&mut self) {
        self.ran = true;
    }

    fn result(&mut self) -> bool {
        self.ran
    }
}

#[test]
fn a_stop_ends_the_wait_for_a_server_that_is_away() {
    let _dog = watchdog();
    let dir = TempDir::new();
    let journal = dir.marks();
    let (first, second) = (Live::new(journal.clone()), Live::new(journal.clone()));
    let waiting = Waiting { first, second, ran: false };
    // Unstopped it would go on for half an hour, longer than any test may take.
    let hour = Duration::from_secs(3600);
    let waiting = waiting.configure(|config| config.timeout(Phase::Prerun, hour)).start().expect("a process");
    while journal.count("nobody there") < 3 {
        std::thread::yield_now();
    }
    waiting.stop();
    assert_eq!(waiting.result().ok(), Some(false), "neither an error nor a run");
}
