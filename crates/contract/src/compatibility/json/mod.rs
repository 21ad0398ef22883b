//! JSON Schema: is every value that the writer's schema allows one that the reader's allows?
//!
//! In general that cannot be decided keyword by keyword; the field's registry does so nevertheless, and its names and verdicts are
//! what tools and people expect. Where it looks away (`patternProperties`, `propertyNames`, `contains`, `if`, `format`, ...), so do we.

mod array;
mod combined;
mod leaf;
mod object;

use super::report::Report;
use super::rule::Rule;
use super::walk::{Before, Found, Memory, below};
use crate::json::JsonSchema;
use crate::json::shape::{Criterion, Kind, Shape, ShapeId, Shapes};

/// Compares whole schemas.
pub(crate) fn compare(reader: &JsonSchema, writer: &JsonSchema, report: &mut Report) {
    let mut comparison = Comparison {
        reader: &reader.shapes,
        writer: &writer.shapes,
        memory: Memory::default(),
        is_swapped: false,
    };
    let found = comparison.pair(0, 0);
    let found = comparison.memory.verdict(found);
    report.extend(below("#", &found).map(|mut difference| {
        if difference.path == "#" {
            difference.path.push('/');
        }
        difference
    }));
}

/// A comparison of the reader's shapes with the writer's.
struct Comparison<'a> {
    reader: &'a Shapes,
    writer: &'a Shapes,
    memory: Memory,
    /// Below an odd number of `not`s.
    is_swapped: bool,
}

impl<'a> Comparison<'a> {
    /// All reasons why the reader's shape refuses what the writer's allows.
    fn pair(&mut self, reader: ShapeId, writer: ShapeId) -> Found {
        match (self.reader.resolve(reader), self.writer.resolve(writer)) {
            (Some(reader), Some(writer)) => match self.memory.open((reader, writer, self.is_swapped)) {
                Before::Known(found) => found,
                Before::Open(ticket) => {
                    let mut report = Report::default();
                    self.shapes(reader, writer, &mut report);
                    self.memory.close(ticket, report)
                }
            },
            // A reference to itself alone says nothing.
            _ => Found::from([]),
        }
    }

    fn inside(&mut self, step: &str, reader: ShapeId, writer: ShapeId, report: &mut Report) {
        let found = self.pair(reader, writer);
        report.extend(below(step, &found));
    }

    fn swap(&mut self) {
        std::mem::swap(&mut self.reader, &mut self.writer);
        self.is_swapped = !self.is_swapped;
    }

    fn of_reader(&self, id: ShapeId) -> &'a Shape {
        let readers = self.reader;
        &readers.shapes[readers.resolve(id).unwrap_or(id)]
    }

    fn of_writer(&self, id: ShapeId) -> &'a Shape {
        let writers = self.writer;
        &writers.shapes[writers.resolve(id).unwrap_or(id)]
    }

    fn shapes(&mut self, reader: ShapeId, writer: ShapeId, report: &mut Report) {
        let (new, old) = (&self.of_reader(reader).kind, &self.of_writer(writer).kind);
        match (old, new) {
            (Kind::Combined(..), Kind::Combined(..)) => {}
            (_, Kind::Combined(criterion, parts)) if self.is_part(*criterion, parts, writer) => return,
            (Kind::Combined(criterion, parts), _) if self.covers_part(*criterion, parts, reader) => return,
            _ => {}
        }
        match (old, new) {
            (Kind::Never, _) | (_, Kind::Any) => {}
            (Kind::Null, Kind::Null)
            | (Kind::Boolean, Kind::Boolean)
            | (Kind::Conditional, Kind::Conditional) => {}
            (Kind::Text(old), Kind::Text(new)) => leaf::text(new, old, report),
            (Kind::Number(old), Kind::Number(new)) => leaf::number(new, old, report),
            (Kind::Enum(old), Kind::Enum(new)) => leaf::enumeration(new, old, report),
            (Kind::Array(old), Kind::Array(new)) => self.arrays(new, old, report),
            (Kind::Object(old), Kind::Object(new)) => self.objects(new, old, report),
            (Kind::Not(old), Kind::Not(new)) => self.negations(*new, *old, report),
            (Kind::Combined(old, old_parts), Kind::Combined(new, new_parts)) => {
                self.combinations((*new, new_parts), (*old, old_parts), report);
            }
            (old, new) => report.add(
                Rule::TypeChanged,
                "",
                format!(
                    "allows {}, and the {{other}} one {}",
                    described(new),
                    described(old)
                ),
            ),
        }
    }

    /// Whether what was a plain schema is one of the parts now: a union that grew around it.
    fn is_part(&mut self, criterion: Criterion, parts: &[ShapeId], writer: ShapeId) -> bool {
        (parts.len() == 1 || criterion != Criterion::All)
            && parts.iter().any(|part| self.pair(*part, writer).is_empty())
    }

    /// Whether one of the parts that had to hold is what is left: a product that lost the others.
    fn covers_part(&mut self, criterion: Criterion, parts: &[ShapeId], reader: ShapeId) -> bool {
        (parts.len() == 1 || criterion == Criterion::All)
            && parts.iter().any(|part| self.pair(reader, *part).is_empty())
    }
}

/// What a shape allows, in words.
fn described(kind: &Kind) -> String {
    match kind {
        Kind::Any => "anything".to_owned(),
        Kind::Never => "nothing".to_owned(),
        Kind::Null => "null".to_owned(),
        Kind::Boolean => "a boolean".to_owned(),
        Kind::Text(_) => "a string".to_owned(),
        Kind::Number(numbers) if numbers.is_integer => "an integer".to_owned(),
        Kind::Number(_) => "a number".to_owned(),
        Kind::Array(_) => "an array".to_owned(),
        Kind::Object(_) => "an object".to_owned(),
        Kind::Enum(values) => {
            let list = values.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
            let more = if values.len() > 5 { ", ..." } else { "" };
            format!("one of [{}{more}]", list.chars().take(200).collect::<String>())
        }
        Kind::Not(_) => "what `not` leaves".to_owned(),
        Kind::Combined(criterion, parts) => format!("{} of {} schemas", criterion.word(), parts.len()),
        Kind::Conditional => "what `if` decides".to_owned(),
        Kind::Alias(_) => "what refers to itself".to_owned(),
    }
}
