//! Takes a secret out of what others say, in whatever form they quote it.

use zeroize::Zeroizing;

use super::Secret;
use crate::error::BoxError;

/// A secret of fewer bytes stands in many words by chance. To take it out of them would spell it, `hel[secret]` for `p`, and to
/// leave it in those that look like words would show it where it is joined to others. So no text that holds it is shown.
const SHORT: usize = 4;

const WITHHELD: &str = "what is said here holds the secret, which is too short to be taken out";

impl Secret {
    /// An error of a driver, made harmless: should any layer of it hold the secret, only its words remain, without it.
    pub(crate) fn scrub(&self, error: BoxError) -> BoxError {
        if self.expose().is_empty() {
            return error;
        }
        let forms = Forms::of(self.expose());
        let mut layers = Vec::new();
        let mut leaks = false;
        let mut layer: Option<&dyn std::error::Error> = Some(&*error);
        while let Some(current) = layer {
            let shown = Zeroizing::new(current.to_string());
            let debugged = Zeroizing::new(format!("{current:?}"));
            let scrubbed = forms.scrub(&shown);
            leaks |= scrubbed.is_some() || forms.scrub(&debugged).is_some();
            layers.push(match scrubbed {
                Some(_) if self.expose().len() < SHORT => WITHHELD.to_owned(),
                Some(scrubbed) => scrubbed,
                None => shown.to_string(),
            });
            layer = current.source();
        }
        if leaks { layers.join(": ").into() } else { error }
    }
}

/// For each character of a secret the ways to write it: as it is, as `Debug` of a text or of bytes has it, once or twice, and as a
/// URL has it. Which characters are written in which way differs from writer to writer, so any mixture will do.
struct Forms(Vec<Vec<Zeroizing<String>>>);

impl Forms {
    fn of(secret: &str) -> Self {
        Self(secret.chars().map(|symbol| forms(symbol).into_iter().map(Zeroizing::new).collect()).collect())
    }

    /// The text without the secret, if it holds it.
    fn scrub(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        let mut rest = text;
        let mut is_found = false;
        while let Some(symbol) = rest.chars().next() {
            let held = self.held(rest);
            is_found |= held.is_some();
            match held {
                Some(_) => out.push_str("[secret]"),
                None => out.push(symbol),
            }
            rest = &rest[held.unwrap_or(symbol.len_utf8())..];
        }
        is_found.then_some(out)
    }

    /// How many bytes the secret takes with which the text begins, if it does.
    fn held(&self, text: &str) -> Option<usize> {
        // A `%` may stand for itself and begin a code, so there may be several ways to read on.
        let mut ends = vec![0];
        for forms in &self.0 {
            let nexts = ends.iter().flat_map(|&end| {
                let fitting = forms.iter().filter(move |form| begins_with(&text[end..], form));
                fitting.map(move |form| end + form.len())
            });
            let mut nexts: Vec<usize> = nexts.collect();
            nexts.sort_unstable();
            nexts.dedup();
            if nexts.is_empty() {
                return None;
            }
            ends = nexts;
        }
        ends.last().copied()
    }
}

fn forms(symbol: char) -> Vec<String> {
    let bytes = symbol.to_string().into_bytes();
    let debugged = [
        symbol.escape_debug().to_string(),
        symbol.escape_default().to_string(),
        bytes.escape_ascii().to_string(),
    ];
    let twice = debugged.clone().map(|once| once.escape_debug().to_string());
    let mut forms = vec![symbol.to_string(), bytes.iter().map(|byte| format!("%{byte:02x}")).collect()];
    forms.extend(debugged);
    forms.extend(twice);
    if symbol == ' ' {
        forms.push("+".to_owned());
    }
    forms
}

/// The codes of a URL are in capitals or not.
fn begins_with(text: &str, form: &str) -> bool {
    match text.as_bytes().get(..form.len()) {
        Some(begin) if form.len() > 1 && form.starts_with('%') => begin.eq_ignore_ascii_case(form.as_bytes()),
        Some(begin) => begin == form.as_bytes(),
        None => false,
    }
}
