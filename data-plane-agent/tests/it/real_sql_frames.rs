//! A job in SQL over framed records, on real Kafka and real Flink: Avro of two versions in, Avro of another schema out, judged by the
//! gateway against its contract, with schemas that no registry was asked for; and a program that ends, and is not begun again.
//!
//! Wants Java, the folder of Kafka's jars in `WEIR_KAFKA_LIBS` and that of Flink's in `WEIR_FLINK_LIBS`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use weir_proto::agent::v1::{
    DesiredState, Enforcement, JobState, PartContract, Phase, Schema, SchemaFormat, TopicContract,
};

use crate::control_plane::ControlPlane;
use crate::harness::ports;
use crate::real_kafka::run;
use crate::real_sql_jobs::{JOB, LONG, beside, client, no_flink, payment, phase, state_of};

const RECORDS: usize = 4_000;
const OLD: u32 = 11;
const NEW: u32 = 12;
const OUT: u32 = 13;
/// The newer version has a note, and lists what it has in another order.
const SCHEMAS: [(u32, &str); 3] = [
    (
        OLD,
        r#"{"type":"record","name":"Payment","fields":[{"name":"card","type":"string"},{"name":"amount","type":"long"}]}"#,
    ),
    (
        NEW,
        r#"{"type":"record","name":"Payment","fields":[{"name":"amount","type":"long"},{"name":"note","type":["null","string"],"default":null},{"name":"card","type":"string"}]}"#,
    ),
    (
        OUT,
        r#"{"type":"record","name":"Large","fields":[{"name":"card","type":"string"},{"name":"twice","type":"long"},{"name":"note","type":["null","string"],"default":null}]}"#,
    ),
];
const STATEMENT: &str = "SET 'scan.bounded.mode' = 'latest-offset'; \
     CREATE TABLE alerts AS SELECT card, amount * 2 AS twice, note FROM payments WHERE amount > 250";

fn id(number: u32) -> String {
    format!("schema_{number}")
}

fn contract(numbers: &[u32]) -> TopicContract {
    TopicContract {
        enforcement: Enforcement::Reject.into(),
        value: Some(PartContract {
            schema_ids: numbers.iter().map(|it| id(*it)).collect(),
            ..PartContract::default()
        }),
        ..TopicContract::default()
    }
}

fn wished(version: u32) -> DesiredState {
    let mut desired = state_of(JobState::Running, version);
    desired.schemas = SCHEMAS
        .iter()
        .map(|(number, text)| Schema {
            id: id(*number),
            schema_id: *number,
            format: SchemaFormat::Avro.into(),
            text: (*text).to_owned(),
            ..Schema::default()
        })
        .collect();
    desired.topics[0].contract = Some(contract(&[OLD, NEW]));
    desired.topics[1].contract = Some(contract(&[OUT]));
    if let Some(sql) = &mut desired.jobs[0].sql {
        sql.statement = STATEMENT.to_owned();
        sql.sources[0].columns.clear();
        sql.sources[0].event_time = None;
        sql.sinks[0].columns.clear();
        sql.sinks[0].key_columns.clear();
    }
    desired
}

fn long(out: &mut Vec<u8>, number: i64) {
    let mut zigzag = ((number << 1) ^ (number >> 63)) as u64;
    while zigzag > 0x7f {
        out.push((zigzag & 0x7f) as u8 | 0x80);
        zigzag >>= 7;
    }
    out.push(zigzag as u8);
}

fn text(out: &mut Vec<u8>, text: &str) {
    long(out, text.len() as i64);
    out.extend(text.as_bytes());
}

fn read_long(bytes: &mut &[u8]) -> i64 {
    let (mut zigzag, mut shift) = (0_u64, 0);
    loop {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        zigzag |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
        }
    }
}

fn read_text(bytes: &mut &[u8]) -> String {
    let length = usize::try_from(read_long(bytes)).unwrap();
    let (text, rest) = bytes.split_at(length);
    *bytes = rest;
    String::from_utf8(text.to_vec()).unwrap()
}

/// Every third payment is of the older version.
const fn is_old(number: usize) -> bool {
    number.is_multiple_of(3)
}

