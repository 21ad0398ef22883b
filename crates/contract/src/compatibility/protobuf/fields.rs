//! The fields of a message: numbers, kinds, labels and oneofs.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{Cardinality, FieldDescriptor, Kind, MessageDescriptor};

use super::super::report::Report;
use super::super::rule::Rule;
use super::super::walk::below;
use super::Comparison;

/// Fields by number.
type Fields = BTreeMap<u32, FieldDescriptor>;

impl Comparison {
    pub(super) fn fields(&mut self, new: &MessageDescriptor, old: &MessageDescriptor, report: &mut Report) {
        let new_fields: Fields = new.fields().map(|field| (field.number(), field)).collect();
        let old_fields: Fields = old.fields().map(|field| (field.number(), field)).collect();
        oneofs(new, &old_fields, report);
        for (number, old) in &old_fields {
            match new_fields.get(number) {
                Some(new) => self.field(new, old, &format!("/{number}"), report),
                None => removed(old, report),
            }
        }
        for (number, new) in &new_fields {
            if !old_fields.contains_key(number) && new.cardinality() == Cardinality::Required {
                report.add(
                    Rule::RequiredFieldAdded,
                    &format!("/{number}"),
                    format!(
                        "requires the field {}, which the {{other}} one lacks: make it optional",
                        new.name()
                    ),
                );
            }
        }
    }

    fn field(&mut self, new: &FieldDescriptor, old: &FieldDescriptor, path: &str, report: &mut Report) {
        let (new_sort, old_sort) = (Sort::of(new), Sort::of(old));
        if new_sort != old_sort {
            report.add(
                Rule::FieldKindChanged,
                path,
                format!(
                    "uses the number of {} for {}, and the {{other}} one for {}",
                    new.name(),
                    new_sort.word(),
                    old_sort.word()
                ),
            );
            return;
        }
        if new_sort == Sort::Map {
            let entry = |field: &FieldDescriptor| match field.kind() {
                Kind::Message(entry) => Some((entry.map_entry_key_field(), entry.map_entry_value_field())),
                _ => None,
            };
            if let (Some((new_key, new_value)), Some((old_key, old_value))) = (entry(new), entry(old)) {
                self.field(&new_key, &old_key, path, report);
                self.field(&new_value, &old_value, path, report);
            }
            return;
        }
        match (new.kind(), old.kind()) {
            (Kind::Message(new), Kind::Message(old)) => self.named(&new, &old, path, report),
            (new_kind, old_kind) => {
                scalars((new, &new_kind), &old_kind, path, report);
                labels((new, &new_kind), (old, &old_kind), path, report);
            }
        }
    }

    /// A message by its name inside its package; what stands in another file is compared, too.
    fn named(&mut self, new: &MessageDescriptor, old: &MessageDescriptor, path: &str, report: &mut Report) {
        let (new_name, old_name) = (local_name(new), local_name(old));
        let is_changed = if new_name != old_name {
            true
        } else if new.parent_file() == self.own.0 && old.parent_file() == self.own.1 {
            // Compared where it is declared.
            false
        } else {
            let found = self.pair(new, old);
            report.extend(below(path, &found));
            !found.is_empty()
        };
        if is_changed {
            report.add(
                Rule::FieldNamedTypeChanged,
                path,
                format!("has a {new_name} where the {{other}} one has a {old_name} that it cannot take: use a new number"),
            );
        }
    }
}

fn local_name(message: &MessageDescriptor) -> String {
    let package = message.package_name();
    let full = message.full_name();
    let local = full
        .strip_prefix(package)
        .and_then(|rest| rest.strip_prefix('.'))
        .filter(|_| !package.is_empty());
    local.unwrap_or(full).to_owned()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Scalar,
    Message,
    Map,
}

impl Sort {
    fn of(field: &FieldDescriptor) -> Self {
        match field.kind() {
            _ if field.is_map() => Self::Map,
            Kind::Message(_) => Self::Message,
            _ => Self::Scalar,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Scalar => "a scalar",
            Self::Message => "a message",
            Self::Map => "a map",
        }
    }
}

