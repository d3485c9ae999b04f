//! Runs every bench, and prints one table in Markdown: ours beside the neighbours and the floor, from one run.
//!
//! ```sh
//! cargo run --release -p benches --bin compare > table.md            # about as long as `cargo bench -p benches`
//! cargo run --release -p benches --bin compare -- --quick            # a tenth of the rounds
//! cargo run --release -p benches --bin compare -- spawn roundtrip    # only these benches
//! ```

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use benches::{Collected, read};

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (options, wanted): (Vec<_>, Vec<_>) =
        arguments.into_iter().partition(|argument| argument.starts_with("--"));
    if let Some(unknown) = options.iter().find(|option| *option != "--quick") {
        eprintln!("no option `{unknown}`; there is `--quick`, and the names of benches");
        return ExitCode::FAILURE;
    }
    let all = benches();
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(name)) {
        eprintln!("no bench `{unknown}`; there are: {}", all.join(", "));
        return ExitCode::FAILURE;
    }
    let load = word("/proc/loadavg");
    let mut failed = Vec::new();
    let mut table = Vec::new();
    for bench in all.iter().filter(|name| wanted.is_empty() || wanted.contains(name)) {
        match run(bench, &options) {
            Some(rows) => table.extend(read(&rows)),
            None => failed.push(bench.as_str()),
        }
    }
    println!("{}{}", machine(&load), Collected::table(&table));
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("these benches failed: {}", failed.join(", "));
    ExitCode::FAILURE
}

/// The names of all benches, in the order of the manifest.
fn benches() -> Vec<String> {
    let manifest = fs::read_to_string(MANIFEST).expect("the manifest of the benches");
    let sections = manifest.split("[[bench]]").skip(1);
    let name = |section: &str| Some(section.split("name = \"").nth(1)?.split('"').next()?.to_owned());
    sections.filter_map(name).collect()
}

/// Runs one; its rows, if it ends well.
fn run(bench: &str, options: &[String]) -> Option<String> {
    let rows = std::env::temp_dir().join(format!("bench-rows-{}-{bench}", std::process::id()));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["bench", "--manifest-path", MANIFEST, "--bench", bench, "--"])
        .args(options)
        .env("BENCH_ROWS", &rows)
        // What it prints is for whoever watches; the table is what this program prints.
        .stdout(Stdio::from(std::io::stderr()))
        .status();
    let text = fs::read_to_string(&rows);
    let _ = fs::remove_file(&rows);
    status.ok().filter(std::process::ExitStatus::success).and(text.ok())
}

/// Where and when this was measured.
fn machine(load: &str) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("a processor without a name", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = word("/proc/sys/kernel/osrelease");
    let (rustc, date) = (output("rustc", &["--version"]), output("date", &["-u", "+%F"]));
    format!(
        "{date}: {cores} × {model}, Linux {kernel}, {rustc}; load {load} before the first bench. Medians of one run \
         each, all entries of a question in turns; only the ratios mean something elsewhere.\n\n"
    )
}

fn word(path: impl AsRef<Path>) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
