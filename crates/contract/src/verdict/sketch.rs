//! What a record looks like without what it says: names of the schema and types of values, for people who look for a fault.

use std::fmt::Write as _;

use super::{Contract, Reader, judge};
use crate::value::{self, Key, Map, Shape, Value};

/// A sketch is cut after so many bytes.
const BYTES_MAX: usize = 2000;
/// Values further inside are left out.
const DEPTH_MAX: usize = 8;
/// Records that are larger are not read once more.
const PAYLOAD_BYTES_MAX: usize = 256 * 1024;

impl Contract {
    /// The names and types of a payload: every value is replaced by its type, and so is every name that the schema does
    /// not have. What cannot be read as the schema says is told by its length.
    pub fn sketch(&self, indexes: &[u32], payload: &[u8]) -> String {
        let unread = || format!("{} bytes", payload.len());
        if payload.len() > PAYLOAD_BYTES_MAX {
            return unread();
        }
        let mut sketch = Sketch {
            out: String::new(),
            known: &|_name| true,
        };
        let depth = self.inner.limits.depth;
        let read = match &self.inner.reader {
            Reader::Avro(plan) => plan.decode(payload, depth, true).map(|it| sketch.value(&it, 0)),
            Reader::Json(reader) => value::json::decode(payload).map(|document| {
                let mut sketched = Sketch {
                    out: String::new(),
                    known: &|name| reader.knows(name),
                };
                sketched.value(&value::json::value(&document), 0);
                sketch.out = sketched.out;
            }),
            Reader::Protobuf { schema, first, .. } => judge::message_of(schema, first, indexes)
                .and_then(|descriptor| value::protobuf::decode(&descriptor, payload))
                .map(|message| sketch.value(&value::protobuf::message(&message), 0)),
        };
        if read.is_err() {
            return unread();
        }
        sketch.out
    }
}

struct Sketch<'s> {
    out: String,
    /// Whether a name of a JSON object is one of the schema.
    known: &'s dyn Fn(&str) -> bool,
}

impl Sketch<'_> {
    fn full(&self) -> bool {
        self.out.len() >= BYTES_MAX
    }

    fn value(&mut self, value: &Value<'_>, depth: usize) {
        if self.full() {
            return;
        }
        match value {
            Value::List(_) | Value::Map(_) if depth >= DEPTH_MAX => self.out.push('…'),
            Value::Null => self.out.push_str("null"),
            Value::List(list) => {
                self.out.push('[');
                if let Some(first) = list.get(0) {
                    self.value(&first, depth + 1);
                }
                if list.len() > 1 {
                    self.out.push_str(", …");
                }
                self.out.push(']');
            }
            Value::Map(map) => self.map(map, depth),
            scalar => self.out.push_str(scalar.type_name()),
        }
    }

    fn map(&mut self, map: &Map<'_>, depth: usize) {
        self.out.push('{');
        for (at, (key, value)) in map.entries().iter().enumerate() {
            if self.full() {
                self.out.push('…');
                break;
            }
            if at > 0 {
                self.out.push_str(", ");
            }
            match (map.shape(), key) {
                // The keys of a map are part of the record.
                (Some(Shape::Free), _) => self.out.push('*'),
                (_, Key::Text(name)) if (self.known)(name.as_str()) => {
                    let _infallible = write!(self.out, "{:.100}", name.as_str());
                }
                _unknown => self.out.push('*'),
            }
            self.out.push_str(": ");
            self.value(value, depth + 1);
        }
        self.out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::{Metadata, RuleSet};
    use crate::verdict::{Contract, JudgeLimits};
    use crate::{Format, Schema};

    fn contract(format: Format, text: &str) -> Contract {
        let schema = Schema::parse(format, text, &[]).unwrap();
        let (rules, metadata) = (RuleSet::default(), Metadata::default());
        Contract::compile(schema, &rules, &metadata, JudgeLimits::DEFAULT).unwrap()
    }

    #[test]
    fn values_and_names_that_only_the_record_has_are_not_in_it() {
        let json = contract(
            Format::Json,
            r#"{"properties":{"amount":{"type":"number"},"tags":{"type":"array"},"by":{"type":"object"}}}"#,
        );
        let record =
            br#"{"amount":17.5,"tags":["secret","b"],"by":{"alice@example.org":null},"card":"4111"}"#;
        let sketch = json.sketch(&[], record);
        assert_eq!(
            sketch,
            "{amount: double, by: {*: null}, *: string, tags: [string, …]}"
        );
        assert_eq!(json.sketch(&[], b"4111 no JSON"), "12 bytes");

        let avro = contract(
            Format::Avro,
            r#"{"type":"record","name":"R","fields":[{"name":"id","type":"long"},{"name":"by","type":{"type":"map","values":"string"}}]}"#,
        );
        let record = [84, 2, 6, b'b', b'o', b'b', 2, b'x', 0];
        assert_eq!(avro.sketch(&[], &record), "{id: int, by: {*: string}}");
        assert_eq!(avro.sketch(&[], &record[..4]), "4 bytes");

        let protobuf = contract(
            Format::Protobuf,
            "syntax = \"proto3\"; message M { string name = 1; map<string, int32> counts = 2; }",
        );
        let record = [10, 1, b'x', 18, 5, 10, 1, b'k', 16, 7];
        assert_eq!(protobuf.sketch(&[0], &record), "{name: string, counts: {*: int}}");
    }

    #[test]
    fn it_stays_short_whatever_the_record() {
        let json = contract(Format::Json, "true");
        let wide = format!("[{}1]", "{\"a\":[1,2,3]},".repeat(10_000));
        assert!(json.sketch(&[], wide.as_bytes()).len() < 2200);
        let object: Vec<String> = (0..10_000).map(|it| format!("\"n{it}\":[[{it}]]")).collect();
        assert!(
            json.sketch(&[], format!("{{{}}}", object.join(",")).as_bytes())
                .len()
                < 2200
        );
        let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        assert!(json.sketch(&[], deep.as_bytes()).len() < 100);
    }
}
