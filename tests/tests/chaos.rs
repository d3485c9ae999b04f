//! Workers that kill and stall themselves, where the variable says so.

use std::process::{Command, Output};

use tests::watchdog;

fn chaotic(command: &str, chaos: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_chaotic"));
    program.arg(command).env("PROCESSING_CHAOS", chaos).output().expect("the program")
}

/// What it prints, if it ends well.
fn said(command: &str, chaos: &str) -> String {
    let output = chaotic(command, chaos);
    assert!(output.status.success(), "{command}, {chaos}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// 0 + 1 + … + 19, and each iteration told at least once.
fn counted(said: &str) -> usize {
    let (sum, told) = said.split_once(' ').expect("two words");
    assert_eq!(sum, "190", "{said}");
    let told: Vec<u64> =
        told.trim_matches(['[', ']']).split(", ").map(|number| number.parse().expect("a number")).collect();
    assert!((0..20).all(|run| told.contains(&run)), "{said}");
    told.len()
}

#[test]
fn lives_make_up_for_kills() {
    let _watchdog = watchdog();
    let again: usize =
        (0..8).map(|seed| counted(&said("lives", &format!("kill:0.05,seed:{seed}"))) - 20).sum();
    assert!(again > 0, "nobody was killed between a `tell` and the end of its iteration");
    assert_eq!(counted(&said("lives", "kill:0")), 20);
}

#[test]
fn the_same_seed_does_the_same() {
    let _watchdog = watchdog();
    let runs: Vec<String> = (0..3).map(|_| said("lives", "kill:0.1,seed:11")).collect();
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[1], runs[2]);
    assert!((0..10).any(|seed| said("lives", &format!("kill:0.1,seed:{seed}")) != runs[0]));
}

#[test]
fn a_death_looks_like_any_other() {
    let _watchdog = watchdog();
    assert_eq!(said("dies", "kill:1"), "Signal(9)");
    assert_eq!(said("pool dies", "kill:1"), "Signal(9)");
}

#[test]
fn a_stall_overruns_the_limit() {
    let _watchdog = watchdog();
    assert_eq!(said("dies", "stall:1"), "Timeout");
    assert_eq!(said("pool dies", "stall:1"), "Timeout");
}

#[test]
fn a_pool_loses_and_doubles_nothing() {
    let _watchdog = watchdog();
    for seed in 0..3 {
        assert_eq!(said("pool", &format!("kill:0.01,stall:0.001,seed:{seed}")), "true");
    }
}

#[test]
fn workers_of_workers_have_their_own_chaos() {
    let _watchdog = watchdog();
    let said = said("nested", "kill:0.1,seed:3");
    assert_eq!(said.matches("(190, true)").count(), 3, "{said}");
}

#[test]
fn a_wrong_value_is_an_error_that_says_what_to_write() {
    let _watchdog = watchdog();
    for command in ["lives", "pool"] {
        let output = chaotic(command, "kil:0.01");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success());
        assert!(error.contains("PROCESSING_CHAOS is wrong: there is no `kil`; there are `kill`"), "{error}");
    }
}
