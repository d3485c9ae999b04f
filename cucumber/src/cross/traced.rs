//! Handles of `tracing`: they belong to a subscriber, and each process has its own.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::{DeserializeAs, SerializeAs};
use tracing::callsite::{self, Callsite, Identifier};
use tracing::field::{FieldSet, Value};
use tracing::level_filters::LevelFilter;
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Dispatch, Level, Metadata, Span, dispatcher};

use super::Cross;
use crate::scope::{self, Handling};

/// How many different spans the bytes of others may have made known here. A span's description is never given back.
const MOST: usize = 4096;

macro_rules! words {
    ($($type:ty)*) => {$(
        impl SerializeAs<$type> for Cross {
            fn serialize_as<S: Serializer>(value: &$type, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(value)
            }
        }

        impl<'de> DeserializeAs<'de, $type> for Cross {
            fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

words! { Level LevelFilter }

/// On the other side it is the subscriber that is in force there.
impl SerializeAs<Dispatch> for Cross {
    fn serialize_as<S: Serializer>(_: &Dispatch, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> DeserializeAs<'de, Dispatch> for Cross {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Dispatch, D::Error> {
        <()>::deserialize(deserializer).map(|()| dispatcher::get_default(Dispatch::clone))
    }
}

#[derive(Serialize, Deserialize, PartialEq, Eq, Hash, Clone)]
struct Description {
    name: String,
    target: String,
    level: String,
}

/// Written as name, target and level; the values of its fields are with the subscriber only.
impl SerializeAs<Span> for Cross {
    fn serialize_as<S: Serializer>(value: &Span, serializer: S) -> Result<S::Ok, S::Error> {
        let about = value.metadata().filter(|_| !value.is_disabled());
        let about = about.map(|about| Description {
            name: about.name().to_owned(),
            target: about.target().to_owned(),
            level: about.level().to_string(),
        });
        about.serialize(serializer)
    }
}

impl<'de> DeserializeAs<'de, Span> for Cross {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        let about = Option::<Description>::deserialize(deserializer)?;
        match about {
            Some(about) if scope::handling() != Handling::Masked => {
                let level = about.level.parse().map_err(D::Error::custom)?;
                Ok(begin(about, level))
            }
            _ => Ok(Span::none()),
        }
    }
}

/// A span of this process's subscriber, if that wants one.
fn begin(about: Description, level: Level) -> Span {
    let Some(metadata) = described(about, level) else { return Span::none() };
    if !dispatcher::get_default(|dispatch| dispatch.enabled(metadata)) {
        return Span::none();
    }
    let values: [(&tracing::field::Field, Option<&dyn Value>); 0] = [];
    Span::new(metadata, &metadata.fields().value_set(&values))
}

/// Where a span comes from that no code of this process has written.
struct Elsewhere(OnceLock<Metadata<'static>>);

impl Callsite for Elsewhere {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.0.get().expect("it is described before anybody is shown it")
    }
}

fn described(about: Description, level: Level) -> Option<&'static Metadata<'static>> {
    static KNOWN: Mutex<Option<HashMap<Description, &'static Elsewhere>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if let Some(place) = known.get(&about) {
        return place.0.get();
    }
    if known.len() >= MOST {
        return None;
    }
    let place: &'static Elsewhere = Box::leak(Box::new(Elsewhere(OnceLock::new())));
    let name: &'static str = about.name.clone().leak();
    let target: &'static str = about.target.clone().leak();
    let fields = FieldSet::new(&[], Identifier(place));
    let metadata =
        place.0.get_or_init(|| Metadata::new(name, target, level, None, None, None, fields, Kind::SPAN));
    callsite::register(place);
    known.insert(about, place);
    Some(metadata)
}
