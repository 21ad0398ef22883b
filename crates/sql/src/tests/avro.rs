//! Columns of Avro schemas. The types were held against Flink 2.3, which takes a schema for exactly these.

use crate::avro::columns;
use crate::columns::exact_kind;

fn kinds(fields: &str) -> Result<Vec<String>, String> {
    let text = format!(r#"{{"type": "record", "name": "R", "namespace": "x.y", "fields": [{fields}]}}"#);
    let all = columns(&text)?;
    for column in &all {
        let bare = |it: &str| it.replace(' ', "");
        let read = exact_kind(&column.kind).map(|it| bare(&it));
        assert_eq!(read, Ok(bare(&column.kind)));
    }
    Ok(all.into_iter().map(|it| it.kind).collect())
}

#[test]
fn each_type_is_the_one_that_flink_derives() {
    for (schema, expected) in [
        (r#""string""#, "STRING NOT NULL"),
        (r#"["null", "long"]"#, "BIGINT"),
        (r#"["string", "null"]"#, "STRING"),
        (
            r#"{"type": "enum", "name": "K", "symbols": ["A"]}"#,
            "STRING NOT NULL",
        ),
        (
            r#"{"type": "long", "logicalType": "timestamp-millis"}"#,
            "TIMESTAMP(3) NOT NULL",
        ),
        (r#"{"type": "int", "logicalType": "date"}"#, "DATE NOT NULL"),
        (
            r#"{"type": "int", "logicalType": "time-millis"}"#,
            "TIME(3) NOT NULL",
        ),
        (
            r#"{"type": "fixed", "name": "F", "size": 4}"#,
            "VARBINARY(4) NOT NULL",
        ),
        (
            r#"{"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}"#,
            "DECIMAL(10, 2) NOT NULL",
        ),
        (r#"{"type": "string", "logicalType": "uuid"}"#, "STRING NOT NULL"),
        (
            r#"{"type": "array", "items": "string"}"#,
            "ARRAY<STRING NOT NULL> NOT NULL",
        ),
        (
            r#"["null", {"type": "map", "values": ["null", "double"]}]"#,
            "MAP<STRING NOT NULL, DOUBLE>",
        ),
        (
            r#"{"type": "record", "name": "O", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": ["null", "float"]}]}"#,
            "ROW<`a` INT NOT NULL, `b` FLOAT> NOT NULL",
        ),
    ] {
        let told = kinds(&format!(r#"{{"name": "a", "type": {schema}}}"#));
        assert_eq!(told, Ok(vec![expected.to_owned()]), "{schema}");
    }
}

#[test]
fn a_name_stands_for_its_type() {
    let enumeration = r#"{"type": "enum", "name": "K", "symbols": ["A"]}"#;
    for name in ["K", "x.y.K"] {
        let told = kinds(&format!(
            r#"{{"name": "a", "type": {enumeration}}}, {{"name": "b", "type": ["null", "{name}"]}}"#
        ));
        assert_eq!(told, Ok(vec!["STRING NOT NULL".to_owned(), "STRING".to_owned()]));
    }
}

#[test]
fn what_flink_does_not_read_is_said() {
    for (schema, part) in [
        (r#"["string", "long"]"#, "a union of several types"),
        (
            r#"{"type": "long", "logicalType": "timestamp-micros"}"#,
            "timestamp-micros",
        ),
        (r#""other.Thing""#, "of another schema"),
        (r#"["null", "R"]"#, "without end"),
    ] {
        let told = kinds(&format!(r#"{{"name": "odd", "type": {schema}}}"#)).unwrap_err();
        assert!(told.contains(part) && told.contains("`odd`"), "{told}");
    }
    assert!(columns("\"string\"").is_err() && columns("{").is_err());
    assert!(kinds("").is_err());
}
