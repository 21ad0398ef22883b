//! A host with schemas, a key, and no network; and records to run through plans.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use weir_contract::rules::{Metadata, RuleSet};
use weir_contract::value::encode::Encoder;
use weir_contract::wire::{self, SchemaId};
use weir_contract::{Format, Schema};

use crate::*;

/// Schemas by id, newest ones by topic.
#[derive(Default)]
pub struct Fake {
    pub schemas: BTreeMap<u32, Arc<Registered>>,
    pub newest: BTreeMap<String, Arc<Registered>>,
}

impl Host for Fake {
    fn schema(&self, named: SchemaId) -> Option<Arc<Registered>> {
        match named {
            SchemaId::Id(id) => self.schemas.get(&id).cloned(),
            SchemaId::Guid(guid) => self.schemas.values().find(|it| it.guid() == Some(guid)).cloned(),
        }
    }

    fn newest(&self, topic: &str) -> Option<Arc<Registered>> {
        self.newest.get(topic).cloned()
    }

    fn keyed_hash(&self, secret: &str, bytes: &[u8]) -> Option<[u8; 32]> {
        let key = (secret != "missing")
            .then(|| ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes()))?;
        ring::hmac::sign(&key, bytes).as_ref().try_into().ok()
    }
}

pub fn registered_with(
    id: u32,
    format: Format,
    schema: &str,
    rules: &Json,
    metadata: &Json,
) -> Arc<Registered> {
    let schema = Schema::parse(format, schema, &[]).unwrap_or_else(|error| panic!("{schema}: {error}"));
    let rules: RuleSet = serde_json::from_value(rules.clone()).expect("the rules can be read");
    let metadata: Metadata = serde_json::from_value(metadata.clone()).expect("the metadata can be read");
    let guid = [u8::try_from(id % 256).expect("it fits"); 16];
    let registered = Registered::new(id, Some(guid), &schema, &rules, &metadata);
    Arc::new(registered.unwrap_or_else(|error| panic!("{error}")))
}

pub fn registered(id: u32, format: Format, schema: &str) -> Arc<Registered> {
    registered_with(id, format, schema, &json!({}), &json!({}))
}

/// A record of JSON as a producer sends it, framed.
pub fn payload(id: u32, format: Format, schema: &str, record: &Json) -> Vec<u8> {
    let schema = Schema::parse(format, schema, &[]).expect("it is a schema");
    let encoder = Encoder::new(&schema).expect("there is a message");
    let text = record.to_string();
    let body = encoder
        .encode(text.as_bytes())
        .unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let indexes = (format == Format::Protobuf).then_some(&[0][..]);
    [wire::frame(SchemaId::Id(id), indexes), body.into_owned()].concat()
}

/// What a value that went out says, as JSON.
pub fn shown(host: &Fake, value: &[u8]) -> Json {
    let Ok(framed) = wire::unframe(value) else {
        return serde_json::from_slice(value).expect("it is JSON");
    };
    let registered = host.schema(framed.schema).expect("the schema is known");
    let (indexes, body) = match registered.format() {
        Format::Protobuf => framed.message().expect("it has indexes"),
        _ => (Vec::new(), framed.body),
    };
    let document = registered.codec.read(&indexes, body).expect("it can be read");
    let value = registered.codec.value(&document).expect("it can be read");
    let text = weir_contract::record::write_json(&value, 1 << 20).expect("it can be written");
    serde_json::from_slice(&text).expect("it is JSON")
}

pub fn spec(text: &Json) -> ActionSpec {
    ActionSpec::read(&text.to_string()).unwrap_or_else(|problem| panic!("{problem}"))
}

/// A spec of these steps with one sink.
pub fn steps(steps: &Json) -> ActionSpec {
    spec(&json!({"steps": steps, "sinks": {"out": {"topic": "out"}}}))
}

pub fn plain() -> Input {
    Input {
        value: ValueForm::Json,
        key: KeyForm::Text,
    }
}

pub fn of(newest: &Arc<Registered>) -> Input {
    Input {
        value: ValueForm::Registered {
            newest: Arc::clone(newest),
            unframed: false,
        },
        key: KeyForm::Text,
    }
}

pub fn compiled(spec: &ActionSpec, input: Input, host: &Fake) -> Plan {
    Plan::compile(spec, input, host).unwrap_or_else(|problems| {
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", told.join("\n"))
    })
}

/// A record of a value.
pub const fn record(value: &[u8]) -> Record<'_> {
    Record {
        topic: "in",
        partition: 3,
        offset: 42,
        timestamp_ms: 1_700_000_000_000,
        key: Some(b"k1"),
        value: Some(value),
        headers: &[],
    }
}

/// What comes of a record that calls nobody.
pub fn run(plan: &Plan, host: &Fake, value: &[u8]) -> Outcome {
    match plan.begin(&record(value), &mut plan.seen(), host) {
        Next::Done(outcome) => outcome,
        Next::Call(..) => panic!("it calls"),
    }
}

/// A word for an outcome: the sink with what it gets, the step that dropped it, or the code of a dead letter.
pub fn told(host: &Fake, came: &[u8], outcome: &Outcome) -> Json {
    match outcome {
        Outcome::Emit { sink, value, .. } => {
            let value = match value {
                Part::AsItCame => shown(host, came),
                Part::New(value) => shown(host, value),
            };
            json!({"sink": sink.as_ref(), "value": value})
        }
        Outcome::Dropped { step } => json!({"dropped": step}),
        Outcome::DeadLetter { step, code, .. } => json!({"dead": code.as_str(), "step": step}),
    }
}

/// Steps over a JSON record without a schema.
pub fn over_json(steps: &Json, record: &Json) -> Json {
    let host = Fake::default();
    let plan = compiled(&self::steps(steps), plain(), &host);
    let text = record.to_string();
    told(&host, text.as_bytes(), &run(&plan, &host, text.as_bytes()))
}
