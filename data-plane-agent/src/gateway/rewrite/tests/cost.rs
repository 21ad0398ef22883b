//! What produce and fetch allocate on their way through, counted: seconds differ between machines, counts do not.
//!
//! The bounds stand a little above what is counted today. Who raises one says why in the commit.

use allocation_counter::{AllocationInfo, measure};

use super::records::{Metered, data, fetch, fetched, id_of, produce, produced};
use super::*;
use crate::gateway::meter::batch::tests::batch;
use kafka_protocol::messages::{FetchRequest, FetchResponse, ProduceRequest, ProduceResponse};

/// Records of a small request, and of one that nobody should copy.
const SMALL: usize = 4 * 1024;
const LARGE: usize = 1024 * 1024;

/// What planning a produce request and turning its answer allocate.
fn of_produce(version: i16, records: usize) -> [AllocationInfo; 2] {
    let metered = Metered::new();
    let (tenant, mut memory) = (metered.tenant("key_writer"), Memory::default());
    let id = id_of(&tenant, "orders");
    let asked = |sequence| {
        let records = batch(1, Some((9, 0, sequence)), records);
        body(&produce(vec![data("orders", id, records)]), version)
    };
    let answered = produced(&prefix("orders"), sample::physical_id(1), 0);
    let answered = body(
        &ProduceResponse::default().with_responses(vec![answered]),
        version,
    );
    let header = header::<ProduceRequest>(version);
    let mut counted = [AllocationInfo::default(); 2];
    // The first of a connection fills what the others find.
    for sequence in 0..3 {
        let (asked, answered) = (asked(sequence), answered.clone());
        let mut answer = None;
        counted[0] = measure(|| match request(&tenant, &mut memory, &header, asked).unwrap() {
            Plan::Forward(frame, turn) => answer = Some((frame, turn)),
            _other => panic!("a produce request is forwarded"),
        });
        let (_frame, turn) = answer.unwrap();
        counted[1] = measure(|| drop(turn(&tenant, &mut memory, answered).unwrap()));
    }
    counted
}

/// The same for a fetch.
fn of_fetch(version: i16, records: usize) -> [AllocationInfo; 2] {
    let metered = Metered::new();
    let (tenant, mut memory) = (metered.tenant("key_reader"), Memory::default());
    let asked = body(&fetch(&[id_of(&tenant, "orders")], (0, -1)), version);
    let answered = fetched(sample::physical_id(1), batch(1, None, records));
    let answered = body(&FetchResponse::default().with_responses(vec![answered]), version);
    let header = header::<FetchRequest>(version);
    let mut counted = [AllocationInfo::default(); 2];
    for _turn in 0..3 {
        let (asked, answered) = (asked.clone(), answered.clone());
        let mut answer = None;
        counted[0] = measure(|| match request(&tenant, &mut memory, &header, asked).unwrap() {
            Plan::Forward(frame, turn) => answer = Some((frame, turn)),
            _other => panic!("a fetch is forwarded"),
        });
        let (_frame, turn) = answer.unwrap();
        counted[1] = measure(|| drop(turn(&tenant, &mut memory, answered).unwrap()));
    }
    counted
}

fn within(what: &str, counted: AllocationInfo, most: u64, most_bytes: u64) {
    let (count, bytes) = (counted.count_total, counted.bytes_total);
    assert!(
        count <= most && bytes <= most_bytes,
        "{what}: {count} allocations of {bytes} bytes in all; allowed are {most} of {most_bytes}"
    );
}

#[test]
fn records_pass_without_a_copy_of_their_bytes() {
    for version in [9, 13] {
        let (small, large) = (of_produce(version, SMALL), of_produce(version, LARGE));
        for (way, (small, large)) in small.iter().zip(&large).enumerate() {
            assert_eq!(
                small.count_total, large.count_total,
                "produce {version}, way {way}"
            );
            assert_eq!(
                small.bytes_total, large.bytes_total,
                "produce {version}, way {way}"
            );
        }
    }
    let (small, large) = (of_fetch(16, SMALL), of_fetch(16, LARGE));
    for (way, (small, large)) in small.iter().zip(&large).enumerate() {
        assert_eq!(small.count_total, large.count_total, "fetch, way {way}");
        assert_eq!(small.bytes_total, large.bytes_total, "fetch, way {way}");
    }
}

#[test]
fn a_request_takes_no_more_allocations_than_it_did() {
    let [out, back] = of_produce(13, LARGE);
    within("produce to the broker", out, 16, 1_700);
    within("its answer", back, 12, 850);
    let [out, back] = of_fetch(16, LARGE);
    within("fetch to the broker", out, 6, 600);
    within("its answer", back, 8, 1_250);
}
