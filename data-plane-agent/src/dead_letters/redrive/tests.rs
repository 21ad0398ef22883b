//! Redriving over brokers in memory that fail and stop answering at every step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};
use weir_proto::agent::v1::Enforcement;

use super::account::Tally;
use super::scene::{
    DEAD, LONG, LOOSE, OTHER, OWNER, SOURCE, Scene, TARGET, TIGHT, amount, amounts, contract, ended, letter,
    of, served, told, values,
};
use super::{Phase, Wish};
use crate::dead_letters::Refusal;
use crate::dead_letters::headers::{
    NOT_REDRIVEN, ORIGIN_OFFSET, ORIGIN_PARTITION, ORIGIN_TIMESTAMP, REDRIVEN, RULE_EXCEPTION, RULE_MODE,
    RULE_NAME, RULE_SUBJECT, RULE_TOPIC, TOO_LARGE,
};
use crate::dead_letters::routes::tests::ORDERS;
use crate::gateway::contract::mark;
use crate::gateway::contract::samples::{Sample, batch};
use crate::gateway::contract::unpack::Codec;
use crate::platform::fake_logs::When;

#[tokio::test]
async fn what_is_good_now_goes_where_it_was_sent_and_the_rest_to_the_end_with_the_new_reason() {
    let scene = Scene::new(Enforcement::Dlq, LOOSE);
    scene.put(0, Codec::Zstd, &[letter(5000), letter(200_000)]);
    let stand_in = Sample::of(None, None)
        .with(&told("orders", "below_1000", "0"))
        .with(&[(TOO_LARGE, Some(b"99"))]);
    let mute = Sample::of(None, Some(b"mute"));
    scene.put(
        1,
        Codec::None,
        &[of("orders", "below_1000", "4", 1), stand_in, mute],
    );
    let progress = scene.redriven(Wish::default()).await;
    assert_eq!((progress.phase, progress.reason), (Phase::Done, None));
    assert_eq!(
        progress.tally,
        Tally {
            letters: 5,
            judged: 3,
            delivered: 2,
            still_violating: BTreeMap::from([("below_100000".to_owned(), 1)]),
            skipped: progress.tally.skipped.clone(),
            left_out: 0,
        }
    );
    assert_eq!(progress.tally.skipped.values().sum::<u64>(), 2);
    assert_eq!(progress.to, BTreeMap::from([(0, 2), (1, 3)]));
    let there = scene.seen(SOURCE);
    // Partition 4 is not there any more: 0 of two.
    assert_eq!(
        there
            .iter()
            .map(|it| (it.at.0, it.value.as_str()))
            .collect::<Vec<_>>(),
        [(0, amount(1).as_str()), (1, amount(5000).as_str())]
    );
    assert_eq!(there[1].names(), ["own"]);
    let left = scene.left();
    assert_eq!(left.len(), 3);
    assert_eq!(
        left[0].names(),
        [
            "own",
            RULE_NAME,
            RULE_MODE,
            RULE_SUBJECT,
            RULE_TOPIC,
            RULE_EXCEPTION,
            ORIGIN_PARTITION,
            ORIGIN_OFFSET,
            ORIGIN_TIMESTAMP,
            REDRIVEN
        ]
    );
    let told = |name| left[0].header(name).unwrap();
    assert_eq!((told(RULE_NAME), told(REDRIVEN)), ("below_100000", "1"));
    assert_eq!((told(ORIGIN_PARTITION), told(ORIGIN_OFFSET)), ("1", "7"));
    assert!(told(RULE_EXCEPTION).contains("below_100000"), "{left:?}");
    for (at, why) in [(1, "too large"), (2, "does not say which topic")] {
        assert!(left[at].header(NOT_REDRIVEN).unwrap().contains(why), "{left:?}");
        assert_eq!(left[at].header(REDRIVEN), Some("1"));
    }
    assert_eq!(left[1].header(TOO_LARGE), Some("99"));

    // Once more: nothing of it is delivered again.
    let again = scene.redriven(Wish::default()).await;
    assert_eq!((again.tally.letters, again.tally.delivered), (3, 0));
    assert_eq!(scene.seen(SOURCE).len(), 2);
    let left = scene.left();
    assert_eq!(left.len(), 3);
    for it in left {
        assert_eq!(it.header(REDRIVEN), Some("2"));
    }
}

