//! What must hold of compatibility for any schemas: generated ones of the three formats, alone and as one changed into another.

mod generated;

use std::collections::BTreeSet;

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::writer::datum::GenericDatumWriter;
use generated::{AvroType, avro_change, avro_type, avro_value, json_schema, proto_file};
use proptest::prelude::*;
use weir_contract::compatibility::{Direction, check};
use weir_contract::{Format, Incompatibility, Level, Schema};

fn parse(format: Format, text: &str) -> Schema {
    Schema::parse(format, text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Rule and place of each finding in one direction.
fn set(found: &[Incompatibility], direction: Direction) -> BTreeSet<(String, String)> {
    let of = found.iter().filter(|one| one.direction == direction);
    of.map(|one| (one.rule.to_string(), one.path.clone())).collect()
}

fn rules(found: &[Incompatibility]) -> BTreeSet<(String, String)> {
    set(found, Direction::Backward)
        .union(&set(found, Direction::Forward))
        .cloned()
        .collect()
}

/// BACKWARD(a, b) = FORWARD(b, a); FULL = BACKWARD and FORWARD; NONE accepts all.
fn levels_agree(a: &Schema, b: &Schema) -> Result<(), TestCaseError> {
    let of = |level, new: &Schema, old: &Schema| check(level, new, std::slice::from_ref(old));
    let backward = of(Level::Backward, a, b);
    let forward = of(Level::Forward, a, b);
    prop_assert_eq!(rules(&backward), rules(&of(Level::Forward, b, a)));
    prop_assert_eq!(rules(&forward), rules(&of(Level::Backward, b, a)));
    let full = of(Level::Full, a, b);
    prop_assert_eq!(set(&full, Direction::Backward), rules(&backward));
    prop_assert_eq!(set(&full, Direction::Forward), rules(&forward));
    prop_assert!(of(Level::None, a, b).is_empty());
    Ok(())
}

/// What a transitive level finds is what its plain level finds against each.
fn transitive_is_pairwise(schemas: &[Schema]) -> Result<(), TestCaseError> {
    let Some((new, earlier)) = schemas.split_last() else {
        return Ok(());
    };
    for (transitive, plain) in [
        (Level::BackwardTransitive, Level::Backward),
        (Level::ForwardTransitive, Level::Forward),
        (Level::FullTransitive, Level::Full),
    ] {
        let found = check(transitive, new, earlier);
        for (index, old) in earlier.iter().enumerate() {
            let against: Vec<_> = found.iter().filter(|one| one.against == index).cloned().collect();
            prop_assert_eq!(
                rules(&against),
                rules(&check(plain, new, std::slice::from_ref(old)))
            );
        }
        let last: Vec<_> = found
            .into_iter()
            .filter(|one| one.against + 1 == earlier.len())
            .collect();
        prop_assert_eq!(rules(&last), rules(&check(plain, new, earlier)));
    }
    Ok(())
}

fn is_compatible_with_itself(schema: &Schema) -> Result<(), TestCaseError> {
    for level in Level::ALL {
        let found = check(level, schema, &[schema.clone(), schema.clone()]);
        prop_assert!(found.is_empty(), "{level:?}: {found:?}");
    }
    Ok(())
}

/// What is kept of a schema is the same schema, and is kept as it is.
fn texts_are_stable(format: Format, schema: &Schema) -> Result<(), TestCaseError> {
    let stored = schema.stored();
    let again = parse(format, &stored);
    prop_assert_eq!(again.stored(), stored);
    let normalized = schema.normalized();
    prop_assert_eq!(&again.normalized(), &normalized);
    let other = parse(format, &normalized);
    prop_assert_eq!(&other.normalized(), &normalized);
    prop_assert!(check(Level::Full, &other, std::slice::from_ref(schema)).is_empty());
    Ok(())
}

fn all(format: Format, texts: &[String]) -> Result<(), TestCaseError> {
    let schemas: Vec<Schema> = texts.iter().map(|text| parse(format, text)).collect();
    for schema in &schemas {
        is_compatible_with_itself(schema)?;
        texts_are_stable(format, schema)?;
    }
    levels_agree(&schemas[0], &schemas[1])?;
    transitive_is_pairwise(&schemas)
}

/// The order of sets is not the schema's: `normalized` must give one text for both.
fn reversed(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(members) => {
            let entries: Vec<String> = members
                .iter()
                .rev()
                .map(|(key, value)| format!("{}:{}", serde_json::json!(key), reversed(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        serde_json::Value::Array(items) => {
            format!("[{}]", items.iter().map(reversed).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

/// A record in a union is found by the value alone there, so only pairs without such choices are read by that library.
fn decodes(old: &Schema, new: &Schema, old_type: &AvroType, seed: &[u8]) -> Result<(), TestCaseError> {
    let (Ok(writer), Ok(reader)) = (
        apache_avro::Schema::parse_str(&old.stored()),
        apache_avro::Schema::parse_str(&new.stored()),
    ) else {
        return Err(TestCaseError::fail(format!(
            "not a schema for apache-avro: {}\n{}",
            old.stored(),
            new.stored()
        )));
    };
    let value = avro_value(old_type, &mut seed.iter().copied().cycle());
    let bytes = GenericDatumWriter::builder(&writer)
        .build()
        .and_then(|writer| writer.write_value_to_vec(value));
    let bytes = bytes.map_err(|error| TestCaseError::fail(format!("{error}: {}", old.stored())))?;
    let read = GenericDatumReader::builder(&writer)
        .reader_schema(&reader)
        .build()
        .and_then(|reader| reader.read_value(&mut bytes.as_slice()));
    prop_assert!(
        read.is_ok(),
        "{:?}\nold {}\nnew {}",
        read,
        old.stored(),
        new.stored()
    );
    Ok(())
}

proptest! {
    #[test]
    fn avro(a in avro_type(), b in avro_type(), change in avro_change()) {
        let changed = change.apply(&a);
        all(Format::Avro, &[b.text(), a.text(), changed.text()])?;
    }

    #[test]
    fn json(texts in prop::collection::vec(json_schema(), 3)) {
        let written: Vec<String> = texts.iter().map(ToString::to_string).collect();
        all(Format::Json, &written)?;
        let other = parse(Format::Json, &reversed(&texts[0]));
        prop_assert_eq!(other.normalized(), parse(Format::Json, &written[0]).normalized());
    }

    #[test]
    fn protobuf(texts in prop::collection::vec(proto_file(), 3)) {
        all(Format::Protobuf, &texts)?;
    }

    /// A value that the old schema wrote is read by a new one that is BACKWARD compatible, by a library of others.
    #[test]
    fn avro_values_really_resolve(old in avro_type(), change in avro_change(), seed in prop::collection::vec(any::<u8>(), 1..24)) {
        let new = change.apply(&old);
        let (old_schema, new_schema) = (parse(Format::Avro, &old.text()), parse(Format::Avro, &new.text()));
        if check(Level::Backward, &new_schema, std::slice::from_ref(&old_schema)).is_empty() {
            decodes(&old_schema, &new_schema, &old, &seed)?;
        }
    }

    #[test]
    fn no_text_breaks_the_parsers(text in "[\\[\\]{}\":,a-z0-9 \\\\.$#/=;\n]{0,200}") {
        for format in [Format::Avro, Format::Json, Format::Protobuf] {
            if let Err(error) = Schema::parse(format, &text, &[]) {
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}