/// Of the others every other one has a note.
fn note(number: usize) -> Option<String> {
    (!is_old(number) && number.is_multiple_of(2)).then(|| format!("note {number}"))
}

fn framed(number: usize) -> Vec<u8> {
    let (card, amount, _time) = payment(number);
    let schema = if is_old(number) { OLD } else { NEW };
    let mut out = vec![0];
    out.extend(schema.to_be_bytes());
    if schema == OLD {
        text(&mut out, &card);
        long(&mut out, amount);
        return out;
    }
    long(&mut out, amount);
    match note(number) {
        None => long(&mut out, 0),
        Some(note) => {
            long(&mut out, 1);
            text(&mut out, &note);
        }
    }
    text(&mut out, &card);
    out
}

type Large = (String, i64, Option<String>);

fn read(port: u16, enough: usize) -> Vec<Large> {
    let consumer: BaseConsumer = client(port)
        .set("group.id", "reader")
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    consumer.subscribe(&["alerts"]).unwrap();
    let (mut found, deadline, mut last) = (Vec::new(), Instant::now() + LONG, Instant::now());
    while found.len() < enough || last.elapsed() < Duration::from_secs(8) {
        assert!(Instant::now() < deadline, "{} of {enough} came", found.len());
        let Some(Ok(message)) = consumer.poll(Duration::from_millis(200)) else {
            continue;
        };
        last = Instant::now();
        let mut bytes = message.payload().unwrap();
        let (frame, rest) = bytes.split_at(5);
        assert_eq!(
            frame,
            [&[0][..], &OUT.to_be_bytes()].concat(),
            "the contract's own schema"
        );
        bytes = rest;
        let (card, twice) = (read_text(&mut bytes), read_long(&mut bytes));
        let note = (read_long(&mut bytes) == 1).then(|| read_text(&mut bytes));
        assert!(bytes.is_empty());
        found.push((card, twice, note));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java, WEIR_KAFKA_LIBS and WEIR_FLINK_LIBS"]
async fn framed_records_are_read_and_written_by_their_contracts_and_the_program_ends() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    let folder = crate::harness::folder();
    let state = folder.path().join("agent");
    let plane = ControlPlane::start().await;
    let port = ports().gateway();
    let agent = run(&state, &plane, &libs, port);
    plane
        .until("hello", LONG, |frames| (!frames.is_empty()).then_some(()))
        .await;
    // The topics first, so that there is something to read when the job begins.
    let mut stopped = wished(1);
    stopped.jobs[0].state = JobState::Stopped.into();
    plane.wish(plane.seal(1, 1, &stopped)).await;
    phase(&plane, Phase::Stopped).await;
    beside(move || {
        let producer: BaseProducer = client(port).create().unwrap();
        for number in 0..RECORDS {
            let value = framed(number);
            let mut record = BaseRecord::<[u8], [u8]>::to("payments").payload(&value);
            while let Err((_full, again)) = producer.send(record) {
                record = again;
                producer.poll(Duration::from_millis(50));
            }
        }
        producer.flush(LONG).unwrap();
    })
    .await;

    plane.wish(plane.seal(1, 2, &wished(1))).await;
    phase(&plane, Phase::Completed).await;
    no_flink(&state).await;
    let mut expected: Vec<Large> = (0..RECORDS)
        .filter_map(|number| {
            let (card, amount, _time) = payment(number);
            (amount > 250).then(|| (card, amount * 2, note(number)))
        })
        .collect();
    let enough = expected.len();
    assert!(enough > 1000, "{enough} records are enough to tell");
    let mut found = beside(move || read(port, enough)).await;
    expected.sort();
    found.sort();
    assert_eq!(found, expected, "each once, and none again");
    eprintln!("{enough} framed records of {RECORDS}, exact");

    // It stays complete, also for the next agent; a restart begins it again, with nothing left to read.
    drop(agent);
    plane.forget_received();
    let agent = run(&state, &plane, &libs, port);
    phase(&plane, Phase::Completed).await;
    no_flink(&state).await;
    let kept = std::fs::read(state.join(format!("jobs/{JOB}/sql.json"))).unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!(kept["attempt"], 1, "{kept}");
    let pid = rustix::process::Pid::from_raw(i32::try_from(agent.pid()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(beside(move || agent.wait()).await.success());
}