#[tokio::test]
async fn what_the_contract_refuses_never_gets_past_it() {
    for (enforcement, passes) in [
        (Enforcement::Dlq, false),
        (Enforcement::Reject, false),
        (Enforcement::Mark, true),
        (Enforcement::Shadow, true),
        (Enforcement::Off, true),
    ] {
        let scene = Scene::new(enforcement, TIGHT);
        scene.put(0, Codec::None, &[letter(5000), letter(5)]);
        let progress = scene.redriven(Wish::default()).await;
        let delivered = if passes { &[5000, 5][..] } else { &[5] };
        let there = scene.seen(SOURCE);
        assert_eq!(values(&there), amounts(delivered), "{enforcement:?}");
        assert_eq!(progress.tally.delivered, delivered.len() as u64);
        assert_eq!(scene.left().len(), 2 - delivered.len());
        let marked = there
            .iter()
            .filter(|it| it.header(mark::RULE) == Some("below_1000"));
        assert_eq!(marked.count(), usize::from(enforcement == Enforcement::Mark));
        assert!(there.iter().all(|it| it.header(mark::WITHHELD).is_none()));
    }
}

#[tokio::test]
async fn a_letter_goes_into_no_topic_whose_contract_does_not_name_its_own() {
    let scene = Scene::new(Enforcement::Off, LOOSE);
    let forged = [
        of("other", "below_1000", "0", 1),
        of(OTHER, "below_1000", "0", 2),
        of("letters", "below_1000", "0", 3),
        of("", "below_1000", "0", 4),
        of("orders", "below_1000", "-1", 5),
        of("orders", "below_1000", "x", 6),
    ];
    scene.put(0, Codec::None, &forged);
    let progress = scene.redriven(Wish::default()).await;
    assert_eq!((progress.phase, progress.tally.judged), (Phase::Done, 0));
    assert_eq!(progress.tally.skipped.values().sum::<u64>(), 6);
    assert_eq!((scene.seen(OTHER).len(), scene.seen(SOURCE).len()), (0, 0));
    assert_eq!(values(&scene.left()), amounts(&[1, 2, 3, 4, 5, 6]));
    // Nor when its own topic is gone.
    scene.logs.remove(SOURCE);
    scene.put(0, Codec::None, &[letter(7)]);
    let progress = scene.redriven(Wish::default()).await;
    assert_eq!((progress.phase, progress.tally.delivered), (Phase::Done, 0));
    assert_eq!(scene.left().len(), 7);
}

