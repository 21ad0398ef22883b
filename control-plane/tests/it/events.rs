//! Events: numbered after commit, followed without a gap, seen by their own tenant only.

use std::time::Duration;

use http_body_util::BodyExt as _;
use serde_json::json;
use weir_control_plane::resources::event::sequencer;

use crate::harness::Bench;

#[tokio::test]
async fn a_watcher_sees_its_own_tenants_changes_in_order() {
    let bench = Bench::start().await;
    tokio::spawn(
        bench
            .app
            .wake
            .clone()
            .run(bench.app.db.clone(), bench.app.stop.clone()),
    );
    tokio::spawn(sequencer::run(bench.app.clone()));
    let (one, _) = bench.tenant("DEVELOPER").await;
    let (other, _) = bench.tenant("DEVELOPER").await;
    let mut stream = one.open("/v1/events?after=0").await;
    for name in ["a", "b"] {
        other
            .post("/v1/environments", &json!({"spec": {"name": name}}))
            .await
            .expect(201);
        one.post("/v1/environments", &json!({"spec": {"name": name}}))
            .await
            .expect(201);
    }
    let mut text = String::new();
    while text.matches("\"kind\":\"Environment\"").count() < 2 {
        let frame = tokio::time::timeout(Duration::from_secs(20), stream.frame()).await;
        let frame = frame
            .expect("an event within 20 s")
            .expect("an open stream")
            .expect("a frame");
        text.push_str(std::str::from_utf8(frame.data_ref().expect("data")).unwrap());
    }
    let own: Vec<String> = one.get("/v1/environments").await.expect(200)["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_str().unwrap().to_owned())
        .collect();
    let places: Vec<usize> = own
        .iter()
        .map(|id| text.find(id.as_str()).expect("own changes are there"))
        .collect();
    assert!(places.is_sorted());
    for theirs in other.get("/v1/environments").await.expect(200)["data"]
        .as_array()
        .unwrap()
    {
        assert!(!text.contains(theirs["id"].as_str().unwrap()));
    }
    bench.app.stop.cancel();
}

#[tokio::test]
async fn a_position_that_is_no_longer_kept_is_gone() {
    let bench = Bench::start().await;
    let (one, _) = bench.tenant("READER").await;
    sqlx::query("UPDATE event_head SET position = 100, oldest = 50")
        .execute(&mut bench.database.owner().await)
        .await
        .unwrap();
    one.get("/v1/events?after=10")
        .await
        .expect_problem(410, "events_gone");
    one.clone()
        .with("Last-Event-ID", "x")
        .get("/v1/events")
        .await
        .expect_problem(400, "malformed_header");
}
