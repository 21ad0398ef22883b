//! Links over brokers in memory that fail and stop answering at every step.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;
use weir_proto::agent::v1::{Phase, Reason};

use super::scene::{COPY, FILLED, OWNER, Process, Scene, fill, sample};
use crate::gateway::contract::samples::batch;
use crate::gateway::contract::unpack::Codec;
use crate::platform::fake_logs::When;

#[tokio::test]
async fn records_are_copied_in_order_with_their_places_and_pairs() {
    let scene = Scene::new(2);
    fill(&scene);
    let running = scene.start();
    scene
        .until("all", || scene.copied(0).len() == 4 && scene.copied(1).len() == 1)
        .await;
    assert_eq!([scene.copied(0), scene.copied(1)], FILLED);
    let ready = || scene.goes(Phase::Ready, Reason::Unspecified) && scene.status().topics[0].records == 5;
    scene.until("ready", ready).await;
    let topic = scene.status().topics.remove(0);
    assert_eq!((topic.lag_records, topic.partitions), (0, 2));
    assert!(topic.caught_up_at_unix_ms > 0 && topic.bytes > 0);
    let stand = scene.logs.stand_of(OWNER);
    assert_eq!(
        stand[&(COPY.to_owned(), 0)].offset,
        7,
        "with markers and what was given up"
    );
    let there = |offset| running.links.translate("link_1", "topic_1", 0, offset).unwrap();
    assert_eq!((there(0).offset, there(7).offset, there(900).offset), (0, 4, 4));
    assert!(there(4).offset <= 2, "never later");
    assert_eq!(running.links.translate("link_1", "topic_1", 9, 0), None);
    running.kill();
}

#[tokio::test]
async fn whatever_fails_or_ends_at_any_step_each_record_is_there_once_and_in_order() {
    let calls = {
        let scene = Scene::new(2);
        fill(&scene);
        let running = scene.start();
        scene
            .until("undisturbed", || {
                scene.copied(0).len() == 4 && scene.copied(1).len() == 1
            })
            .await;
        running.kill();
        scene.logs.calls()
    };
    let last = calls.iter().rposition(|it| *it == "end").unwrap();
    let wanted: BTreeSet<&str> = calls[..=last].iter().copied().collect();
    for step in [
        "open", "stand", "sight", "leaders", "edges", "place", "end", "read", "begin", "append",
    ] {
        assert!(wanted.contains(step), "{step}: {calls:?}");
    }
    let cases = (0..=last + 2).flat_map(|at| {
        [When::Before, When::After, When::StuckBefore, When::StuckAfter].map(|when| (at, when))
    });
    let runs = cases.map(|(at, when)| async move {
        let scene = Scene::new(2);
        fill(&scene);
        scene.logs.fail(at, when);
        let first = scene.start();
        scene.until("the step", || scene.logs.calls().len() > at).await;
        let second = matches!(when, When::StuckBefore | When::StuckAfter).then(|| {
            first.kill();
            scene.start()
        });
        let what = format!("{at} {when:?}");
        scene
            .until(&what, || {
                scene.copied(0).len() >= 4 && !scene.copied(1).is_empty()
            })
            .await;
        scene.put(0, &["later"]);
        scene.until(&what, || scene.copied(0).len() >= 5).await;
        sleep(Duration::from_millis(100)).await;
        assert_eq!(scene.copied(0), ["a0", "a1", "a2", "a3", "later"], "{what}");
        assert_eq!(scene.copied(1), ["b0"], "{what}");
        first.kill();
        second.iter().for_each(Process::kill);
    });
    join_all(runs).await;
}

#[tokio::test]
async fn two_at_once_copy_nothing_twice() {
    let scene = Scene::new(2);
    fill(&scene);
    let both = [scene.start(), scene.start()];
    scene
        .until("both", || {
            scene.copied(0).len() >= 4 && !scene.copied(1).is_empty()
        })
        .await;
    for at in 0..8 {
        scene.put(0, &[&format!("c{at}")]);
        sleep(Duration::from_millis(150)).await;
    }
    scene.until("all", || scene.copied(0).len() >= 12).await;
    let expected: Vec<String> = FILLED[0]
        .iter()
        .map(|it| (*it).to_owned())
        .chain((0..8).map(|at| format!("c{at}")))
        .collect();
    assert_eq!(
        (scene.copied(0), scene.copied(1)),
        (expected, vec!["b0".to_owned()])
    );
    both.iter().for_each(Process::kill);
}

#[tokio::test]
async fn what_has_records_and_no_place_is_not_begun_anew() {
    let scene = Scene::new(1);
    scene.put(0, &["a"]);
    scene
        .logs
        .put(COPY, 0, &batch(Codec::None, &[sample("somebody's")]));
    let running = scene.start();
    scene
        .until("it says so", || scene.goes(Phase::Failed, Reason::StateMissing))
        .await;
    assert_eq!(scene.copied(0), ["somebody's"]);
    assert!(!scene.logs.calls().contains(&"append"));
    running.kill();

    // Places that Kafka has forgotten, of a copy that has nothing else to show for it.
    let scene = Scene::new(1);
    let running = scene.start();
    scene
        .until("open", || scene.goes(Phase::Ready, Reason::Unspecified))
        .await;
    running.stop.cancel();
    scene.logs.forget(OWNER);
    scene.put(0, &["a"]);
    let running = scene.start();
    scene
        .until("known to have begun", || {
            scene.goes(Phase::Failed, Reason::StateMissing)
        })
        .await;
    assert_eq!(scene.copied(0), [""; 0]);
    running.kill();
}

#[tokio::test]
async fn what_is_gone_before_it_was_copied_holds_the_topic() {
    let scene = Scene::new(1);
    scene.put(0, &["a"]);
    let running = scene.start();
    scene.until("one", || scene.copied(0).len() == 1).await;
    running.stop.cancel();
    scene.put(0, &["b"]);
    scene.put(0, &["c"]);
    scene.logs.expire("orders", 0, 2);
    let running = scene.start();
    scene
        .until("held", || scene.goes(Phase::Failed, Reason::DataExpired))
        .await;
    assert_eq!(scene.copied(0), ["a"], "nothing behind the gap");
    running.kill();
}
