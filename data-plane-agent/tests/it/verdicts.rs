//! A worker's step `validate` says of a record what the library says of it: the pairs that `crates/contract/tests/equal.rs`
//! keeps beside other engines, as the agent hands contracts to workers; and a thousand of them through a real worker.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::{Value, json};
use weir_agent::processor::engine::{DeadLetterCode, Engine, Next, Outcome, Record};
use weir_agent::processor::spec::{Encoded, Program};
use weir_contract::rules::{Metadata, RuleSet};
use weir_contract::verdict::{Contract, JudgeLimits, Place};
use weir_contract::wire::{self, SchemaId};
use weir_contract::{Format, Schema};
use weir_proto::agent::v1::{Enforcement, PartContract, Phase, Schema as Told, SchemaFormat, TopicContract};

use crate::control_plane::ControlPlane;
use crate::harness::ports;
use crate::real_jobs::{LONG, beside, client, phase, read, state_of};
use crate::real_kafka::run;

/// A contract with its records.
struct Pairs {
    format: Format,
    schema: String,
    rules: Value,
    bodies: Vec<Vec<u8>>,
}

/// The contracts of a kept file.
fn kept(name: &str) -> Vec<Pairs> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/contract/tests/equal");
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    let mut found: Vec<Pairs> = Vec::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if let Some(format) = line["format"].as_str() {
            found.push(Pairs {
                format: Format::from_name(format).unwrap(),
                schema: line["schema"].as_str().unwrap().to_owned(),
                rules: line.get("rules").cloned().unwrap_or_else(|| json!({})),
                bodies: Vec::new(),
            });
        }
        let body = match line["record"].as_str() {
            Some(record) => record.as_bytes().to_vec(),
            None => STANDARD.decode(line["payload"].as_str().unwrap()).unwrap(),
        };
        found.last_mut().unwrap().bodies.push(body);
    }
    found
}

impl Pairs {
    fn contract(&self) -> Contract {
        let schema = Schema::parse(self.format, &self.schema, &[]).unwrap();
        let rules: RuleSet = serde_json::from_value(self.rules.clone()).unwrap();
        Contract::compile(schema, &rules, &Metadata::default(), JudgeLimits::DEFAULT).unwrap()
    }

    /// As agents are told it.
    fn told(&self, number: u32) -> Told {
        let format = match self.format {
            Format::Avro => SchemaFormat::Avro,
            Format::Json => SchemaFormat::Json,
            Format::Protobuf => SchemaFormat::Protobuf,
        };
        Told {
            id: format!("schema_{number:03}"),
            schema_id: number,
            format: format.into(),
            text: self.schema.clone(),
            rule_set: self.rules.to_string(),
            ..Told::default()
        }
    }

    fn framed(&self, number: u32, body: &[u8]) -> Vec<u8> {
        let indexes = (self.format == Format::Protobuf).then_some(&[0][..]);
        [wire::frame(SchemaId::Id(number), indexes), body.to_vec()].concat()
    }
}

fn promise(schemas: &[Told]) -> TopicContract {
    TopicContract {
        // Nothing is refused on the way in: it is the worker that judges.
        enforcement: Enforcement::Off.into(),
        value: Some(PartContract {
            schema_ids: schemas.iter().map(|it| it.id.clone()).collect(),
            ..PartContract::default()
        }),
        ..TopicContract::default()
    }
}

/// What the library says.
fn wanted(contract: &Contract, body: &[u8]) -> &'static str {
    let verdict = contract.judge(body, Place::Processor);
    verdict.violation().map_or("valid", |it| it.kind.as_str())
}

/// What a worker would do.
fn said(engine: &Engine, value: &[u8]) -> String {
    let record = Record {
        topic: "orders",
        partition: 0,
        offset: 1,
        timestamp_ms: 1_700_000_000_000,
        key: None,
        value: Some(value),
        headers: &[],
    };
    match engine.begin(&record, &mut engine.seen()) {
        Next::Done(Outcome::Emit { .. }) => "valid".to_owned(),
        Next::Done(Outcome::DeadLetter { code, sentence, .. }) => kind(code.as_str(), &sentence),
        Next::Done(Outcome::Dropped { .. }) => "dropped".to_owned(),
        Next::Call(..) => "called".to_owned(),
    }
}

/// The kind of violation that a dead letter tells.
fn kind(code: &str, sentence: &str) -> String {
    if code == DeadLetterCode::Contract.as_str() {
        sentence.split(':').next().unwrap_or_default().to_owned()
    } else {
        code.to_owned()
    }
}

