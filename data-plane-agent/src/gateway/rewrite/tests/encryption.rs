//! Encrypted values in the produce and fetch paths: what the broker receives, who reads it, and what happens without keys.

use kafka_protocol::messages::{FetchRequest, FetchResponse, ProduceRequest, ProduceResponse};
use weir_proto::agent::v1::Enforcement;
use weir_proto::lane::v1::{KeyRing, LogicalTopic, Snapshot};

use super::records::{Metered, data, fetch, fetched, id_of, produce, produced};
use super::*;
use crate::data_keys::{waits_for_keys, without_keys};
use crate::gateway::cipher::tests::{mount, told};
use crate::gateway::contract::samples::{self, Sample, wish};
use crate::gateway::contract::tests::{bad, good, orders};
use crate::gateway::contract::unpack::Codec;
use crate::gateway::share::tests::read;

const CANARY: &[u8] = br#"{"card":"canary-4111"}"#;

/// `orders` of `a` is encrypted; `b` is shown it as `shared`.
fn snapshot(ring: &KeyRing) -> Snapshot {
    let mut snapshot = sample::snapshot();
    let original = &mut snapshot.clusters[0].topics[0];
    original.key_ring = Some(ring.clone());
    let original = original.clone();
    let readers = KeyRing {
        required: false,
        ..ring.clone()
    };
    snapshot.clusters[1].topics.push(LogicalTopic {
        id: sample::topic_id(5),
        physical_name: original.physical_name,
        physical_id: original.physical_id,
        partitions: original.partitions,
        ..mount("", readers)
    });
    snapshot
}

fn canary() -> Vec<u8> {
    samples::batch(Codec::Lz4, &[Sample::of(Some(b"k"), Some(CANARY))])
}

fn to_orders(records: Vec<u8>) -> ProduceRequest {
    produce(vec![data("orders", Uuid::nil(), records)])
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|it| it == wanted)
}

/// What the broker is sent of a batch.
fn stored(metered: &Metered, snapshot: &Snapshot, records: Vec<u8>) -> Vec<u8> {
    let tenant = metered.tenant_by(snapshot, "key_writer");
    let mut memory = Memory::default();
    let (sent, answer) = ask(&tenant, &mut memory, 9, &to_orders(records)).forwarded();
    let response = ProduceResponse::default().with_responses(vec![produced(
        &prefix("orders"),
        sample::physical_id(1),
        0,
    )]);
    reply::<ProduceRequest>(&tenant, &mut memory, 9, answer, &response);
    let stored = sent.topic_data[0].partition_data[0].records.clone().unwrap();
    stored.to_vec()
}

/// What a client is sent of what is stored: error and values.
fn seen(snapshot: &Snapshot, key: &str, topic: &str, stored: &[u8]) -> (i16, Vec<Option<String>>) {
    let metered = Metered::new();
    let tenant = metered.tenant_by(snapshot, key);
    let mut memory = Memory::default();
    let request = fetch(&[id_of(&tenant, topic)], (0, 0));
    let got = match ask(&tenant, &mut memory, 16, &request) {
        Outcome::Answered(answered) => answered,
        Outcome::Forwarded(_sent, answer) => {
            let response = FetchResponse::default()
                .with_responses(vec![fetched(sample::physical_id(1), stored.to_vec())]);
            reply::<FetchRequest>(&tenant, &mut memory, 16, answer, &response).0
        }
        Outcome::Wished(..) => panic!("a fetch"),
    };
    let partition = &got.responses[0].partitions[0];
    let records = partition.records.clone().unwrap_or_default();
    assert!(!holds(&records, b"\xC7WSE"), "no ciphertext");
    let values = read(&records).into_iter().map(|it| it.3).collect();
    (partition.error_code, values)
}

fn refused(snapshot: &Snapshot, records: Vec<u8>) -> (i16, String) {
    let metered = Metered::new();
    let tenant = metered.tenant_by(snapshot, "key_writer");
    let answered = ask(&tenant, &mut Memory::default(), 9, &to_orders(records)).answered();
    let told = &answered.responses[0].partition_responses[0];
    let text = told.error_message.as_ref().map(ToString::to_string);
    assert!(metered.rows().is_empty());
    (told.error_code, text.unwrap_or_default())
}

#[test]
fn the_broker_receives_ciphertext_and_both_sides_read_what_was_sent() {
    let (metered, snapshot) = (Metered::new(), snapshot(&told(&[7])));
    let plain = samples::batch(
        Codec::None,
        &[Sample::of(None, Some(CANARY)), Sample::of(Some(b"gone"), None)],
    );
    let stored = stored(&metered, &snapshot, plain.clone());
    assert!(holds(&plain, b"canary") && !holds(&stored, b"canary"));
    let rows: Vec<_> = metered.rows().into_iter().map(|it| (it.2, it.3)).collect();
    assert_eq!(
        rows,
        [(plain.len() as u64, 2)],
        "metered is what the producer sent"
    );
    let values = vec![Some(String::from_utf8(CANARY.to_vec()).unwrap()), None];
    assert_eq!(
        seen(&snapshot, "key_reader", "orders", &stored),
        (0, values.clone())
    );
    assert_eq!(
        seen(&snapshot, "key_other", "shared", &stored),
        (0, values.clone())
    );
    // What was there before is still read, by both.
    assert_eq!(seen(&snapshot, "key_other", "shared", &plain), (0, values));
}

