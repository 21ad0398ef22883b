//! Protobuf records that are a message of their type, told without building it.
//!
//! A record is gone through once: numbers of fields, how each is written, lengths, UTF-8. "Yes" here is a yes of the
//! decoder. Anything that it might refuse, or that is not looked at here (groups, extensions, fields of proto2 that are
//! required, deep nesting), is left to it.

use std::collections::HashMap;

use prost_reflect::{Cardinality, FieldDescriptor, Kind, MessageDescriptor};

/// Deeper messages are left to the decoder, which stops at 100.
const DEPTH_MAX: usize = 60;

/// A message type with those that are within it.
#[derive(Debug)]
pub(super) struct Skim(Vec<Message>);

#[derive(Debug, Default)]
struct Message {
    /// Sorted by number.
    fields: Vec<(u32, Field)>,
    /// The decoder asks for more of it.
    left: bool,
    /// What has another number is not just skipped.
    strict: bool,
}

#[derive(Debug, Clone, Copy)]
struct Field {
    written: Written,
    /// Several numbers may stand in one piece.
    packed: bool,
}

/// How a value is written.
#[derive(Debug, Clone, Copy)]
enum Written {
    Varint,
    Four,
    Eight,
    Text,
    Bytes,
    /// The place of its type.
    Message(usize),
    /// As a group, which is not read here.
    Group,
}

impl Skim {
    /// Of records of this message.
    pub fn of(first: &MessageDescriptor) -> Self {
        let mut places = HashMap::from([(first.full_name().to_owned(), 0)]);
        let mut found = vec![first.clone()];
        let mut messages = Vec::new();
        while let Some(message) = found.get(messages.len()).cloned() {
            let mut place = |inner: MessageDescriptor| {
                *places.entry(inner.full_name().to_owned()).or_insert_with(|| {
                    found.push(inner);
                    found.len() - 1
                })
            };
            let mut fields: Vec<(u32, Field)> = message
                .fields()
                .map(|field| (field.number(), Field::of(&field, &mut place)))
                .collect();
            fields.sort_unstable_by_key(|it| it.0);
            let required = |it: FieldDescriptor| it.cardinality() == Cardinality::Required;
            messages.push(Message {
                fields,
                left: message.fields().any(required),
                strict: message.is_map_entry() || message.extensions().next().is_some(),
            });
        }
        Self(messages)
    }

    /// Whether a payload is plainly a message of the type that a frame names; only the first of a file is looked at.
    pub fn admits(&self, indexes: &[u32], payload: &[u8]) -> bool {
        matches!(indexes, [] | [0]) && self.message(0, payload, DEPTH_MAX).is_some()
    }

    fn message(&self, at: usize, mut rest: &[u8], depth: usize) -> Option<()> {
        let message = self.0.get(at).filter(|it| !it.left)?;
        let depth = depth.checked_sub(1)?;
        while !rest.is_empty() {
            let key = u32::try_from(varint(&mut rest)?).ok()?;
            let (number, wire) = (key >> 3, key & 7);
            match message.field(number) {
                Some(field) => self.field(field, wire, &mut rest, depth)?,
                None if message.strict || number == 0 => return None,
                None => skip(wire, &mut rest)?,
            }
        }
        Some(())
    }

    fn field(&self, field: Field, wire: u32, rest: &mut &[u8], depth: usize) -> Option<()> {
        match (field.written, wire) {
            (Written::Varint, 0) => varint(rest).map(|_number| ()),
            (Written::Four, 5) => take(4, rest).map(|_bytes| ()),
            (Written::Eight, 1) => take(8, rest).map(|_bytes| ()),
            (Written::Text, 2) => std::str::from_utf8(piece(rest)?).ok().map(|_text| ()),
            (Written::Bytes, 2) => piece(rest).map(|_bytes| ()),
            (Written::Message(at), 2) => self.message(at, piece(rest)?, depth),
            (written, 2) if field.packed => packed(written, piece(rest)?),
            _other => None,
        }
    }
}

impl Field {
    fn of(field: &FieldDescriptor, place: &mut impl FnMut(MessageDescriptor) -> usize) -> Self {
        let written = match field.kind() {
            _group if field.is_group() => Written::Group,
            Kind::Bool
            | Kind::Int32
            | Kind::Sint32
            | Kind::Uint32
            | Kind::Int64
            | Kind::Sint64
            | Kind::Uint64
            | Kind::Enum(_) => Written::Varint,
            Kind::Fixed32 | Kind::Sfixed32 | Kind::Float => Written::Four,
            Kind::Fixed64 | Kind::Sfixed64 | Kind::Double => Written::Eight,
            Kind::String => Written::Text,
            Kind::Bytes => Written::Bytes,
            Kind::Message(inner) => Written::Message(place(inner)),
        };
        let number = matches!(written, Written::Varint | Written::Four | Written::Eight);
        Self {
            written,
            packed: number && field.is_list(),
        }
    }
}

impl Message {
    fn field(&self, number: u32) -> Option<Field> {
        // Most are numbered from 1 without gaps.
        let guess = self.fields.get((number as usize).wrapping_sub(1));
        if let Some((found, field)) = guess
            && *found == number
        {
            return Some(*field);
        }
        let at = self.fields.binary_search_by_key(&number, |it| it.0).ok()?;
        self.fields.get(at).map(|it| it.1)
    }
}

fn packed(written: Written, mut rest: &[u8]) -> Option<()> {
    match written {
        Written::Varint => {
            while !rest.is_empty() {
                varint(&mut rest)?;
            }
            Some(())
        }
        Written::Four => rest.len().is_multiple_of(4).then_some(()),
        Written::Eight => rest.len().is_multiple_of(8).then_some(()),
        _other => None,
    }
}

