//! The deserializer that invents values and watches what is asked of it.

use serde::de::value::{StrDeserializer, U32Deserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::trace::{Slot, State, Stop, Tracer};
use super::{Kind, leaf};

/// Words that some type or other takes for its own.
const WORDS: &[&str] = &[
    "",
    "1",
    "a",
    "0.0.0",
    "127.0.0.1",
    "2000-01-01T00:00:00Z",
    "2000-01-01",
    "00:00:00",
    "00000000-0000-0000-0000-000000000000",
    "http://a.a/",
];

/// Lengths of bytes that some type or other expects.
const LENGTHS: &[usize] = &[0, 16, 4, 8, 12, 20, 32, 64];

pub(super) struct Probe<'t> {
    tracer: &'t mut Tracer,
    slot: Slot,
}

impl<'t> Probe<'t> {
    pub(super) fn root(tracer: &'t mut Tracer) -> Self {
        Self { tracer, slot: Slot::ROOT }
    }

    fn at(tracer: &'t mut Tracer, owner: u32, index: usize) -> Self {
        Self { tracer, slot: Slot::of(owner, index) }
    }

    /// Offers values until the visitor takes one; a different one each pass.
    fn leaf<'de, V: Visitor<'de>, T: Copy>(
        self,
        number: u32,
        candidates: &[T],
        visitor: V,
        visit: impl FnOnce(V, T) -> Result<V::Value, Stop>,
    ) -> Result<V::Value, Stop> {
        self.tracer.call()?;
        self.tracer.settle(self.slot, number);
        let candidate = self.tracer.candidate::<V, T>(number, candidates)?;
        let outcome = visit(visitor, candidate);
        if outcome.is_err() {
            self.tracer.refuse::<V>(number, candidates.len());
        }
        outcome
    }

    /// Something that postcard cannot read.
    fn unknown<R>(self) -> Result<R, Stop> {
        self.tracer.call()?;
        self.tracer.settle(self.slot, leaf::UNKNOWN);
        Err(Stop)
    }
}

fn tuple<'de, V: Visitor<'de>>(
    tracer: &mut Tracer,
    number: u32,
    len: usize,
    visitor: V,
) -> Result<V::Value, Stop> {
    tracer.visit(number, |tracer| visitor.visit_seq(Elements { tracer, number, next: 0, len, alike: false }))
}

/// A struct's fields, in order; or, when one of them can never be had, all the others by name.
fn fields<'de, V: Visitor<'de>>(
    tracer: &mut Tracer,
    number: u32,
    len: usize,
    visitor: V,
) -> Result<V::Value, Stop> {
    tracer.visit(number, |tracer| {
        if tracer.draft(number).states.contains(&State::Failed) {
            return visitor.visit_map(Fields { tracer, number, next: 0 });
        }
        let mut asked = 0;
        let outcome = visitor.visit_seq(InOrder { tracer, number, len, asked: &mut asked });
        // Fewer fields read than were named: aliases, so that places and names do not agree.
        // None read at all: a struct that can only be read by name.
        if asked < len && (outcome.is_ok() || asked == 0) {
            for index in 0..len {
                tracer.settle(Slot::of(number, index), leaf::UNKNOWN);
            }
        }
        outcome
    })
}

macro_rules! leaves {
    ($($method:ident $visit:ident $leaf:ident $candidates:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            self.leaf(leaf::$leaf, $candidates, visitor, V::$visit)
        }
    )*};
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Stop;

    fn is_human_readable(&self) -> bool {
        false
    }

    leaves! {
        deserialize_bool visit_bool BOOL &[false, true];
        deserialize_i8 visit_i8 I8 &[1, 0, 2];
        deserialize_i16 visit_i16 I16 &[1, 0, 2];
        deserialize_i32 visit_i32 I32 &[1, 0, 2];
        deserialize_i64 visit_i64 I64 &[1, 0, 2];
        deserialize_i128 visit_i128 I128 &[1, 0, 2];
        deserialize_u8 visit_u8 U8 &[1, 0, 2];
        deserialize_u16 visit_u16 U16 &[1, 0, 2];
        deserialize_u32 visit_u32 U32 &[1, 0, 2];
        deserialize_u64 visit_u64 U64 &[1, 0, 2];
        deserialize_u128 visit_u128 U128 &[1, 0, 2];
        deserialize_f32 visit_f32 F32 &[1.0, 0.0];
        deserialize_f64 visit_f64 F64 &[1.0, 0.0];
        deserialize_char visit_char CHAR &['a', '0'];
        deserialize_str visit_str STR WORDS;
        deserialize_string visit_str STR WORDS;
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.leaf(leaf::BYTES, LENGTHS, visitor, |visitor: V, length| visitor.visit_bytes(&[0; 64][..length]))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.leaf(leaf::UNIT, &[()], visitor, |visitor: V, ()| visitor.visit_unit())
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_unit(visitor)
    }

    /// A newtype is written as what it holds.
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.tracer.call()?;
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.tracer.call()?;
        let number = self.tracer.node::<V>(Kind::Option, &[], 1);
        self.tracer.settle(self.slot, number);
        let draft = self.tracer.draft(number);
        if draft.busy || draft.closed {
            return visitor.visit_none();
        }
        self.tracer.visit(number, |tracer| visitor.visit_some(Probe::at(tracer, number, 0)))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.tracer.call()?;
        let number = self.tracer.node::<V>(Kind::Seq, &[], 1);
        self.tracer.settle(self.slot, number);
        let draft = self.tracer.draft(number);
        let len = if draft.busy || draft.closed { 0 } else { 1 };
        self.tracer
            .visit(number, |tracer| visitor.visit_seq(Elements { tracer, number, next: 0, len, alike: true }))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.tracer.call()?;
        let number = self.tracer.node::<V>(Kind::Map, &[], 2);
        self.tracer.settle(self.slot, number);
        let draft = self.tracer.draft(number);
        let left = !(draft.busy || draft.closed);
        self.tracer.visit(number, |tracer| visitor.visit_map(Entries { tracer, number, left }))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.tracer.call()?;
        let number = self.tracer.node::<V>(Kind::Tuple, &[], len);
        self.tracer.settle(self.slot, number);
        tuple(self.tracer, number, len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.tracer.call()?;
        let number = self.tracer.node::<V>(Kind::Struct, names, names.len());
        self.tracer.settle(self.slot, number);
        fields(self.tracer, number, names.len(), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.tracer.call()?;
        let number = self.tracer.node::<V>(Kind::Enum, variants, variants.len());
        self.tracer.settle(self.slot, number);
        let states = &self.tracer.draft(number).states;
        let open = states.iter().position(|state| *state == State::Open);
        let choice = open.or_else(|| states.iter().position(|state| *state == State::Done)).ok_or(Stop)?;
        self.tracer.visit(number, |tracer| {
            tracer.visit_part(number, choice, |tracer| visitor.visit_enum(Variant { tracer, number, choice }))
        })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        self.unknown()
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        self.unknown()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        self.unknown()
    }
}

