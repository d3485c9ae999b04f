//! The grammar of `#[shareable(…)]`: on a type, on a field, and on an impl.

use quote::format_ident;
use syn::parse::Parser as _;
use syn::{Attribute, Ident, LitStr, meta};

use crate::complaints::Complaints;
use crate::runtime::Runtime;
use crate::words;

/// What stands on a type or an impl.
pub(super) struct TypeSettings {
    pub(super) handle: Ident,
    pub(super) runtime: Runtime,
}

impl TypeSettings {
    /// Nothing said: the handle of `State` is `StateHandle`.
    pub(super) fn of(name: &Ident) -> TypeSettings {
        TypeSettings { handle: format_ident!("{name}Handle"), runtime: Runtime::default() }
    }

    /// Reads one setting.
    pub(super) fn read(&mut self, meta: &meta::ParseNestedMeta<'_>) -> syn::Result<()> {
        if meta.path.is_ident("handle") {
            self.handle = meta.value()?.parse()?;
            Ok(())
        } else if meta.path.is_ident("crate") {
            self.runtime = Runtime::within(&meta.value()?.parse::<LitStr>()?)?;
            Ok(())
        } else {
            Err(unknown(meta, &["handle", "crate"]))
        }
    }

    /// Reads the attributes of a type.
    pub(super) fn read_all(&mut self, attributes: &[Attribute], complaints: &mut Complaints) {
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("shareable")) {
            complaints.catch(attribute.parse_nested_meta(|meta| self.read(&meta)));
        }
    }

    /// Reads the arguments of the attribute on an impl.
    pub(super) fn read_arguments(
        &mut self,
        arguments: proc_macro2::TokenStream,
        complaints: &mut Complaints,
    ) {
        complaints.catch(meta::parser(|meta| self.read(&meta)).parse2(arguments));
    }
}

/// How a field is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// As its type says.
    Own,
    /// As one encoded value.
    Value,
    /// Not at all: everyone has the default.
    Skipped,
}

/// Reads the attributes of a field.
pub(super) fn kept(attributes: &[Attribute], complaints: &mut Complaints) -> Kept {
    let mut kept = Kept::Own;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("shareable")) {
        complaints.catch(attribute.parse_nested_meta(|meta| {
            let now = if meta.path.is_ident("value") {
                Kept::Value
            } else if meta.path.is_ident("skip") {
                Kept::Skipped
            } else {
                return Err(unknown(&meta, &["value", "skip"]));
            };
            if kept != Kept::Own {
                return Err(meta.error("a field is kept in one way; choose `value` or `skip`"));
            }
            kept = now;
            Ok(())
        }));
    }
    kept
}

fn unknown(meta: &meta::ParseNestedMeta<'_>, known: &[&str]) -> syn::Error {
    let word = meta.path.get_ident().map_or_else(String::new, ToString::to_string);
    meta.error(words::unknown("argument", &word, known))
}
