//! What must not be taken: schemas too large, too deep, too costly, or that lead out of what was given. Each is refused quickly.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use weir_contract::{Format, Limits, NamedSource, Position, Schema, SchemaError, SchemaErrorKind};

/// Far more than any of these needs, on a machine that does other things too.
const SOON: Duration = Duration::from_secs(20);

fn refused(format: Format, text: &str) -> SchemaError {
    refused_with(format, text, &[])
}

fn refused_with(format: Format, text: &str, references: &[NamedSource]) -> SchemaError {
    let began = Instant::now();
    let error = Schema::parse(format, text, references).expect_err("it should have been refused");
    assert!(began.elapsed() < SOON, "{error}: took {:?}", began.elapsed());
    assert!(error.to_string().len() < 2_000, "{error}");
    error
}

fn source(name: &str, text: &str) -> NamedSource {
    NamedSource {
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

#[test]
fn ten_megabytes_are_refused_unread() {
    let text = " ".repeat(10 << 20);
    for format in [Format::Avro, Format::Json, Format::Protobuf] {
        assert_eq!(refused(format, &text).kind, SchemaErrorKind::TooLarge);
    }
    let many = vec![source("x", "\"int\""); Limits::DEFAULT.references + 1];
    assert_eq!(
        refused_with(Format::Avro, "\"int\"", &many).kind,
        SchemaErrorKind::TooLarge
    );
    let large = [source("x", &" ".repeat(5 << 20))];
    assert_eq!(
        refused_with(Format::Json, "{}", &large).kind,
        SchemaErrorKind::TooLarge
    );
}

#[test]
fn deep_nesting_is_refused() {
    let depth = 50_000;
    let avro = format!(
        "{}\"int\"{}",
        "{\"type\":\"array\",\"items\":".repeat(depth),
        "}".repeat(depth)
    );
    let text = &avro[..avro.len().min(1 << 20)];
    assert_eq!(refused(Format::Avro, text).kind, SchemaErrorKind::TooLarge);
    let json = format!("{}{{}}{}", "{\"not\":".repeat(depth), "}".repeat(depth));
    assert_eq!(refused(Format::Json, &json).kind, SchemaErrorKind::TooLarge);
    let messages = format!(
        "syntax = \"proto3\";\n{}{}",
        "message A {".repeat(depth),
        "}".repeat(depth)
    );
    assert_eq!(
        refused(Format::Protobuf, &messages).kind,
        SchemaErrorKind::TooLarge
    );
    let nested = |depth: usize| {
        format!(
            "syntax = \"proto3\";\nimport \"confluent/meta.proto\";\noption (confluent.file_meta) = {}{};",
            "{a: ".repeat(depth),
            "}".repeat(depth)
        )
    };
    assert_eq!(
        refused(Format::Protobuf, &nested(5_000)).kind,
        SchemaErrorKind::TooLarge
    );
}

#[test]
fn too_many_parts_are_refused() {
    let limits = Limits {
        names: 10,
        fields: 20,
        ..Limits::DEFAULT
    };
    let parse = |format, text: &str| Schema::parse_within(format, text, &[], &limits).unwrap_err().kind;
    let records: Vec<String> = (0..12)
        .map(|n| format!("{{\"type\":\"record\",\"name\":\"R{n}\",\"fields\":[]}}"))
        .collect();
    assert_eq!(
        parse(Format::Avro, &format!("[{}]", records.join(","))),
        SchemaErrorKind::TooLarge
    );
    let symbols: Vec<String> = (0..30).map(|n| format!("\"S{n}\"")).collect();
    let symbols = format!(
        "{{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[{}]}}",
        symbols.join(",")
    );
    assert_eq!(parse(Format::Avro, &symbols), SchemaErrorKind::TooLarge);
    let messages: String = (0..12).map(|n| format!("message M{n} {{}}\n")).collect();
    assert_eq!(
        parse(Format::Protobuf, &format!("syntax = \"proto3\";\n{messages}")),
        SchemaErrorKind::TooLarge
    );
    let properties: Vec<String> = (0..60).map(|n| format!("\"p{n}\":{{}}")).collect();
    let properties = format!("{{\"properties\":{{{}}}}}", properties.join(","));
    assert_eq!(parse(Format::Json, &properties), SchemaErrorKind::TooLarge);
}

#[test]
fn a_remote_reference_is_never_fetched() {
    let remote = r#"{"properties":{"a":{"$ref":"http://schemas.test/a.json"}}}"#;
    let error = refused(Format::Json, remote);
    assert_eq!(
        (error.kind, error.path.as_str()),
        (SchemaErrorKind::UnknownReference, "/properties/a")
    );
    assert!(error.message.contains("not fetched"), "{error}");
    Schema::parse(
        Format::Json,
        remote,
        &[source("http://schemas.test/a.json", r#"{"type":"string"}"#)],
    )
    .unwrap();
    for text in [
        r##"{"$ref":"#/definitions/none"}"##,
        r##"{"$ref":"#none"}"##,
        r#"{"$ref":"file:///etc/passwd"}"#,
        r#"{"$ref":"a.json"}"#,
    ] {
        assert_eq!(
            refused(Format::Json, text).kind,
            SchemaErrorKind::UnknownReference,
            "{text}"
        );
    }
    Schema::parse(
        Format::Json,
        r#"{"$ref":"http://json-schema.org/draft-07/schema#"}"#,
        &[],
    )
    .unwrap();
}

#[test]
fn references_are_found_by_their_names() {
    let relative =
        r#"{"$id":"http://a.test/dir/root.json","properties":{"a":{"$ref":"item.json#/definitions/x"}}}"#;
    let item = source("item.json", r#"{"definitions":{"x":{"type":"string"}}}"#);
    Schema::parse(Format::Json, relative, std::slice::from_ref(&item)).unwrap();
    let inside = r#"{"$ref":"item.json#/definitions/y"}"#;
    assert_eq!(
        refused_with(Format::Json, inside, &[item]).kind,
        SchemaErrorKind::UnknownReference
    );
    let avro = r#"{"type":"record","name":"A","fields":[{"name":"b","type":"n.B"}]}"#;
    assert_eq!(
        refused(Format::Avro, avro).kind,
        SchemaErrorKind::UnknownReference
    );
    let b = source("n.B", r#"{"type":"record","name":"n.B","fields":[]}"#);
    Schema::parse(Format::Avro, avro, &[b]).unwrap();
    let broken = refused_with(Format::Avro, avro, &[source("n.B", "{")]);
    assert_eq!(broken.source_name.as_deref(), Some("n.B"));
    let proto = "syntax = \"proto3\";\nimport \"b.proto\";\nmessage A { B b = 1; }\n";
    let error = refused(Format::Protobuf, proto);
    assert_eq!(
        (error.kind, error.position),
        (
            SchemaErrorKind::UnknownReference,
            Some(Position { line: 2, column: 1 })
        )
    );
    Schema::parse(
        Format::Protobuf,
        proto,
        &[source("b.proto", "syntax = \"proto3\";\nmessage B {}\n")],
    )
    .unwrap();
}

#[test]
fn imports_in_a_circle_are_refused() {
    let a = source("a.proto", "syntax = \"proto3\";\nimport \"b.proto\";\n");
    let b = source("b.proto", "syntax = \"proto3\";\nimport \"a.proto\";\n");
    let error = refused_with(
        Format::Protobuf,
        "syntax = \"proto3\";\nimport \"a.proto\";\nmessage M {}\n",
        &[a, b],
    );
    assert!(error.message.contains("cycle"), "{error}");
}

#[test]
fn patterns_cost_a_bounded_amount() {
    let with = |pattern: &str| serde_json::json!({"type": "string", "pattern": pattern}).to_string();
    // Exponential for an engine that backtracks; this one does not.
    Schema::parse(Format::Json, &with("^(a+)+$"), &[]).unwrap();
    assert_eq!(
        refused(Format::Json, &with("((a{1,1000}){1,1000}){1,1000}")).kind,
        SchemaErrorKind::TooLarge
    );
    let look = refused(Format::Json, &with("^(?!x).*$"));
    assert!(
        look.kind == SchemaErrorKind::Invalid && look.message.contains("bounded time"),
        "{look}"
    );
    assert_eq!(refused(Format::Json, &with("(")).kind, SchemaErrorKind::Invalid);
    let property = r#"{"patternProperties":{"(":{}}}"#;
    assert_eq!(refused(Format::Json, property).kind, SchemaErrorKind::Invalid);
}

/// A schema, where its fault is, by path and by line and column, and what is said of it.
type Fault = (
    Format,
    &'static str,
    &'static str,
    Option<(usize, usize)>,
    &'static str,
);

const FAULTS: [Fault; 16] = [
    (
        Format::Avro,
        "{\"type\":\"record\",\n \"name\":\"1x\",\"fields\":[]}",
        "/name",
        Some((2, 9)),
        "not a name",
    ),
    (
        Format::Avro,
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x"}]}"#,
        "/fields/0/default",
        Some((1, 74)),
        "default",
    ),
    (Format::Avro, r#"["int","int"]"#, "/1", Some((1, 8)), "twice"),
    (Format::Avro, r#"[["int"]]"#, "/0", Some((1, 2)), "union"),
    (
        Format::Avro,
        r#"{"type":"fixed","name":"F","size":-1}"#,
        "/size",
        Some((1, 35)),
        "whole number",
    ),
    (
        Format::Avro,
        r#"{"type":"enum","name":"E","symbols":["A","A"]}"#,
        "/symbols/1",
        Some((1, 1)),
        "twice",
    ),
    (
        Format::Avro,
        r#"{"type":"enum","name":"E","symbols":["A"],"default":"B"}"#,
        "/default",
        Some((1, 1)),
        "not a symbol",
    ),
    (
        Format::Avro,
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#,
        "/fields/1",
        Some((1, 65)),
        "already",
    ),
    (Format::Json, "{\"type\":\"strin\"}", "/type", None, "draft"),
    (Format::Json, "{\"minLength\":-1}", "/minLength", None, "draft"),
    (
        Format::Json,
        "{\n\"a\":\n}",
        "",
        Some((3, 1)),
        "value was expected",
    ),
    (Format::Json, "[]", "", None, "object or a boolean"),
    (
        Format::Json,
        r#"{"$schema":"http://a.test/mine"}"#,
        "/$schema",
        None,
        "none of the drafts",
    ),
    (
        Format::Protobuf,
        "syntax = \"proto3\";\nmessage A {\n  strin a = 1\n}\n",
        "",
        Some((4, 1)),
        "expected",
    ),
    (
        Format::Protobuf,
        "syntax = \"proto3\";\nmessage A {\n  string a = 1;\n  string b = 1;\n}\n",
        "",
        Some((4, 14)),
        "1",
    ),
    (
        Format::Protobuf,
        "syntax = \"proto3\";\nmessage A {\n  Nope a = 1;\n}\n",
        "",
        Some((3, 3)),
        "Nope",
    ),
];

#[test]
fn faults_are_named_with_their_place() {
    for (format, text, path, position, part) in FAULTS {
        let error = refused(format, text);
        assert_eq!(error.path, path, "{text}: {error}");
        let found = error.position.map(|position| (position.line, position.column));
        assert_eq!(found, position, "{text}: {error}");
        assert!(error.message.contains(part), "{text}: {error}");
    }
}

#[test]
fn names_follow_the_specification() {
    for name in ["", "a-b", "a..b", "1a", "\u{e9}t\u{e9}", "int"] {
        let text = serde_json::json!({"type": "fixed", "name": name, "size": 1}).to_string();
        assert_eq!(
            refused(Format::Avro, &text).kind,
            SchemaErrorKind::Invalid,
            "{name:?}"
        );
    }
    let long = "a".repeat(Limits::DEFAULT.name_characters + 1);
    let text = serde_json::json!({"type": "fixed", "name": long, "size": 1}).to_string();
    assert_eq!(refused(Format::Avro, &text).kind, SchemaErrorKind::TooLarge);
}

/// A property may be called like a keyword: what stands under it is a schema all the same.
#[test]
fn properties_may_be_called_like_keywords() {
    for name in ["enum", "default", "properties", "$ref", "pattern", "$id", "const"] {
        let of = |inner: serde_json::Value| serde_json::json!({"properties": {name: inner}}).to_string();
        Schema::parse(Format::Json, &of(serde_json::json!({"type": "string"})), &[]).unwrap();
        let lost = refused(Format::Json, &of(serde_json::json!({"$ref": "lost.json"})));
        assert_eq!(lost.path, format!("/properties/{name}"));
        assert_eq!(
            refused(Format::Json, &of(serde_json::json!({"pattern": "("}))).kind,
            SchemaErrorKind::Invalid
        );
    }
    Schema::parse(
        Format::Json,
        r#"{"default": {"$ref": "data"}, "enum": [{"pattern": "("}]}"#,
        &[],
    )
    .unwrap();
}
