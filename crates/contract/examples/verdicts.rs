//! Verdicts per CPU-second: for each format beside the plain decoding library, growing with rules and with fields.
//!
//! `cargo run --release -p weir-contract --example verdicts [seconds for each row]`

use std::hint::black_box;
use std::time::{Duration, Instant};

use prost_reflect::{DescriptorPool, DynamicMessage};
use weir_contract::rules::{Metadata, RuleSet};
use weir_contract::verdict::{Contract, JudgeLimits, Place};
use weir_contract::{Format, Schema};

/// Nanoseconds that this thread has been on a processor; others on the machine do not count.
fn on_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(
        text.split(' ')
            .next()
            .and_then(|it| it.parse().ok())
            .unwrap_or_default(),
    )
}

fn per_second(seconds: f64, mut run: impl FnMut()) -> f64 {
    for _warm in 0..100 {
        run();
    }
    let (begun, end) = (on_cpu(), Instant::now() + Duration::from_secs_f64(seconds));
    let mut count = 0_u32;
    while Instant::now() < end {
        for _some in 0..50 {
            run();
        }
        count += 50;
    }
    f64::from(count) / (on_cpu() - begun).as_secs_f64()
}

/// A record of so many fields, of a kibibyte if there are twenty: numbers and texts by turns.
struct Sample {
    format: Format,
    schema: String,
    payload: Vec<u8>,
}

/// A number in groups of seven bits.
fn varint(number: usize) -> Vec<u8> {
    let mut rest = number;
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(rest & 0x7f).unwrap_or_default();
        rest >>= 7;
        bytes.push(if rest == 0 { low } else { low | 0x80 });
        if rest == 0 {
            return bytes;
        }
    }
}

fn sample(format: Format, fields: usize) -> Sample {
    let text = |index: usize| {
        format!(
            "the text of field number {index:04}, long enough to fill a record of a kibibyte with twenty fields"
        )
    };
    let is_number = |index: usize| index % 2 == 0;
    let rows = 0..fields;
    let (schema, payload) = match format {
        Format::Json => {
            let types = rows.clone().map(|it| {
                format!(
                    r#""f{it}":{{"type":"{}"}}"#,
                    if is_number(it) { "integer" } else { "string" }
                )
            });
            let values = rows.map(|it| {
                format!(
                    r#""f{it}":{}"#,
                    if is_number(it) {
                        (it * 7).to_string()
                    } else {
                        format!("{:?}", text(it))
                    }
                )
            });
            let schema = format!(
                r#"{{"type":"object","properties":{{{}}},"required":["f0"]}}"#,
                types.collect::<Vec<_>>().join(",")
            );
            (
                schema,
                format!("{{{}}}", values.collect::<Vec<_>>().join(",")).into_bytes(),
            )
        }
        Format::Avro => {
            let types = rows.clone().map(|it| {
                format!(
                    r#"{{"name":"f{it}","type":"{}"}}"#,
                    if is_number(it) { "long" } else { "string" }
                )
            });
            let schema = format!(
                r#"{{"type":"record","name":"R","fields":[{}]}}"#,
                types.collect::<Vec<_>>().join(",")
            );
            // Zigzag: what is not negative is doubled.
            let number = |it: usize| varint(it * 2);
            let values = rows.map(|it| {
                if is_number(it) {
                    number(it * 7)
                } else {
                    [number(text(it).len()), text(it).into_bytes()].concat()
                }
            });
            (schema, values.collect::<Vec<_>>().concat())
        }
        Format::Protobuf => {
            let types = rows.clone().map(|it| {
                format!(
                    "{} f{it} = {};",
                    if is_number(it) { "int64" } else { "string" },
                    it + 1
                )
            });
            let schema = format!(
                "syntax = \"proto3\"; message R {{ {} }}",
                types.collect::<Vec<_>>().join(" ")
            );
            let values = rows.map(|it| {
                let tag = |wire: usize| varint((it + 1) << 3 | wire);
                if is_number(it) {
                    [tag(0), varint(it * 7 + 1)].concat()
                } else {
                    [tag(2), varint(text(it).len()), text(it).into_bytes()].concat()
                }
            });
            (schema, values.collect::<Vec<_>>().concat())
        }
    };
    Sample {
        format,
        schema,
        payload,
    }
}