/// Scalars of one group are written alike, or so that one can be read as the other ("Updating A Message Type").
#[derive(Debug, PartialEq, Eq)]
enum Group {
    Varint,
    ZigZag,
    Length,
    Fixed32,
    Fixed64,
    Float,
    Double,
}

fn group(kind: &Kind) -> Option<Group> {
    Some(match kind {
        Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Bool | Kind::Enum(_) => Group::Varint,
        Kind::Sint32 | Kind::Sint64 => Group::ZigZag,
        Kind::String | Kind::Bytes => Group::Length,
        Kind::Fixed32 | Kind::Sfixed32 => Group::Fixed32,
        Kind::Fixed64 | Kind::Sfixed64 => Group::Fixed64,
        Kind::Float => Group::Float,
        Kind::Double => Group::Double,
        Kind::Message(_) => return None,
    })
}

fn word(kind: &Kind) -> String {
    match kind {
        Kind::Enum(one) => format!("enum {}", one.name()),
        other => format!("{other:?}").to_ascii_lowercase(),
    }
}

fn scalars((new, new_kind): (&FieldDescriptor, &Kind), old: &Kind, path: &str, report: &mut Report) {
    if group(new_kind) != group(old) {
        report.add(
            Rule::FieldScalarKindChanged,
            path,
            format!(
                "has {} {} where the {{other}} one has {}, which is written in another way: use a new number",
                word(new_kind),
                new.name(),
                word(old)
            ),
        );
    }
}

/// Numbers that repeat are packed, and a reader of one number cannot read them; strings and bytes read the last one.
fn labels(
    (new, new_kind): (&FieldDescriptor, &Kind),
    (old, old_kind): (&FieldDescriptor, &Kind),
    path: &str,
    report: &mut Report,
) {
    let is_text = |kind: &Kind| matches!(kind, Kind::String | Kind::Bytes);
    if new.is_list() == old.is_list() || (is_text(new_kind) && is_text(old_kind)) {
        return;
    }
    let (this, other) = if new.is_list() {
        ("repeated", "single")
    } else {
        ("single", "repeated")
    };
    report.add(
        Rule::FieldNumericLabelChanged,
        path,
        format!(
            "has {} {this}, and the {{other}} one {other}: packed numbers cannot be read as one",
            new.name()
        ),
    );
}

fn removed(old: &FieldDescriptor, report: &mut Report) {
    let number = old.number();
    if let Some(oneof) = old.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
        report.add(
            Rule::OneofFieldRemoved,
            &format!("/{}/{number}", oneof.name()),
            format!(
                "lacks the field {} of the oneof {}: what was set would read as nothing",
                old.name(),
                oneof.name()
            ),
        );
    } else if old.cardinality() == Cardinality::Required {
        report.add(
            Rule::RequiredFieldRemoved,
            &format!("/{number}"),
            format!("lacks the required field {} of the {{other}} one", old.name()),
        );
    }
}

/// Fields that could be set together before must not exclude each other now.
fn oneofs(new: &MessageDescriptor, old: &Fields, report: &mut Report) {
    for oneof in new.oneofs().filter(|oneof| !oneof.is_synthetic()) {
        let (mut free, mut bound) = (0, BTreeSet::new());
        for field in oneof.fields() {
            let Some(before) = old.get(&field.number()) else {
                continue;
            };
            match before.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
                None => free += 1,
                Some(before) => {
                    bound.insert(before.name().to_owned());
                }
            }
        }
        let path = format!("/{}", oneof.name());
        let name = oneof.name();
        if free > 1 || bound.len() > 1 {
            report.add(
                Rule::MultipleFieldsMovedToOneof,
                &path,
                format!("has fields in the oneof {name} that could be set together in the {{other}} one"),
            );
        } else if free == 1 && !bound.is_empty() {
            report.add(
                Rule::FieldMovedToExistingOneof,
                &path,
                format!("moved a field into the oneof {name}, beside fields that it could be set with in the {{other}} one"),
            );
        }
    }
}
