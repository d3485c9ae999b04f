//! What a user sees who writes something wrong, and that what is right compiles in the strictest surroundings.
//!
//! `TRYBUILD=overwrite cargo test -p processing-macros --test ui` writes the `.stderr` files anew.

#[test]
fn mistakes_are_explained_where_they_are() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/skprocess/*.rs");
    cases.compile_fail("tests/ui/autoreconnect/*.rs");
    cases.compile_fail("tests/ui/cucumber/*.rs");
    cases.compile_fail("tests/ui/task/*.rs");
}
