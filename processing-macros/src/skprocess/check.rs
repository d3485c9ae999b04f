//! What a struct must be to travel, and what of it the expansion needs.

use syn::{Attribute, Field, Fields, GenericParam, ItemStruct, Path};

use super::config::Config;
use super::parse::Setting;
use crate::autoreconnect::Credentials;
use crate::complaints::Complaints;

/// A process type: the struct without our attributes, and what they said.
pub(crate) struct Process {
    pub(crate) item: ItemStruct,
    pub(crate) config: Config,
    pub(crate) credentials: Option<Credentials>,
}

impl Process {
    /// Fails with the struct itself, without our attributes, when it cannot be a process at all.
    pub(crate) fn check(
        mut item: ItemStruct,
        settings: &[Setting],
        complaints: &mut Complaints,
    ) -> Result<Self, Box<ItemStruct>> {
        let config = Config::check(settings, complaints);
        let credentials = Credentials::take(&mut item.attrs, complaints);
        let mut borrows = false;
        for param in &item.generics.params {
            if let GenericParam::Lifetime(param) = param {
                borrows = true;
                complaints.about(
                    param,
                    "a process cannot borrow: its memory is another one; own the data instead \
                     (`String` for `&str`, `Vec<T>` for `&[T]`, a `Share` for what several processes see)",
                );
            }
        }
        if borrows {
            return Err(Box::new(item));
        }
        Ok(Self { item, config, credentials })
    }

    /// The value of the struct's only field makes the whole: that field, or nothing for a struct without any.
    pub(crate) fn single_field(&self) -> Option<Option<&Field>> {
        let fields: Vec<&Field> = self.item.fields.iter().collect();
        // Whether a field behind a `cfg` exists is not known here.
        if fields.iter().any(|field| cfgs(&field.attrs).next().is_some()) {
            return None;
        }
        match fields[..] {
            [] => Some(None),
            [field] => Some(Some(field)),
            _ => None,
        }
    }

    /// Only a struct with named fields leaves its name free in the value namespace.
    pub(crate) fn is_also_a_value(&self) -> bool {
        matches!(self.item.fields, Fields::Named(_)) && self.item.generics.params.is_empty()
    }
}

/// Whether a path ends in this name, however much of it is spelled out.
pub(crate) fn is_named(path: &Path, name: &str) -> bool {
    path.segments.last().is_some_and(|last| last.ident == name)
}

/// The conditions under which a field or a method exists; generated code about it needs the same ones.
pub(crate) fn cfgs(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> + Clone {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg"))
}
