//! Counting exactly once: through retries, cut connections, closed windows and kills.

use super::*;

fn payer() -> Payer {
    Payer {
        cluster: "cluster_a".into(),
        principal: "service_account_a".into(),
    }
}

fn outgoing(sequence: Option<i32>, bytes: u64) -> Outgoing {
    Outgoing {
        topic: "topic_a".into(),
        partition: 0,
        batch: Batch {
            bytes,
            records: 2,
            producer: sequence.map(|sequence| Producer {
                id: 7,
                epoch: 0,
                sequence,
            }),
            transactional: false,
        },
    }
}

fn open(folder: &Path, boot: u64) -> Arc<Meter> {
    Arc::new(Meter::open(folder, "gateway", boot).unwrap())
}

/// (boot, sequence, direction, uncertain, bytes, records, requests) of every kept row.
fn kept(meter: &Meter) -> Vec<(u64, u64, Direction, bool, u64, u64, u64)> {
    meter.close_window().unwrap();
    let windows = meter.unacknowledged(100).unwrap();
    windows
        .iter()
        .flat_map(|window| {
            window.rows.iter().map(|row| {
                let direction = row.direction();
                (
                    window.boot,
                    window.sequence,
                    direction,
                    row.uncertain,
                    row.bytes,
                    row.records,
                    row.requests,
                )
            })
        })
        .collect()
}

const PRODUCE: Direction = Direction::Produce;

#[test]
fn acknowledged_batches_count_and_refused_ones_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let meter = open(folder.path(), 1);
    let batches = [outgoing(None, 100), outgoing(None, 50), outgoing(None, 7)];
    meter
        .intend(&payer(), &batches)
        .settle(&[Fate::Acknowledged, Fate::Refused, Fate::Acknowledged]);
    assert_eq!(kept(&meter), [(1, 1, PRODUCE, false, 107, 4, 1)]);
}

#[test]
fn a_retry_of_an_idempotent_batch_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let meter = open(folder.path(), 1);
    for _attempt in 0..3 {
        meter
            .intend(&payer(), &[outgoing(Some(0), 100)])
            .settle(&[Fate::Acknowledged]);
    }
    meter
        .intend(&payer(), &[outgoing(Some(2), 10)])
        .settle(&[Fate::Acknowledged]);
    assert_eq!(kept(&meter), [(1, 1, PRODUCE, false, 110, 4, 2)]);
}

#[test]
fn a_cut_request_is_uncertain_unless_its_retry_tells() {
    let folder = tempfile::tempdir().unwrap();
    let meter = open(folder.path(), 1);
    drop(meter.intend(&payer(), &[outgoing(None, 30)]));
    drop(meter.intend(&payer(), &[outgoing(Some(4), 100)]));
    drop(meter.intend(&payer(), &[outgoing(Some(6), 9)]));
    meter
        .intend(&payer(), &[outgoing(Some(4), 100)])
        .settle(&[Fate::Acknowledged]);
    meter.lock().give_up_orphans(Duration::ZERO);
    assert_eq!(
        kept(&meter),
        [(1, 1, PRODUCE, false, 100, 2, 1), (1, 1, PRODUCE, true, 39, 4, 2)]
    );
    assert!(meter.lock().intents.is_empty());
}

#[test]
fn a_window_that_nobody_acknowledged_is_kept_and_an_acknowledged_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let meter = open(folder.path(), 1);
    meter.fetched(&payer(), &[("topic_a".into(), 5, 1)]);
    assert!(meter.close_window().unwrap());
    assert!(!meter.close_window().unwrap(), "no rows, no window");
    meter.forwarded(&payer(), &[outgoing(None, 3)]);
    assert_eq!(
        kept(&meter),
        [
            (1, 1, Direction::Fetch, false, 5, 1, 1),
            (1, 2, PRODUCE, false, 3, 2, 1)
        ]
    );
    meter.acknowledged((1, 1)).unwrap();
    meter.acknowledged((1, 1)).unwrap();
    assert_eq!(kept(&meter).len(), 1);
}

#[test]
fn a_kill_loses_no_count_and_doubles_none() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path(), 1);
    first
        .intend(&payer(), &[outgoing(Some(0), 100)])
        .settle(&[Fate::Acknowledged]);
    first.fetched(&payer(), &[("topic_a".into(), 44, 4)]);
    // In flight when the process is killed: forgotten tickets write nothing more.
    std::mem::forget(first.intend(&payer(), &[outgoing(Some(2), 10)]));
    std::mem::forget(first.intend(&payer(), &[outgoing(None, 1)]));
    first.flush();
    // Fetched since: at most so much is under.
    first.fetched(&payer(), &[("topic_a".into(), 7, 1)]);
    let second = open(folder.path(), 2);
    // The client retries both of its batches; the first was counted before the kill.
    for sequence in [0, 2] {
        let bytes = if sequence == 0 { 100 } else { 10 };
        second
            .intend(&payer(), &[outgoing(Some(sequence), bytes)])
            .settle(&[Fate::Acknowledged]);
    }
    assert_eq!(
        kept(&second),
        [
            (1, 1, PRODUCE, false, 100, 2, 1),
            (1, 1, Direction::Fetch, false, 44, 4, 1),
            (2, 1, PRODUCE, false, 10, 2, 1),
            (2, 1, PRODUCE, true, 1, 2, 1)
        ]
    );
    assert_eq!(kept(&open(folder.path(), 3)).len(), 4, "a restart adds nothing");
}

#[test]
fn what_was_on_its_way_outlives_a_second_kill_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path(), 1);
    std::mem::forget(first.intend(&payer(), &[outgoing(Some(2), 10)]));
    first.flush();
    // Killed again before it noted anything of its own.
    drop(open(folder.path(), 2));
    let third = open(folder.path(), 3);
    third
        .intend(&payer(), &[outgoing(Some(2), 10)])
        .settle(&[Fate::Acknowledged]);
    assert_eq!(kept(&third), [(3, 1, PRODUCE, false, 10, 2, 1)]);
    let fourth = open(folder.path(), 4);
    assert_eq!(kept(&fourth).len(), 1, "and is not uncertain beside");
}

#[test]
fn a_request_in_flight_over_the_end_of_its_window_counts_in_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let meter = open(folder.path(), 1);
    meter.fetched(&payer(), &[("topic_a".into(), 1, 1)]);
    let ticket = meter.intend(&payer(), &[outgoing(None, 70)]);
    assert!(meter.close_window().unwrap());
    ticket.settle(&[Fate::Acknowledged]);
    std::mem::forget(meter.intend(&payer(), &[outgoing(None, 6)]));
    meter.flush();
    // Killed: the journal of the second window knows the first request only from what was carried over.
    let next = open(folder.path(), 2);
    assert_eq!(
        kept(&next),
        [
            (1, 1, Direction::Fetch, false, 1, 1, 1),
            (1, 2, PRODUCE, false, 70, 2, 1),
            (2, 1, PRODUCE, true, 6, 2, 1)
        ]
    );
}

#[test]
fn a_journal_that_a_kill_cut_short_is_read_up_to_there() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path(), 1);
    first.fetched(&payer(), &[("topic_a".into(), 5, 1)]);
    first.fetched(&payer(), &[("topic_a".into(), 6, 1)]);
    first.flush();
    let log = std::fs::read_dir(folder.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let content = std::fs::read(&log).unwrap();
    std::fs::write(&log, &content[..content.len() - 3]).unwrap();
    assert_eq!(
        kept(&open(folder.path(), 2)),
        [(1, 1, Direction::Fetch, false, 5, 1, 1)]
    );
}
