//! Variables inside format strings: `"{total:>width$}"` uses two.

/// Macros whose string literals are format strings, by the last segment of their path.
const MACROS: [&str; 28] = [
    "anyhow",
    "assert",
    "assert_eq",
    "assert_ne",
    "bail",
    "debug",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "ensure",
    "eprint",
    "eprintln",
    "error",
    "format",
    "format_args",
    "info",
    "log",
    "panic",
    "print",
    "println",
    "span",
    "todo",
    "trace",
    "unimplemented",
    "unreachable",
    "warn",
    "write",
    "writeln",
];

/// Whether a macro of this name formats its string literals.
pub(crate) fn is_formatting(name: &str) -> bool {
    MACROS.contains(&name)
}

/// The names a format string refers to, in order; positions (`{0}`) are none.
pub(crate) fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        rest = &rest[open + 1..];
        if let Some(escaped) = rest.strip_prefix('{') {
            rest = escaped;
            continue;
        }
        let Some(close) = rest.find('}') else { break };
        let (argument, spec) = rest[..close].split_once(':').unwrap_or((&rest[..close], ""));
        names.extend(name(argument.trim()));
        // Width and precision are names too, each before a `$`.
        let specs: Vec<&str> = spec.split('$').collect();
        for before in &specs[..specs.len() - 1] {
            let word = before.rsplit(|c| !is_part(c)).next().unwrap_or_default();
            names.extend(name(word.trim_start_matches(|c: char| c.is_ascii_digit())));
        }
        rest = &rest[close + 1..];
    }
    names
}

fn name(word: &str) -> Option<String> {
    let named = word.starts_with(|c: char| c == '_' || c.is_alphabetic()) && word.chars().all(is_part);
    named.then(|| word.to_owned())
}

fn is_part(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn every_kind_of_name_is_found() {
        assert_eq!(names("{a} {b:?} {c:>8.2}"), ["a", "b", "c"]);
        assert_eq!(names("{total:>width$.places$}"), ["total", "width", "places"]);
        assert_eq!(names("{x:é^w$} {y:08} {z:0w$}"), ["x", "w", "y", "z", "w"]);
        assert_eq!(names("{:1$} {0:n$}"), ["n"]);
        assert_eq!(names("{_under} { spaced }"), ["_under", "spaced"]);
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        assert!(names("{{escaped}} {} {0} {:?} }} plain").is_empty());
        assert!(names("{unfinished").is_empty());
        assert!(names("{a.b}").is_empty());
    }
}
