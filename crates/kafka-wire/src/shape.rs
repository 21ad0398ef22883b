//! The shape of every message: which fields, of which sizes, in which order, for every version.
//!
//! The table is Kafka's own: `schemas/DumpSchemas.java` reads it from Kafka's classes (4.3.1).

use std::collections::HashMap;
use std::sync::OnceLock;

/// Request or response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From client to broker.
    Request,
    /// From broker to client.
    Response,
}

/// One field, or a run of fixed-size fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// So many bytes.
    Fixed(usize),
    /// A string or byte string.
    Text(Length),
    /// An array.
    Array(Array),
    /// A structure behind a presence byte.
    Optional(Vec<Field>),
    /// Tagged fields; the known ones with their shapes.
    Tagged(Vec<(u32, Vec<Field>)>),
}

/// How a length is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Two bytes, -1 for null.
    Short,
    /// Four bytes, -1 for null.
    Long,
    /// Unsigned varint of length + 1, 0 for null.
    Compact,
}

/// An array and its element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    /// How the count is written: `Long` or `Compact`.
    pub count: Length,
    /// The fields of an element.
    pub element: Vec<Field>,
    /// The least bytes that an element takes on the wire; at least 1.
    pub least: usize,
    /// An upper estimate of the bytes that an element takes once decoded, without what its own arrays hold.
    pub decoded: usize,
}

/// The shape of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The fields of its body.
    pub fields: Vec<Field>,
    /// Flexible messages have tagged fields, in their headers too.
    pub flexible: bool,
}

/// The shape of a message; `None` for a key or version that Kafka does not have.
#[must_use]
pub fn shape(direction: Direction, api_key: i16, version: i16) -> Option<&'static Shape> {
    static TABLE: OnceLock<HashMap<(Direction, i16, i16), Shape>> = OnceLock::new();
    TABLE
        .get_or_init(|| table(include_str!("../schemas/schemas.txt")))
        .get(&(direction, api_key, version))
}

/// Lines that cannot be read are left out: their messages are then refused. A test keeps the table whole.
fn table(text: &str) -> HashMap<(Direction, i16, i16), Shape> {
    let mut table = HashMap::new();
    for line in text.lines() {
        if let Some((direction, key, first, last, shape)) = row(line) {
            for version in first..=last {
                table.insert((direction, key, version), shape.clone());
            }
        }
    }
    table
}

fn row(line: &str) -> Option<(Direction, i16, i16, i16, Shape)> {
    let mut words = line.split(' ');
    let key = words.next()?.parse().ok()?;
    let direction = match words.next()? {
        "q" => Direction::Request,
        "r" => Direction::Response,
        _other => return None,
    };
    let first = words.next()?.parse().ok()?;
    let last = words.next()?.parse().ok()?;
    let text = words.next()?.as_bytes();
    let mut at = 0;
    let fields = fields(text, &mut at, None)?;
    let flexible = matches!(fields.last(), Some(Field::Tagged(_)));
    Some((direction, key, first, last, Shape { fields, flexible }))
}

fn fields(text: &[u8], at: &mut usize, end: Option<&[u8]>) -> Option<Vec<Field>> {
    let mut out = Vec::new();
    loop {
        let Some(letter) = text.get(*at).copied() else {
            return end.is_none().then_some(out);
        };
        if end.is_some_and(|ends| ends.contains(&letter)) {
            return Some(out);
        }
        *at += 1;
        let field = match letter {
            b'1' | b'2' | b'4' | b'8' => Field::Fixed(usize::from(letter - b'0')),
            b'u' => Field::Fixed(16),
            b's' | b't' => Field::Text(Length::Short),
            b'y' | b'z' => Field::Text(Length::Long),
            b'S' | b'T' | b'Y' | b'Z' => Field::Text(Length::Compact),
            b'[' => array(text, at, Length::Long, b"]")?,
            b'(' => array(text, at, Length::Compact, b")")?,
            b'<' => Field::Optional(enclosed(text, at, b">")?),
            b'{' => tagged(text, at)?,
            _unknown => return None,
        };
        match (&mut out[..], field) {
            ([.., Field::Fixed(run)], Field::Fixed(more)) => *run += more,
            (_other, field) => out.push(field),
        }
    }
}

fn enclosed(text: &[u8], at: &mut usize, end: &[u8]) -> Option<Vec<Field>> {
    let inner = fields(text, at, Some(end))?;
    *at += 1;
    Some(inner)
}

fn array(text: &[u8], at: &mut usize, count: Length, end: &[u8]) -> Option<Field> {
    let element = enclosed(text, at, end)?;
    let least = element.iter().map(least).sum::<usize>().max(1);
    let decoded = match element[..] {
        // An array of plain numbers is an array of numbers.
        [Field::Fixed(size)] if size <= 8 => size,
        // A string: a `Bytes` handle.
        [Field::Text(_)] => 32,
        // A structure has the fields of all its versions: allow for those that this one lacks.
        _ => 64 + 2 * element.iter().map(in_structure).sum::<usize>(),
    };
    Some(Field::Array(Array {
        count,
        element,
        least,
        decoded,
    }))
}

fn tagged(text: &[u8], at: &mut usize) -> Option<Field> {
    let mut known = Vec::new();
    loop {
        match text.get(*at)? {
            b'}' => {
                *at += 1;
                return Some(Field::Tagged(known));
            }
            b',' => *at += 1,
            _digit => {
                let colon = text[*at..].iter().position(|it| *it == b':')?;
                let tag = std::str::from_utf8(&text[*at..*at + colon]).ok()?.parse().ok()?;
                *at += colon + 1;
                known.push((tag, fields(text, at, Some(b",}"))?));
            }
        }
    }
}

fn least(field: &Field) -> usize {
    match field {
        Field::Fixed(size) => *size,
        Field::Text(length) => length.least(),
        Field::Array(array) => array.count.least(),
        Field::Optional(_) | Field::Tagged(_) => 1,
    }
}

fn in_structure(field: &Field) -> usize {
    match field {
        Field::Fixed(size) => *size,
        Field::Text(_) => 32,
        Field::Array(_) | Field::Tagged(_) => 24,
        Field::Optional(inner) => 8 + inner.iter().map(in_structure).sum::<usize>(),
    }
}

impl Length {
    fn least(self) -> usize {
        match self {
            Self::Short => 2,
            Self::Long => 4,
            Self::Compact => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_understood() {
        let text = include_str!("../schemas/schemas.txt");
        assert!(text.lines().count() > 400);
        for line in text.lines() {
            assert!(row(line).is_some(), "{line}");
        }
    }

    #[test]
    fn a_shape_reads_as_written() {
        let (direction, key, first, last, shape) = row("0 q 13 13 T24(u(4Z{}){}){0:4S}").unwrap();
        assert_eq!(
            (direction, key, first, last, shape.flexible),
            (Direction::Request, 0, 13, 13, true)
        );
        assert_eq!(shape.fields[1], Field::Fixed(6));
        let Field::Array(topics) = &shape.fields[2] else {
            panic!("an array")
        };
        assert_eq!((topics.count, topics.least), (Length::Compact, 16 + 1 + 1));
        assert!(row("0 q 0 0 [4").is_none());
        assert!(row("0 q 0 0 4?").is_none());
    }
}
