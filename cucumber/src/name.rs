//! What a type is called in a message: one name for `&T`, `Box<T>` and `T`, for `str` and `String`, for `[T]` and `Vec<T>`.

use std::cell::RefCell;
use std::collections::HashMap;

/// The name by which messages know the type `T`.
///
/// Types that are written alike have one name, so that what was sent as a `&str` is received as a `String`, and what was
/// sent as a `&[T]` as a `Vec<T>`. The standard library's types lose their paths.
///
/// ```
/// assert_eq!(cucumber::type_name::<&str>(), "String");
/// assert_eq!(cucumber::type_name::<(&[u8], Option<Box<i64>>)>(), "(Vec<u8>, Option<i64>)");
/// ```
#[must_use]
pub fn type_name<T: ?Sized>() -> &'static str {
    thread_local! {
        /// By the address of the compiler's name, which is a constant of the program.
        static NAMES: RefCell<HashMap<(usize, usize), &'static str>> = RefCell::default();
    }
    let raw = std::any::type_name::<T>();
    let key = (raw.as_ptr().addr(), raw.len());
    // A thread that is ending has no table any more; then the name is made anew.
    NAMES
        .try_with(|names| *names.borrow_mut().entry(key).or_insert_with(|| intern(raw)))
        .unwrap_or_else(|_| intern(raw))
}

/// One copy of each name for the life of the program, however many threads ask.
fn intern(raw: &'static str) -> &'static str {
    use std::sync::{Mutex, PoisonError};
    static KNOWN: Mutex<Option<HashMap<&'static str, &'static str>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.get_or_insert_default().entry(raw).or_insert_with(|| {
        let name = normalise(raw);
        if name == raw { raw } else { Box::leak(name.into_boxed_str()) }
    })
}

fn normalise(raw: &str) -> String {
    let mut reader = Reader { rest: raw };
    let mut out = reader.any_type();
    // Whatever the reader did not understand stays as the compiler wrote it.
    out.push_str(reader.rest);
    out
}

/// Reads the compiler's names, a type at a time.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn eat(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn any_type(&mut self) -> String {
        if self.eat("&") {
            if self.rest.starts_with('\'') {
                let end = self.rest.find(' ').map_or(self.rest.len(), |space| space + 1);
                self.rest = &self.rest[end..];
            }
            self.eat("mut ");
            return self.any_type();
        }
        if self.eat("(") {
            let inner = self.list(')');
            // A tuple of one keeps its comma, or it would be the type itself.
            let comma = if inner.len() == 1 { "," } else { "" };
            return format!("({}{comma})", inner.join(", "));
        }
        if self.eat("[") {
            let element = self.any_type();
            if self.eat("]") {
                return format!("Vec<{element}>");
            }
            let end = self.rest.find(']').map_or(self.rest.len(), |bracket| bracket + 1);
            let length = &self.rest[..end];
            let out = format!("[{element}{length}");
            self.rest = &self.rest[end..];
            return out;
        }
        self.path()
    }

    /// The types up to the closing bracket, which is eaten.
    fn list(&mut self, close: char) -> Vec<String> {
        let mut out = Vec::new();
        loop {
            let mut buffer = [0; 4];
            if self.rest.is_empty() || self.eat(close.encode_utf8(&mut buffer)) {
                return out;
            }
            if self.rest.starts_with('\'') {
                // A lifetime, which no message knows about.
                let end = self.rest.find([',', close]).unwrap_or(self.rest.len());
                self.rest = &self.rest[end..];
                self.eat(", ");
                continue;
            }
            let before = self.rest.len();
            let mut one = self.any_type();
            while !self.rest.is_empty() && !self.rest.starts_with([',', close]) {
                // Something like ` + Send` or ` = u8`: copied, with any types that follow.
                let step = self.rest.chars().next().map_or(1, char::len_utf8);
                one.push_str(&self.rest[..step]);
                self.rest = &self.rest[step..];
                if !self.rest.starts_with([',', close]) {
                    one.push_str(&self.any_type());
                }
            }
            out.push(one);
            if !self.eat(", ") {
                self.eat(",");
            }
            if self.rest.len() == before {
                return out;
            }
        }
    }

    fn path(&mut self) -> String {
        let mut out = String::new();
        loop {
            let end =
                self.rest.find(['<', '>', ',', '(', ')', '[', ']', ';', '&', ' ']).unwrap_or(self.rest.len());
            let part = &self.rest[..end];
            self.rest = &self.rest[end..];
            out.push_str(part);
            if !part.is_empty() && self.eat("<") {
                let name = shorten(&out);
                let arguments = self.list('>');
                match (name, arguments.as_slice()) {
                    ("Box" | "Cow", [inner]) if self.rest.is_empty() || !self.rest.starts_with("::") => {
                        return inner.clone();
                    }
                    (name, []) => out = name.to_owned(),
                    _ => out = format!("{name}<{}>", arguments.join(", ")),
                }
                if self.rest.starts_with("::") {
                    continue;
                }
                return out;
            }
            if part.is_empty() && self.rest.starts_with('<') {
                // `<impl Trait for Type>`: kept whole.
                let end = closing(self.rest);
                out.push_str(&self.rest[..end]);
                self.rest = &self.rest[end..];
                if self.rest.starts_with("::") {
                    continue;
                }
            }
            return match shorten(&out) {
                "str" => "String".to_owned(),
                name => name.to_owned(),
            };
        }
    }
}

/// Without the path, for a type of the standard library.
fn shorten(path: &str) -> &str {
    let standard = ["alloc::", "core::", "std::"].iter().any(|prefix| path.starts_with(prefix));
    match path.rfind("::") {
        Some(at) if standard && !path.contains(['<', '{']) => &path[at + 2..],
        _ => path,
    }
}

/// Just behind the bracket that closes the one at the start.
fn closing(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, symbol) in text.char_indices() {
        match symbol {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + symbol.len_utf8();
        }
    }
    text.len()
}

#[cfg(test)]
mod tests;
