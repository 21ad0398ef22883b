//! The texts that are kept and compared: what clients of the field's registry get back for what they registered.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::prost::Message as _;
use weir_contract::{Format, NamedSource, Schema};

fn stored(format: Format, text: &str) -> String {
    Schema::parse(format, text, &[]).unwrap().stored()
}

fn normalized(format: Format, text: &str) -> String {
    Schema::parse(format, text, &[]).unwrap().normalized()
}

/// `Schema.toString` of Avro's Java library: its order of attributes, name spaces only where they change.
#[test]
fn avro_is_kept_as_its_own_library_writes_it() {
    for (text, kept) in [
        (r#" "string" "#, r#""string""#),
        (r#"{"type":"string"}"#, r#""string""#),
        (
            r#"{"avro.java.string":"String","type":"string"}"#,
            r#"{"type":"string","avro.java.string":"String"}"#,
        ),
        (
            r#"{"logicalType":"decimal","scale":2,"precision":9,"type":"bytes"}"#,
            r#"{"type":"bytes","logicalType":"decimal","scale":2,"precision":9}"#,
        ),
        (
            r#"{"items":"int","type":"array","x":{"b":1,"a":2}}"#,
            r#"{"type":"array","items":"int","x":{"b":1,"a":2}}"#,
        ),
        (r#"[ "null", {"type":"int"} ]"#, r#"["null","int"]"#),
        (
            r#"{"fields":[{"type":"int","name":"a","order":"ascending","default":1,"doc":"d","x":1}],"name":"n.R","type":"record","aliases":["n.Q","m.P"],"doc":"r"}"#,
            r#"{"type":"record","name":"R","namespace":"n","doc":"r","fields":[{"name":"a","type":"int","doc":"d","default":1,"x":1}],"aliases":["Q","m.P"]}"#,
        ),
        (
            r#"{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":{"type":"enum","name":"E","symbols":["A"],"default":"A"}},{"name":"b","type":"n.E","order":"ignore","aliases":["c"]},{"name":"d","type":{"type":"fixed","name":"F","namespace":"m","size":2}},{"name":"e","type":"m.F"}]}"#,
            r#"{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":{"type":"enum","name":"E","symbols":["A"],"default":"A"}},{"name":"b","type":"E","order":"ignore","aliases":["c"]},{"name":"d","type":{"type":"fixed","name":"F","namespace":"m","size":2}},{"name":"e","type":"m.F"}]}"#,
        ),
        (
            r#"{"type":"record","name":"R","fields":[{"name":"a","type":"double","default":1e10},{"name":"b","type":"double","default":0.5},{"name":"c","type":["null","string"],"default":null}]}"#,
            r#"{"type":"record","name":"R","fields":[{"name":"a","type":"double","default":1.0E10},{"name":"b","type":"double","default":0.5},{"name":"c","type":["null","string"],"default":null}]}"#,
        ),
    ] {
        assert_eq!(stored(Format::Avro, text), kept);
        assert_eq!(stored(Format::Avro, kept), kept, "kept twice");
    }
}

#[test]
fn avro_names_of_references_stay_names() {
    let b = NamedSource {
        name: "n.B".into(),
        text: r#"{"type":"record","name":"B","namespace":"n","fields":[]}"#.into(),
    };
    let a = r#"{"type":"record","name":"A","namespace":"n","fields":[{"name":"b","type":"B"}]}"#;
    assert_eq!(Schema::parse(Format::Avro, a, &[b]).unwrap().stored(), a);
}

#[test]
fn avro_is_normalized() {
    for (text, kept) in [
        (
            r#"{"type":"record","name":"R","namespace":"n","z":{"b":1,"a":2},"b":2,"doc":"","fields":[{"name":"a","order":"ascending","type":{"type":"fixed","name":"F","size":4,"logicalType":"decimal","scale":2,"x":1,"precision":4}},{"name":"c","type":["null",{"type":"string","a":1,"logicalType":"uuid"}],"aliases":["y","x","y"]}]}"#,
            r#"{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":{"type":"fixed","name":"F","size":4,"logicalType":"decimal","precision":4,"scale":2,"x":1}},{"name":"c","type":["null",{"type":"string","logicalType":"uuid","a":1}],"aliases":["x","y"]}],"b":2,"z":{"a":2,"b":1}}"#,
        ),
        (
            r#"{"type":"enum","name":"n.E","aliases":["Z","m.A"],"symbols":["B","A"],"q":1,"default":"B","p":2}"#,
            r#"{"type":"enum","name":"E","namespace":"n","symbols":["B","A"],"default":"B","p":2,"q":1,"aliases":["m.A","Z"]}"#,
        ),
        (
            r#"{"type":"record","name":"R","fields":[{"name":"d","type":"double","default":1},{"name":"m","type":{"type":"map","values":"int"},"default":{"b":1,"a":2}}]}"#,
            r#"{"type":"record","name":"R","fields":[{"name":"d","type":"double","default":1.0},{"name":"m","type":{"type":"map","values":"int"},"default":{"a":2,"b":1}}]}"#,
        ),
    ] {
        assert_eq!(normalized(Format::Avro, text), kept);
        assert_eq!(normalized(Format::Avro, kept), kept, "normalized twice");
    }
}

#[test]
fn json_schemas_keep_their_order() {
    let text = "{ \"type\" : \"object\",\n \"properties\": {\"b\": {\"maximum\": 1.50}, \"a\": {\"minimum\": 1e2}} }";
    assert_eq!(
        stored(Format::Json, text),
        r#"{"type":"object","properties":{"b":{"maximum":1.50},"a":{"minimum":1E+2}}}"#
    );
    assert_eq!(
        normalized(Format::Json, text),
        r#"{"properties":{"a":{"minimum":1E+2},"b":{"maximum":1.50}},"type":"object"}"#
    );
}

const PROTO: &str = r#"// A comment.
syntax = "proto3";
package n;

import "google/protobuf/timestamp.proto";
import "confluent/meta.proto";
option java_package = "a.b";
enum E { Z = 0; reserved 5; }
/* Another. */
message M {
  option deprecated = true;
  reserved 8, 10 to 12;
  reserved "old";
  N n = 3;
  string s = 1 [(confluent.field_meta) = { tags: ["PII"], doc: 'it"s' }, json_name = "S"];
  map<string, N> m = 2;
  optional int32 o = 6;
  oneof one { int32 y = 5; string x = 4; }
  repeated google.protobuf.Timestamp t = 7;
  message N { E e = 1; }
}
service S { rpc Get (M) returns (stream .n.M.N) { option deprecated = true; } }
"#;

const PROTO_STORED: &str = r#"syntax = "proto3";
package n;

import "google/protobuf/timestamp.proto";
import "confluent/meta.proto";

option java_package = "a.b";

message M {
  reserved 8, 10 to 12;
  reserved "old";

  option deprecated = true;

  N n = 3;
  string s = 1 [
    (confluent.field_meta) = {
      tags: [
        "PII"
      ],
      doc: "it\"s"
    },
    json_name = "S"
  ];
  map<string, N> m = 2;
  optional int32 o = 6;
  repeated google.protobuf.Timestamp t = 7;

  oneof one {
    int32 y = 5;
    string x = 4;
  }

  message N {
    E e = 1;
  }
}
enum E {
  Z = 0;
  reserved 5;
}

service S {
  rpc Get (M) returns (stream .n.M.N) {
    option deprecated = true;
  };
}
"#;

const PROTO_NORMALIZED: &str = r#"syntax = "proto3";
package n;

import "confluent/meta.proto";
import "google/protobuf/timestamp.proto";

option java_package = "a.b";

message M {
  reserved 8, 10 to 12;
  reserved "old";

  option deprecated = true;

  string s = 1 [
    (confluent.field_meta) = {
      tags: [
        "PII"
      ],
      doc: "it\"s"
    },
    json_name = "S"
  ];
  map<string, .n.M.N> m = 2;
  .n.M.N n = 3;
  optional int32 o = 6;
  repeated .google.protobuf.Timestamp t = 7;

  oneof one {
    string x = 4;
    int32 y = 5;
  }

  message N {
    .n.E e = 1;
  }
}
enum E {
  Z = 0;
  reserved 5;
}

service S {
  rpc Get (.n.M) returns (stream .n.M.N) {
    option deprecated = true;
  };
}
"#;

#[test]
fn protobuf_is_laid_out() {
    assert_eq!(stored(Format::Protobuf, PROTO), PROTO_STORED);
    assert_eq!(stored(Format::Protobuf, PROTO_STORED), PROTO_STORED, "kept twice");
    assert_eq!(normalized(Format::Protobuf, PROTO), PROTO_NORMALIZED);
    assert_eq!(
        normalized(Format::Protobuf, PROTO_NORMALIZED),
        PROTO_NORMALIZED,
        "normalized twice"
    );
}

#[test]
fn proto2_is_laid_out() {
    let text = "syntax = \"proto2\";\n\nimport \"google/protobuf/descriptor.proto\";\n\nmessage M {\n  optional int32 a = 1 [default = 3];\n  optional string b = 2 [default = \"x\"];\n  required bytes c = 3;\n\n  extensions 100 to max;\n}\n\nextend M {\n  optional int32 e = 100;\n}\n";
    assert_eq!(stored(Format::Protobuf, text), text);
}

/// The field's clients send descriptors in base64, and get text back.
#[test]
fn a_descriptor_is_the_same_file() {
    let files = protox::Compiler::with_file_resolver(One)
        .open_file("own.proto")
        .unwrap()
        .file_descriptor_set();
    let mut own = files
        .file
        .into_iter()
        .find(|file| file.name() == "own.proto")
        .unwrap();
    own.source_code_info = None;
    // The compiler's set keeps custom options only in its encoded form.
    let encoded = protox::Compiler::with_file_resolver(One)
        .open_file("own.proto")
        .unwrap()
        .encode_file_descriptor_set();
    let set = prost_reflect::DescriptorPool::decode(encoded.as_slice()).err();
    assert!(set.is_some(), "imports are not part of the set");
    let bytes = first_file(&encoded);
    let schema = Schema::parse(Format::Protobuf, &STANDARD.encode(bytes), &[]).unwrap();
    let text = schema.stored();
    assert!(
        text.contains("message M {") && text.contains("PII") && text.contains(".n.M.N n = 3;"),
        "{text}"
    );
    let again = Schema::parse(Format::Protobuf, &text, &[]).unwrap();
    assert_eq!(again.normalized(), schema.normalized());
    assert!(Schema::parse(Format::Protobuf, &STANDARD.encode(own.encode_to_vec()), &[]).is_ok());
    assert!(Schema::parse(Format::Protobuf, "AAAA", &[]).is_err());
}

/// The bytes of the only file of a set: field 1, length, file.
fn first_file(set: &[u8]) -> &[u8] {
    let mut rest = &set[1..];
    let length = prost_reflect::prost::encoding::decode_varint(&mut rest).unwrap();
    &rest[..usize::try_from(length).unwrap()]
}

struct One;

impl protox::file::FileResolver for One {
    fn open_file(&self, name: &str) -> Result<protox::file::File, protox::Error> {
        use protox::file::{File, GoogleFileResolver};
        match name {
            "own.proto" => File::from_source(name, PROTO),
            "confluent/meta.proto" => File::from_source(
                name,
                "syntax = \"proto3\";\npackage confluent;\nimport \"google/protobuf/descriptor.proto\";\nmessage Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }\nextend google.protobuf.FieldOptions { Meta field_meta = 1088; }\n",
            ),
            other => GoogleFileResolver::new().open_file(other),
        }
    }
}
