//! Records of an imagined shop and their schemas, the same in JSON, Avro and Protobuf: what contracts are measured with.

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use weir_contract::rules::{Metadata, RuleSet};
use weir_contract::value::encode::Encoder;
use weir_contract::verdict::{Contract, JudgeLimits, Place};
use weir_contract::{Format, Schema};

/// Fields of a record where nothing else is said: about 1 KiB as JSON.
pub const FIELDS: usize = 20;
/// Different records.
const RECORDS: usize = 100;
const WORDS: [&str; 8] = [
    "order",
    "customer",
    "street",
    "parcel",
    "invoice",
    "supplier",
    "warehouse",
    "delivery",
];
const STATUSES: [&str; 4] = ["NEW", "PAID", "SENT", "LOST"];
/// Characters of a note.
const NOTE: usize = 131;
pub const FORMATS: [Format; 3] = [Format::Json, Format::Avro, Format::Protobuf];

/// A schema, and records of it without frames.
#[derive(Debug)]
pub struct Sample {
    pub format: Format,
    /// The schema's text.
    pub schema: String,
    /// As they should be.
    pub good: Vec<Vec<u8>>,
    /// One that is not: of JSON with a text where a number should be, else cut off.
    pub bad: Vec<u8>,
}

/// What a field holds, by its place.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Id,
    Integer,
    Note,
    Number,
    Status,
    Truth,
}

fn kind(at: usize) -> Kind {
    match at % 10 {
        0 | 5 => Kind::Id,
        1 | 6 => Kind::Integer,
        2 | 7 => Kind::Note,
        3 | 8 => Kind::Number,
        4 => Kind::Status,
        _nine => Kind::Truth,
    }
}

/// The name of a field.
fn name(at: usize) -> String {
    format!("{}_{at}", WORDS[at % WORDS.len()])
}

/// The fields of a record and their types, as SQL knows them.
pub fn columns() -> Vec<(String, &'static str)> {
    let column = |at| match kind(at) {
        Kind::Id | Kind::Note | Kind::Status => "STRING",
        Kind::Integer => "BIGINT",
        Kind::Number => "DOUBLE",
        Kind::Truth => "BOOLEAN",
    };
    (0..FIELDS).map(|at| (name(at), column(at))).collect()
}

/// The word of a format in ids.
pub const fn word(format: Format) -> &'static str {
    match format {
        Format::Json => "json",
        Format::Avro => "avro",
        Format::Protobuf => "protobuf",
    }
}

impl Sample {
    /// With so many fields.
    pub fn new(format: Format, fields: usize) -> Result<Self> {
        let schema = match format {
            Format::Json => json_schema(fields).to_string(),
            Format::Avro => avro_schema(fields).to_string(),
            Format::Protobuf => proto_schema(fields)?,
        };
        let parsed = Schema::parse(format, &schema, &[]).context("read a schema of the benchmark")?;
        let encoder = Encoder::new(&parsed).context("encode by a schema of the benchmark")?;
        let encode = |record: &Value| {
            let text = record.to_string();
            let encoded = encoder.encode(text.as_bytes());
            let encoded = encoded.map_err(|it| anyhow::anyhow!("encode a record: {:?}", it.error))?;
            anyhow::Ok(encoded.into_owned())
        };
        let good: Vec<Vec<u8>> = (0..RECORDS)
            .map(|number| encode(&record(number, fields)))
            .collect::<Result<_>>()?;
        let bad = if format == Format::Json {
            let mut record = record(0, fields);
            record[name(1)] = json!("many");
            record.to_string().into_bytes()
        } else {
            // In the midst of a note, which is the last but two.
            let whole = good.first().context("make records")?;
            whole[..whole.len() - NOTE / 2].to_vec()
        };
        let sample = Self {
            format,
            schema,
            good,
            bad,
        };
        let contract = sample.contract(0)?;
        let valid = |it: &Vec<u8>| contract.judge(it, Place::Gateway).is_valid();
        ensure!(sample.good.iter().all(valid), "a good record is bad");
        ensure!(!valid(&sample.bad), "the bad record is good");
        Ok(sample)
    }

    /// The contract of its schema with so many conditions, compiled.
    pub fn contract(&self, rules: usize) -> Result<Contract> {
        let schema = Schema::parse(self.format, &self.schema, &[]).context("read a schema")?;
        let rules: RuleSet = serde_json::from_value(rule_set(rules)).context("read rules")?;
        let compiled = Contract::compile(schema, &rules, &Metadata::default(), JudgeLimits::DEFAULT);
        compiled.context("compile a contract")
    }

    /// Bytes of a record, on average.
    pub fn mean_bytes(&self) -> usize {
        self.good.iter().map(Vec::len).sum::<usize>() / self.good.len().max(1)
    }
}