/// The elements of a tuple, or the one element of a sequence.
struct Elements<'t> {
    tracer: &'t mut Tracer,
    number: u32,
    next: usize,
    len: usize,
    alike: bool,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Stop;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        if self.next == self.len {
            return Ok(None);
        }
        let (index, number) = (if self.alike { 0 } else { self.next }, self.number);
        self.next += 1;
        let value = |tracer: &mut Tracer| seed.deserialize(Probe::at(tracer, number, index));
        self.tracer.visit_part(number, index, value).map(Some)
    }
}

/// The fields of a struct in order, counting how many are asked for.
struct InOrder<'t> {
    tracer: &'t mut Tracer,
    number: u32,
    len: usize,
    asked: &'t mut usize,
}

impl<'de> SeqAccess<'de> for InOrder<'_> {
    type Error = Stop;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        if *self.asked == self.len {
            return Ok(None);
        }
        let (index, number) = (*self.asked, self.number);
        *self.asked += 1;
        let value = |tracer: &mut Tracer| seed.deserialize(Probe::at(tracer, number, index));
        self.tracer.visit_part(number, index, value).map(Some)
    }
}

/// The fields of a struct by name, without those that cannot be had.
struct Fields<'t> {
    tracer: &'t mut Tracer,
    number: u32,
    next: usize,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        let draft = self.tracer.draft(self.number);
        while draft.states.get(self.next) == Some(&State::Failed) {
            self.next += 1;
        }
        let Some(&name) = draft.names.get(self.next) else { return Ok(None) };
        let name: StrDeserializer<'_, Stop> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        let (index, number) = (self.next, self.number);
        self.next += 1;
        self.tracer.visit_part(number, index, |tracer| seed.deserialize(Probe::at(tracer, number, index)))
    }
}

/// One entry of a map, or none.
struct Entries<'t> {
    tracer: &'t mut Tracer,
    number: u32,
    left: bool,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        if !std::mem::take(&mut self.left) {
            return Ok(None);
        }
        let number = self.number;
        self.tracer.visit_part(number, 0, |tracer| seed.deserialize(Probe::at(tracer, number, 0))).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        let number = self.number;
        self.tracer.visit_part(number, 1, |tracer| seed.deserialize(Probe::at(tracer, number, 1)))
    }
}

/// One variant of an enum.
struct Variant<'t> {
    tracer: &'t mut Tracer,
    number: u32,
    choice: usize,
}

impl Variant<'_> {
    fn slot(&self) -> Slot {
        Slot::of(self.number, self.choice)
    }
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Stop;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Stop> {
        let index: U32Deserializer<Stop> = u32::try_from(self.choice).map_err(|_| Stop)?.into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        let slot = self.slot();
        self.tracer.settle(slot, leaf::UNIT);
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Stop> {
        let slot = self.slot();
        let body = self.tracer.body(slot, Kind::NewtypeVariant, &[], 1);
        seed.deserialize(Probe::at(self.tracer, body, 0))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        let slot = self.slot();
        let body = self.tracer.body(slot, Kind::Tuple, &[], len);
        tuple(self.tracer, body, len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let slot = self.slot();
        let body = self.tracer.body(slot, Kind::Struct, names, names.len());
        fields(self.tracer, body, names.len(), visitor)
    }
}