/// A record, and others like it that are often wrong in one place.
fn with_others(body: &[u8], number: usize) -> Vec<Vec<u8>> {
    let mut all = vec![body.to_vec()];
    let place = number * 7919 % body.len().max(1);
    all.push(body[..place.min(body.len())].to_vec());
    let mut flipped = body.to_vec();
    if let Some(byte) = flipped.get_mut(place) {
        *byte ^= 1 << (number % 8);
    }
    all.push(flipped);
    all.push([body, b"\0"].concat());
    let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(body) else {
        return all;
    };
    for (name, value) in &members {
        let others = [
            Value::Null,
            json!(-1),
            json!("x"),
            json!([value.clone()]),
            json!({"x": value.clone()}),
        ];
        let mut changed = members.clone();
        changed.insert(name.clone(), others[(number + name.len()) % others.len()].clone());
        all.push(Value::Object(changed).to_string().into_bytes());
        let mut fewer = members.clone();
        fewer.remove(name);
        all.push(Value::Object(fewer).to_string().into_bytes());
    }
    all
}

#[test]
fn a_workers_verdicts_are_the_librarys() {
    let (mut pairs, mut valid, mut other) = (0, 0, BTreeMap::<String, usize>::new());
    for of in kept("json.jsonl").into_iter().chain(kept("rules.jsonl")) {
        let schemas = [of.told(7)];
        let program = Program {
            source: "orders".to_owned(),
            actions: json!({"steps": [{"validate": {}}], "sinks": {"out": {"topic": "large"}}, "dead_letter_topic": "dead"})
                .to_string(),
            contracts: BTreeMap::from([("orders".to_owned(), Encoded::of(&promise(&schemas)))]),
            schemas: schemas.iter().map(Encoded::of).collect(),
            ..Program::default()
        };
        let engine = Engine::build(&program, &BTreeMap::new()).unwrap();
        let contract = of.contract();
        for (number, body) in of.bodies.iter().enumerate() {
            let others = with_others(body, number).into_iter();
            for body in others.chain(with_others(body, number + 1_001).into_iter().skip(1)) {
                let (wanted, said) = (wanted(&contract, &body), said(&engine, &of.framed(7, &body)));
                assert_eq!(said, wanted, "{} {}", of.schema, String::from_utf8_lossy(&body));
                pairs += 1;
                valid += usize::from(wanted == "valid");
                *other.entry(said).or_default() += 1;
            }
        }
    }
    println!("{pairs} pairs: {other:?}");
    assert!(pairs > 20_000, "{pairs}");
    assert!(
        valid * 10 > pairs && valid * 10 < pairs * 9,
        "{valid} of {pairs} are valid"
    );
}

/// A hundred contracts on one topic, ten records of each, by a real worker.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java and WEIR_KAFKA_LIBS"]
async fn a_thousand_pairs_by_a_real_worker_have_the_librarys_verdicts() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("agent");
    let port = ports().gateway();
    let plane = ControlPlane::start().await;
    let _running = run(&state, &plane, &libs, port);
    plane
        .until("hello", LONG, |frames| (!frames.is_empty()).then_some(()))
        .await;
    let mut all: Vec<Pairs> = kept("rules.jsonl");
    all.extend(kept("json.jsonl").into_iter().take(40));
    assert_eq!(all.len(), 100);
    let schemas: Vec<Told> = all.iter().zip(1..).map(|(it, number)| it.told(number)).collect();
    let mut wish = state_of(1, &json!([{"validate": {}}]), 1, true);
    wish.topics[0].contract = Some(promise(&schemas));
    wish.schemas = schemas;
    plane.wish(plane.seal(1, 1, &wish)).await;
    phase(&plane, Phase::Running).await;
    let mut expected: BTreeMap<String, String> = BTreeMap::new();
    let mut records = Vec::new();
    for (of, number) in all.iter().zip(1..) {
        let contract = of.contract();
        for (at, body) in of.bodies.iter().take(10).enumerate() {
            let key = format!("{number}-{at}");
            expected.insert(key.clone(), wanted(&contract, body).to_owned());
            records.push((key, of.framed(number, body)));
        }
    }
    assert_eq!(expected.len(), 1000);
    let valid = expected.values().filter(|it| *it == "valid").count();
    beside(move || {
        let producer: BaseProducer = client(port).create().unwrap();
        for (key, value) in &records {
            let record = BaseRecord::to("orders").key(key).payload(value);
            producer.send(record).map_err(|(error, _record)| error).unwrap();
        }
        producer.flush(LONG).unwrap();
    })
    .await;
    let passed = beside(move || read(port, "large", "reader-1", valid)).await;
    let letters = beside(move || read(port, "dead", "reader-2", 1000 - valid)).await;
    let text = |key: &[u8]| String::from_utf8(key.to_vec()).unwrap();
    let passed = passed.iter().map(|it| (text(&it.key), "valid".to_owned()));
    let letters = letters.iter().map(|it| {
        let kind = kind(&it.headers["__rule.name"], &it.headers["__rule.exception"]);
        (text(&it.key), kind)
    });
    let found: BTreeMap<String, String> = passed.chain(letters).collect();
    assert_eq!(found, expected);
    println!("1000 pairs, {valid} valid");
}