#[tokio::test]
async fn letters_of_other_rules_are_written_again_as_they_are() {
    let scene = Scene::new(Enforcement::Dlq, LOOSE);
    let other = |value| of("orders", "another", "0", value);
    scene.put(0, Codec::Lz4, &[other(1), letter(2), other(3)]);
    scene.put(1, Codec::Lz4, &[letter(200_000)]);
    let before = scene.seen(TARGET);
    let wish = Wish {
        rule: Some("below_1000".to_owned()),
        ..Wish::default()
    };
    let progress = scene.redriven(wish).await;
    assert_eq!((progress.tally.left_out, progress.tally.delivered), (2, 1));
    assert_eq!(values(&scene.seen(SOURCE)), amounts(&[2]));
    let left = scene.left();
    assert_eq!(values(&left), amounts(&[1, 3, 200_000]));
    assert_eq!(left[0].headers, before[0].headers);
    assert_eq!(left[2].header(REDRIVEN), Some("1"));
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_moves_nothing() {
    let scene = Scene::new(Enforcement::Dlq, LOOSE);
    scene.put(0, Codec::Zstd, &[letter(5000)]);
    scene.put(1, Codec::Zstd, &[letter(200_000)]);
    let wish = Wish {
        dry_run: true,
        rule: None,
    };
    // With an error on the way it counts each once.
    scene.logs.fail(5, When::Before);
    let dry = scene.redriven(wish).await;
    assert_eq!((dry.phase, dry.tally.letters), (Phase::Done, 2));
    assert_eq!((dry.tally.delivered, dry.at[&0], dry.at[&1]), (1, 1, 1));
    let asks = ["leaders", "stand", "edges", "read"];
    assert!(scene.logs.calls().iter().all(|it| asks.contains(it)));
    assert_eq!((scene.seen(SOURCE).len(), scene.left().len()), (0, 2));
    assert!(scene.logs.stand_of(OWNER).is_empty());
    assert_eq!(scene.redriven(Wish::default()).await.tally, dry.tally);
}

fn fill(scene: &Scene) {
    scene.put(0, Codec::None, &[letter(1), letter(200_001), letter(2)]);
    scene.put(0, Codec::Gzip, &[of("orders", "below_1000", "0", 3), letter(4)]);
    scene.put(
        1,
        Codec::Zstd,
        &[letter(200_002), of("nowhere", "x", "0", 200_003)],
    );
}

const GOOD: [u32; 4] = [1, 2, 3, 4];
const BAD: [u32; 3] = [200_001, 200_002, 200_003];

#[tokio::test]
async fn whatever_fails_or_ends_at_any_step_each_letter_is_delivered_once_or_still_there() {
    let calls = {
        let scene = Scene::new(Enforcement::Dlq, LOOSE);
        fill(&scene);
        scene.redriven(Wish::default()).await;
        scene.logs.calls().len()
    };
    assert!(calls >= 15, "{calls}");
    let cases = (0..calls).flat_map(|at| {
        [When::Before, When::After, When::StuckBefore, When::StuckAfter].map(|when| (at, when))
    });
    let runs = cases.map(|(at, when)| async move {
        let scene = Scene::new(Enforcement::Dlq, LOOSE);
        fill(&scene);
        scene.logs.fail(at, when);
        let what = format!("{at} {when:?}");
        let first = scene.office();
        first.begin(DEAD, Wish::default()).unwrap();
        if matches!(when, When::StuckBefore | When::StuckAfter) {
            let until = Instant::now() + LONG;
            while scene.logs.calls().len() <= at {
                assert!(Instant::now() < until, "{what}");
                sleep(Duration::from_millis(5)).await;
            }
            // A process that stopped answering is replaced by another.
            drop(first);
            assert_eq!(scene.redriven(Wish::default()).await.phase, Phase::Done, "{what}");
        } else {
            let progress = ended(&first).await;
            assert_eq!(progress.phase, Phase::Done, "{what}");
            let Tally {
                letters, delivered, ..
            } = progress.tally;
            assert_eq!((letters, delivered), (7, 4), "{what}");
        }
        assert_eq!(values(&scene.seen(SOURCE)), amounts(&GOOD), "{what}");
        assert_eq!(values(&scene.left()), amounts(&BAD), "{what}");
        // And once more, when nothing fails.
        let again = scene.redriven(Wish::default()).await;
        assert_eq!((again.tally.letters, again.tally.delivered), (3, 0), "{what}");
        assert_eq!(values(&scene.seen(SOURCE)), amounts(&GOOD), "{what}");
    });
    join_all(runs).await;
}

#[tokio::test]
async fn two_agents_at_once_deliver_nothing_twice() {
    let scene = Scene::new(Enforcement::Dlq, LOOSE);
    fill(&scene);
    let both = [scene.office(), scene.office()];
    for office in &both {
        office.begin(DEAD, Wish::default()).unwrap();
    }
    for office in &both {
        assert_eq!(ended(office).await.phase, Phase::Done);
    }
    assert_eq!(values(&scene.seen(SOURCE)), amounts(&GOOD));
    assert_eq!(values(&scene.left()), amounts(&BAD));
}

#[tokio::test]
async fn positions_that_kafka_forgot_are_known_all_the_same() {
    let scene = Scene::new(Enforcement::Dlq, LOOSE);
    fill(&scene);
    scene.redriven(Wish::default()).await;
    scene.logs.forget(OWNER);
    let again = scene.redriven(Wish::default()).await;
    assert_eq!((again.tally.letters, again.tally.delivered), (3, 0));
    assert_eq!(values(&scene.seen(SOURCE)), amounts(&GOOD));
}

#[tokio::test]
async fn what_no_topic_takes_is_not_passed_over() {
    let scene = Scene::new(Enforcement::Dlq, LOOSE);
    scene.put(0, Codec::None, &[letter(5), letter(6)]);
    scene.logs.limit(SOURCE, 30);
    let progress = scene.redriven(Wish::default()).await;
    assert_eq!((progress.phase, progress.tally.delivered), (Phase::Done, 0));
    let left = scene.left();
    assert_eq!(values(&left), amounts(&[5, 6]));
    assert!(left[0].header(NOT_REDRIVEN).unwrap().contains("so large"));
    // Not even the dead-letter topic, whose limit was lowered.
    scene.logs.limit(TARGET, 30);
    let progress = scene.redriven(Wish::default()).await;
    assert_eq!(progress.phase, Phase::Failed);
    assert!(progress.reason.unwrap().contains("max.message.bytes"));
    assert_eq!(scene.left(), left);
    scene.logs.limit(SOURCE, 10_000);
    assert_eq!(scene.redriven(Wish::default()).await.tally.delivered, 2);
    assert_eq!(values(&scene.seen(SOURCE)), amounts(&[5, 6]));
}

#[tokio::test]
async fn one_at_a_time_which_can_be_cancelled_and_ends_with_the_contract() {
    let scene = Scene::new(Enforcement::Dlq, TIGHT);
    scene.put(0, Codec::None, &[letter(5)]);
    // It holds the redrive up, as long as it is open.
    let open = batch(Codec::None, &[letter(5000)]);
    scene.logs.put_in_transaction(TARGET, 9, &open, None);
    let office = scene.office();
    assert_eq!(office.look(DEAD), Err(Refusal::NoRedrive));
    assert_eq!(office.begin(ORDERS, Wish::default()), Err(Refusal::Unknown));
    office.begin(DEAD, Wish::default()).unwrap();
    assert_eq!(office.begin(DEAD, Wish::default()), Err(Refusal::Running));
    let until = Instant::now() + LONG;
    while office.look(DEAD).unwrap().waits_for.is_none() {
        assert!(Instant::now() < until);
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(office.look(DEAD).unwrap().tally.delivered, 1);
    office.cancel(DEAD).unwrap();
    assert_eq!(ended(&office).await.phase, Phase::Cancelled);

    // What is judged meanwhile, is judged by what is in force then.
    office.begin(DEAD, Wish::default()).unwrap();
    while office.look(DEAD).unwrap().waits_for.is_none() {
        assert!(Instant::now() < until);
        sleep(Duration::from_millis(10)).await;
    }
    scene
        .snapshot
        .send_replace(Arc::new(served(Some(contract(Enforcement::Dlq, LOOSE)))));
    scene.logs.put_in_transaction(TARGET, 9, &open, Some(true));
    let progress = ended(&office).await;
    assert_eq!((progress.phase, progress.tally.delivered), (Phase::Done, 1));
    assert_eq!(values(&scene.seen(SOURCE)), amounts(&[5, 5000]));

    scene.logs.put_in_transaction(TARGET, 9, &open, None);
    office.begin(DEAD, Wish::default()).unwrap();
    scene.snapshot.send_replace(Arc::new(served(None)));
    let progress = ended(&office).await;
    assert_eq!(progress.phase, Phase::Failed);
    assert!(progress.reason.unwrap().contains("any more"));
    assert_eq!(office.begin(DEAD, Wish::default()), Err(Refusal::Unknown));
}
