//! JSON with what schemas need and `serde_json` forgets: the order of keys, the writing of numbers, the place of each value.
//!
//! The printed forms are those of Jackson, because the text that a registry keeps and hashes is what its clients compare.

mod read;
mod write;

pub(crate) use read::{Bounds, read};
pub(crate) use write::{Writing, write, write_string};

/// A JSON value and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    /// Byte at which it begins.
    pub at: usize,
    /// What it is.
    pub json: Json,
}

/// One JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// As it was written.
    Number(String),
    String(String),
    Array(Vec<Node>),
    /// In the order of writing; of a key that comes twice the first place and the last value, as Jackson does.
    Object(Vec<(String, Node)>),
}

impl Node {
    /// The member of an object.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.members()
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, node)| node)
    }

    /// The members of an object; none for anything else.
    pub fn members(&self) -> &[(String, Node)] {
        match &self.json {
            Json::Object(members) => members,
            _ => &[],
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.json {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// For libraries that want `serde_json`.
    pub fn to_value(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(raw) => number_value(raw),
            Json::String(text) => Value::String(text.clone()),
            Json::Array(items) => Value::Array(items.iter().map(Node::to_value).collect()),
            Json::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(key, node)| (key.clone(), node.to_value()))
                    .collect(),
            ),
        }
    }

    /// What sort of value this is, for messages.
    pub const fn sort(&self) -> &'static str {
        match self.json {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Number(_) => "a number",
            Json::String(_) => "a string",
            Json::Array(_) => "an array",
            Json::Object(_) => "an object",
        }
    }
}

fn number_value(raw: &str) -> serde_json::Value {
    let number = serde_json::from_str::<serde_json::Number>(raw).ok();
    number.map_or(serde_json::Value::Null, serde_json::Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Position, SchemaErrorKind};

    const BOUNDS: Bounds = Bounds {
        depth: 8,
        values: 100,
    };

    fn again(text: &str, writing: Writing) -> String {
        let mut out = String::new();
        write(&mut out, &read(text, BOUNDS).unwrap(), writing);
        out
    }

    #[test]
    fn keys_keep_their_order_and_the_last_value() {
        assert_eq!(
            again(r#" {"b": 1, "a" : [true, null], "b": "x"} "#, Writing::Kept),
            r#"{"b":"x","a":[true,null]}"#
        );
        assert_eq!(
            again(r#"{"b":{"z":1,"y":2},"a":3}"#, Writing::Sorted),
            r#"{"a":3,"b":{"y":2,"z":1}}"#
        );
    }

    #[test]
    fn numbers_are_written_as_java_does() {
        for (raw, decimal, double) in [
            ("1", "1", "1"),
            ("-0", "0", "0"),
            ("1.50", "1.50", "1.5"),
            ("1e5", "1E+5", "100000.0"),
            ("1E10", "1E+10", "1.0E10"),
            ("12.5e-9", "1.25E-8", "1.25E-8"),
            ("0.001", "0.001", "0.001"),
            ("123.456e1", "1234.56", "1234.56"),
            (
                "123456789012345678901",
                "123456789012345678901",
                "123456789012345678901",
            ),
        ] {
            assert_eq!(again(raw, Writing::Kept), decimal, "{raw}");
            assert_eq!(again(raw, Writing::KeptDoubles), double, "{raw}");
        }
    }

    #[test]
    fn strings_are_escaped_as_jackson_does() {
        assert_eq!(
            again(r#""\u0041\u00e9\u001f\/\n\"""#, Writing::Kept),
            "\"A\u{e9}\\u001F/\\n\\\"\""
        );
    }

    #[test]
    fn faults_have_a_place() {
        for (text, line, column) in [
            ("{\"a\":\n  tru}", 2, 3),
            ("[1,]", 1, 4),
            ("{} x", 1, 4),
            ("", 1, 1),
            ("01", 1, 3),
            ("\"\\q\"", 1, 1),
        ] {
            let error = read(text, BOUNDS).unwrap_err();
            assert_eq!(error.position, Some(Position { line, column }), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_too_deep_or_too_much_is_refused_early() {
        let deep = "[".repeat(2_000_000);
        assert_eq!(read(&deep, BOUNDS).unwrap_err().kind, SchemaErrorKind::TooLarge);
        let much = format!("[{}]", "1,".repeat(200));
        assert_eq!(read(&much, BOUNDS).unwrap_err().kind, SchemaErrorKind::TooLarge);
    }
}
