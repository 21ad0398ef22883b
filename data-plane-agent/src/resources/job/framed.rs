//! Tables of topics whose records have a frame: Avro, as serializers of the registry write it. Pure.

use weir_proto::agent::v1::{DesiredState, Reason, Schema, SchemaFormat, SqlColumn, Topic};
use weir_sql::avro;
use weir_sql::columns::Column;
use weir_sql::table::ValueFormat;

use super::program::Refused;
use crate::models::Schemas;

/// Does the topic's contract want records with a frame?
#[must_use]
pub fn is_framed(topic: &Topic) -> bool {
    let value = topic.contract.as_ref().and_then(|it| it.value.as_ref());
    value.is_some_and(|it| it.unframed_schema_id.is_empty())
}

/// The columns of a table over such a topic: those of the newest schema of its contract. All its schemas are noted, so that Flink is
/// told of each that a record may be of.
pub(super) fn columns(
    said: &[SqlColumn],
    (topic, table): (&Topic, &str),
    admitted: &DesiredState,
    schemas: &mut Schemas,
) -> Result<(Vec<Column>, ValueFormat), Refused> {
    let refused = |text: &str| Refused::new(Reason::Unsupported, format!("topic {}: {text}", topic.name));
    let value = topic.contract.as_ref().and_then(|it| it.value.as_ref());
    let ids = value.map(|it| it.schema_ids.as_slice()).unwrap_or_default();
    let known: Vec<&Schema> = ids
        .iter()
        .filter_map(|id| admitted.schemas.iter().find(|it| it.id == *id))
        .collect();
    if known.len() != ids.len() {
        return Err(refused("a schema of its contract is not there"));
    }
    if known.iter().any(|it| it.format() != SchemaFormat::Avro) {
        return Err(refused(
            "jobs in SQL read and write framed records in Avro alone; JSON is read and written without a frame",
        ));
    }
    if known.iter().any(|it| !it.references.is_empty()) {
        return Err(refused("its schemas refer to others, which Flink is not told of"));
    }
    // Numbers rise with each new schema of the registry.
    let Some(newest) = known.iter().max_by_key(|it| it.schema_id) else {
        return Err(refused("its contract has no schema yet"));
    };
    let columns = avro::columns(&newest.text).map_err(|text| refused(&text))?;
    let said: Vec<Column> = said
        .iter()
        .map(|SqlColumn { name, r#type }| Column {
            name: name.clone(),
            kind: r#type.clone(),
        })
        .collect();
    if !said.is_empty() && !avro::are_those(&said, &columns) {
        return Err(refused(
            "the columns of framed records are those of its contract: say none",
        ));
    }
    for schema in &known {
        schemas.texts.insert(schema.schema_id, schema.text.clone());
    }
    schemas.written.insert(table.to_owned(), newest.schema_id);
    let format = ValueFormat::AvroConfluent {
        subject: table.to_owned(),
        schema: newest.text.clone(),
    };
    Ok((columns, format))
}

/// A column that takes the key must not be one of the value's: the value would be read without it.
pub(super) fn keep_apart(columns: &[Column], format: &ValueFormat, key: Option<&str>) -> Result<(), Refused> {
    let is_both = |key: &str| columns.iter().any(|it| it.name == key);
    match (format, key) {
        (ValueFormat::AvroConfluent { .. }, Some(key)) if is_both(key) => Err(Refused::new(
            Reason::ProgramRefused,
            format!("column `{key}` takes the key, and is one of the value's already"),
        )),
        _apart => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_proto::agent::v1::{PartContract, SchemaReference, TopicContract};

    const FIRST: &str = r#"{"type": "record", "name": "P", "fields": [{"name": "card", "type": "string"}]}"#;
    const SECOND: &str = r#"{"type": "record", "name": "P", "fields": [{"name": "card", "type": "string"},
        {"name": "amount", "type": ["null", "long"], "default": null}]}"#;

    fn schema(number: u32, text: &str) -> Schema {
        Schema {
            id: format!("schema_{number}"),
            schema_id: number,
            format: SchemaFormat::Avro.into(),
            text: text.to_owned(),
            ..Schema::default()
        }
    }

    fn made(all: &[Schema], said: &[SqlColumn]) -> Result<(Vec<Column>, ValueFormat, Schemas), Reason> {
        let value = PartContract {
            schema_ids: all.iter().map(|it| it.id.clone()).collect(),
            ..PartContract::default()
        };
        let topic = Topic {
            name: "payments".to_owned(),
            contract: Some(TopicContract {
                value: Some(value),
                ..TopicContract::default()
            }),
            ..Topic::default()
        };
        assert!(is_framed(&topic) && !is_framed(&Topic::default()));
        let admitted = DesiredState {
            schemas: all.to_vec(),
            ..DesiredState::default()
        };
        let mut schemas = Schemas::default();
        let made = columns(said, (&topic, "table"), &admitted, &mut schemas).map_err(|it| it.reason)?;
        Ok((made.0, made.1, schemas))
    }

    #[test]
    fn a_table_is_of_the_newest_schema_and_all_are_told() {
        let (columns, format, schemas) = made(&[schema(9, SECOND), schema(4, FIRST)], &[]).unwrap();
        let kinds: Vec<&str> = columns.iter().map(|it| it.kind.as_str()).collect();
        assert_eq!(kinds, ["STRING NOT NULL", "BIGINT"]);
        assert_eq!(schemas.texts.keys().copied().collect::<Vec<_>>(), [4, 9]);
        assert_eq!(schemas.written["table"], 9);
        assert!(keep_apart(&columns, &format, Some("card")).is_err());
        assert!(keep_apart(&columns, &format, Some("key")).is_ok());
        assert!(keep_apart(&columns, &ValueFormat::Json, Some("card")).is_ok());
    }

    #[test]
    fn what_flink_could_not_read_is_refused() {
        let said = |kind: &str| SqlColumn {
            name: "card".to_owned(),
            r#type: kind.to_owned(),
        };
        assert!(
            made(&[schema(4, FIRST)], &[said("string")]).is_ok(),
            "as the contract has it"
        );
        let refers = Schema {
            references: vec![SchemaReference::default()],
            ..schema(4, FIRST)
        };
        let json = Schema {
            format: SchemaFormat::Json.into(),
            ..schema(5, "{}")
        };
        let union = schema(6, &FIRST.replace("\"string\"", "[\"string\", \"long\"]"));
        for (all, said) in [
            (vec![schema(4, FIRST)], vec![said("BIGINT")]),
            (vec![refers], Vec::new()),
            (vec![schema(4, FIRST), json], Vec::new()),
            (vec![union], Vec::new()),
            (Vec::new(), Vec::new()),
        ] {
            assert_eq!(made(&all, &said).unwrap_err(), Reason::Unsupported);
        }
    }
}
