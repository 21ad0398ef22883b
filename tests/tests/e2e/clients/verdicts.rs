//! A thousand records of a hundred contracts by a stock producer: what the gateway answers is what the library says.
//!
//! They are those that `crates/contract/tests/equal.rs` judges beside other engines: the same pairs, here on the wire.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_contract::rules::{Metadata, RuleSet};
use weir_contract::verdict::{Contract, JudgeLimits, Place};
use weir_contract::{Format, Schema};

use super::program::{Program, tool};
use crate::scene::Scene;

/// Of each contract.
const RECORDS: usize = 10;

/// A line of the kept pairs; what is missing is as in the line before.
#[derive(Deserialize)]
struct Line {
    format: Option<Format>,
    #[serde(default)]
    schema: String,
    #[serde(default)]
    rules: Value,
    record: Option<String>,
    payload: Option<String>,
}

struct Pairs {
    format: Format,
    schema: String,
    rules: Value,
    payloads: Vec<Vec<u8>>,
}

/// The first contracts of a file, each with its first records.
fn kept(name: &str, contracts: usize) -> Vec<Pairs> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../crates/contract/tests/equal")
        .join(name);
    let text = std::fs::read_to_string(path).expect("the pairs are there");
    let mut found: Vec<Pairs> = Vec::new();
    for line in text.lines() {
        let line: Line = serde_json::from_str(line).expect("a line of pairs");
        if let Some(format) = line.format {
            if found.len() == contracts {
                break;
            }
            found.push(Pairs {
                format,
                schema: distinct(format, &line.schema, found.len()),
                rules: line.rules,
                payloads: Vec::new(),
            });
        }
        let payload = match (line.record, line.payload) {
            (Some(text), _) => text.into_bytes(),
            (None, payload) => STANDARD.decode(payload.expect("a payload")).expect("base64"),
        };
        let of = found.last_mut().expect("the first line has a contract");
        if of.payloads.len() < RECORDS {
            of.payloads.push(payload);
        }
    }
    assert_eq!(found.len(), contracts, "{name}");
    assert!(found.iter().all(|it| it.payloads.len() == RECORDS), "{name}");
    found
}

/// The same schema as a text of its own: an id stands for a text, and rules come with it.
fn distinct(format: Format, schema: &str, number: usize) -> String {
    if format == Format::Protobuf {
        return schema.replace("package shop;", &format!("package shop{number};"));
    }
    let mut value: Value = serde_json::from_str(schema).expect("a schema in JSON");
    let member = if format == Format::Avro {
        "doc"
    } else {
        "description"
    };
    value[member] = json!(format!("Contract {number}"));
    value.to_string()
}

/// A contract with its records and the library's verdicts, for the producer.
fn judged(pairs: &Pairs) -> Value {
    let schema = Schema::parse(pairs.format, &pairs.schema, &[]).expect("a schema");
    let rules: RuleSet = if pairs.rules.is_null() {
        RuleSet::default()
    } else {
        serde_json::from_value(pairs.rules.clone()).expect("a rule set")
    };
    let contract =
        Contract::compile(schema, &rules, &Metadata::default(), JudgeLimits::DEFAULT).expect("a contract");
    let records = pairs.payloads.iter().map(|payload| {
        let valid = contract.judge(payload, Place::Gateway).is_valid();
        json!({"payload": STANDARD.encode(payload), "valid": valid})
    });
    json!({
        "format": pairs.format,
        "schema": pairs.schema,
        "rules": if pairs.rules.is_null() { json!({}) } else { pairs.rules.clone() },
        "records": records.collect::<Vec<_>>(),
    })
}

#[tokio::test]
#[ignore = "a hundred contracts one after the other: ring slow"]
async fn verdicts_on_the_wire_are_those_of_the_library() {
    let contracts = kept("json.jsonl", 40).into_iter().chain(kept("rules.jsonl", 60));
    let lines: Vec<Value> = contracts.map(|it| judged(&it)).collect();
    let valid = lines
        .iter()
        .flat_map(|it| it["records"].as_array().into_iter().flatten());
    let valid = valid.filter(|it| it["valid"] == json!(true)).count();
    println!("{} contracts, {valid} of 1000 records are valid", lines.len());
    assert!((200..=800).contains(&valid), "{valid}");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pairs.jsonl");
    let text: String = lines.iter().map(|it| format!("{it}\n")).collect();
    std::fs::write(&file, text).expect("write the pairs");
    let file = file.to_str().expect("a path in UTF-8");
    let program = Program::new(
        &tool("WEIR_CLIENTS_PYTHON"),
        &["confluent-kafka/verdicts.py", file],
    )
    .patient(Duration::from_secs(540));
    let scene = Scene::new("verdicts").await;
    scene
        .change_topic(&json!({"contract": {"enforcement": "REJECT"}}))
        .await;
    let required = ["registered", "JSON", "AVRO", "PROTOBUF", "in the topic"];
    super::shows_in(scene, "verdicts", program, &required).await;
}
