//! What links do about a source, a copy or a wish that is not as it was.

use std::time::Duration;

use tokio::time::sleep;
use weir_proto::agent::v1::{Phase, Reason};

use super::Plan;
use super::plan::Goes;
use super::scene::{COPY, Scene, plan, route, sample};
use crate::dead_letters::walk;
use crate::gateway::contract::samples::batch;
use crate::gateway::contract::unpack::Codec;
use crate::platform::kafka::KafkaError;

#[tokio::test]
async fn what_the_source_refuses_is_said_and_goes_on_when_it_does_not_any_more() {
    let scene = Scene::new(1);
    scene.put(0, &["a"]);
    scene.logs.refuse("orders", 29);
    let running = scene.start();
    scene
        .until("unauthorized", || {
            scene.goes(Phase::Degraded, Reason::Unauthorized)
        })
        .await;
    scene.logs.refuse("orders", 3);
    scene
        .until("missing", || scene.goes(Phase::Degraded, Reason::SourceMissing))
        .await;
    scene.logs.refuse("orders", 0);
    scene.until("there", || scene.copied(0) == ["a"]).await;
    // While it runs.
    scene.logs.refuse("orders", 29);
    scene
        .until("revoked", || scene.goes(Phase::Degraded, Reason::Unauthorized))
        .await;
    running.kill();
    for (error, reason) in [
        (KafkaError::Stranger, Reason::PeerRefused),
        (KafkaError::Unreachable, Reason::PeerUnreachable),
        (KafkaError::Refused(29), Reason::Unauthorized),
    ] {
        let scene = Scene::new(1);
        scene.put(0, &["a"]);
        scene.logs.be_away(Some(error));
        let running = scene.start();
        scene.until("said", || scene.goes(Phase::Degraded, reason)).await;
        scene.logs.be_away(None);
        scene.until("there", || scene.copied(0) == ["a"]).await;
        running.kill();
    }
}

#[tokio::test]
async fn one_topic_in_the_way_leaves_the_others() {
    let scene = Scene::new(1);
    scene.logs.make("other", 1);
    scene.logs.make("w01d-other", 1);
    scene.logs.limit(COPY, 120);
    scene.put(0, &["a", "b", "c"]);
    let large: String = (0_u32..300)
        .map(|at| format!("{:x}", at.wrapping_mul(2_654_435_761)))
        .collect();
    scene.put(0, &[&large]);
    scene
        .logs
        .put("other", 0, &batch(Codec::None, &[sample("other")]));
    let mut other = route(false);
    (other.topic_id, other.source, other.copy) =
        ("topic_2".to_owned(), "other".to_owned(), "w01d-other".to_owned());
    scene.wish(Some(plan(vec![route(false), other])));
    let running = scene.start_all();
    let of_other = || {
        let mut count = 0;
        walk(
            &scene.logs.look("w01d-other", 0),
            0,
            &mut |_at, _record, _codec| {
                count += 1;
                true
            },
        );
        count
    };
    scene.until("the other", || of_other() == 1).await;
    scene
        .until("said", || scene.goes(Phase::Degraded, Reason::KafkaRefused))
        .await;
    scene.logs.limit(COPY, 100_000);
    scene.until("taken", || scene.copied(0).len() == 4).await;
    assert_eq!(scene.copied(0)[..3], ["a", "b", "c"]);
    running.kill();
}

#[tokio::test]
async fn a_pause_keeps_the_place_and_an_end_forgets_it() {
    let scene = Scene::new(1);
    scene.put(0, &["a"]);
    scene.wish(Some(plan(vec![route(false)])));
    let running = scene.start_all();
    scene.until("one", || scene.copied(0) == ["a"]).await;
    let paused = Plan {
        goes: Goes::Held(Phase::Stopped, Reason::Unspecified),
        ..plan(vec![route(false)])
    };
    scene.wish(Some(paused));
    scene
        .until("stopped", || scene.goes(Phase::Stopped, Reason::Unspecified))
        .await;
    scene.put(0, &["b"]);
    sleep(Duration::from_millis(300)).await;
    assert_eq!(scene.copied(0), ["a"]);
    let known = running.links.translate("link_1", "topic_1", 0, 1);
    assert_eq!(known.map(|it| (it.offset, it.source_copied_to)), Some((1, 1)));
    scene.wish(Some(plan(vec![route(false)])));
    scene.until("on", || scene.copied(0) == ["a", "b"]).await;
    scene.wish(None);
    let gone = || running.links.translate("link_1", "topic_1", 0, 1).is_none();
    scene.until("forgotten", gone).await;
    running.stop.cancel();
    running.task.await.unwrap();
}

#[tokio::test]
async fn a_pause_after_a_start_still_tells_what_stands_for_what() {
    let scene = Scene::new(1);
    scene.put(0, &["a", "b"]);
    let running = scene.start();
    scene.until("two", || scene.copied(0).len() == 2).await;
    running.stop.cancel();
    running.task.await.unwrap();
    let paused = Plan {
        goes: Goes::Held(Phase::Stopped, Reason::Unspecified),
        ..plan(vec![route(false)])
    };
    scene.wish(Some(paused));
    let running = scene.start_all();
    let known = || {
        running
            .links
            .translate("link_1", "topic_1", 0, 2)
            .map(|it| it.offset)
            == Some(2)
    };
    scene.until("known", known).await;
    running.kill();
}

#[tokio::test]
async fn latest_is_where_the_source_ends_and_a_later_partition_is_copied_whole() {
    let scene = Scene::new(1);
    scene.put(0, &["old"]);
    scene.wish(Some(plan(vec![route(true)])));
    let running = scene.start_all();
    scene
        .until("open", || scene.goes(Phase::Ready, Reason::Unspecified))
        .await;
    scene.put(0, &["new"]);
    scene.until("new", || scene.copied(0) == ["new"]).await;
    running.stop.cancel();
    running.task.await.unwrap();
    scene.logs.make("orders", 3);
    scene.logs.make(COPY, 2);
    scene.put(1, &["b0"]);
    let running = scene.start_all();
    scene
        .until("the new partition", || scene.copied(1) == ["b0"])
        .await;
    assert_eq!(scene.copied(0), ["new"]);
    scene
        .until("narrower", || scene.goes(Phase::Degraded, Reason::ConfigDrift))
        .await;
    assert_eq!(scene.status().topics[0].partitions, 3);
    running.kill();
}

#[tokio::test]
async fn a_transaction_of_the_source_that_is_open_is_waited_for() {
    let scene = Scene::new(1);
    let some = |value: &str| batch(Codec::None, &[sample(value)]);
    scene.logs.put_in_transaction("orders", 3, &some("one"), None);
    scene.put(0, &["two"]);
    let running = scene.start();
    sleep(Duration::from_millis(400)).await;
    assert_eq!(scene.copied(0), [""; 0]);
    scene
        .logs
        .put_in_transaction("orders", 3, &some("three"), Some(true));
    scene.until("all", || scene.copied(0).len() == 3).await;
    assert_eq!(scene.copied(0), ["one", "two", "three"]);
    running.kill();
}