fn rules(count: usize, fields: usize) -> RuleSet {
    let rule = |index: usize| {
        let field = index * 2 % fields / 2 * 2;
        let expr = if index % 2 == 0 || field + 1 >= fields {
            format!("message.f{field} >= 0 && message.f{field} < 1000000")
        } else {
            format!(
                "message.f{}.size() < 1000 && message.f{}.startsWith('the')",
                field + 1,
                field + 1
            )
        };
        serde_json::json!({"name": format!("r{index}"), "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": expr})
    };
    let set = serde_json::json!({"domainRules": (0..count).map(rule).collect::<Vec<_>>()});
    serde_json::from_value(set).unwrap_or_default()
}

fn decoding(sample: &Sample, seconds: f64) -> f64 {
    match sample.format {
        Format::Json => per_second(seconds, || {
            black_box(serde_json::from_slice::<serde_json::Value>(&sample.payload).is_ok());
        }),
        Format::Avro => match apache_avro::Schema::parse_str(&sample.schema) {
            Ok(schema) => match apache_avro::reader::datum::GenericDatumReader::builder(&schema).build() {
                Ok(reader) => per_second(seconds, || {
                    black_box(reader.read_value(&mut sample.payload.as_slice()).is_ok());
                }),
                Err(_error) => 0.0,
            },
            Err(_error) => 0.0,
        },
        Format::Protobuf => {
            match protox_pool(&sample.schema).and_then(|pool| pool.get_message_by_name("R")) {
                Some(message) => per_second(seconds, || {
                    black_box(DynamicMessage::decode(message.clone(), sample.payload.as_slice()).is_ok());
                }),
                None => 0.0,
            }
        }
    }
}

fn protox_pool(schema: &str) -> Option<DescriptorPool> {
    let file = protox::file::File::from_source("r.proto", schema).ok()?;
    let set = prost_reflect::prost_types::FileDescriptorSet {
        file: vec![file.file_descriptor_proto().clone()],
    };
    DescriptorPool::from_file_descriptor_set(set).ok()
}

fn main() {
    let seconds = std::env::args()
        .nth(1)
        .and_then(|it| it.parse().ok())
        .unwrap_or(1.0);
    println!("| format | fields | bytes | rules | verdicts per CPU-second | plain decoding |");
    println!("|---|---|---|---|---|---|");
    for format in [Format::Json, Format::Avro, Format::Protobuf] {
        for (fields, counts) in [
            (5, &[0, 1][..]),
            (20, &[0, 1, 10, 50]),
            (100, &[0, 10]),
            (500, &[0, 10]),
        ] {
            let sample = sample(format, fields);
            let plain = decoding(&sample, seconds);
            for count in counts {
                let schema = match Schema::parse(format, &sample.schema, &[]) {
                    Ok(schema) => schema,
                    Err(error) => panic!("the sample's schema: {error}"),
                };
                let contract = match Contract::compile(
                    schema,
                    &rules(*count, fields),
                    &Metadata::default(),
                    JudgeLimits::DEFAULT,
                ) {
                    Ok(contract) => contract,
                    Err(error) => panic!("the sample's rules: {error}"),
                };
                let verdict = contract.judge(&sample.payload, Place::Gateway);
                assert!(verdict.is_valid(), "{verdict:?}");
                let rate = per_second(seconds, || {
                    black_box(
                        contract
                            .judge(black_box(&sample.payload), Place::Gateway)
                            .is_valid(),
                    );
                });
                let (format, bytes) = (format.as_str(), sample.payload.len());
                println!("| {format} | {fields} | {bytes} | {count} | {rate:.0} | {plain:.0} |");
            }
        }
    }
}
