//! Verdicts of `crates/contract` per CPU-second of one thread, beside the plain decoding of the same records by the
//! library of each format, and what more rules and more fields cost.

use crate::measure::{Bar, Figure, Pairs, absolute, thread_cpu};
use crate::run::Run;
use crate::sample::{FIELDS, FORMATS, Sample, word};
use anyhow::{Context, Result, ensure};
use apache_avro::reader::datum::GenericDatumReader;
use prost_reflect::DynamicMessage;
use serde_json::Value;
use std::hint::black_box;
use weir_contract::verdict::Place;
use weir_contract::{Format, Schema};

/// CPU-seconds of one measurement.
const SPAN: f64 = 0.4;
const RULES: [usize; 5] = [1, 5, 10, 25, 50];
const MORE_FIELDS: [usize; 4] = [5, 20, 100, 500];

/// Looks at a record, and says whether it is well.
type Look<'a> = Box<dyn Fn(&[u8]) -> bool + 'a>;

/// Who looks.
struct Side<'a> {
    name: String,
    version: &'static str,
    look: Look<'a>,
}

impl<'a> Side<'a> {
    fn new(name: impl Into<String>, version: &'static str, look: impl Fn(&[u8]) -> bool + 'a) -> Self {
        Self {
            name: name.into(),
            version,
            look: Box::new(look),
        }
    }

    /// Records per CPU-second of this thread.
    fn rate(&self, records: &[Vec<u8>], span: f64) -> Result<f64> {
        let mut looked = 0_u64;
        let began = thread_cpu();
        loop {
            for record in records {
                ensure!(
                    (self.look)(black_box(record)),
                    "{} calls a good record bad",
                    self.name
                );
            }
            looked += records.len() as u64;
            let used = thread_cpu() - began;
            if used >= span {
                return Ok(looked as f64 / used);
            }
        }
    }
}

/// The benchmark.
pub fn run(run: &mut Run) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for format in FORMATS {
        let sample = Sample::new(format, FIELDS)?;
        run.setting(
            &format!("verdicts.{}.record", word(format)),
            format!("{FIELDS} fields, {} bytes on average", sample.mean_bytes()),
        );
        figures.extend(beside(run, &sample)?);
        figures.extend(growth(run, format)?);
    }
    run.setting(
        "verdicts.load",
        "one thread, its own CPU time, 100 different good records; conditions over two fields",
    );
    Ok(figures)
}

/// Ours, without and with a condition, and the libraries.
fn beside(run: &Run, sample: &Sample) -> Result<Vec<Figure>> {
    let (plain, ruled) = (sample.contract(0)?, sample.contract(1)?);
    let ours = |contract: weir_contract::verdict::Contract| {
        move |record: &[u8]| contract.judge(record, Place::Gateway).is_valid()
    };
    let word = word(sample.format);
    let version = env!("CARGO_PKG_VERSION");
    let ours = [
        Side::new(format!("verdicts.{word}"), version, ours(plain)),
        Side::new(format!("verdicts.{word}.condition"), version, ours(ruled)),
    ];
    let avro = apache_avro_schema(sample)?;
    let peers = libraries(sample, avro.as_ref())?;
    let sides: Vec<&Side<'_>> = ours.iter().chain(&peers).collect();
    let mut rates = vec![Vec::new(); sides.len()];
    for side in &sides {
        side.rate(&sample.good, SPAN / 2.0)?;
    }
    for round in 0..run.pairs {
        let mut order: Vec<usize> = (0..sides.len()).collect();
        // A-B-B-A: a drift of the machine hurts all alike.
        if round % 2 == 1 {
            order.reverse();
        }
        for at in order {
            rates[at].push(sides[at].rate(&sample.good, SPAN)?);
        }
    }
    let mut figures = Vec::new();
    for (at, side) in ours.iter().enumerate() {
        for (peer_at, peer) in peers.iter().enumerate() {
            let mut pairs = Pairs::default();
            let both = rates[at].iter().zip(&rates[ours.len() + peer_at]);
            both.for_each(|(ours, peer)| pairs.add(*ours, *peer));
            let mut figure = pairs.figure(Bar {
                id: "",
                what: "verdicts per CPU-second",
                peer: "",
                version: peer.version,
                ship: None,
                goal: None,
                less: false,
            });
            figure.id = format!("{}.{}", side.name, peer.name);
            figure.peer.clone_from(&peer.name);
            run.say(&format!(
                "{}: {:.0} a CPU-second, {:.0} of {}",
                side.name, figure.sides[0], figure.sides[1], peer.name
            ));
            figures.push(figure);
        }
    }
    Ok(figures)
}

