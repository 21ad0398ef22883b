//! JSON with what schemas need and `serde_json` forgets: the order of keys, the writing of numbers, the place of each value.
//!
//! The printed forms are those of Jackson, because the text that a registry keeps and hashes is what its clients compare.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::error::{Position, SchemaError, SchemaErrorKind};

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
        self.members().iter().find(|(name, _)| name == key).map(|(_, node)| node)
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
            Json::Object(members) => {
                Value::Object(members.iter().map(|(key, node)| (key.clone(), node.to_value())).collect())
            }
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

/// How much a text may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Nested arrays and objects.
    pub depth: usize,
    /// Values of any kind.
    pub values: usize,
}

/// Reads a whole text.
pub(crate) fn read(text: &str, bounds: Bounds) -> Result<Node, SchemaError> {
    let mut reader = Reader { text, at: 0, left: bounds.values };
    reader.space();
    let node = reader.value(bounds.depth)?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.wrong("nothing may follow the schema"));
    }
    Ok(node)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    left: usize,
}

impl Reader<'_> {
    fn wrong(&self, message: &str) -> SchemaError {
        self.fault(SchemaErrorKind::Syntax, message)
    }

    fn fault(&self, kind: SchemaErrorKind, message: &str) -> SchemaError {
        SchemaError::new(kind, "", format!("not JSON: {message}")).at(Position::of(self.text, self.at))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Node, SchemaError> {
        self.left = self.left.checked_sub(1).ok_or_else(|| self.fault(SchemaErrorKind::TooLarge, "too many values"))?;
        let at = self.at;
        let json = match self.peek() {
            Some(b'{' | b'[') if depth == 0 => {
                return Err(self.fault(SchemaErrorKind::TooLarge, "nested too deep"));
            }
            Some(b'{') => self.object(depth - 1)?,
            Some(b'[') => self.array(depth - 1)?,
            Some(b'"') => Json::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => Json::Number(self.number()?),
            Some(b't') => self.word("true", Json::Bool(true))?,
            Some(b'f') => self.word("false", Json::Bool(false))?,
            Some(b'n') => self.word("null", Json::Null)?,
            Some(_) => return Err(self.wrong("a value was expected")),
            None => return Err(self.wrong("the text ends too early")),
        };
        Ok(Node { at, json })
    }

    fn word(&mut self, word: &str, json: Json) -> Result<Json, SchemaError> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(json)
        } else {
            Err(self.wrong("a value was expected"))
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, SchemaError> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.take(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            self.space();
            items.push(self.value(depth)?);
            self.space();
            if self.take(b']') {
                return Ok(Json::Array(items));
            }
            if !self.take(b',') {
                return Err(self.wrong("`,` or `]` was expected"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, SchemaError> {
        self.at += 1;
        let mut members: Vec<(String, Node)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        self.space();
        if self.take(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a key in quotes was expected"));
            }
            let key = self.string()?;
            self.space();
            if !self.take(b':') {
                return Err(self.wrong("`:` was expected"));
            }
            self.space();
            let node = self.value(depth)?;
            if let Some(place) = places.get(&key) {
                members[*place].1 = node;
            } else {
                places.insert(key.clone(), members.len());
                members.push((key, node));
            }
            self.space();
            if self.take(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.take(b',') {
                return Err(self.wrong("`,` or `}` was expected"));
            }
        }
    }

    fn number(&mut self) -> Result<String, SchemaError> {
        let start = self.at;
        self.take(b'-');
        let whole = self.digits();
        let leading_zero = self.text.as_bytes().get(self.at - whole) == Some(&b'0') && whole > 1;
        let mut well = whole > 0 && !leading_zero;
        if self.take(b'.') {
            well &= self.digits() > 0;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            let exponent = self.digits();
            well &= exponent > 0 && exponent <= 4;
        }
        if well { Ok(self.text[start..self.at].to_owned()) } else { Err(self.wrong("not a number")) }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Result<String, SchemaError> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(0..=0x1f) => return Err(self.wrong("a control character stands in a string")),
                Some(_) => self.at += 1,
                None => return Err(self.wrong("the text ends in a string")),
            }
        }
        self.at += 1;
        let raw = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(raw).map_err(|_| {
            self.at = start;
            self.wrong("a string has an escape that does not exist")
        })
    }
}

/// How keys and decimal numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    /// Keys as they came; numbers as Java's `BigDecimal`.
    Kept,
    /// Keys in order of their characters; numbers as Java's `BigDecimal`.
    Sorted,
    /// Keys as they came; numbers with a fraction as Java's `double`: Avro's library reads them so.
    KeptDoubles,
    /// Keys in order, numbers as `double`.
    SortedDoubles,
}

/// Writes without spaces.
pub(crate) fn write(out: &mut String, node: &Node, writing: Writing) {
    match &node.json {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Number(raw) => out.push_str(&number_text(raw, writing)),
        Json::String(text) => write_string(out, text),
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(out, item, writing);
            }
            out.push(']');
        }
        Json::Object(members) => {
            let mut order: Vec<&(String, Node)> = members.iter().collect();
            if matches!(writing, Writing::Sorted | Writing::SortedDoubles) {
                order.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
            }
            out.push('{');
            for (index, (key, value)) in order.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(out, key);
                out.push(':');
                write(out, value, writing);
            }
            out.push('}');
        }
    }
}

