use std::num::NonZeroU8;

use serde::Deserialize;

use super::*;

#[test]
fn a_struct_is_seen_with_its_fields() {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only traced")]
    struct Row {
        id: u32,
        name: Option<String>,
        small: NonZeroU8,
    }
    let shape = trace::shape_of::<Row>();
    let row = shape.node(shape.root).unwrap();
    assert_eq!(row.kind, Kind::Struct);
    let [id, name, small] = row.parts else { panic!("{row:?}") };
    assert_eq!((id.name, name.name, small.name), ("id", "name", "small"));
    assert!(id.wanted.is_leaf(leaf::U32) && small.wanted.is_leaf(leaf::U8));
    let name = shape.node(name.wanted).unwrap();
    assert!(name.kind == Kind::Option && name.parts[0].wanted.is_leaf(leaf::STR));
}

#[test]
fn recursion_ends_at_what_is_known() {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only traced")]
    struct List {
        value: u8,
        next: Option<Box<List>>,
    }
    let shape = trace::shape_of::<List>();
    assert_eq!(shape.parts.len(), 3);
    let next = shape.node(shape.root).unwrap().parts[1].wanted;
    assert_eq!(shape.node(next).unwrap().parts[0].wanted, shape.root);
}

#[test]
fn every_variant_is_visited_once_it_has_been_reached() {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only traced")]
    enum Inner {
        A,
        B(u8),
        C { x: i8 },
    }
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only traced")]
    enum Outer {
        Early(bool),
        Late(Vec<Option<Inner>>),
    }
    let shape = trace::shape_of::<Outer>();
    assert!(shape.parts.iter().all(|part| !part.wanted.is_leaf(leaf::UNSEEN)), "{shape:?}");
    assert!(shape.parts.contains(&Part::new("A", Wanted::leaf(leaf::UNIT))));
}

#[test]
fn what_decides_for_itself_is_unknown() {
    assert_eq!(trace::shape_of::<serde_json::Value>(), Shape::unknown());
    assert_eq!(trace::shape_of::<serde::de::IgnoredAny>(), Shape::unknown());
}

#[test]
fn a_deserialize_that_panics_is_unknown() {
    struct Panics;
    impl<'de> Deserialize<'de> for Panics {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            u8::deserialize(deserializer)?;
            std::panic::resume_unwind(Box::new(()))
        }
    }
    assert_eq!(trace::shape_of::<Panics>(), Shape::unknown());
}

#[test]
fn a_type_that_branches_without_end_is_given_up_in_time() {
    // Six levels of ten fields each: the parts are shared, so that these are some dozens and not a million.
    macro_rules! level {
        ($name:ident $below:ty) => {
            #[derive(Deserialize)]
            #[expect(dead_code, reason = "only traced")]
            struct $name([Option<Box<$below>>; 10]);
        };
    }
    level!(A u8);
    level!(B A);
    level!(C B);
    level!(D C);
    level!(E D);
    level!(F E);
    let shape = trace::shape_of::<F>();
    assert!(shape.parts.len() < 200, "{}", shape.parts.len());
}

#[test]
fn a_kind_is_told_from_another_and_from_another_length() {
    let parts: Vec<Part> = (0..8).map(|_| Part::new("", Wanted::leaf(leaf::U8))).collect();
    for kind in Kind::ALL {
        for len in 0..4 {
            let wanted = Wanted::parts(kind, len, 3).unwrap();
            for other in Kind::ALL {
                for count in 0..4 {
                    let found = wanted.exactly(other, count, &parts).map(<[Part]>::len);
                    assert_eq!(found, (other == kind && count == len).then_some(len));
                    assert_eq!(wanted.nth(other, count, &parts).is_some(), other == kind && count < len);
                }
            }
            assert!((0..leaf::FIRST).all(|number| !wanted.is_leaf(number)));
        }
        assert!(Wanted::parts(kind, 1 << 26, 0).is_none() && Wanted::parts(kind, 1, usize::MAX).is_none());
        let wanted = Wanted::parts(kind, 0, 0).unwrap();
        // As many more as the upper bits hold would look like none.
        assert!(wanted.exactly(kind, 1 << 26, &parts).is_none());
        assert!(Wanted::parts(kind, 4, 6).unwrap().exactly(kind, 4, &parts).is_none());
    }
}

#[test]
fn what_is_known_is_found_from_every_thread() {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only traced")]
    struct Message(u8, u8);
    assert!(of::<Message>().is_none());
    std::thread::spawn(know::<Message>).join().unwrap();
    assert!(of::<&Message>().is_some());
    assert!(std::thread::spawn(|| of::<Message>().is_some()).join().unwrap());
}
