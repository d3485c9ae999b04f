//! Which secret belongs to which live resource: by the connection's type, then by the name of the field it is in.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::reconnect::Reconnect;
use crate::secret::Provider;

/// The name that stands for every field which has no credential of its own.
pub(crate) const DEFAULT: &str = "*";

/// The credentials of a value's live resources.
///
/// A name is that of the field or map key that the resource is in; `"*"` is for all others of its type.
///
/// ```
/// use cucumber::{BoxError, Credentials, Provider, Reconnect, Secret};
///
/// struct Mailbox;
/// impl Reconnect for Mailbox {
///     type Recipe = String;
///     fn connect(_: &String, _: Option<&Secret>, _: std::time::Duration) -> Result<Self, BoxError> { Ok(Mailbox) }
/// }
///
/// let mut credentials = Credentials::new();
/// credentials.insert::<Mailbox>("*", Provider::env("MAIL_PASSWORD"));
/// credentials.insert::<Mailbox>("archive", Provider::file("/run/secrets/archive"));
/// assert_eq!(format!("{:?}", credentials.lookup::<Mailbox>("archive").unwrap()), r#"file("/run/secrets/archive")"#);
/// assert_eq!(format!("{:?}", credentials.lookup::<Mailbox>("inbox").unwrap()), r#"env("MAIL_PASSWORD")"#);
/// ```
#[derive(Clone, Default)]
pub struct Credentials {
    by_type: Arc<HashMap<TypeId, ForType>>,
}

#[derive(Clone)]
struct ForType {
    type_name: &'static str,
    by_name: BTreeMap<String, Provider>,
}

impl Credentials {
    /// No credentials.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says where the secret of the connections of type `C` in the field `name` comes from; `"*"` is for every other field.
    pub fn insert<C: Reconnect>(&mut self, name: impl Into<String>, provider: Provider) -> &mut Self {
        let for_type = Arc::make_mut(&mut self.by_type)
            .entry(TypeId::of::<C>())
            .or_insert_with(|| ForType { type_name: std::any::type_name::<C>(), by_name: BTreeMap::new() });
        for_type.by_name.insert(name.into(), provider);
        self
    }

    /// The provider for a connection of type `C` in the field `name`: its own, else the one for `"*"`.
    #[must_use]
    pub fn lookup<C: Reconnect>(&self, name: &str) -> Option<&Provider> {
        let by_name = &self.by_type.get(&TypeId::of::<C>())?.by_name;
        by_name.get(name).or_else(|| by_name.get(DEFAULT))
    }

    /// Whether there are none at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_type.is_empty()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.by_type.values().map(|one| (one.type_name, &one.by_name))).finish()
    }
}
