//! Which fields carry tags, by the names that lead to them: from the schema itself and from its metadata.

use std::collections::BTreeSet;

use super::{Column, columns};
use crate::rules::Metadata;
use crate::schema::Schema;
use crate::value::TagPatterns;

/// How often paths of tags with wildcards are held against fields.
const MATCHES_MAX: usize = 1_000_000;

/// A field with tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// Its name, after those of what it is in; an element of a list has the list's.
    pub names: Vec<String>,
    /// Its tags.
    pub tags: BTreeSet<String>,
}

/// The fields with tags, outermost first.
///
/// # Errors
/// A sentence: a path of a tag cannot be read, or there are too many to hold against the fields.
pub fn tagged(schema: &Schema, metadata: &Metadata) -> Result<Vec<Tagged>, String> {
    let columns = columns(schema);
    if metadata.tags.len().saturating_mul(count(&columns)) > MATCHES_MAX {
        return Err("the tags cannot be held against the fields: there are too many of both".to_owned());
    }
    let patterns = TagPatterns::new(&metadata.tags)?;
    let mut found = Vec::new();
    gather(&columns, &patterns, &mut Vec::new(), &mut found);
    Ok(found)
}

fn count(columns: &[Column]) -> usize {
    columns.iter().map(|it| 1 + count(&it.columns)).sum()
}

fn gather(columns: &[Column], patterns: &TagPatterns, names: &mut Vec<String>, found: &mut Vec<Tagged>) {
    for column in columns {
        names.push(column.name.clone());
        let mut tags = patterns.of(&column.full_name);
        tags.extend(column.tags.iter().cloned());
        if tags.is_empty() {
            gather(&column.columns, patterns, names, found);
        } else {
            // What is in it is hidden with it.
            found.push(Tagged {
                names: names.clone(),
                tags,
            });
        }
        names.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Format;

    fn of(format: Format, schema: &str, metadata: &str) -> Vec<(String, Vec<String>)> {
        let schema = Schema::parse(format, schema, &[]).unwrap();
        let metadata = serde_json::from_str(metadata).unwrap();
        let found = tagged(&schema, &metadata).unwrap().into_iter();
        found
            .map(|it| (it.names.join("."), it.tags.into_iter().collect()))
            .collect()
    }

    #[test]
    fn tags_of_schema_and_metadata_are_found_in_every_format() {
        let some = |path: &str, tag: &str| (path.to_owned(), vec![tag.to_owned()]);
        let json = r#"{"type":"object","properties":{"id":{"type":"string"},"card":{"type":"string","confluent:tags":["PCI"]},
            "owner":{"type":"object","properties":{"iban":{"type":"string"}}},
            "items":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"}}}}}}"#;
        let metadata = r#"{"tags":{"$.owner.*":["PII"],"$.items.name":["PII"]}}"#;
        let found = of(Format::Json, json, metadata);
        assert!(found.contains(&some("card", "PCI")), "{found:?}");
        assert!(found.contains(&some("owner.iban", "PII")), "{found:?}");
        let avro = r#"{"type":"record","name":"P","namespace":"b","fields":[{"name":"card","type":["null","string"],"confluent:tags":["PCI"]},
            {"name":"owner","type":{"type":"record","name":"O","fields":[{"name":"iban","type":"string"}]}}]}"#;
        let found = of(Format::Avro, avro, r#"{"tags":{"b.O.iban":["PII"]}}"#);
        assert_eq!(found, [some("card", "PCI"), some("owner.iban", "PII")]);
        let proto = "syntax = \"proto3\"; import \"confluent/meta.proto\"; message P { string card = 1 [(confluent.field_meta).tags = \"PCI\"]; }";
        assert_eq!(of(Format::Protobuf, proto, "{}"), [some("card", "PCI")]);
    }

    #[test]
    fn what_is_in_a_tagged_field_is_not_told_apart() {
        let avro = r#"{"type":"record","name":"P","fields":[{"name":"owner","confluent:tags":["PII"],"type":{"type":"record","name":"O","fields":[
            {"name":"iban","type":"string","confluent:tags":["PCI"]}]}}]}"#;
        assert_eq!(
            of(Format::Avro, avro, "{}"),
            [("owner".to_owned(), vec!["PII".to_owned()])]
        );
    }
}
