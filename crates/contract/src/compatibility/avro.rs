//! Avro: can data of one schema be read by another? The specification's "Schema Resolution", with the names and the places of
//! Avro's own `SchemaCompatibility`. Logical types are looked through, as there: what counts is how bytes are written.

use std::collections::HashSet;

use super::report::Report;
use super::rule::Rule;
use super::walk::{Before, Found, Memory, below};
use crate::avro::model::{Field, Kind, Model, Named, TypeId};

/// Compares whole schemas.
pub(crate) fn compare(reader: &Model, writer: &Model, report: &mut Report) {
    let mut comparison = Comparison {
        reader,
        writer,
        memory: Memory::default(),
    };
    let found = comparison.pair(reader.root, writer.root);
    let found = comparison.memory.verdict(found);
    report.extend(below("", &found).map(|mut difference| {
        if difference.path.is_empty() {
            difference.path.push('/');
        }
        difference
    }));
}

struct Comparison<'a> {
    reader: &'a Model,
    writer: &'a Model,
    memory: Memory,
}

impl Comparison<'_> {
    /// All reasons why the reader's type cannot take the writer's.
    fn pair(&mut self, reader: TypeId, writer: TypeId) -> Found {
        match self.memory.open((reader, writer, false)) {
            Before::Known(found) => found,
            Before::Open(ticket) => {
                let mut report = Report::default();
                self.types(reader, writer, &mut report);
                self.memory.close(ticket, report)
            }
        }
    }

    fn inside(&mut self, step: &str, reader: TypeId, writer: TypeId, report: &mut Report) {
        let found = self.pair(reader, writer);
        report.extend(below(step, &found));
    }

    fn types(&mut self, reader_id: TypeId, writer_id: TypeId, report: &mut Report) {
        let (readers, writers) = (self.reader, self.writer);
        match (readers.kind(reader_id), writers.kind(writer_id)) {
            (_, Kind::Union(branches)) => self.branches(reader_id, branches, report),
            (Kind::Union(branches), other) => {
                if !branches
                    .iter()
                    .any(|branch| self.pair(*branch, writer_id).is_empty())
                {
                    report.add(Rule::MissingUnionBranch, "", missing_branch(other.word()));
                }
            }
            (Kind::Array(reader), Kind::Array(writer)) => self.inside("/items", *reader, *writer, report),
            (Kind::Map(reader), Kind::Map(writer)) => self.inside("/values", *reader, *writer, report),
            (
                Kind::Fixed { named, size },
                Kind::Fixed {
                    named: other,
                    size: other_size,
                },
            ) => {
                names(named, other, report);
                sizes(*size, *other_size, report);
            }
            (
                Kind::Enum {
                    named,
                    symbols,
                    default,
                },
                Kind::Enum {
                    named: other,
                    symbols: others,
                    ..
                },
            ) => {
                names(named, other, report);
                enums(symbols, default.as_ref(), others, report);
            }
            (
                Kind::Record { named, fields, .. },
                Kind::Record {
                    named: other,
                    fields: others,
                    ..
                },
            ) => {
                names(named, other, report);
                for (index, field) in fields.iter().enumerate() {
                    self.field(index, field, others, report);
                }
            }
            (reader, writer) => primitives(reader, writer, report),
        }
    }

    /// Each branch that the writer may have chosen must be read.
    fn branches(&mut self, reader: TypeId, branches: &[TypeId], report: &mut Report) {
        let is_union = matches!(self.reader.kind(reader), Kind::Union(_));
        for (index, branch) in branches.iter().enumerate() {
            let path = format!("/{index}");
            if !is_union {
                self.inside(&path, reader, *branch, report);
            } else if !self.pair(reader, *branch).is_empty() {
                report.add(
                    Rule::MissingUnionBranch,
                    &path,
                    missing_branch(self.writer.kind(*branch).word()),
                );
            }
        }
    }

    fn field(&mut self, index: usize, field: &Field, others: &[Field], report: &mut Report) {
        let path = format!("/fields/{index}");
        let mut same = others
            .iter()
            .filter(|other| other.name == field.name || field.aliases.contains(&other.name));
        let Some(found) = same.next() else {
            let is_open_enum = matches!(
                self.reader.kind(field.schema),
                Kind::Enum { default: Some(_), .. }
            );
            if field.default.is_none() {
                let hint = if is_open_enum {
                    " (the enum's own default is for unknown symbols)"
                } else {
                    ""
                };
                report.add(
                    Rule::ReaderFieldMissingDefaultValue,
                    &path,
                    format!(
                        "has a field {:?} without a default{hint}, which the {{other}} schema lacks: give it a default",
                        field.name
                    ),
                );
            }
            return;
        };
        if let Some(second) = same.next() {
            report.add(
                Rule::NameMismatch,
                &path,
                format!(
                    "has a field {:?} that by its aliases is both {:?} and {:?} of the {{other}} schema",
                    field.name, found.name, second.name
                ),
            );
            return;
        }
        self.inside(&format!("{path}/type"), field.schema, found.schema, report);
    }
}

fn sizes(size: u64, other: u64, report: &mut Report) {
    if size != other {
        let sentence = format!("has a fixed of {size} bytes, and the {{other}} one of {other}");
        report.add(Rule::FixedSizeMismatch, "/size", sentence);
    }
}

fn primitives(reader: &Kind, writer: &Kind, report: &mut Report) {
    if !promotes(writer, reader) {
        let (word, other) = (reader.word(), writer.word());
        let sentence = format!("has {word}, and the {{other}} one {other}, which cannot be read as that");
        report.add(Rule::TypeMismatch, "", sentence);
    }
}

fn missing_branch(word: &str) -> String {
    format!("has a union without a branch that can read {word} of the {{other}} schema")
}

/// Short names must be equal, or an alias of the reader's be the writer's full name.
fn names(reader: &Named, writer: &Named, report: &mut Report) {
    if reader.name.short() == writer.name.short() || reader.aliases.contains(&writer.name) {
        return;
    }
    report.add(
        Rule::NameMismatch,
        "/name",
        format!(
            "calls {:?} what the {{other}} one calls {:?}: add that name to `aliases`",
            reader.name.full(),
            writer.name.full()
        ),
    );
}

fn enums(symbols: &[String], default: Option<&String>, others: &[String], report: &mut Report) {
    let known: HashSet<&String> = symbols.iter().collect();
    let missing: Vec<&str> = others
        .iter()
        .filter(|symbol| !known.contains(symbol))
        .map(String::as_str)
        .collect();
    if missing.is_empty() || default.is_some() {
        return;
    }
    let mut list = missing.iter().take(20).copied().collect::<Vec<_>>().join(", ");
    if missing.len() > 20 {
        list.push_str(", ...");
    }
    report.add(
        Rule::MissingEnumSymbols,
        "/symbols",
        format!("has an enum without the symbols [{list}] of the {{other}} one, and without a default"),
    );
}

/// "Schema Resolution": what a writer's primitive may be read as.
const fn promotes(writer: &Kind, reader: &Kind) -> bool {
    matches!(
        (writer, reader),
        (Kind::Null, Kind::Null)
            | (Kind::Boolean, Kind::Boolean)
            | (Kind::Int, Kind::Int | Kind::Long | Kind::Float | Kind::Double)
            | (Kind::Long, Kind::Long | Kind::Float | Kind::Double)
            | (Kind::Float, Kind::Float | Kind::Double)
            | (Kind::Double, Kind::Double)
            | (Kind::Bytes | Kind::String, Kind::Bytes | Kind::String)
    )
}
