//! What SQLite reads in a name that begins with `file:`, by its own rules: <https://sqlite.org/uri.html>.

use std::path::Path;

/// A name such as `file:orders.db?mode=ro`, as it was written.
pub(super) struct Uri<'a> {
    /// All after `file:` and before a fragment, if there is neither a host nor the two slashes for one.
    local: Option<&'a [u8]>,
    path: &'a [u8],
    query: &'a [u8],
}

impl<'a> Uri<'a> {
    /// Nothing, if the name is no URI.
    pub(super) fn parse(name: &'a [u8]) -> Option<Self> {
        let all = before(name.strip_prefix(b"file:")?, b'#').0;
        let path_and_query = match all.strip_prefix(b"//") {
            // A host reaches to the next slash. SQLite refuses all but none and `localhost`, and needs no help with that.
            Some(host) => &host[before(host, b'/').0.len()..],
            None => all,
        };
        let (path, query) = before(path_and_query, b'?');
        Some(Self { local: (!all.starts_with(b"//")).then_some(all), path, query })
    }

    /// The file that is meant.
    pub(super) fn path(&self) -> Vec<u8> {
        decoded(self.path)
    }

    /// What a parameter is set to; of two values, SQLite takes the last one.
    pub(super) fn parameter(&self, name: &str) -> Option<Vec<u8>> {
        self.parameters().filter(|(known, _)| known == name.as_bytes()).last().map(|(_, value)| value)
    }

    fn parameters(&self) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> + use<'a> {
        self.query.split(|&byte| byte == b'&').map(|parameter| {
            let (name, value) = before(parameter, b'=');
            (decoded(name), decoded(value))
        })
    }

    /// The same with the path below `folder`, if it is a relative path.
    pub(super) fn below(&self, folder: &Path) -> Option<String> {
        let local = self.local.filter(|_| is_relative(&self.path()))?;
        let mut uri = "file:".to_owned();
        let folder = folder.as_os_str().as_encoded_bytes();
        // The root is nothing but a slash, and two slashes would stand before a host.
        for &byte in folder.strip_suffix(b"/").unwrap_or(folder) {
            push(&mut uri, byte, b"%?#");
        }
        uri.push('/');
        for &byte in local {
            push(&mut uri, byte, b"");
        }
        Some(uri)
    }
}

/// The part before the first `mark`, and the part after it.
fn before(text: &[u8], mark: u8) -> (&[u8], &[u8]) {
    match text.iter().position(|&byte| byte == mark) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[]),
    }
}

/// With each `%` and two digits as the byte they stand for. SQLite ignores what comes after `%00`.
fn decoded(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| text.get(at).and_then(|&digit| char::from(digit).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let octet =
            digit(at + 1).zip(digit(at + 2)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        match octet.filter(|_| byte == b'%') {
            Some(0) => break,
            Some(octet) => {
                bytes.push(octet);
                at += 3;
            }
            None => {
                bytes.push(byte);
                at += 1;
            }
        }
    }
    bytes
}

/// Writes a byte, and those that `mean` something or are no ASCII by their digits.
fn push(uri: &mut String, byte: u8, mean: &[u8]) {
    if byte.is_ascii() && !mean.contains(&byte) {
        uri.push(byte.into());
    } else {
        uri.push_str(&format!("%{byte:02X}"));
    }
}

fn is_relative(path: &[u8]) -> bool {
    let from_root = path.starts_with(b"/") || cfg!(windows) && path.starts_with(b"\\");
    let from_drive = cfg!(windows) && path.get(1) == Some(&b':');
    !from_root && !from_drive
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(folder: &str, name: &str) -> Option<String> {
        Uri::parse(name.as_bytes()).and_then(|uri| uri.below(Path::new(folder)))
    }

    #[test]
    fn a_relative_path_is_put_below_a_folder_of_any_name() {
        assert_eq!(
            below("/50% é?#", "file:a%20b.db?mode=ro#x").unwrap(),
            "file:/50%25 %C3%A9%3F%23/a%20b.db?mode=ro"
        );
        assert_eq!(below("/", "file:a.db").unwrap(), "file:/a.db");
        for absolute in ["file:/a.db", "file:%2Fa.db", "file:///a.db", "file://localhost/a.db"] {
            assert_eq!(below("/x", absolute), None, "{absolute}");
        }
        assert_eq!(below("/x", "a.db"), None);
    }

    #[test]
    fn a_uri_is_read_as_sqlite_does() {
        let uri =
            Uri::parse(b"file://localhost/a%3F%zz%2?b&=c&%6dode=x&mode=r%6f%00w&d=e=f#&mode=rw").unwrap();
        assert_eq!(uri.path(), b"/a?%zz%2");
        assert_eq!(uri.parameter("mode").unwrap(), b"ro");
        assert_eq!(uri.parameter("b").unwrap(), b"");
        assert_eq!(uri.parameter("d").unwrap(), b"e=f");
        assert_eq!(uri.parameter("c"), None);
    }
}
