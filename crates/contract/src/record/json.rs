//! Values as JSON (RFC 8259): bytes in base64, points in time as RFC 3339 writes them, spans in seconds with an `s` behind.

use std::borrow::Cow;
use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::{DEPTH_MAX, Room, WriteError, Written, deeper, unfit};
use crate::rules::cel::{duration_text, timestamp_text};
use crate::value::{Key, Map, Value, protobuf};

/// The JSON text of a value.
///
/// # Errors
/// What JSON has no form for (a number that is not finite, a point in time beyond the year 9999), and what is larger than
/// `bytes_max`.
pub fn write_json(value: &Value<'_>, bytes_max: usize) -> Result<Vec<u8>, WriteError> {
    let mut writer = Writer {
        out: Vec::new(),
        room: Room::new(bytes_max),
    };
    let written = writer
        .value(value, DEPTH_MAX)
        .and_then(|()| writer.room.take(writer.out.len()));
    match written {
        Ok(()) => Ok(writer.out),
        Err((kind, reason)) => Err(WriteError {
            kind,
            // Keys of a map may be the record's own.
            path: String::new(),
            reason,
        }),
    }
}

struct Writer {
    out: Vec<u8>,
    room: Room,
}

impl Writer {
    fn value(&mut self, value: &Value<'_>, depth: usize) -> Written {
        self.room.take(self.out.len())?;
        match value {
            Value::Null => self.out.extend(b"null"),
            Value::Bool(truth) => self.plain(truth)?,
            Value::Int(number) => self.plain(number)?,
            Value::Uint(number) => self.plain(number)?,
            Value::Double(number) if number.is_finite() => self.plain(number)?,
            Value::Double(_) => return unfit("JSON has no number that is infinite or not a number"),
            Value::Text(text) => self.text(text.as_str())?,
            Value::Bytes(bytes) => {
                self.room.take(self.out.len() + bytes.as_slice().len())?;
                let text = STANDARD.encode(bytes.as_slice());
                self.text(&text)?;
            }
            Value::Timestamp(moment) => match timestamp_text(*moment) {
                Some(text) => self.text(&text)?,
                None => return unfit("JSON has no point in time before the year 1 or after the year 9999"),
            },
            Value::Duration(span) => self.text(&duration_text(*span))?,
            Value::Type(name) => self.text(name)?,
            Value::List(list) => {
                let depth = deeper(depth)?;
                self.out.push(b'[');
                for index in 0..list.len() {
                    if index > 0 {
                        self.out.push(b',');
                    }
                    if let Some(element) = list.get(index) {
                        self.value(&element, depth)?;
                    }
                }
                self.out.push(b']');
            }
            Value::Map(map) => self.map(map, deeper(depth)?)?,
        }
        Ok(())
    }

    fn map(&mut self, map: &Map<'_>, depth: usize) -> Written {
        let entries = protobuf::seen_with_defaults(map);
        // Of two with the same name the later one holds.
        let last: Option<HashMap<Cow<'_, str>, usize>> = (!map.has_unique_names()).then(|| {
            let names = entries.iter().enumerate();
            names.map(|(at, (key, _value))| (name(key), at)).collect()
        });
        self.out.push(b'{');
        let mut first = true;
        for (at, (key, value)) in entries.iter().enumerate() {
            let name = name(key);
            if last.as_ref().is_some_and(|last| last.get(&name) != Some(&at)) {
                continue;
            }
            if !first {
                self.out.push(b',');
            }
            first = false;
            self.text(&name)?;
            self.out.push(b':');
            self.value(value, depth)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn text(&mut self, text: &str) -> Written {
        self.room.take(self.out.len() + text.len())?;
        self.plain(text)
    }

    /// A text, a number or a truth.
    fn plain<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        match serde_json::to_writer(&mut self.out, value) {
            Ok(()) => Ok(()),
            Err(_never_for_these) => unfit("the value cannot be written"),
        }
    }
}

/// A key as JSON has it.
fn name<'k>(key: &'k Key<'_>) -> Cow<'k, str> {
    match key {
        Key::Text(text) => Cow::Borrowed(text.as_str()),
        Key::Int(number) => Cow::Owned(number.to_string()),
        Key::Uint(number) => Cow::Owned(number.to_string()),
        Key::Bool(truth) => Cow::Owned(truth.to_string()),
    }
}
