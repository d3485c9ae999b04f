use super::*;

fn collected<I: IntoIterator>(items: I) -> Option<Vec<u8>> {
    let (bytes, len) = Run::<_, u8>::recognise(items.into_iter()).ok()?;
    let out: Vec<u8> = bytes.items().collect();
    assert_eq!(out.len(), len);
    Some(out)
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
fn floats_are_recognised_by_their_width() {
    let floats = [0.5f64, -0.0, f64::INFINITY];
    let Ok((found, 3)) = Run::<_, f64>::recognise(floats.iter()) else { panic!("these are three floats") };
    assert_eq!(found.items().map(f64::to_bits).collect::<Vec<_>>(), floats.map(f64::to_bits));
    assert!(Run::<_, f32>::recognise(floats.iter()).is_err());
    assert!(Run::<_, u64>::recognise(floats.iter()).is_err());
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
    assert!(vec_visitor::<Doubling, u8>().is_none());
    assert_ne!(vec_visitor_identity::<u8>(), TypeId::of::<Catcher>(), "serde reads `Vec<u8>` in a new way");
    assert_ne!(vec_visitor_identity::<u8>(), vec_visitor_identity::<f64>());
}

#[test]
fn what_is_bytes_and_nothing_else_is_known_by_its_type() {
    assert_eq!(as_bytes(&vec![1u8, 2]), Some(&[1, 2][..]));
    assert_eq!(as_bytes(&"text".to_owned()), Some(&b"text"[..]));
    assert!(
        as_bytes(&vec![1i8]).is_none() && as_bytes(&"text").is_none() && as_bytes(&Some(vec![1u8])).is_none()
    );
    let bytes = vec![7u8; 100];
    let place = bytes.as_ptr();
    let back = from_its_bytes::<Vec<u8>>(bytes).unwrap();
    assert_eq!((back.as_ptr(), back.len()), (place, 100));
    assert_eq!(from_its_bytes::<String>(b"text".to_vec()).unwrap(), "text");
    assert!(from_its_bytes::<String>(vec![0xff]).is_err());
    assert!(from_its_bytes::<u32>(vec![1; 4]).is_err());
}