/// What has a number that nobody knows.
fn skip(wire: u32, rest: &mut &[u8]) -> Option<()> {
    match wire {
        0 => varint(rest).map(|_number| ()),
        1 => take(8, rest).map(|_bytes| ()),
        2 => piece(rest).map(|_bytes| ()),
        5 => take(4, rest).map(|_bytes| ()),
        _group => None,
    }
}

fn take<'a>(count: usize, rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}

/// Bytes behind their length.
fn piece<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(varint(rest)?).ok()?;
    take(length, rest)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for (at, byte) in rest.iter().take(10).enumerate() {
        if at == 9 && *byte > 1 {
            return None;
        }
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            *rest = rest.get(at + 1..)?;
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost_reflect::prost::Message as _;
    use prost_reflect::{DynamicMessage, ReflectMessage as _, Value};

    use super::*;
    use crate::value::protobuf;
    use crate::{Format, Schema};

    const TEXT: &str = r#"syntax = "proto2";
        message R {
          optional int32 a = 1; optional string b = 2; repeated sint64 c = 3 [packed = true]; repeated fixed32 d = 4;
          optional double e = 7; map<string, R> f = 8; optional R g = 9; optional bytes h = 100;
          oneof one { bool i = 11; Q j = 12; } repeated E k = 13;
          optional group L = 14 { optional int32 m = 1; }
          enum E { X = 0; Y = 1; }
        }
        message Q { required int32 n = 1; extensions 100 to 200; }"#;

    fn messages() -> Vec<MessageDescriptor> {
        let Ok(Schema::Protobuf(schema)) = Schema::parse(Format::Protobuf, TEXT, &[]) else {
            panic!("the schema is sound");
        };
        let file = schema.descriptor().unwrap();
        file.messages().collect()
    }

    #[test]
    fn what_the_decoder_asks_more_of_is_left_to_it() {
        let found = messages();
        let (r, q) = (Skim::of(&found[0]), Skim::of(&found[1]));
        let well = [
            8, 5, 18, 1, b'x', 26, 2, 1, 2, 34, 4, 0, 0, 0, 0, 66, 3, 10, 1, b'k',
        ];
        assert!(r.admits(&[0], &well) && r.admits(&[], &well) && r.admits(&[], &[]));
        assert!(!r.admits(&[1], &well));
        // An unknown field, a group, a required field, a text that is none, a number that does not end.
        assert!(r.admits(&[], &[0xf8, 0x07, 1]));
        for payload in [
            &[0x73, 8, 1, 0x74][..],
            &[98, 2, 8, 1],
            &[18, 1, 0xff],
            &[8, 0x80],
            &[9, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0, 0],
            &[10, 1, 1],
        ] {
            assert!(!r.admits(&[], payload), "{payload:?}");
        }
        assert!(!q.admits(&[], &[8, 1]));
        let mut deep = Vec::new();
        for _level in 0..70 {
            let inner = deep;
            deep = vec![74];
            prost_reflect::prost::encoding::encode_varint(inner.len() as u64, &mut deep);
            deep.extend(inner);
        }
        assert!(!r.admits(&[], &deep) && protobuf::decode(&found[0], &deep).is_ok());
    }

    /// Bytes that look like fields, so that most are read far.
    fn fields() -> impl Strategy<Value = Vec<u8>> {
        let number = prop_oneof![1_u8..15, Just(20)];
        let field =
            (number, 0_u8..6, prop::collection::vec(any::<u8>(), 0..9)).prop_map(|(number, wire, bytes)| {
                let mut field = vec![number << 3 | wire];
                if wire == 2 {
                    field.push(bytes.len() as u8);
                }
                field.extend(match wire {
                    0 => vec![bytes.first().copied().unwrap_or(1) & 0x7f],
                    1 => vec![3; 8],
                    5 => vec![4; 4],
                    2 => bytes.iter().map(|it| it & 0x7f).collect(),
                    _group => bytes,
                });
                field
            });
        prop::collection::vec(field, 0..6).prop_map(|it| it.concat())
    }

    proptest! {
        #[test]
        fn yes_is_a_yes_of_the_decoder(payload in prop_oneof![fields(), prop::collection::vec(any::<u8>(), 0..30)]) {
            let found = messages_once();
            for message in found {
                if Skim::of(message).admits(&[], &payload) {
                    prop_assert!(protobuf::decode(message, &payload).is_ok(), "{:?}", payload);
                }
            }
        }

        #[test]
        fn what_was_encoded_is_admitted(a: i32, b: String, c: Vec<i64>, d: Vec<u32>, e: f64, k in "[a-z]{0,3}") {
            let found = messages_once();
            let skim = Skim::of(&found[0]);
            let mut message = DynamicMessage::new(found[0].clone());
            message.set_field_by_name("a", Value::I32(a));
            message.set_field_by_name("b", Value::String(b));
            message.set_field_by_name("c", Value::List(c.into_iter().map(Value::I64).collect()));
            message.set_field_by_name("d", Value::List(d.into_iter().map(Value::U32).collect()));
            message.set_field_by_name("e", Value::F64(e));
            message.set_field_by_name("k", Value::List(vec![Value::EnumNumber(1), Value::EnumNumber(0)]));
            let mut outer = DynamicMessage::new(message.descriptor());
            outer.set_field_by_name("g", Value::Message(message.clone()));
            let key = prost_reflect::MapKey::String(k);
            outer.set_field_by_name("f", Value::Map([(key, Value::Message(message))].into()));
            prop_assert!(skim.admits(&[0], &outer.encode_to_vec()));
        }
    }

    fn messages_once() -> &'static [MessageDescriptor] {
        static FOUND: std::sync::OnceLock<Vec<MessageDescriptor>> = std::sync::OnceLock::new();
        FOUND.get_or_init(messages)
    }
}