fn apache_avro_schema(sample: &Sample) -> Result<Option<apache_avro::Schema>> {
    if sample.format != Format::Avro {
        return Ok(None);
    }
    let schema = apache_avro::Schema::parse_str(&sample.schema).context("read the schema of Avro")?;
    Ok(Some(schema))
}

/// What people decode with, and for JSON what they validate with.
fn libraries<'a>(sample: &Sample, avro: Option<&'a apache_avro::Schema>) -> Result<Vec<Side<'a>>> {
    if let Some(schema) = avro {
        let reader = GenericDatumReader::builder(schema).build();
        let reader = reader.context("read records of Avro")?;
        let read = move |mut record: &[u8]| reader.read_value(&mut record).map(black_box).is_ok();
        return Ok(vec![Side::new("apache-avro", "0.22", read)]);
    }
    if sample.format == Format::Protobuf {
        let Schema::Protobuf(schema) = Schema::parse(sample.format, &sample.schema, &[])? else {
            anyhow::bail!("the schema of Protobuf is of another format");
        };
        let message = schema.first_message().context("find the message")?;
        let read = move |record: &[u8]| {
            DynamicMessage::decode(message.clone(), record)
                .map(black_box)
                .is_ok()
        };
        return Ok(vec![Side::new("prost-reflect", "0.16", read)]);
    }
    let schema: Value = serde_json::from_str(&sample.schema).context("read the schema of JSON")?;
    let validator = jsonschema::validator_for(&schema);
    let validator = validator.map_err(|it| anyhow::anyhow!("compile the schema of JSON: {it}"))?;
    let parse = |record: &[u8]| serde_json::from_slice::<Value>(record).map(black_box).is_ok();
    let validate = move |record: &[u8]| {
        serde_json::from_slice::<Value>(record).is_ok_and(|record| validator.is_valid(&record))
    };
    Ok(vec![
        Side::new("serde_json", "1", parse),
        Side::new("jsonschema", "0.60", validate),
    ])
}

/// Nanoseconds a verdict, with more rules and with more fields.
fn growth(run: &Run, format: Format) -> Result<Vec<Figure>> {
    let mut steps = Vec::new();
    for rules in RULES {
        let sample = Sample::new(format, FIELDS)?;
        let what = format!("a verdict, {rules} conditions");
        steps.push((
            format!("verdicts.{}.rules.{rules}", word(format)),
            what,
            sample,
            rules,
        ));
    }
    for fields in MORE_FIELDS {
        let sample = Sample::new(format, fields)?;
        let what = format!("a verdict, {fields} fields, {} bytes", sample.mean_bytes());
        steps.push((
            format!("verdicts.{}.fields.{fields}", word(format)),
            what,
            sample,
            0,
        ));
    }
    let mut measured = Vec::new();
    for (id, what, sample, rules) in &steps {
        let contract = sample.contract(*rules)?;
        let judge = move |record: &[u8]| contract.judge(record, Place::Gateway).is_valid();
        let side = Side::new(id.clone(), "", judge);
        side.rate(&sample.good, SPAN / 4.0)?;
        measured.push((side, what, &sample.good, Vec::new()));
    }
    for round in 0..run.pairs {
        let mut order: Vec<usize> = (0..measured.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for at in order {
            let (side, _what, records, taken) = &mut measured[at];
            taken.push(1e9 / side.rate(records, SPAN / 2.0)?);
        }
    }
    let figures = measured.into_iter().map(|(side, what, _records, taken)| {
        let mut figure = absolute(
            Bar {
                id: "",
                what: "",
                peer: "",
                version: "",
                ship: None,
                goal: None,
                less: true,
            },
            "nanoseconds",
            &taken,
        );
        figure.id = side.name;
        figure.what.clone_from(what);
        run.say(&format!("{}: {:.0} ns", figure.id, figure.value));
        figure
    });
    Ok(figures.collect())
}
