//! Contracts in the produce path: what a producer is answered, what the broker receives, what counts.

use kafka_protocol::messages::produce_request::PartitionProduceData;
use kafka_protocol::messages::{FetchRequest, FetchResponse, ProduceRequest, ProduceResponse};
use weir_proto::agent::v1::Enforcement;

use super::records::{Metered, data, fetch, fetched, id_of, produce, produced};
use super::*;
use crate::gateway::contract::Pace;
use crate::gateway::contract::records::{Records, batches, head};
use crate::gateway::contract::samples::{self, Sample, wish};
use crate::gateway::contract::tests::{bad, good, orders};
use crate::gateway::contract::unpack::{Codec, unpack};

/// The sample with a contract on orders.
fn enforcing(enforcement: Enforcement) -> weir_proto::lane::v1::Snapshot {
    let mut snapshot = sample::snapshot();
    snapshot.schemas = vec![orders()];
    snapshot.clusters[0].topics[0].contract = Some(wish(enforcement, &[7]));
    snapshot
}

fn batch(records: &[Sample]) -> Vec<u8> {
    samples::batch(Codec::Lz4, records)
}

fn refused(
    response: &ProduceResponse,
) -> &kafka_protocol::messages::produce_response::PartitionProduceResponse {
    &response.responses[0].partition_responses[0]
}

#[test]
fn a_refused_batch_is_named_and_the_rest_of_the_request_passes() {
    for version in [3, 7, 8, 12, 13] {
        let metered = Metered::new();
        let tenant = metered.tenant_by(&enforcing(Enforcement::Reject), "key_writer");
        let mut memory = Memory::default();
        let mut both = data("orders", id_of(&tenant, "orders"), batch(&[good(), bad()]));
        let second = PartitionProduceData::default()
            .with_index(1)
            .with_records(Some(batch(&[good()]).into()));
        both.partition_data.push(second);
        let free = data("payments", id_of(&tenant, "payments"), batch(&[bad()]));
        let request = produce(vec![both, free]);
        let (sent, answer) = ask(&tenant, &mut memory, version, &request).forwarded();
        assert_eq!(sent.topic_data.len(), 2);
        assert_eq!(sent.topic_data[0].partition_data.len(), 1);
        assert_eq!(sent.topic_data[0].partition_data[0].index, 1);
        let acknowledged = |name: &str, number| {
            let mut topic = produced(&prefix(name), sample::physical_id(number), 0);
            topic.partition_responses[0].index = i32::from(number == 1);
            topic
        };
        let response = ProduceResponse::default()
            .with_responses(vec![acknowledged("orders", 1), acknowledged("payments", 2)]);
        let (read, _reply) = reply::<ProduceRequest>(&tenant, &mut memory, version, answer, &response);
        assert_eq!(read.responses.len(), 3);
        let told = &read.responses[2];
        if version >= 13 {
            assert_eq!(told.topic_id, id_of(&tenant, "orders"));
        } else {
            assert_eq!(told.name.as_str(), "orders");
        }
        let told = &told.partition_responses[0];
        assert_eq!(
            (told.index, told.error_code, told.base_offset),
            (0, code::INVALID_RECORD, -1)
        );
        if version >= 8 {
            let text = told.error_message.as_ref().unwrap();
            assert!(
                text.starts_with("1 of 2 records break the contract of topic orders. Record 1: "),
                "{text:?}"
            );
            assert_eq!(
                (told.record_errors.len(), told.record_errors[0].batch_index),
                (1, 1)
            );
            let reason = told.record_errors[0].batch_index_error_message.as_ref().unwrap();
            assert!(
                reason.contains("small") && !reason.contains("alice"),
                "{reason:?}"
            );
        }
        let rows: Vec<_> = metered.rows().into_iter().map(|it| (it.0, it.3)).collect();
        assert_eq!(
            rows,
            [(sample::topic_id(1), 1), (sample::topic_id(2), 1)],
            "what the broker took"
        );
    }
}

#[test]
fn a_request_of_refused_batches_never_reaches_the_broker() {
    let metered = Metered::new();
    let tenant = metered.tenant_by(&enforcing(Enforcement::Reject), "key_writer");
    let request = produce(vec![data("orders", Uuid::nil(), batch(&[bad()]))]);
    let answered = ask(&tenant, &mut Memory::default(), 9, &request).answered();
    assert_eq!(refused(&answered).error_code, code::INVALID_RECORD);
    assert!(metered.rows().is_empty());
    let mut corrupt = batch(&[good()]);
    corrupt[65] ^= 1;
    let request = produce(vec![data("orders", Uuid::nil(), corrupt)]);
    let answered = ask(&tenant, &mut Memory::default(), 9, &request).answered();
    assert_eq!(refused(&answered).error_code, code::CORRUPT_MESSAGE);
}

