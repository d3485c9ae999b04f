//! Servers that a test needs: without them it is skipped, visibly, or fails where `PROCESSING_REQUIRE_SERVICES` is set.

use std::io::Write;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// Whether a server answers at this address. If not, the caller returns.
///
/// # Panics
/// If it does not and `PROCESSING_REQUIRE_SERVICES` is set: where all services should be there, a skip is a failure.
#[must_use]
pub fn is_there(service: &str, address: &str) -> bool {
    address_answers(address) || skip(&format!("{service} at {address}"))
}

/// Whether a server answers at this address, without a word about it.
#[must_use]
pub fn address_answers(address: &str) -> bool {
    let mut addresses = address.to_socket_addrs().into_iter().flatten();
    addresses.any(|address| TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok())
}

/// Whether a program can be started, for a server that a test has to itself. If not, the caller returns.
///
/// # Panics
/// As [`is_there`].
#[must_use]
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file()) || skip(program)
}

fn skip(missing: &str) -> bool {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    assert!(
        std::env::var_os("PROCESSING_REQUIRE_SERVICES").is_none(),
        "`{test}` needs {missing}, and PROCESSING_REQUIRE_SERVICES says that it should be there"
    );
    // Not by `eprintln!`, which a test that passes has caught.
    let _ = writeln!(std::io::stderr(), "SKIPPED `{test}`: no {missing}");
    false
}
