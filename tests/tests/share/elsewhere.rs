//! A module without the standard prelude, and with names that expansions must not fall for.
#![no_implicit_prelude]
#![allow(dead_code, non_camel_case_types, reason = "the names are there to be in the way")]

struct Result;
struct Option;
struct Default;
mod core {}

#[derive(::processing::Shareable)]
pub(crate) struct Bare {
    pub(crate) value: u8,
    pub(crate) at: u64,
    pub(crate) writer: u64,
    #[shareable(skip)]
    pub(crate) place: u8,
}

#[derive(::processing::Shareable)]
pub(crate) enum Either<Left, Right> {
    First(Left),
    Second { at: Right, view: u8 },
    Neither,
}

#[derive(::processing::Shareable)]
#[shareable(handle = Tally, crate = "::processing")]
pub(crate) struct Renamed {
    pub(crate) count: u8,
}

#[::processing::shareable]
impl Bare {
    fn plain(&mut self, plain: u8) -> u8 {
        self.value += plain;
        self.value
    }
}

#[test]
fn expansions_need_no_names_of_ours() {
    let share = ::processing::Share::new(Bare { value: 1, at: 2, writer: 3, place: 4 }).unwrap();
    ::std::assert_eq!(share.plain(5), 6);
    let mut renamed = ::processing::Share::new(Renamed { count: 1 }).unwrap();
    let tally: &mut Tally = &mut renamed;
    tally.count += 1;
    ::std::assert!(renamed.count == 2);
    let whole = share.snapshot();
    ::std::assert_eq!((whole.value, whole.at, whole.writer, whole.place), (6, 2, 3, 0));
}