#[test]
fn without_acknowledgement_a_violation_ends_the_connection() {
    let metered = Metered::new();
    let tenant = metered.tenant_by(&enforcing(Enforcement::Reject), "key_writer");
    let planned = |record| {
        let request = produce(vec![data("orders", Uuid::nil(), batch(&[record]))]).with_acks(0);
        let plan = super::super::request(
            &tenant,
            &mut Memory::default(),
            &header::<ProduceRequest>(9),
            body(&request, 9),
        );
        judged(&tenant, plan)
    };
    assert!(matches!(
        planned(bad()),
        Err(Refusal::Unacknowledged(code::INVALID_RECORD))
    ));
    assert!(metered.rows().is_empty());
    assert!(matches!(planned(good()), Ok(Plan::Silent(_))));
    assert_eq!(metered.rows().len(), 1);
}

#[test]
fn in_shadow_what_was_sent_passes_byte_for_byte_and_is_counted() {
    let metered = Metered::new();
    let tenant = metered.tenant_by(&enforcing(Enforcement::Shadow), "key_writer");
    for records in [batch(&[bad(), good(), bad()]), samples::raw(1, 4, b"poison")] {
        let request = produce(vec![data("orders", Uuid::nil(), records.clone())]);
        let (sent, _answer) = ask(&tenant, &mut Memory::default(), 9, &request).forwarded();
        assert_eq!(
            sent.topic_data[0].partition_data[0].records.as_deref(),
            Some(&records[..])
        );
    }
    let report = tenant.contracts.window().unwrap().report.unwrap();
    assert_eq!((report.topics[0].records, report.topics[0].violating), (7, 6));
    assert_eq!(report.topics[0].topic_id, sample::topic_id(1));
    let mut told: Vec<_> = report
        .violations
        .iter()
        .map(|it| (it.records, it.principal_id.as_str()))
        .collect();
    told.sort_unstable();
    assert_eq!(told, [(2, "writer"), (4, "writer")]);
}

/// Of each record of a partition, its value and its headers of violations.
fn marks(records: &[u8]) -> Vec<(Vec<u8>, Vec<String>)> {
    let mut read = Vec::new();
    for batch in batches(records) {
        let head = head(batch).unwrap();
        assert!(head.whole);
        let unpacked = unpack(head.codec.unwrap(), head.packed, 1 << 20).unwrap();
        read.extend(Records::new(&unpacked, head.count.unwrap()).map(|record| {
            let record = record.unwrap();
            let marks = record
                .headers()
                .map(|(_name, value)| String::from_utf8(value.unwrap().to_vec()).unwrap());
            (record.value.unwrap().to_vec(), marks.take(3).collect())
        }));
    }
    read
}

#[test]
fn a_marked_record_says_what_is_wrong_and_the_rest_stays() {
    let metered = Metered::new();
    let tenant = metered.tenant_by(&enforcing(Enforcement::Mark), "key_writer");
    let untouched = batch(&[good()]);
    let (first, second) = (batch(&[good(), bad()]), samples::batch(Codec::Gzip, &[bad()]));
    let sent = [untouched.clone(), first, untouched.clone(), second].concat();
    let request = produce(vec![data("orders", Uuid::nil(), sent.clone())]);
    let (forwarded, answer) = ask(&tenant, &mut Memory::default(), 9, &request).forwarded();
    let records = forwarded.topic_data[0].partition_data[0]
        .records
        .as_deref()
        .unwrap();
    assert!(records.starts_with(&untouched) && records.len() > sent.len());
    let (before, after) = (marks(&sent), marks(records));
    assert_eq!(
        before.iter().map(|it| &it.0).collect::<Vec<_>>(),
        after.iter().map(|it| &it.0).collect::<Vec<_>>()
    );
    let marked: Vec<_> = after.iter().map(|it| it.1.join(" ")).collect();
    let broken = "CONDITION VALUE small";
    assert_eq!(marked, ["", "", broken, "", broken]);
    drop(answer);
    let single = batch(&[bad()]);
    let request = produce(vec![data("orders", Uuid::nil(), single.clone())]);
    let (forwarded, answer) = ask(&tenant, &mut Memory::default(), 9, &request).forwarded();
    let records = forwarded.topic_data[0].partition_data[0].records.as_deref();
    assert_ne!(records, Some(&single[..]));
    let taken = vec![produced(&prefix("orders"), Uuid::nil(), 0)];
    let response = ProduceResponse::default().with_responses(taken);
    reply::<ProduceRequest>(&tenant, &mut Memory::default(), 9, answer, &response);
    assert_eq!(metered.rows()[0].2, single.len() as u64, "as it was sent");
}

