//! What to write instead, for refusals that serde's own implementations word too briefly.

const ADVICE: &[(&str, &str)] = &[
    ("path contains invalid UTF-8", "hold it as an `OsString`, which crosses whatever it contains"),
    (
        "lock poison error",
        "a thread panicked while it held this lock; clear the poison before the value is sent",
    ),
    ("already mutably borrowed", "end the `borrow_mut()` before the value is sent"),
    ("SystemTime must be later than UNIX_EPOCH", "send it as a signed number of seconds since 1970"),
    ("can only flatten structs and maps", "give the field a name of its own instead of `#[serde(flatten)]`"),
    (
        "cannot serialize tagged newtype variant",
        "use `#[serde(tag = \"…\", content = \"…\")]`, or give the variant named fields",
    ),
    ("did not match any variant of untagged enum", "the value was written by a type with other variants"),
];

/// The advice for a refusal, if there is any.
pub(super) fn for_message(message: &str) -> Option<&'static str> {
    ADVICE.iter().find(|(known, _)| message.contains(known)).map(|(_, advice)| *advice)
}
