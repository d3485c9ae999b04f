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
    let [id, name, small] = &row.parts[..] else { panic!("{row:?}") };
    assert_eq!((id.name, name.name, small.name), ("id", "name", "small"));
    assert_eq!((id.number, small.number), (leaf::U32, leaf::U8));
    let name = shape.node(name.number).unwrap();
    assert_eq!((name.kind, name.parts[0].number), (Kind::Option, leaf::STR));
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
    assert_eq!(shape.nodes.len(), 2);
    let next = shape.node(shape.root).unwrap().parts[1].number;
    assert_eq!(shape.node(next).unwrap().parts[0].number, shape.root);
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
    let mut parts = shape.nodes.iter().flat_map(|node| node.parts.iter());
    assert!(parts.all(|part| part.number != leaf::UNSEEN), "{shape:?}");
    let mut parts = shape.nodes.iter().flat_map(|node| node.parts.iter());
    assert!(parts.any(|part| *part == Part::new("A", leaf::UNIT)));
}

#[test]
fn what_decides_for_itself_is_unknown() {
    assert_eq!(trace::shape_of::<serde_json::Value>().root, leaf::UNKNOWN);
    assert_eq!(trace::shape_of::<serde::de::IgnoredAny>().root, leaf::UNKNOWN);
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
    // Ten levels of ten fields each: the nodes are shared, so that this is ten nodes and not ten thousand million.
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
    assert!(shape.nodes.len() < 100, "{}", shape.nodes.len());
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
