use super::*;

#[test]
fn a_redirect_is_read_from_where_it_was_answered() {
    let base: Uri = "http://h:81/a/b?c".parse().unwrap();
    for (location, expected) in [
        ("https://other/x", "https://other/x"),
        ("//other/x?y", "http://other/x?y"),
        ("/x#part", "http://h:81/x"),
        ("x", "http://h:81/a/x"),
        ("x/y?z=/../", "http://h:81/a/x/y?z=/../"),
        ("./x", "http://h:81/a/x"),
        ("../x", "http://h:81/x"),
        ("../../..", "http://h:81/"),
        (".", "http://h:81/a/"),
        ("?d", "http://h:81/a/b?d"),
        ("", "http://h:81/a/b?c"),
    ] {
        assert_eq!(join(&base, location).unwrap().to_string(), expected, "{location}");
    }
    assert!(join(&base, "http://").is_none());
}
