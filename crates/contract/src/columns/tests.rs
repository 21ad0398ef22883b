//! Fields of the three formats.

use super::*;
use crate::schema::Format;

/// `name:kind`, required ones with `!`, inner ones in brackets.
fn shown(columns: &[Column]) -> String {
    let one = |column: &Column| {
        let kind = column.kind.as_str().unwrap_or("any");
        let items = column
            .items
            .map(|kind| format!(" of {}", kind.as_str().unwrap_or("any")))
            .unwrap_or_default();
        let inner = if column.columns.is_empty() {
            String::new()
        } else {
            format!("({})", shown(&column.columns))
        };
        let required = if column.required { "!" } else { "" };
        format!("{}{required}:{kind}{items}{inner}", column.name)
    };
    columns.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn columns_of(format: Format, text: &str) -> Vec<Column> {
    columns(&Schema::parse(format, text, &[]).unwrap_or_else(|error| panic!("{error}")))
}

#[test]
fn fields_are_shown_with_plain_types() {
    let avro = r#"{"type":"record","name":"R","namespace":"n","fields":[{"name":"i","type":"int","doc":"d"},
        {"name":"u","type":["null","string"]},{"name":"v","type":["int","string"]},
        {"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"d","type":{"type":"int","logicalType":"date"}},
        {"name":"a","type":{"type":"array","items":{"type":"record","name":"I","fields":[{"name":"x","type":"boolean"}]}}},
        {"name":"m","type":{"type":"map","values":"int"}}]}"#;
    let columns = columns_of(Format::Avro, avro);
    assert_eq!(
        shown(&columns),
        "i!:integer u:string v!:any t!:timestamp d!:date a!:array of object(x!:boolean) m!:object"
    );
    assert_eq!(columns[0].doc.as_deref(), Some("d"));
    assert_eq!(columns[5].columns[0].full_name, "n.I.x");
    let json = r##"{"type":"object","required":["a","n"],"properties":{"a":{"$ref":"#/definitions/a"},"n":{"type":["null","number"]},
        "o":{"properties":{"p":{"type":"string","format":"date-time"}}},"l":{"type":"array","items":{"type":"integer"}},"x":true},
        "definitions":{"a":{"type":"string","description":"d"}}}"##;
    let columns = columns_of(Format::Json, json);
    assert_eq!(
        shown(&columns),
        "a!:string l:array of integer n:number o:object(p:timestamp) x:any"
    );
    assert_eq!(columns[3].columns[0].full_name, "$.o.p");
    let proto = "syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\"; message M { int32 a = 1; repeated N n = 2;
        map<string, int32> m = 3; google.protobuf.Timestamp t = 4; } message N { bool b = 1; }";
    assert_eq!(
        shown(&columns_of(Format::Protobuf, proto)),
        "a:integer n:array of object(b:boolean) m:object t:timestamp"
    );
    assert_eq!(shown(&columns_of(Format::Json, "true")), "");
    assert_eq!(shown(&columns_of(Format::Avro, "\"int\"")), "");
}

#[test]
fn schemas_that_lead_back_end() {
    let json = r##"{"type":"object","properties":{"a":{"$ref":"#"},"b":{"$ref":"#"},"c":{"items":{"$ref":"#"},"type":"array"}}}"##;
    let avro = r#"{"type":"record","name":"R","fields":[{"name":"a","type":["null","R"]},{"name":"b","type":["null","R"]},{"name":"c","type":["null","R"]}]}"#;
    let proto = "syntax = \"proto3\"; message M { M a = 1; M b = 2; M c = 3; }";
    fn count(columns: &[Column]) -> usize {
        columns.iter().map(|column| 1 + count(&column.columns)).sum()
    }
    for (format, text) in [
        (Format::Json, json),
        (Format::Avro, avro),
        (Format::Protobuf, proto),
    ] {
        assert_eq!(count(&columns_of(format, text)), COLUMNS_MAX, "{format:?}");
    }
    let circle =
        r##"{"properties":{"a":{"$ref":"#/definitions/a"}},"definitions":{"a":{"$ref":"#/definitions/a"}}}"##;
    assert!(Schema::parse(Format::Json, circle, &[]).is_err() || columns_of(Format::Json, circle).len() == 1);
}
