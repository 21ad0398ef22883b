//! From text to values, in bounds.

use std::collections::HashMap;

use super::{Json, Node};
use crate::error::{Position, SchemaError, SchemaErrorKind};

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
    let mut reader = Reader {
        text,
        at: 0,
        left: bounds.values,
    };
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
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| self.fault(SchemaErrorKind::TooLarge, "too many values"))?;
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
        if well {
            Ok(self.text[start..self.at].to_owned())
        } else {
            Err(self.wrong("not a number"))
        }
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
