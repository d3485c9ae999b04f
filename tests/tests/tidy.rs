//! The rules of the house that no compiler knows: which way imports point, where `unsafe` is, how long a file is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of `processing`, from the top down: each imports only from those below it. Those in one line are
/// strangers to each other.
const FLOORS: &[&[&str]] = &[
    &["lib", "prelude", "__private"],
    &["modifiers"],
    &["pool"],
    &["start"],
    &["process", "engine"],
    &["spawn"],
    &["lifecycle"],
    &["context"],
    &["share"],
    &["snapshot", "protocol"],
    &["channel", "attendant"],
    &["reactor"],
    &["chaos"],
    &["shm"],
    &["sys"],
    &["trace"],
    &["error"],
    &["timing", "restart"],
    &["config"],
    &["phase"],
];

/// The start-up constructor is `sys`'s, as it needs `unsafe`, and what it is for is `spawn`'s.
const EXCEPTIONS: &[(&str, &str)] = &[("sys/startup.rs", "spawn"), ("sys/windows/startup.rs", "spawn")];

/// What `crate::Name` stands for, where the name is re-exported at the root.
const REEXPORTS: &[(&str, &str)] = &[
    ("Config", "config"),
    ("Phase", "phase"),
    ("ProcessError", "error"),
    ("Timer", "timing"),
    ("Timers", "timing"),
];

/// A file may be a little longer than this, if there is no noun to split it at.
const LONG: usize = 450;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// All Rust files below a folder of the workspace, with their paths from there.
fn sources(folder: &str) -> BTreeMap<String, String> {
    let top = root().join(folder);
    let mut found = BTreeMap::new();
    let mut folders = vec![top.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&top).expect("a path below").to_string_lossy().into_owned();
                found.insert(name, fs::read_to_string(&path).expect("a text"));
            }
        }
    }
    assert!(!found.is_empty(), "nothing in {folder}");
    found
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// The modules of this crate that a file's code names, tests aside.
fn imports(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    for (place, _) in code.match_indices("crate::") {
        if code[..place].ends_with(|before: char| before.is_alphanumeric() || before == '$' || before == '_')
        {
            continue;
        }
        let rest = &code[place + "crate::".len()..];
        let list = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap_or_default());
        let names: Vec<&str> = if rest.starts_with('{') { list.split(',').collect() } else { vec![list] };
        for name in names {
            let name = name
                .trim()
                .split(|end: char| !end.is_alphanumeric() && end != '_')
                .next()
                .unwrap_or_default();
            let module = REEXPORTS.iter().find(|(from, _)| *from == name).map_or(name, |(_, module)| *module);
            found.push(module.to_owned());
        }
    }
    found
}

#[test]
fn imports_point_down() {
    let mut wrong = Vec::new();
    for (file, text) in sources("processing/src") {
        let module = file.split(['/', '.']).next().unwrap_or_default().to_owned();
        if file.contains("tests") || file.contains("testing") {
            continue;
        }
        let Some(here) = floor(&module) else {
            wrong.push(format!("{file}: give its module a floor in this test"));
            continue;
        };
        for import in imports(&text) {
            let allowed = EXCEPTIONS.contains(&(file.as_str(), import.as_str()));
            let Some(there) = floor(&import) else { continue };
            let is_stranger = here == there && import != module;
            if (there < here || is_stranger) && !allowed {
                wrong.push(format!("{file} imports {import}, which stands above or beside it"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_stays_where_it_is_expected() {
    let homes = ["processing/src/sys/", "processing/src/shm/", "cucumber/src/func", "cucumber/src/bytes"];
    let macros = &sources("processing-macros/src")["lib.rs"];
    assert!(macros.contains("#![forbid(unsafe_code)]"));
    for folder in ["processing/src", "cucumber/src", "examples", "benches"] {
        for (file, text) in sources(folder) {
            let path = format!("{folder}/{file}");
            let opens = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "#[unsafe("];
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let has_unsafe = code.into_iter().any(|line| opens.iter().any(|open| line.contains(open)));
            assert!(
                !has_unsafe || homes.iter().any(|home| path.starts_with(home)),
                "{path} has `unsafe`; put it behind a safe type in sys/ or shm/"
            );
        }
    }
}

#[test]
fn files_are_short() {
    for folder in ["processing/src", "cucumber/src", "processing-macros/src", "tests", "examples", "benches"]
    {
        for (file, text) in sources(folder) {
            let lines = text.lines().count();
            assert!(lines <= LONG, "{folder}/{file} has {lines} lines; is there a noun to split it at?");
        }
    }
}

#[test]
fn every_ui_test_has_its_words() {
    for folder in ["processing-macros/tests/ui"] {
        for (file, _) in sources(folder) {
            let words = root().join(folder).join(&file).with_extension("stderr");
            assert!(file.starts_with("pass/") || words.exists(), "{folder}/{file} has no .stderr beside it");
        }
    }
}

#[test]
fn cucumber_knows_nothing_of_processes() {
    for (file, text) in sources("cucumber/src").into_iter().filter(|(file, _)| !file.contains("tests")) {
        // The adapters name the types of the standard library that they carry, and no more than the names.
        // What a socket is like, and whether anybody listens at a name, the standard library does not say.
        let carried = match file.as_str() {
            "cross/socket.rs" => &["OwnedFd", "std::process", "rustix"][..],
            file if file.starts_with("cross/") => &["OwnedFd", "std::process"],
            _ => &[],
        };
        for word in
            ["libc", "OwnedFd", "std::process", "rustix"].into_iter().filter(|word| !carried.contains(word))
        {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            assert!(!code.into_iter().any(|line| line.contains(word)), "cucumber/src/{file} names `{word}`");
        }
    }
}

#[test]
fn only_spawn_and_sys_start_or_end_processes() {
    for (file, text) in sources("processing/src") {
        if file.starts_with("spawn/") || file.starts_with("sys/") || file.contains("test") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for word in ["process::exit", "Command::new", "env::var", "process::abort"] {
            assert!(!code.contains(word), "processing/src/{file} has `{word}`");
        }
    }
}

/// Where the tests of a page are: `area::name` in `tests/tests`, or the whole path of a file.
#[test]
fn every_claim_has_its_tests() {
    let page = fs::read_to_string(root().join("docs/security.md")).expect("the page on trust");
    let mut named = 0;
    for word in page.split('`') {
        let Some((file, test)) = word.split_once("::") else { continue };
        let path = if file.contains('/') { file.to_owned() } else { format!("tests/tests/{file}.rs") };
        let text = fs::read_to_string(root().join(path)).unwrap_or_default();
        assert!(
            text.contains(&format!("fn {test}(")),
            "the page on trust names `{word}`, which is not there"
        );
        named += 1;
    }
    assert!(named > 15, "the page on trust names {named} tests only");
}

#[test]
fn every_promise_has_its_tests() {
    let page = fs::read_to_string(root().join("docs/promises.md")).expect("the page of promises");
    let tests = sources("tests/tests");
    let mut named = 0;
    for word in page.split('`') {
        let Some((file, test)) = word.split_once("::") else { continue };
        let Some(text) = tests.get(&format!("{file}.rs")) else {
            panic!("the promises name `{word}`, but there is no tests/tests/{file}.rs");
        };
        assert!(text.contains(&format!("fn {test}(")), "the promises name `{word}`, which is not there");
        named += 1;
    }
    assert!(named > 20, "the page of promises names {named} tests only");
}
