//! A connection of one's own that comes back: fifteen lines of `Reconnect`, for a client of a small server over TCP.
//!
//! The server is a thread of this example. It wants a password, counts, and throws its clients out again and again. The
//! worker neither loses a count nor a life over that: before each run it looks at the connection, and makes a new one
//! when the old one is dead. The password is asked for where the connection is made, and is part of nothing that travels.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use processing::cucumber::BoxError;
use processing::prelude::*;
use processing::{Reconnect, Secret};

/// A client of the counting server.
struct Counter(BufReader<TcpStream>);

impl Reconnect for Counter {
    /// All that is needed to connect, except the secret.
    type Recipe = SocketAddr;

    fn needs_secret(_: &SocketAddr) -> bool {
        true
    }

    fn connect(server: &SocketAddr, secret: Option<&Secret>, limit: Duration) -> Result<Self, BoxError> {
        let stream = TcpStream::connect_timeout(server, limit)?;
        stream.set_read_timeout(Some(limit))?; // a server that says nothing is an error, too
        let mut counter = Counter(BufReader::new(stream));
        counter.ask(secret.map_or("", Secret::expose)).map(|_| counter)
    }

    fn is_alive(&mut self, _: &SocketAddr, _: Duration) -> bool {
        self.ask("total").is_ok()
    }
}

impl Counter {
    /// One line there and one back.
    fn ask(&mut self, line: &str) -> Result<String, BoxError> {
        writeln!(self.0.get_mut(), "{line}")?;
        let mut answer = String::new();
        self.0.read_line(&mut answer)?;
        match answer.trim_end() {
            "" => Err("the server ended the session".into()),
            "no" => Err("the server refused".into()),
            answer => Ok(answer.to_owned()),
        }
    }
}

#[autoreconnect(Counter = { "*": password })]
#[skprocess(runs = 6)]
struct Adder {
    counter: Live<Counter>,
    totals: Vec<String>,
}

#[skprocess]
impl Adder {
    fn run(&mut self) -> Result<(), BoxError> {
        let total = self.counter.ask("add 7")?;
        self.totals.push(total);
        Ok(())
    }

    fn result(&mut self) -> Vec<String> {
        std::mem::take(&mut self.totals)
    }
}

/// In earnest, `env("…")` or `file("…")` in the attribute; see `processing::Provider`.
fn password() -> Result<String, BoxError> {
    Ok("open sesame".to_owned())
}

fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let server = listener.local_addr()?;
    std::thread::spawn(move || serve(&listener));

    let adder = Adder { counter: Live::new(server), totals: Vec::new() }.start()?;
    let totals = adder.result()?;
    println!("six times seven, over a connection that never lasts: {}", totals.join(", "));
    anyhow::ensure!(totals.last().is_some_and(|total| total == "42"), "a count was lost");

    let mut wrong = Live::<Counter>::new(server);
    wrong.set_provider(processing::Provider::literal("open barley"));
    if let Err(error) = wrong.connection() {
        println!("with another password: {:#}", anyhow::Error::new(error));
    }
    Ok(())
}

/// Counts for one client after the other, and throws each out after its second sum.
fn serve(listener: &TcpListener) {
    let mut total = 0;
    for (session, stream) in listener.incoming().flatten().enumerate() {
        let Ok(mut answers) = stream.try_clone() else { continue };
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let is_known = lines.next().is_some_and(|line| line == "open sesame");
        let _ = writeln!(answers, "{}", if is_known { "welcome" } else { "no" });
        let mut sums = 0;
        while let Some(line) = lines.next().filter(|_| is_known && sums < 2) {
            if let Some(number) = line.strip_prefix("add ") {
                total += number.parse().unwrap_or(0);
                sums += 1;
            }
            let _ = writeln!(answers, "{total}");
        }
        println!("session {session}: {} sums, {total} in all", sums);
    }
}