#[test]
fn what_cannot_be_marked_passes_as_it_is() {
    let metered = Metered::new();
    let tenant = metered.tenant_by(&enforcing(Enforcement::Mark), "key_writer");
    let mut corrupt = batch(&[bad()]);
    corrupt[65] ^= 1;
    for records in [
        batch(&[good()]),
        samples::raw(1, 4, b"poison"),
        samples::raw(0, 1, b"\x7f"),
        corrupt,
    ] {
        let request = produce(vec![data("orders", Uuid::nil(), records.clone())]);
        let (sent, _answer) = ask(&tenant, &mut Memory::default(), 9, &request).forwarded();
        assert_eq!(
            sent.topic_data[0].partition_data[0].records.as_deref(),
            Some(&records[..])
        );
    }
}

#[test]
fn where_nothing_is_enforced_nothing_is_judged() {
    for snapshot in [sample::snapshot(), enforcing(Enforcement::Off)] {
        let metered = Metered::new();
        let tenant = metered.tenant_by(&snapshot, "key_writer");
        let request = produce(vec![data("orders", Uuid::nil(), batch(&[bad()]))]);
        let (_sent, _answer) = ask(&tenant, &mut Memory::default(), 9, &request).forwarded();
        assert_eq!(tenant.contracts.window(), None);
    }
}

#[test]
fn who_may_not_write_learns_nothing_of_the_contract() {
    let metered = Metered::new();
    let tenant = metered.tenant_by(&enforcing(Enforcement::Reject), "key_reader");
    let request = produce(vec![data("orders", Uuid::nil(), batch(&[bad()]))]);
    let answered = ask(&tenant, &mut Memory::default(), 9, &request).answered();
    assert_eq!(refused(&answered).error_code, code::TOPIC_AUTHORIZATION_FAILED);
    assert_eq!(tenant.contracts.window(), None);
}

/// Records that take so long that they are judged beside the clients.
fn long() -> Vec<u8> {
    let records: Vec<_> = (0..4000).map(|_one| good()).collect();
    samples::batch(Codec::None, &records)
}

#[test]
fn what_was_taken_away_while_records_were_judged_does_not_pass() {
    let metered = Metered::new();
    let snapshot = enforcing(Enforcement::Reject);
    let tenant = metered.tenant_by(&snapshot, "key_writer");
    let request = produce(vec![
        data("orders", Uuid::nil(), long()),
        data("payments", Uuid::nil(), batch(&[good()])),
    ]);
    let plan = || {
        let header = header::<ProduceRequest>(9);
        match super::super::request(&tenant, &mut Memory::default(), &header, body(&request, 9)) {
            Ok(Plan::Judge(mut judging)) => {
                judging.run(&|| false);
                judging
            }
            _other => panic!("so many records are judged beside the clients"),
        }
    };
    let mut revoked = snapshot.clone();
    revoked.grants.retain(|it| it.principal_id != "writer");
    revoked.grants.push(weir_proto::agent::v1::Grant {
        pattern: "orders".to_owned(),
        ..snapshot.grants[2].clone()
    });
    let now = metered.tenant_by(&revoked, "key_writer");
    let finished = plan().finish(&now).unwrap();
    let Plan::Forward(frame, _answer) = finished else {
        panic!("orders pass");
    };
    let (_header, sent) = split_request(unframed(&frame)).unwrap();
    let sent: ProduceRequest = decode_request(9, sent, Budget::CLIENT).unwrap();
    assert_eq!(sent.topic_data.len(), 1);
    assert_eq!(sent.topic_data[0].name.as_str(), prefix("orders"));
    revoked.grants.pop();
    let now = metered.tenant_by(&revoked, "key_writer");
    let Ok(Plan::Local(frame)) = plan().finish(&now) else {
        panic!("nothing passes");
    };
    let answered = client_reads::<ProduceRequest>(&[frame], 9);
    assert_eq!(answered.responses.len(), 2);
    assert_eq!(refused(&answered).error_code, code::TOPIC_AUTHORIZATION_FAILED);
}

