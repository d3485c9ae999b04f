use super::*;

fn collected<I: IntoIterator>(items: I) -> Option<Vec<u8>> {
    let (bytes, len) = ByteIter::recognise(items.into_iter()).ok()?;
    let mut out = vec![7];
    bytes.append_to(&mut out);
    assert_eq!(out.len(), len + 1);
    Some(out.split_off(1))
}

#[test]
fn bytes_are_recognised_however_they_are_held() {
    let bytes: Vec<u8> = (0..=255).collect();
    assert_eq!(collected(&bytes), Some(bytes.clone()));
    assert_eq!(collected(&bytes[3..]), Some(bytes[3..].to_vec()));
    assert_eq!(collected(bytes.clone()), Some(bytes.clone()));
    let deque: std::collections::VecDeque<u8> = bytes.iter().copied().collect();
    assert_eq!(collected(&deque), Some(bytes));
}

#[test]
fn nothing_else_is_taken_for_bytes() {
    #[derive(Clone, Copy)]
    struct Byte(#[expect(dead_code, reason = "only its size matters")] u8);
    assert_eq!(collected([1i8].iter()), None);
    assert_eq!(collected([true].iter()), None);
    assert_eq!(collected([Byte(1)].iter()), None);
    assert_eq!(collected([&1u8].iter()), None);
    assert_eq!(collected(["a"].iter()), None);
    // Not known how many.
    assert_eq!(collected([1u8].iter().filter(|_| true)), None);
}

struct Doubling;

impl<'de> Visitor<'de> for Doubling {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("numbers")
    }
}

#[test]
fn only_serde_s_own_visitor_is_replaced() {
    assert!(vec_visitor::<Doubling>().is_none());
    assert_ne!(vec_visitor_identity(), TypeId::of::<Catcher>(), "serde reads `Vec<u8>` in a new way");
}