/// Conditions that every good record meets, each over two fields.
fn rule_set(count: usize) -> Value {
    let rules = (0..count).map(|at| {
        let (id, integer) = (name(0), name(1));
        let least = i64::try_from(at).unwrap_or(0) - 1_000;
        json!({
            "name": format!("rule_{at}"), "kind": "CONDITION", "type": "CEL", "mode": "WRITE",
            "expr": format!("message.{integer} > {least} && message.{id} != ''"),
        })
    });
    json!({"domainRules": rules.collect::<Vec<_>>()})
}

fn json_schema(fields: usize) -> Value {
    let properties: Map<String, Value> = (0..fields)
        .map(|at| {
            let promise = match kind(at) {
                Kind::Id => json!({"type": "string", "minLength": 36, "maxLength": 36}),
                Kind::Integer => json!({"type": "integer", "minimum": 0}),
                Kind::Note => json!({"type": "string", "maxLength": 500}),
                Kind::Number => json!({"type": "number", "minimum": 0}),
                Kind::Status => json!({"enum": STATUSES}),
                Kind::Truth => json!({"type": "boolean"}),
            };
            (name(at), promise)
        })
        .collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Order",
        "type": "object",
        "properties": properties,
        "required": (0..fields).map(name).collect::<Vec<_>>(),
        "additionalProperties": false,
    })
}

fn avro_schema(fields: usize) -> Value {
    let mut told = false;
    let fields: Vec<Value> = (0..fields)
        .map(|at| {
            let schema = match kind(at) {
                Kind::Id | Kind::Note => json!("string"),
                Kind::Integer => json!("long"),
                Kind::Number => json!("double"),
                Kind::Truth => json!("boolean"),
                Kind::Status if std::mem::replace(&mut told, true) => json!("Status"),
                Kind::Status => json!({"type": "enum", "name": "Status", "symbols": STATUSES}),
            };
            json!({"name": name(at), "type": schema})
        })
        .collect();
    json!({"type": "record", "name": "Order", "namespace": "bench", "fields": fields})
}

fn proto_schema(fields: usize) -> Result<String> {
    let mut text = String::from("syntax = \"proto3\";\npackage bench;\nmessage Order {\n  enum Status {\n");
    for (number, status) in STATUSES.iter().enumerate() {
        writeln!(text, "    {status} = {number};")?;
    }
    text.push_str("  }\n");
    for at in 0..fields {
        let kind = match kind(at) {
            Kind::Id | Kind::Note => "string",
            Kind::Integer => "int64",
            Kind::Number => "double",
            Kind::Status => "Status",
            Kind::Truth => "bool",
        };
        writeln!(text, "  {kind} {} = {};", name(at), at + 1)?;
    }
    text.push_str("}\n");
    Ok(text)
}

/// The same in every run.
fn record(number: usize, fields: usize) -> Value {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64 ^ ((number as u64 + 1) << 20);
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let values = (0..fields).map(|at| {
        let value = match kind(at) {
            Kind::Id => json!(uuid::Uuid::from_u64_pair(next(), next()).to_string()),
            Kind::Integer => json!(next() % 1_000_000 + 1),
            Kind::Note => json!(note(&mut next)),
            Kind::Number => json!((next() % 100_000 + 1) as f64 / 100.0),
            Kind::Status => json!(STATUSES[(next() % 3 + 1) as usize]),
            Kind::Truth => json!(true),
        };
        (name(at), value)
    });
    Value::Object(values.collect())
}

/// Words, some of them not of ASCII, one with what JSON escapes.
fn note(next: &mut impl FnMut() -> u64) -> String {
    let mut text = String::new();
    while text.len() < NOTE {
        match next() % 64 {
            0 => text.push_str("\"soon\" "),
            1 => text.push_str("Größe "),
            other => {
                text.push_str(WORDS[(other % 8) as usize]);
                text.push(' ');
            }
        }
    }
    text.truncate(text.floor_char_boundary(NOTE));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_of_a_kibibyte_and_rules_are_met() {
        for format in FORMATS {
            let sample = Sample::new(format, FIELDS).unwrap();
            let contract = sample.contract(50).unwrap();
            for record in &sample.good {
                assert!(contract.judge(record, Place::Gateway).is_valid(), "{format:?}");
            }
            if format == Format::Json {
                assert!(
                    (1000..1050).contains(&sample.mean_bytes()),
                    "{}",
                    sample.mean_bytes()
                );
            }
        }
        for fields in [5, 500] {
            for format in FORMATS {
                Sample::new(format, fields).unwrap();
            }
        }
    }
}
