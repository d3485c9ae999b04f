use super::*;

fn frame(name: Option<&str>, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    begin(&mut out, name).unwrap();
    out.extend_from_slice(value);
    finish(&mut out, Codec::Postcard, 3, false).unwrap();
    out
}

#[test]
fn a_frame_comes_apart_as_it_was_put_together() {
    let bytes = frame(Some("Query"), b"value");
    let expected =
        Frame { codec: Codec::Postcard, name: Some("Query"), handles: 3, value: b"value", shared: b"" };
    assert_eq!(open(&bytes).unwrap(), expected);
    assert_eq!(open(&frame(None, b"")).unwrap().value, b"");
}

#[test]
fn every_shorter_frame_is_truncated() {
    let bytes = frame(Some("Query"), b"value");
    for end in 0..bytes.len() {
        assert!(open(&bytes[..end]).unwrap_err().is_truncated(), "{end}");
    }
}

#[test]
fn what_follows_the_frame_is_refused() {
    let mut bytes = frame(None, b"value");
    bytes.push(0);
    assert!(open(&bytes).unwrap_err().is_malformed());
}

#[test]
fn another_version_says_which() {
    let mut bytes = frame(None, b"value");
    bytes[3] = 9;
    let error = open(&bytes).unwrap_err();
    assert!(error.is_version());
    assert!(error.to_string().contains("version 9"), "{error}");
}

#[test]
fn no_byte_of_the_header_can_be_changed_unnoticed_and_harmfully() {
    let bytes = frame(Some("Query"), b"value");
    for place in 0..HEADER {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            // Whatever comes out, it is an error or a frame within the bytes.
            if let Ok(frame) = open(&damaged) {
                assert!(frame.value.len() <= damaged.len());
            }
        }
    }
}

#[test]
fn an_impossible_length_allocates_nothing() {
    let mut bytes = frame(None, b"value");
    bytes[LENGTH..HEADER].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(open(&bytes).unwrap_err().is_truncated());
}