#[test]
fn a_dead_letter_is_marked_and_what_cannot_be_marked_is_refused() {
    let metered = Metered::new();
    let tenant = metered.tenant_by(&enforcing(Enforcement::Dlq), "key_writer");
    let request = produce(vec![data("orders", Uuid::nil(), batch(&[good(), bad()]))]);
    let (sent, _answer) = ask(&tenant, &mut Memory::default(), 9, &request).forwarded();
    let records = sent.topic_data[0].partition_data[0].records.as_deref().unwrap();
    let head = head(records).unwrap();
    let unpacked = unpack(head.codec.unwrap(), head.packed, 1 << 20).unwrap();
    let dead: Vec<_> = Records::new(&unpacked, head.count.unwrap())
        .map(|it| it.unwrap().header("__weir.withheld").is_some())
        .collect();
    assert_eq!(dead, [false, true]);
    let mut corrupt = batch(&[bad()]);
    corrupt[65] ^= 1;
    let unreadable = [
        (samples::raw(1, 4, b"poison"), code::INVALID_RECORD),
        (corrupt, code::CORRUPT_MESSAGE),
        (
            [batch(&[bad()]), samples::raw(0, 1, b"\x7f")].concat(),
            code::INVALID_RECORD,
        ),
    ];
    for (records, expected) in unreadable {
        let request = produce(vec![data("orders", Uuid::nil(), records)]);
        let answered = ask(&tenant, &mut Memory::default(), 9, &request).answered();
        assert_eq!(refused(&answered).error_code, expected);
    }
}

/// What a reader is sent of these records under an enforcement, and what is counted.
fn read_back(enforcement: Enforcement, records: Vec<u8>) -> (Bytes, Vec<(Arc<str>, u64, u64)>) {
    let metered = Metered::new();
    let tenant = metered.tenant_by(&enforcing(enforcement), "key_reader");
    let mut memory = Memory::default();
    let request = fetch(&[id_of(&tenant, "orders")], (0, 0));
    let (_sent, answer) = ask(&tenant, &mut memory, 16, &request).forwarded();
    let response = FetchResponse::default().with_responses(vec![fetched(sample::physical_id(1), records)]);
    let (read, reply) = reply::<FetchRequest>(&tenant, &mut memory, 16, answer, &response);
    let records = read.responses[0].partitions[0].records.clone();
    (records.unwrap(), reply.sent)
}

#[test]
fn dead_letters_are_withheld_where_they_are_such() {
    let dead = bad().with(&[("__weir.withheld", Some(b"DLQ"))]);
    let records = [batch(&[good(), dead.clone()]), batch(&[dead])].concat();
    for enforcement in [Enforcement::Mark, Enforcement::Shadow, Enforcement::Off] {
        let (read, sent) = read_back(enforcement, records.clone());
        assert!(read == records, "{enforcement:?}");
        assert_eq!(sent[0].2, 3);
    }
    let (read, sent) = read_back(Enforcement::Dlq, records);
    let left: Vec<_> = batches(&read).collect();
    assert_eq!(left.len(), 2, "a gap for the batch of which nothing is left");
    assert!(head(left[1]).unwrap().control);
    let values: Vec<_> = marks(left[0]).into_iter().map(|it| it.0).collect();
    assert_eq!(values.len(), 1);
    assert!(values[0].ends_with(br#"{"amount":17}"#));
    assert_eq!(
        sent,
        [(Arc::from(sample::topic_id(1)), read.len() as u64, 1)],
        "what was sent"
    );
}

#[test]
fn records_revoked_while_dead_letters_were_taken_out_are_not_delivered() {
    let metered = Metered::new();
    let snapshot = enforcing(Enforcement::Dlq);
    let tenant = metered.tenant_by(&snapshot, "key_reader");
    let mut memory = Memory::default();
    let request = fetch(&[id_of(&tenant, "orders")], (0, 0));
    let (_sent, answer) = ask(&tenant, &mut memory, 16, &request).forwarded();
    let response = FetchResponse::default().with_responses(vec![fetched(sample::physical_id(1), long())]);
    let reply = answer(&tenant, &mut memory, body(&response, 16)).unwrap();
    let mut screening = reply.screening.unwrap();
    assert!(screening.run(&Pace::aside(&|| false)));
    let mut revoked = snapshot;
    revoked.grants.retain(|it| it.principal_id != "reader");
    let reply = screening
        .finish(&metered.tenant_by(&revoked, "key_reader"))
        .unwrap();
    assert!(reply.sent.is_empty() && reply.records_bytes == 0);
    let read = client_reads::<FetchRequest>(&reply.frame, 16);
    assert_eq!(
        read.responses[0].partitions[0].error_code,
        code::TOPIC_AUTHORIZATION_FAILED
    );
}