#[test]
fn without_its_key_nothing_is_written_in_clear() {
    let refusal = |change: &dyn Fn(&mut KeyRing)| {
        let mut ring = told(&[7]);
        change(&mut ring);
        refused(&snapshot(&ring), canary())
    };
    let (code, text) = refusal(&|it| it.closed = true);
    assert_eq!(code, code::POLICY_VIOLATION);
    assert!(text.contains("orders") && text.contains("destroyed"), "{text}");
    assert_eq!(refusal(&|it| it.active = 0).0, code::NOT_ENOUGH_REPLICAS);
    assert_eq!(refusal(&|it| it.keys[0].key.clear()).0, code::NOT_ENOUGH_REPLICAS);
    let poison = samples::raw(1, 4, b"poison");
    assert_eq!(refused(&snapshot(&told(&[7])), poison).0, code::INVALID_RECORD);
    let mut corrupt = canary();
    corrupt[65] ^= 1;
    assert_eq!(refused(&snapshot(&told(&[7])), corrupt).0, code::CORRUPT_MESSAGE);
}

#[test]
fn after_its_destruction_nobody_reads_and_until_keys_come_nobody_passes_over() {
    let snapshot = |change: &dyn Fn(&mut KeyRing)| {
        let mut ring = told(&[7]);
        change(&mut ring);
        snapshot(&ring)
    };
    let stored = stored(&Metered::new(), &snapshot(&|_it| ()), canary());
    let gone = snapshot(&|it| {
        it.keys.clear();
        it.closed = true;
    });
    assert_eq!(seen(&gone, "key_reader", "orders", &stored), (0, vec![]), "a gap");
    let shut = (code::TOPIC_AUTHORIZATION_FAILED, vec![]);
    assert_eq!(seen(&gone, "key_other", "shared", &stored), shut);
    // As a gateway has it that starts without the agent.
    let bare = without_keys(snapshot(&|_it| ()));
    assert!(waits_for_keys(&bare));
    let later = (code::KAFKA_STORAGE_ERROR, vec![]);
    assert_eq!(seen(&bare, "key_reader", "orders", &stored), later);
    assert_eq!(seen(&bare, "key_other", "shared", &stored), later);
    // A gateway that has not heard of the newest key.
    let behind = snapshot(&|it| (it.keys[0].id, it.newest, it.active) = (5, 5, 5));
    assert_eq!(seen(&behind, "key_reader", "orders", &stored), later);
}

#[test]
fn without_tls_what_is_shared_encrypted_is_not_open() {
    let (metered, snapshot) = (Metered::new(), snapshot(&told(&[7])));
    let codes = [
        crate::gateway::share::Wire::Safe,
        crate::gateway::share::Wire::Clear,
    ]
    .map(|wire| {
        let view = View::build_over(&snapshot, &View::default(), wire);
        let tenant = metered.tenant_in(&view, "key_other");
        tenant.sees(tenant.cluster.by_name("shared").unwrap())
    });
    assert_eq!(codes, [true, false]);
}

#[test]
fn contracts_are_judged_on_what_was_sent_and_dead_letters_are_refused() {
    let enforcing = |enforcement| {
        let mut snapshot = snapshot(&told(&[7]));
        snapshot.schemas = vec![orders()];
        snapshot.clusters[0].topics[0].contract = Some(wish(enforcement, &[7]));
        snapshot
    };
    let batch = |records: &[Sample]| samples::batch(Codec::Zstd, records);
    for enforcement in [Enforcement::Reject, Enforcement::Dlq] {
        let (code, _text) = refused(&enforcing(enforcement), batch(&[good(), bad()]));
        assert_eq!(code, code::INVALID_RECORD, "{enforcement:?}");
        let passed = stored(&Metered::new(), &enforcing(enforcement), batch(&[good()]));
        assert!(holds(&uncompressed(&passed), b"\xC7WSE"));
    }
    for enforcement in [Enforcement::Mark, Enforcement::Shadow] {
        let stored = stored(&Metered::new(), &enforcing(enforcement), batch(&[good(), bad()]));
        let raw = uncompressed(&stored);
        assert!(holds(&raw, b"\xC7WSE") && !holds(&raw, b"alice"));
        assert_eq!(holds(&raw, b"__weir.violation"), enforcement == Enforcement::Mark);
        let (_code, values) = seen(&enforcing(enforcement), "key_reader", "orders", &stored);
        assert_eq!(values.len(), 2);
    }
}

fn uncompressed(batch: &[u8]) -> Vec<u8> {
    let head = crate::gateway::contract::records::head(batch).unwrap();
    crate::gateway::contract::unpack::unpack(head.codec.unwrap(), head.packed, 1 << 20).unwrap()
}

#[test]
fn what_was_read_before_encryption_began_is_sent_again() {
    let metered = Metered::new();
    let mut before = sample::snapshot();
    before.schemas = vec![orders()];
    before.clusters[0].topics[0].contract = Some(wish(Enforcement::Shadow, &[7]));
    let tenant = metered.tenant_by(&before, "key_writer");
    // Too large for between clients, so that it is judged aside.
    let long = samples::batch(Codec::Zstd, &[Sample::of(None, Some(&vec![b'x'; 200_000]))]);
    let header = header::<ProduceRequest>(9);
    let plan = request(
        &tenant,
        &mut Memory::default(),
        &header,
        body(&to_orders(long), 9),
    );
    let Ok(Plan::Judge(mut judging)) = plan else {
        panic!("aside");
    };
    judging.run(&|| false);
    let after = metered.tenant_by(&snapshot(&told(&[7])), "key_writer");
    let Ok(Plan::Local(frame)) = judging.finish(&after) else {
        panic!("it does not pass");
    };
    let answered = client_reads::<ProduceRequest>(&[frame], 9);
    assert_eq!(
        answered.responses[0].partition_responses[0].error_code,
        code::NOT_ENOUGH_REPLICAS
    );
}
