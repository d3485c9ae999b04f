//! Generated code needs nothing of its surroundings and leaves no warning in them.
#![forbid(unsafe_code)]
#![no_implicit_prelude]
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub, unused_qualifications)]

use ::core::option::Option;
use ::core::prelude::v1::derive;
use ::processing::cucumber::BoxError;
use ::processing::{Live, Reconnect, Secret, Task, autoreconnect, skprocess, task};
use ::std::result::Result::{self, Ok};
use ::std::string::String;

/// A connection.
#[derive(::std::fmt::Debug)]
pub struct Mailbox;

impl Reconnect for Mailbox {
    type Recipe = String;

    fn connect(_: &String, _: Option<&Secret>, _: ::std::time::Duration) -> Result<Self, BoxError> {
        Ok(Self)
    }
}

fn password() -> Result<String, ::std::env::VarError> {
    ::std::env::var("MAIL_PASSWORD")
}

/// Has every hook.
#[autoreconnect(
    Mailbox = {
        "*": env("MAIL_PASSWORD"),
        "a": file("/run/secrets/mail"),
        "b": password,
        "c": function(password),
        "d": "hunter2",
        "e": || password(),
    },
)]
#[skprocess(
    runs = 10,
    join_in = "0s",
    lives = LIVES,
    timeouts(prerun = "1.5s", run = LIMIT),
    checkpoint = every(10),
    restart(5, within = "60s")
)]
#[derive(::std::fmt::Debug)]
pub struct Worker {
    count: u64,
    mailbox: Live<Mailbox>,
    #[cfg(any())]
    absent: Unknown,
    r#type: String,
}

const LIVES: u32 = 3;
const LIMIT: ::std::time::Duration = ::std::time::Duration::from_secs(30);

#[skprocess]
impl Worker {
    fn new(count: u64, name: impl ::std::convert::Into<String>) -> Self {
        Self { count, mailbox: Live::new(String::new()), r#type: name.into() }
    }
    fn prerun(&mut self) -> Result<(), ::std::io::Error> {
        self.helper();
        Ok(())
    }
    /// Counts.
    fn run(&mut self) -> Result<(), String> {
        self.count += 1;
        Ok(())
    }
    fn postrun(&mut self) -> Result<(), ::std::boxed::Box<dyn ::std::error::Error>> {
        Ok(())
    }
    fn onfinish(&mut self) {
        self.mailbox.close();
    }
    #[cfg(all())]
    fn result(&self) -> ::std::io::Result<u64> {
        Ok(self.count + self.r#type.len() as u64)
    }
    fn error(&mut self, _: ::processing::ProcessError) -> Result<u64, ::processing::ProcessError> {
        Ok(0)
    }
    fn helper(&self) {}
}

/// Has parameters.
#[skprocess]
#[derive(::std::fmt::Debug)]
pub struct Sum<T: Number, const N: usize = 3> {
    total: T,
}

/// Something to sum.
pub trait Number: ::std::marker::Copy {}

#[skprocess]
impl<T: Number, const N: usize> Sum<T, N> {
    fn run(&mut self) {}
    fn result(&self) -> usize {
        let _ = self.total;
        N
    }
}

#[skprocess]
#[autoreconnect(Mailbox = { "*": env("MAIL_PASSWORD") })]
struct Unit;

#[skprocess]
impl Unit {
    fn run(&mut self) -> Alias {
        Ok(())
    }
}

type Alias = Result<(), ::std::fmt::Error>;

macro_rules! process {
    ($name:ident, $this:ty, $field:ty, $returned:ty, $lives:expr, $error:ty) => {
        #[skprocess(lives = $lives)]
        struct $name($field);

        #[skprocess]
        impl $this {
            fn new(field: $field) -> $this {
                Self(field)
            }
            fn run(&mut self) -> $returned {
                Ok(())
            }
            fn result(&mut self) -> $field {
                self.0
            }
            fn error(&mut self, error: $error) -> Result<$field, $error> {
                ::std::result::Result::Err(error)
            }
        }
    };
}

process!(Made, Made, u32, Result<(), String>, 5, ::processing::ProcessError);

fn main() {
    #[skprocess]
    struct Local {
        count: u64,
    }

    #[skprocess]
    impl Local {
        fn run(&mut self) {
            self.count += 1;
        }
    }

    let (factor, name, prices) = (3, "a", [1, 2]);
    let prices: &[i64] = &prices;
    let _: Task<fn(i64) -> i64> = task!(|x: i64| x * factor * prices.len() as i64 + name.len() as i64);
    let _ = task!([] |x: u64, y: u64| -> u64 { x + y });

    let _ = (Worker, Local, ::processing::process::<Unit>(), ::processing::process::<Made>());
}
