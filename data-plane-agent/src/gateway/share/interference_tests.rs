//! Non-interference: whatever a provider writes, whichever mask and filter a share has, nothing of a masked field or of a filtered
//! record is in the bytes that go to the consumer's connection: not as they are, not unpacked, not in texts of errors.

use std::collections::HashSet;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::{FetchRequest, FetchResponse};
use kafka_protocol::protocol::Encodable;
use kafka_protocol::protocol::StrBytes;
use proptest::prelude::*;
use weir_kafka_wire::header::RequestHeader;

use super::tests::{CODECS, at, shown};
use crate::gateway::contract::Pace;
use crate::gateway::contract::records;
use crate::gateway::contract::samples::{self, Sample};
use crate::gateway::contract::unpack::{Codec, unpack};
use crate::gateway::rewrite::tests::tenant_with;
use crate::gateway::rewrite::{self, Memory, Plan, Tenant};
use crate::gateway::view::tests as sample;

/// Words that only secrets hold. Long enough that no packed bytes hold one by chance.
const SECRET: &str = "SECRET";
/// What a secret is found by: its mark and its own letters.
const LEAST: usize = 12;

#[derive(Debug, Clone)]
struct Written {
    /// 0 to 200; more than 100 passes the filter.
    amount: u32,
    card: String,
    note: String,
    form: Form,
}

/// How the value is written.
#[derive(Debug, Clone, Copy)]
enum Form {
    Plain,
    Spaced,
    Escaped,
    Twice,
    Nested,
    Broken,
    Deep,
}

