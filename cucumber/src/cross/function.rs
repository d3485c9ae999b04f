//! Bare function pointers.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::{DeserializeAs, SerializeAs};

use crate::Func;
use crate::func::FnPointer;

/// The adapter of a function pointer, such as `fn(u32) -> String`: see [`Func`].
#[derive(Clone, Copy, Debug)]
pub struct Function;

impl<P: FnPointer> SerializeAs<P> for Function {
    fn serialize_as<S: Serializer>(value: &P, serializer: S) -> Result<S::Ok, S::Error> {
        if crate::inspect::is_inspecting() {
            return serializer.serialize_str("a function of this program");
        }
        Func::from_pointer(*value).serialize(serializer)
    }
}

impl<'de, P: FnPointer> DeserializeAs<'de, P> for Function {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<P, D::Error> {
        Func::deserialize(deserializer).map(Func::get)
    }
}