/// A string in quotes, escaped as Jackson does.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if u32::from(control) < 0x20 => {
                let _ = write!(out, "\\u{:04X}", u32::from(control));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
}

fn number_text(raw: &str, writing: Writing) -> String {
    let whole = !raw.contains(['.', 'e', 'E']);
    if whole {
        return if raw == "-0" { "0".to_owned() } else { raw.to_owned() };
    }
    match writing {
        Writing::Kept | Writing::Sorted => java_decimal(raw),
        Writing::KeptDoubles | Writing::SortedDoubles => raw.parse().map_or_else(|_| raw.to_owned(), java_double),
    }
}

/// `java.math.BigDecimal.toString` of a JSON number.
fn java_decimal(raw: &str) -> String {
    let (sign, raw) = raw.strip_prefix('-').map_or(("", raw), |rest| ("-", rest));
    let (mantissa, exponent) = raw.split_once(['e', 'E']).unwrap_or((raw, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let joined = format!("{whole}{fraction}");
    let digits = joined.trim_start_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    let sign = if digits == "0" { "" } else { sign };
    let scale = i64::try_from(fraction.len()).unwrap_or(i64::MAX) - exponent;
    let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let adjusted = length - 1 - scale;
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    if scale > 0 && adjusted >= -6 {
        let point = usize::try_from(length - scale).unwrap_or(0);
        return if length > scale {
            format!("{sign}{}.{}", &digits[..point], &digits[point..])
        } else {
            let zeros = "0".repeat(usize::try_from(scale - length).unwrap_or(0));
            format!("{sign}0.{zeros}{digits}")
        };
    }
    let (first, rest) = digits.split_at(1);
    let dot = if rest.is_empty() { "" } else { "." };
    let plus = if adjusted > 0 { "+" } else { "" };
    if adjusted == 0 { format!("{sign}{first}{dot}{rest}") } else { format!("{sign}{first}{dot}{rest}E{plus}{adjusted}") }
}

/// `Double.toString` of Java 19 and later: the shortest digits that read back the same.
fn java_double(value: f64) -> String {
    if value == 0.0 {
        return if value.is_sign_negative() { "-0.0".to_owned() } else { "0.0".to_owned() };
    }
    if (1e-3..1e7).contains(&value.abs()) {
        let plain = value.to_string();
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let dot = if mantissa.contains('.') { "" } else { ".0" };
    format!("{mantissa}{dot}E{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { depth: 8, values: 100 };

    fn again(text: &str, writing: Writing) -> String {
        let mut out = String::new();
        write(&mut out, &read(text, BOUNDS).unwrap(), writing);
        out
    }

    #[test]
    fn keys_keep_their_order_and_the_last_value() {
        assert_eq!(again(r#" {"b": 1, "a" : [true, null], "b": "x"} "#, Writing::Kept), r#"{"b":"x","a":[true,null]}"#);
        assert_eq!(again(r#"{"b":{"z":1,"y":2},"a":3}"#, Writing::Sorted), r#"{"a":3,"b":{"y":2,"z":1}}"#);
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
            ("123456789012345678901", "123456789012345678901", "123456789012345678901"),
        ] {
            assert_eq!(again(raw, Writing::Kept), decimal, "{raw}");
            assert_eq!(again(raw, Writing::KeptDoubles), double, "{raw}");
        }
    }

    #[test]
    fn strings_are_escaped_as_jackson_does() {
        assert_eq!(again(r#""\u0041\u00e9\u001f\/\n\"""#, Writing::Kept), "\"A\u{e9}\\u001F/\\n\\\"\"");
    }

    #[test]
    fn faults_have_a_place() {
        for (text, line, column) in
            [("{\"a\":\n  tru}", 2, 3), ("[1,]", 1, 4), ("{} x", 1, 4), ("", 1, 1), ("01", 1, 3), ("\"\\q\"", 1, 1)]
        {
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
