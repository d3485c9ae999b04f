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

#[test]
#[cfg(unix)]
fn a_body_of_holes_is_refused() {
    let (outbox, mut inbox) = pair();
    let file = sys::memory_file("test").unwrap();
    let length = 1_u64 << 40;
    sys::set_file_length(&file, length + crate::channel::START).unwrap();
    let mut bytes = vec![8, 0, 0, 0, 2, 1, 1, 0];
    bytes.extend(length.to_le_bytes());
    sys::send(outbox.socket.as_fd(), &bytes, &[file.as_fd()]).unwrap();
    assert!(inbox.next().unwrap_err().to_string().contains("holes"));
}

#[test]
fn any_stream_is_packets_or_an_error() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut noise = |limit: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) % limit
    };
    for _ in 0..3_000 {
        let (outbox, mut inbox) = pair();
        for _ in 0..1 + noise(4) {
            let length = noise(300);
            let mut bytes: Vec<u8> = (0..length).map(|_| noise(256) as u8).collect();
            if noise(4) > 0 {
                // Nearly a packet: its length, its flag or its number of descriptors may be wrong.
                let said = if noise(4) > 0 { length as u32 } else { noise(1 << 20) as u32 };
                let mut packet = said.to_le_bytes().to_vec();
                packet.extend([noise(10) as u8, noise(3) as u8, noise(3) as u8, u8::from(noise(9) == 0)]);
                packet.append(&mut bytes);
                bytes = packet;
            }
            // Elsewhere nothing rides beside the bytes.
            let beside = if cfg!(unix) { noise(3) } else { 0 };
            let files: Vec<_> = (0..beside).map(|_| sys::memory_file("test").unwrap()).collect();
            let fds: Vec<_> = files.iter().map(AsFd::as_fd).collect();
            if !bytes.is_empty() {
                sys::send(outbox.socket.as_fd(), &bytes, &fds).unwrap();
            }
        }
        drop(outbox);
        // An error, or the end: a stream that was cut short is never waited for.
        while let Ok(Some(packet)) = inbox.next() {
            assert!(packet.body.len() < 1 << 20);
        }
    }
}
