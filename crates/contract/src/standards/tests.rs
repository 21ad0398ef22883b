//! Contracts through both standards and back, by hand; generated ones are in `tests/standards`.

use serde_json::json;

use super::*;
use crate::document::write_yaml;

const PAYMENT: &str = r##"
subject: payments-value
version: 3
owner: team-cards
description: "What was paid: each payment once."
lifecycle: DEPRECATED
classification: CONFIDENTIAL
compatibility: FULL
enforcement: REJECT
schemaType: JSON
schema: |
  {"type": "object", "required": ["amount"],
   "properties": {"amount": {"type": "number", "description": "In the currency."}, "card": {"$ref": "#/definitions/card"}},
   "definitions": {"card": {"type": "string"}}}
metadata:
  tags: {"$.card": [PII]}
  properties: {team: cards}
ruleSet:
  domainRules:
    - {name: positive, doc: d, kind: CONDITION, mode: WRITE, type: CEL, expr: message.amount > 0.0}
serviceLevels:
  - {name: freshness, value: 5, unit: m, element: amount}
  - {name: completeness, value: 99.5, unit: percent, description: almost all}
"##;

fn payment() -> Document {
    Document::read(PAYMENT).unwrap_or_else(|error| panic!("{error}"))
}

/// Through the text of a standard.
fn back(value: &Value) -> Document {
    let text = write_yaml(value).expect("it can be written");
    let (_standard, documents) = import(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let [document] = documents.as_slice() else {
        panic!("{} contracts\n{text}", documents.len());
    };
    document.clone()
}

#[test]
fn what_odcs_has_a_place_for_stands_there() {
    let value = odcs::export(&payment()).expect("it can be exported");
    assert_eq!(value["status"], "deprecated");
    assert_eq!(value["version"], "3");
    assert_eq!(value["team"]["name"], "team-cards");
    let schema = &value["schema"][0];
    assert_eq!(schema["name"], "payments");
    assert_eq!(
        schema["properties"],
        json!([
            {"name": "amount", "logicalType": "number", "physicalType": "number", "required": true, "description": "In the currency."},
            {"name": "card", "logicalType": "string", "physicalType": "string", "tags": ["PII"]},
        ])
    );
    assert_eq!(
        schema["quality"][0]["implementation"]["expr"],
        "message.amount > 0.0"
    );
    assert_eq!(
        value["slaProperties"][0],
        json!({"property": "freshness", "value": 5, "unit": "m", "element": "amount"})
    );
    let kept: Vec<&String> = schema["customProperties"][0]["value"]
        .as_object()
        .expect("there is one")
        .keys()
        .collect();
    assert_eq!(
        kept,
        [
            "classification",
            "compatibility",
            "enforcement",
            "metadata",
            "schema"
        ]
    );
    assert_eq!(back(&value), payment());
    // What is changed in the standard's own place is changed in the contract.
    let mut changed = value;
    changed["version"] = json!("4");
    changed["status"] = json!("active");
    changed["schema"][0]["quality"][0]["implementation"]["expr"] = json!("true");
    let document = back(&changed);
    assert_eq!(document.version, Some(4));
    assert_eq!(document.lifecycle, Some(crate::document::Lifecycle::Stable));
    assert_eq!(document.rule_set.domain_rules[0].expr.as_deref(), Some("true"));
}

#[test]
fn what_asyncapi_has_a_place_for_stands_there() {
    let value = asyncapi::export(&payment()).expect("it can be exported");
    assert_eq!(value["channels"]["payments"]["address"], "payments");
    let message = &value["components"]["messages"]["payments-value"];
    assert_eq!(message["deprecated"], true);
    assert_eq!(
        message["payload"]["schemaFormat"],
        "application/schema+json;version=draft-07"
    );
    let reference = &message["payload"]["schema"]["properties"]["card"]["$ref"];
    assert_eq!(
        reference,
        "#/components/messages/payments-value/payload/schema/definitions/card"
    );
    assert_eq!(back(&value), payment());
    // A payload that somebody changed is the schema, whatever text was kept.
    let mut changed = value;
    let amount = "/components/messages/payments-value/payload/schema/properties/amount";
    *changed.pointer_mut(amount).expect("it is there") = json!({"type": "integer"});
    let document = back(&changed);
    let schema: Value = serde_json::from_str(&document.schema).expect("it is JSON");
    assert_eq!(schema["properties"]["amount"], json!({"type": "integer"}));
    assert_eq!(schema["properties"]["card"]["$ref"], "#/definitions/card");
    assert_eq!(document.rule_set, payment().rule_set);
}

#[test]
fn avro_is_written_with_name_spaces_beside_names() {
    let text = "subject: a\nschema: '{\"type\": \"record\", \"name\": \"n.R\", \"fields\": [{\"name\": \"a\", \"type\": [\"null\", \"n.R\"]}]}'\n";
    let document = Document::read(text).expect("it can be read");
    let mut value = asyncapi::export(&document).expect("it can be exported");
    assert_eq!(back(&value), document);
    let payload = &mut value["components"]["messages"]["a"]["payload"];
    assert_eq!(
        payload["schemaFormat"],
        "application/vnd.apache.avro+json;version=1.9.0"
    );
    assert_eq!(
        (&payload["schema"]["name"], &payload["schema"]["namespace"]),
        (&json!("R"), &json!("n"))
    );
    // One that somebody changed is the schema.
    payload["schema"]["fields"] = json!([]);
    assert!(!back(&value).schema.contains("null"));
    let aliased = document
        .schema
        .replace("\"fields\"", "\"aliases\": [\"o.R\"], \"fields\"");
    let value = asyncapi::export(&Document {
        schema: aliased,
        ..document
    })
    .expect("it can be exported");
    let payload = &value["components"]["messages"]["a"]["payload"];
    assert_eq!(
        payload["schemaFormat"],
        "application/vnd.apache.avro+json;version=1.12.0"
    );
}

#[test]
fn all_languages_and_the_least_contract_come_back() {
    for text in [
        "subject: a\nschema: '\"int\"'\n",
        "subject: orders-key\nschema: '{\"type\": \"record\", \"name\": \"n.R\", \"fields\": [{\"name\": \"a\", \"type\": [\"null\", \"n.R\"]}]}'\n",
        "subject: 'odd /~ name'\nschemaType: PROTOBUF\nschema: \"syntax = \\\"proto3\\\";\\n\\nmessage M {\\n  int32 a = 1;\\n}\\n\"\n",
        "subject: b-value\nschemaType: JSON\nschema: 'true'\n",
        "subject: r\nschemaType: JSON\nschema: '{\"$ref\": \"#\"}'\n",
        "subject: s\nschemaType: JSON\nschema: '{\"$ref\": \"#/definitions/a\", \"definitions\": {\"a\": {\"type\": \"string\"}}}'\n",
        "subject: c\nschemaType: JSON\nschema: '{\"$id\": \"http://x/y\", \"properties\": {\"a\": {\"$ref\": \"#\"}}}'\n",
        "subject: d\nschemaType: JSON\nschema: '{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", \"items\": {\"$ref\": \"#\"}}'\n",
        "subject: e\nschema: '{\"type\": \"array\", \"items\": \"x.E\"}'\nreferences: [{name: x.E, subject: x, version: 1, schema: '{\"type\": \"enum\", \"name\": \"x.E\", \"symbols\": [\"A\"]}'}]\n",
    ] {
        let document = Document::read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        for value in [odcs::export(&document), asyncapi::export(&document)] {
            let value = value.unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(back(&value), document, "{value:#}");
        }
    }
}

#[test]
fn what_a_foreign_document_says_beyond_a_contract_is_kept() {
    let text = r#"
apiVersion: v3.1.0
kind: DataContract
id: urn:x
name: orders
version: 1.2.0
status: active
domain: sales
team: {name: shop, members: [{username: ann}]}
servers: [{server: k, type: kafka, host: "kafka:9092"}]
schema:
  - name: lines
    properties: [{name: n}]
  - name: orders
    physicalName: shop.orders
    properties:
      - {name: id, logicalType: string, required: true, unique: true, classification: public, tags: [key]}
      - {name: total, logicalType: number, logicalTypeOptions: {minimum: 0}}
      - name: lines
        logicalType: array
        items: {logicalType: object, properties: [{name: sku, logicalType: string}]}
slaProperties:
  - {property: latency, value: 4, unit: d, driver: regulatory}
  - {property: generalAvailability, value: "2022-05-12"}
"#;
    let (standard, documents) = import(text).expect("it can be read");
    assert_eq!((standard, documents.len()), (Standard::Odcs, 2));
    let orders = &documents[1];
    assert_eq!(orders.subject, "shop.orders-value");
    assert_eq!((orders.version, orders.owner.as_deref()), (None, Some("shop")));
    let schema: Value = serde_json::from_str(&orders.schema).expect("it is JSON");
    assert_eq!(
        schema,
        json!({"type": "object", "required": ["id"], "properties": {
            "id": {"type": "string"}, "total": {"type": ["number", "null"], "minimum": 0},
            "lines": {"type": ["array", "null"], "items": {"type": "object", "properties": {"sku": {"type": ["string", "null"]}}}}}})
    );
    assert_eq!(orders.service_levels.len(), 1);
    assert!(orders.metadata.tags["$.id"].contains("key"));
    let value = read_value(text).expect("it can be read");
    assert_eq!(odcs::export(orders).as_ref(), Ok(&value));
    // And when it is written in Weir's own words in between.
    let again = Document::read(&orders.to_yaml().expect("it can be written")).expect("it can be read");
    assert_eq!(&again, orders);
    // A new owner changes that one place.
    let owned = Document {
        owner: Some("ops".to_owned()),
        ..orders.clone()
    };
    let mut expected = value;
    expected["team"]["name"] = json!("ops");
    assert_eq!(odcs::export(&owned), Ok(expected));
}

#[test]
fn channels_of_a_foreign_document_are_contracts_with_what_they_refer_to() {
    let text = r##"
asyncapi: 3.0.0
info: {title: Shop, version: 1.0.0, license: {name: Apache 2.0}}
channels:
  orders:
    address: shop.orders
    messages:
      placed: {$ref: "#/components/messages/placed"}
      gone: {name: OrderGone, payload: {type: object, properties: {id: {$ref: "#/components/schemas/id"}}}}
      empty: {name: Nothing}
  other: {$ref: "#/components/channels/other"}
components:
  channels: {other: {address: null, messages: {only: {payload: {$ref: "#/components/schemas/order"}}}}}
  messages:
    placed: {name: OrderPlaced, payload: {schemaFormat: "application/vnd.apache.avro;version=1.9.0", schema: {type: record, name: R, fields: []}}}
  schemas:
    id: {type: string}
    order: {type: object, properties: {id: {$ref: "#/components/schemas/id"}, next: {$ref: "#/components/schemas/order"}}}
"##;
    let (_standard, documents) = import(text).expect("it can be read");
    let subjects: Vec<&str> = documents.iter().map(|it| it.subject.as_str()).collect();
    assert_eq!(
        subjects,
        ["shop.orders-OrderGone", "shop.orders-OrderPlaced", "other-value"]
    );
    let value = read_value(text).expect("it can be read");
    for document in &documents {
        document.parsed_schema().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            asyncapi::export(document).as_ref(),
            Ok(&value),
            "{}",
            document.subject
        );
    }
    let schema: Value = serde_json::from_str(&documents[2].schema).expect("it is JSON");
    assert_eq!(schema["properties"]["next"]["$ref"], "#");
    assert_eq!(schema["properties"]["id"]["$ref"], "#/definitions/id");
    assert_eq!(schema["definitions"], json!({"id": {"type": "string"}}));
}

