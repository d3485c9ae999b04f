//! What a server is told at the start, `-c name=value -c name=value`, as `sqlx` wants to hear it: name by name.

use crate::error::BoxError;

/// Neither this text nor its parts are in the error: there is no telling what an option is for.
const FORM: &str = "a pool of `sqlx` knows no options but `-c name=value` and `--name=value`";

/// The names and values in the text.
pub(super) fn settings(text: &str) -> Result<Vec<(String, String)>, BoxError> {
    let mut words = words(text).into_iter();
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let setting = match word.strip_prefix("-c").or_else(|| word.strip_prefix("--")) {
            Some("") if word == "-c" => words.next().ok_or(FORM)?,
            Some(setting) => setting.to_owned(),
            None => return Err(FORM.into()),
        };
        let (name, value) = setting.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or(FORM)?;
        // The driver escapes blanks only, and the server takes any space for an end.
        if setting.contains(|letter| is_space(letter) && letter != ' ') {
            return Err("a pool of `sqlx` cannot pass on options with tabs or ends of lines in them".into());
        }
        settings.push((name.to_owned(), value.to_owned()));
    }
    Ok(settings)
}

/// The words of the text as the server tells them apart: at spaces, but for those behind a backslash.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None::<String>;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            _ if is_space(letter) => words.extend(word.take()),
            '\\' => word.get_or_insert_default().extend(letters.next()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// As C has it, with the vertical tab.
fn is_space(letter: char) -> bool {
    letter.is_ascii_whitespace() || letter == '\x0b'
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

    use super::settings;

    #[test]
    fn names_and_values_are_told_apart_as_the_server_does() {
        for (text, expected) in [
            ("", &[] as &[_]),
            ("  -c a=b\t--c-d=e=f  ", &[("a", "b"), ("c-d", "e=f")]),
            (r"-ca=b\ c -c d=\\", &[("a", "b c"), ("d", r"\")]),
            ("-c a=", &[("a", "")]),
        ] {
            let found = settings(text).unwrap();
            let found: Vec<_> = found.iter().map(|(name, value)| (&**name, &**value)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_passed_on_is_refused() {
        for text in ["-e", "-S 64", "-c", "-c a", "-c =b", "--", "a=b", "-c a=b\\\tc"] {
            assert!(settings(text).is_err(), "{text}");
        }
    }
}
