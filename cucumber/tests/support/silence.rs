//! Peers that stop talking, at the worst moment.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use cucumber::{Credentials, Live, Reconnect, reconnect_until};

use super::servers::{self, LONGEST};

/// A server that is reached through somebody who may stop passing on what is said, and keeps all connections open.
struct Proxy {
    port: u16,
    silent: Arc<AtomicBool>,
}

impl Proxy {
    fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let silent = Arc::new(AtomicBool::new(false));
        let is_silent = Arc::clone(&silent);
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                pass_on(client.try_clone().unwrap(), server.try_clone().unwrap(), Arc::clone(&is_silent));
                pass_on(server, client, Arc::clone(&is_silent));
            }
        });
        Self { port, silent }
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, silent: Arc<AtomicBool>) {
    thread::spawn(move || {
        let mut some = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut some) {
            if !silent.load(Ordering::SeqCst) && to.write_all(&some[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}

/// That a connection whose server fell silent does not keep anybody beyond the deadline.
pub fn is_noticed<C: Reconnect>(service: &'static str, server: u16, url: impl Fn(u16) -> String) {
    if servers::open::<C>(service, &url(server)).is_none() {
        return;
    }
    let proxy = Proxy::before(server);
    let url = url(proxy.port);
    let (done, result) = mpsc::channel();
    thread::spawn(move || {
        let (mut live, unused) = (Live::<C>::open(&url).unwrap(), Live::<C>::open(&url).unwrap());
        let mut closed = Live::<C>::open(&url).unwrap();
        assert!(reconnect_until(&mut live, &Credentials::new(), servers::patience()).is_ok());
        proxy.silent.store(true, Ordering::SeqCst);
        let deadline = Instant::now() + Duration::from_millis(300);
        let report = reconnect_until(&mut live, &Credentials::new(), Some(deadline));
        done.send(Some((report, live.is_connected()))).unwrap();
        // Nor is it waited for at the end.
        closed.close();
        drop((live, unused, closed));
        done.send(None).unwrap();
    });
    let found = result.recv_timeout(LONGEST).expect("it waits for a server that fell silent");
    let (report, connected) = found.unwrap();
    assert!(report.failures[0].is_connect() && !connected, "{report:?}");
    assert!(
        result.recv_timeout(LONGEST).expect("it waits for the end of a connection that is dead").is_none()
    );
}

/// A peer that answers the first that it hears with `word`, and then says nothing, or these letters one by one.
pub fn after(word: &'static [u8], then: Option<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            thread::spawn(move || {
                let mut some = [0; 4096];
                // A server of MySQL speaks first; the others can wait for a moment, too.
                let _ = client.set_read_timeout(Some(Duration::from_millis(20)));
                let _ = client.read(&mut some);
                let _ = client.write_all(word);
                let Some(letter) = then else {
                    let _ = client.set_read_timeout(None);
                    while let Ok(1..) = client.read(&mut some) {}
                    return;
                };
                while client.write_all(&[letter]).is_ok() {
                    // How slow it is, and nothing that anybody waits for.
                    thread::sleep(Duration::from_millis(20));
                }
            });
        }
    });
    port
}