#[test]
fn what_cannot_be_read_is_told() {
    for (text, words) in [
        (
            "apiVersion: v2.2.0\nkind: DataContract\n",
            "ODCS v2.2.0 is not read",
        ),
        ("apiVersion: v3.1.0\nkind: DataContract\n", "/schema: is missing"),
        (
            "apiVersion: v3.1.0\nkind: DataContract\nschema: [1]\n",
            "/schema/0: is no object",
        ),
        (
            "apiVersion: v3.1.0\nkind: DataContract\nschema: [{}]\n",
            "/schema/0: has no name",
        ),
        ("apiVersion: v3.1.0\nkind: Other\nschema: [{}]\n", "/kind: "),
        ("asyncapi: 2.6.0\n", "AsyncAPI 2.6.0 is not read"),
        ("asyncapi: 3.0.0\n", "/channels: have no message"),
        (
            "asyncapi: 3.0.0\nchannels: {c: {messages: {m: {payload: {$ref: '#/components/schemas/x'}}}}}\n",
            "/channels/c/messages/m/payload: leads to",
        ),
        (
            "asyncapi: 3.0.0\nchannels: {c: {messages: {m: {payload: {schemaFormat: application/raml+yaml, schema: 1}}}}}\n",
            "application/raml+yaml is not read",
        ),
        (
            "asyncapi: 3.0.0\nchannels: {c: {$ref: '#/channels/c'}}\n",
            "/channels: have no message",
        ),
    ] {
        let error = import(text).expect_err(text);
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
    let unsound = Document::read("subject: a\nschema: '{'\n").expect("it can be read");
    assert!(matches!(odcs::export(&unsound), Err(StandardError::Schema(_))));
    assert!(matches!(
        asyncapi::export(&unsound),
        Err(StandardError::Schema(_))
    ));
}

/// Each message keeps the whole document, and each payload may refer to all of it.
#[test]
fn documents_of_many_contracts_are_bounded() {
    let messages = |count: usize, payload: &str| {
        let each: Vec<String> = (0..count)
            .map(|at| format!("m{at}: {{payload: {payload}}}"))
            .collect();
        format!(
            "asyncapi: 3.0.0\ninfo: {{title: t, version: '1'}}\nchannels: {{c: {{messages: {{{}}}}}}}\n",
            each.join(", ")
        )
    };
    assert_eq!(
        import(&messages(300, "{type: string}")).map(|it| it.1.len()),
        Ok(300)
    );
    let error = import(&messages(1_000, "{type: string}")).expect_err("they are too many");
    assert!(error.to_string().contains("split it"), "{error}");
    // Schemas that refer to ever more of what is around them.
    let nested = (0..80).fold("{type: string}".to_owned(), |inner, level| {
        format!("{{k{level}: {inner}, l: [{}]}}", "1,".repeat(500))
    });
    let refs: Vec<String> = (0..80)
        .map(|level| {
            let path: String = (level..80).rev().map(|level| format!("/k{level}")).collect();
            format!("{{$ref: '#/components/schemas/deep{path}'}}")
        })
        .collect();
    let text = format!(
        "{}components: {{schemas: {{deep: {nested}}}}}\n",
        messages(20, &format!("{{anyOf: [{}]}}", refs.join(", ")))
    );
    let (_, documents) = import(&text).unwrap_or_else(|error| panic!("{error}"));
    let longest = documents.iter().map(|document| document.schema.len()).max();
    assert!(longest < Some(4 << 20), "{longest:?}");
}