impl Written {
    fn value(&self) -> Vec<u8> {
        let Self {
            amount, card, note, ..
        } = self;
        let card_as_json = serde_json::to_string(card).unwrap();
        let text = match self.form {
            Form::Plain => format!(r#"{{"amount":{amount},"card":{card_as_json},"note":"{note}"}}"#),
            Form::Spaced => {
                format!("  {{ \"note\" : \"{note}\",\n\"card\":\t{card_as_json} , \"amount\": {amount} }}\n")
            }
            Form::Escaped => format!(r#"{{"amount":{amount},"c\u0061rd":{card_as_json},"note":"{note}"}}"#),
            Form::Twice => {
                format!(
                    r#"{{"amount":{amount},"card":{card_as_json},"card":{card_as_json},"note":"{note}"}}"#
                )
            }
            Form::Nested => {
                format!(
                    r#"{{"amount":{amount},"card":{{"number":{card_as_json},"all":[{card_as_json}]}},"note":"{note}"}}"#
                )
            }
            Form::Broken => format!(r#"{{"amount":{amount},"card":{card_as_json},"note":"{note}""#),
            Form::Deep => format!(
                r#"{{"amount":{amount},"card":{}{card_as_json}{}}}"#,
                "[".repeat(200),
                "]".repeat(200)
            ),
        };
        text.into_bytes()
    }

    fn sample(&self) -> Sample {
        // A header that repeats what is masked, as tracing and routing do.
        let headers = [("card", Some(self.card.as_bytes())), ("trace", Some(&b"abc"[..]))];
        Sample::of(Some(b"key"), Some(&self.value())).with(&headers)
    }
}

fn written() -> impl Strategy<Value = Written> {
    let form = prop_oneof![
        6 => Just(Form::Plain),
        1 => Just(Form::Spaced),
        1 => Just(Form::Escaped),
        1 => Just(Form::Twice),
        1 => Just(Form::Nested),
        1 => Just(Form::Broken),
        1 => Just(Form::Deep),
    ];
    let secret = "[a-zA-Z0-9]{16,40}";
    (0_u32..200, secret, secret, form).prop_map(|(amount, card, note, form)| Written {
        amount,
        card: format!("{SECRET}{card}"),
        note: format!("{SECRET}{note}"),
        form,
    })
}

/// A mask of `card` and how many of a secret's last characters it leaves.
fn mask() -> impl Strategy<Value = (&'static str, usize)> {
    prop_oneof![
        Just((r#"{"mask":{"fields":["card"],"how":"REDACT"}}"#, 0)),
        Just((r#"{"mask":{"fields":["card"],"how":"NULL"}}"#, 0)),
        Just((r#"{"mask":{"fields":["card"],"how":{"KEEP_LAST":{"n":4}}}}"#, 4)),
        Just((r#"{"mask":{"fields":["card"],"how":{"HASH":{"key":"k"}}}}"#, 0)),
        Just((r#"{"project":{"fields":["amount","note"]}}"#, 0)),
    ]
}

/// The connection's bytes for an answer of the broker, and what stood in the consumer's place.
fn through_the_gateway(tenant: &Tenant, version: i16, log: Bytes) -> Vec<u8> {
    let topic = tenant.cluster.by_name("shared").unwrap();
    let asked = kafka_protocol::messages::fetch_request::FetchTopic::default()
        .with_topic(if version < 13 {
            topic.name.clone().into()
        } else {
            Default::default()
        })
        .with_topic_id(if version < 13 {
            uuid::Uuid::nil()
        } else {
            topic.virtual_id
        })
        .with_partitions(vec![Default::default()]);
    let request = FetchRequest::default().with_topics(vec![asked]);
    let header = RequestHeader {
        api_key: 1,
        version,
        correlation_id: 42,
        client_id: None,
    };
    let body = |out: &dyn Fn(&mut BytesMut)| {
        let mut bytes = BytesMut::new();
        out(&mut bytes);
        bytes.freeze()
    };
    let mut memory = Memory::default();
    let request = body(&|it| request.encode(it, version).unwrap());
    let Ok(Plan::Forward(_frame, answer)) = rewrite::request(tenant, &mut memory, &header, request) else {
        panic!("it is forwarded");
    };
    let partition = PartitionData::default().with_records(Some(log));
    let answered = FetchableTopicResponse::default()
        .with_topic(if version < 13 {
            topic.physical_name.clone().into()
        } else {
            StrBytes::default().into()
        })
        .with_topic_id(topic.physical_id)
        .with_partitions(vec![partition]);
    let response = FetchResponse::default().with_responses(vec![answered]);
    let response = body(&|it| response.encode(it, version).unwrap());
    let mut reply = answer(tenant, &mut memory, response).unwrap();
    if let Some(mut screening) = reply.screening.take() {
        assert!(screening.run(&Pace::aside(&|| false)));
        reply = screening.finish(tenant).unwrap();
    }
    reply.frame.concat()
}

/// All that a consumer can read of the bytes: themselves, and every batch in them unpacked.
fn readable(bytes: &[u8]) -> Readable {
    let mut all = vec![bytes.to_vec()];
    for start in 0..bytes.len().saturating_sub(61) {
        // Wherever a batch may begin; most places hold none.
        if bytes[start + 16] != 2 {
            continue;
        }
        for batch in records::batches(&bytes[start..]) {
            let Some(head) = records::head(batch) else {
                continue;
            };
            if let Some(codec) = head.codec.filter(|codec| head.whole && *codec != Codec::None) {
                all.extend(unpack(codec, head.packed, 1 << 24));
            }
        }
    }
    all.iter().flat_map(|it| pieces(it)).collect()
}

/// Everything of this length that is readable.
type Readable = HashSet<[u8; LEAST]>;

fn pieces(bytes: &[u8]) -> impl Iterator<Item = [u8; LEAST]> + '_ {
    bytes.windows(LEAST).filter_map(|it| it.try_into().ok())
}

/// Whether anything of a secret can be read, but for its last characters.
fn holds(all: &Readable, secret: &str, kept: usize) -> bool {
    pieces(&secret.as_bytes()[..secret.len() - kept]).any(|it| all.contains(&it))
}

fn check(records: &[Written], codec: usize, version: i16, mask: (&str, usize), filtered: bool, twice: bool) {
    let (step, kept) = mask;
    let filter = r#"{"filter":{"where":"message.amount > 100"}},"#;
    let steps = format!("[{}{step}]", if filtered { filter } else { "" });
    let mut topic = shown(&steps);
    topic.id = sample::topic_id(5);
    let tenant = tenant_with(topic);
    let half = records.len() / 2;
    let batch = |records: &[Written]| {
        let samples: Vec<Sample> = records.iter().map(Written::sample).collect();
        samples::batch(CODECS[codec], &samples)
    };
    let mut log = batch(&records[..half.max(1)]);
    log.extend(at(1000, batch(&records[half..])));
    // What a broker cuts off at the end of an answer.
    let tail = batch(records);
    log.extend_from_slice(&tail[..tail.len() - 3]);
    let mut got = through_the_gateway(&tenant, version, Bytes::from(log.clone()));
    if twice {
        got = through_the_gateway(&tenant, version, Bytes::from(log));
    }
    let all = readable(&got);
    for record in records {
        assert!(!holds(&all, &record.card, kept), "a masked value: {record:?}");
        let passes = record.amount > 100 && !matches!(record.form, Form::Broken | Form::Deep);
        if filtered && !passes {
            assert!(!holds(&all, &record.note, 0), "a filtered record: {record:?}");
        }
    }
    let good =
        |it: &&Written| matches!(it.form, Form::Plain | Form::Spaced | Form::Escaped) && it.amount > 100;
    if let Some(record) = records.iter().find(good) {
        assert!(holds(&all, &record.note, 0), "what is shown is there: {record:?}");
    }
}

proptest! {
    #[test]
    fn nothing_of_a_masked_field_or_a_filtered_record_reaches_the_connection(
        records in prop::collection::vec(written(), 1..24),
        codec in 0_usize..5,
        version in prop_oneof![Just(4_i16), Just(11), Just(12), Just(13), Just(16), Just(17), Just(18)],
        mask in mask(),
        filtered: bool,
        twice: bool,
    ) {
        check(&records, codec, version, mask, filtered, twice);
    }
}

/// The test can see: without a view it finds what is secret, packed in every way.
#[test]
fn the_search_finds_what_is_there() {
    let record = Written {
        amount: 5,
        card: format!("{SECRET}4111111111111111"),
        note: "n".to_owned(),
        form: Form::Plain,
    };
    let mut topic = shown("");
    topic.id = sample::topic_id(5);
    let tenant = tenant_with(topic);
    for codec in CODECS {
        let log = samples::batch(codec, &[record.sample()]);
        let all = readable(&through_the_gateway(&tenant, 16, Bytes::from(log)));
        assert!(holds(&all, &record.card, 0), "{codec:?}");
    }
}

#[test]
fn an_error_of_the_broker_about_what_is_shared_tells_no_name_of_its_owner() {
    let mut topic = shown("");
    topic.id = sample::topic_id(5);
    let tenant = tenant_with(topic);
    let physical = tenant.cluster.by_name("shared").unwrap().physical_name.clone();
    let told = tenant
        .cluster
        .text_in(&format!("no leader for {physical}-0 of group w{}-g", sample::B));
    assert_eq!(told.as_str(), "no leader for shared-0 of group g");
    // It was subscribed to, and is shown no longer.
    let gone = StrBytes::from_string(format!("w{}-other", sample::A));
    assert_eq!(tenant.cluster.subscription_in(&gone).as_str(), "");
}
