use super::*;

fn pair() -> (Outbox, Inbox) {
    let (here, there) = sys::socket_pair().unwrap();
    (Outbox::new(Arc::new(here)), Inbox::new(Arc::new(there)))
}

fn packet(body: Vec<u8>, fds: usize) -> Arc<Packet> {
    let fds = (0..fds).map(|_| sys::memory_file("test").unwrap()).collect();
    Arc::new(Packet::new(3, body, fds).unwrap())
}

#[test]
fn packets_keep_their_order_and_their_descriptors() {
    let (mut outbox, mut inbox) = pair();
    outbox.push(packet(b"one".to_vec(), 0));
    outbox.push(packet(b"two".to_vec(), 2));
    assert!(outbox.flush().unwrap());
    let (one, two) = (inbox.next().unwrap().unwrap(), inbox.next().unwrap().unwrap());
    assert_eq!((one.body.as_slice(), one.fds.len()), (&b"one"[..], 0));
    assert_eq!((two.body.as_slice(), two.fds.len(), two.kind), (&b"two"[..], 2, 3));
    drop(outbox);
    assert!(inbox.next().unwrap().is_none());
}

#[test]
fn big_bodies_go_round_the_stream() {
    let (mut outbox, mut inbox) = pair();
    let body: Vec<u8> = (0..1_000_000_u32).map(|byte| byte as u8).collect();
    outbox.push(packet(body.clone(), 1));
    assert!(outbox.flush().unwrap());
    let received = inbox.next().unwrap().unwrap();
    assert_eq!((received.body == body, received.fds.len()), (true, 1));
}

#[test]
fn more_descriptors_than_one_piece_takes() {
    let (mut outbox, mut inbox) = pair();
    outbox.push(packet(b"many".to_vec(), 600));
    outbox.push(packet(b"after".to_vec(), 0));
    assert!(outbox.flush().unwrap());
    assert_eq!(inbox.next().unwrap().unwrap().fds.len(), 600);
    assert_eq!(inbox.next().unwrap().unwrap().body, b"after");
}

#[test]
fn what_the_socket_does_not_take_waits() {
    let (mut outbox, mut inbox) = pair();
    let reader = std::thread::spawn(move || {
        (0..2_000).map(|_| inbox.next().unwrap().unwrap().body.len()).sum::<usize>()
    });
    for _ in 0..2_000 {
        outbox.push(packet(vec![7; 10_000], 0));
    }
    while !outbox.flush().unwrap() {
        std::thread::yield_now();
    }
    assert_eq!(reader.join().unwrap(), 20_000_000);
}

#[test]
fn garbage_is_an_error() {
    let (mut outbox, mut inbox) = pair();
    sys::send(outbox.socket.as_fd(), &[0xff; 64], &[]).unwrap();
    assert!(inbox.next().is_err());
    outbox.push(packet(vec![], 0));
    let _ = outbox.flush();
}

#[test]
fn a_torn_packet_is_the_end() {
    let (outbox, mut inbox) = pair();
    sys::send(outbox.socket.as_fd(), &[100, 0, 0, 0, 1, 0, 0, 0, 5], &[]).unwrap();
    drop(outbox);
    assert!(inbox.next().unwrap().is_none());
}
