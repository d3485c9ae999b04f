//! A share whose attributes are named at run time.

use std::collections::BTreeMap;
use std::fmt;

use super::codec::{self, Encoded};
use super::error::ShareError;
use super::handle::Share;
use super::map;
use super::operations::operations;
use super::place::Place;
use super::shareable::{Element, ShareHandle, Shareable};
use crate::shm::fault::Fault;
use crate::shm::map::{MAP, Map};
use crate::shm::view::View;
use crate::shm::writer::Writer;

/// Any number of values of any serde types, each under a name: what [`Share::dynamic`] shares.
///
/// As plain data it can be kept and shared again, but not looked into.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Dynamic {
    entries: BTreeMap<String, Vec<u8>>,
}

impl fmt::Debug for Dynamic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
    }
}

/// Stands for shared values whose names and types are not known when the program is compiled.
///
/// ```
/// use processing::Share;
///
/// let share = Share::dynamic()?;
/// share.set("counter", 0_u64);
/// share.set("log", Vec::<String>::new());
/// let now = share.update("counter", |counter: &mut u64| { *counter += 1; *counter });
/// share.update("log", |log: &mut Vec<String>| log.push(now.to_string()));
/// assert_eq!(share.get::<Vec<String>>("log"), ["1"]);
/// assert!(share.try_get::<bool>("counter").unwrap_err().is_value());
/// assert!(share.remove("counter"));
/// assert!(share.try_get::<u64>("counter").unwrap_err().is_missing());
/// # Ok::<(), processing::ShareError>(())
/// ```
pub struct DynamicHandle {
    place: Place,
}

/// What is kept: the length of the type's name in two bytes, the name, the value.
fn pack<T: Element>(value: &T) -> Result<Vec<u8>, ShareError> {
    let (name, value) = (cucumber::type_name::<T>(), codec::encode(value)?);
    let len = u16::try_from(name.len()).map_err(|_| ShareError::value("the type's name is too long"))?;
    let mut bytes = len.to_le_bytes().to_vec();
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(&value);
    Ok(bytes)
}

fn unpack<T: Element>(name: &str, bytes: &[u8]) -> Result<T, ShareError> {
    let split = || {
        let (len, rest) = bytes.split_first_chunk()?;
        let (held, value) = rest.split_at_checked(u16::from_le_bytes(*len).into())?;
        Some((std::str::from_utf8(held).ok()?, value))
    };
    let (held, value) = split().ok_or(Fault::Corrupt("attribute"))?;
    let asked = cucumber::type_name::<T>();
    if held != asked {
        return Err(ShareError::wrong_type(name, held, asked));
    }
    codec::decode(value)
}

fn key_of(name: &str) -> Result<Encoded, ShareError> {
    codec::encode(name)
}

impl DynamicHandle {
    operations! {
        /// Gives the attribute `name` this value, of whatever type it was before.
        fn set | try_set[T: Element](&self, name: &str, value: T) {
            let (key, value) = (key_of(name)?, pack(&value)?);
            self.place.write(|writer, at| Ok(Map::new(at).insert(writer, &key, &value).map(drop)?))
        }

        /// The value of the attribute `name`, which must be a `T`.
        fn get | try_get[T: Element](&self, name: &str) -> T {
            let key = key_of(name)?;
            self.place.read(|view, at| match Map::new(at).get(view, &key)? {
                Some(value) => unpack(name, &value),
                None => {
                    view.check()?;
                    Err(ShareError::missing(name))
                }
            })
        }

        /// Gives `change` the value of the attribute `name`, writes back what it makes of it, and returns what it
        /// returns.
        fn update | try_update[T: Element, R](&self, name: &str, change: impl FnOnce(&mut T) -> R) -> R {
            self.place.transact(|| {
                let mut value = self.try_get(name)?;
                let result = change(&mut value);
                self.try_set(name, value)?;
                Ok(result)
            })
        }

        /// Removes the attribute `name`; `true` if there was one.
        fn remove | try_remove(&self, name: &str) -> bool {
            let key = key_of(name)?;
            self.place.write(|writer, at| Ok(Map::new(at).remove(writer, &key)?.is_some()))
        }

        /// Whether there is an attribute `name`.
        fn contains | try_contains(&self, name: &str) -> bool {
            let key = key_of(name)?;
            self.place.read(|view, at| Ok(Map::new(at).contains(view, &key)?))
        }

        /// The names of all attributes, sorted.
        fn names | try_names(&self) -> Vec<String> {
            Ok(self.try_snapshot()?.entries.into_keys().collect())
        }

        /// How many attributes there are.
        fn len | try_len(&self) -> usize {
            self.place.read(|view, at| Ok(Map::new(at).len(view)? as usize))
        }

        /// Whether there are none.
        fn is_empty | try_is_empty(&self) -> bool {
            Ok(self.try_len()? == 0)
        }
    }
}

impl ShareHandle for DynamicHandle {
    type Plain = Dynamic;

    fn place(&self) -> &Place {
        &self.place
    }
}

impl Shareable for Dynamic {
    type Handle = DynamicHandle;

    const WORDS: u64 = MAP / 8;

    fn handle(place: Place) -> DynamicHandle {
        DynamicHandle { place }
    }

    fn load(view: &View<'_>, at: u64) -> Result<Dynamic, ShareError> {
        let mut entries = BTreeMap::new();
        Map::new(at).for_each(&mut &*view, |view, entry| {
            let value = entry.value(view)?.ok_or(Fault::Corrupt("attribute"))?;
            entries.insert(codec::decode(&entry.key(view)?)?, value.into_vec());
            Ok::<_, ShareError>(())
        })?;
        Ok(Dynamic { entries })
    }

    fn store(&self, writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        map::store(
            writer,
            at,
            self.entries.iter().map(|(name, value)| Ok((key_of(name)?, Encoded::Long(value.clone())))),
        )
    }

    fn free(writer: &mut Writer<'_>, at: u64) -> Result<(), ShareError> {
        Ok(Map::new(at).clear(writer)?)
    }
}

impl fmt::Debug for DynamicHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot().fmt(f)
    }
}

impl Share<Dynamic> {
    /// A share without attributes; they are [`set`](DynamicHandle::set) by name.
    ///
    /// # Errors
    ///
    /// When the system has no memory for it.
    pub fn dynamic() -> Result<Share<Dynamic>, ShareError> {
        Share::new(Dynamic::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_have_names_and_types() {
        let share = Share::dynamic().unwrap();
        share.set("n", 1_u8);
        share.set("n", "now a text".to_owned());
        assert_eq!(share.get::<String>("n"), "now a text");
        assert!(share.try_get::<u8>("n").unwrap_err().to_string().contains("`n` holds a"));
        assert!(!share.remove("m") && share.contains("n"));
        share.set("m", vec![Some(1.5)]);
        assert_eq!((share.names(), share.len()), (vec!["m".into(), "n".into()], 2));
        let kept = share.snapshot();
        share.clear();
        assert!(share.is_empty());
        share.assign(kept);
        assert_eq!(share.get::<Vec<Option<f64>>>("m"), [Some(1.5)]);
        share.transaction(|share| {
            share.set("m", 1);
            share.update("m", |m: &mut i32| *m += 1);
        });
        assert_eq!(share.get::<i32>("m"), 2);
    }
}
