//! JSON (RFC 8259) as values, without a copy of what `serde_json` holds.

use std::fmt;
use std::rc::Rc;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{DecodeError, Entries, Key, List, Map, Text, Value};

/// Reads a JSON text. Nesting is bounded by `serde_json` (128); of a key that comes twice the last value holds.
///
/// # Errors
/// Where it is not JSON: line and column, not what stands there.
pub fn decode(payload: &[u8]) -> Result<serde_json::Value, DecodeError> {
    serde_json::from_slice(payload).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_json::Error) -> DecodeError {
    let (line, column) = (error.line(), error.column());
    let what = match error.classify() {
        serde_json::error::Category::Eof => "the text ends within a value",
        _ => "the text is not JSON",
    };
    DecodeError::new("", format!("{what} (line {line}, column {column})"))
}

/// What [`decode`] and [`value`] make of a text together, without the tree between: texts without escapes are borrowed, and an object is
/// one list of entries.
///
/// # Errors
/// As [`decode`].
pub fn read(payload: &[u8]) -> Result<Value<'_>, DecodeError> {
    let mut deserializer = serde_json::Deserializer::from_slice(payload);
    let read = Read.deserialize(&mut deserializer);
    read.and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| unreadable(&error))
}

/// One value.
struct Read;

impl<'de> DeserializeSeed<'de> for Read {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Read {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(i64::try_from(number).map_or(Value::Uint(number), Value::Int))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value<'de>, E> {
        Ok(Value::Double(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::text(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::owned_text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(Self)? {
            list.push(element);
        }
        Ok(Value::list(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = fields.next_entry_seed(Name, Self)? {
            entries.push(entry);
        }
        Ok(Value::Map(Map::Owned(Rc::new(Entries::of_object(entries)))))
    }
}

/// The name of a field.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Key<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key<'de>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Key<'de>, E> {
        Ok(Key::Text(Text::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Key<'de>, E> {
        Ok(Key::Text(Text::Owned(name.into())))
    }
}

/// A value as rules see it. Whole numbers are ints, those beyond 2^63 uints, all others doubles.
pub fn value(json: &serde_json::Value) -> Value<'_> {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => number
            .as_i64()
            .map(Value::Int)
            .or_else(|| number.as_u64().map(Value::Uint))
            .or_else(|| number.as_f64().map(Value::Double))
            .unwrap_or(Value::Null),
        serde_json::Value::String(text) => Value::text(text),
        serde_json::Value::Array(list) => Value::List(List::Json(list)),
        serde_json::Value::Object(map) => Value::Map(Map::Json(map)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::equal;
    use super::*;
    use crate::record::write_json;

    fn same(text: &[u8]) {
        match (read(text), decode(text)) {
            (Ok(read), Ok(decoded)) => {
                let by_tree = value(&decoded);
                let same = equal(&read, &by_tree, &mut |_more| Ok::<(), ()>(()));
                assert_eq!(same, Ok(true), "{read:?} {by_tree:?}");
                let written = write_json(&read, usize::MAX).ok();
                assert_eq!(written, write_json(&by_tree, usize::MAX).ok());
            }
            (Err(read), Err(decoded)) => assert_eq!(read, decoded),
            (read, decoded) => panic!("{read:?} {decoded:?}"),
        }
    }

    #[test]
    fn what_is_read_at_once_is_what_the_tree_says() {
        let texts: [&[u8]; 24] = [
            b"null",
            b" true ",
            b"-0",
            b"0",
            b"9223372036854775807",
            b"9223372036854775808",
            b"18446744073709551616",
            b"1e2",
            b"1e999",
            br#""a \u00e9 \ud83d\ude00""#,
            br#""\ud800""#,
            b"\"\xff\"",
            b"\"a\tb\"",
            b"[1,[2,{}],\"x\"]",
            b"[1,]",
            b"{",
            b"",
            br#"{"b":1,"a":{"d":[],"c":2.50},"b":"again","\u0061":3}"#,
            br#"{"a":1}x"#,
            br#"{a:1}"#,
            br#"{"":0}"#,
            b"{}",
            br#"{"B":1,"a":2,"A":3}"#,
            b"\xef\xbb\xbf{}",
        ];
        for text in texts {
            same(text);
        }
        for depth in [100, 127, 128, 200] {
            same(&[b"[".repeat(depth), b"]".repeat(depth)].concat());
        }
        let many: Vec<String> = (0..100)
            .rev()
            .map(|at| format!(r#""f{}":{at}"#, at % 70))
            .collect();
        same(format!("{{{}}}", many.join(",")).as_bytes());
    }

    proptest! {
        #[test]
        fn of_any_text(text in r#"[\[\]{}:," \\a-b0-2eE.+tfnu-]{0,24}"#) {
            same(text.as_bytes());
        }
    }
}
