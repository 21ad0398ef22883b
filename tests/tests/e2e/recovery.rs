//! Consumer groups against real Kafka: a running consumer is left alone, a stopped one reads again from where it was put,
//! and a deleted group is gone. Both protocols of groups.

use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};
use weir_kafka_wire::Connection;
use weir_kafka_wire::kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use weir_kafka_wire::kafka_protocol::messages::{ConsumerGroupHeartbeatRequest, OffsetCommitRequest};
use weir_kafka_wire::kafka_protocol::protocol::StrBytes;

use crate::api::Person;
use crate::scene::Scene;
use crate::stack;

const PATIENCE: Duration = Duration::from_secs(60);
const RECORDS: i64 = 40;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn kcat() -> Command {
    let mut command = Command::new("kcat");
    for (key, value) in [
        ("bootstrap.servers", stack::text("/kafka/payments/bootstrap")),
        ("security.protocol", "SASL_PLAINTEXT".to_owned()),
        ("sasl.mechanism", "SCRAM-SHA-256".to_owned()),
        ("sasl.username", stack::text("/kafka/payments/username")),
        ("sasl.password", stack::text("/kafka/payments/password")),
        ("auto.offset.reset", "earliest".to_owned()),
        ("auto.commit.interval.ms", "300".to_owned()),
        ("session.timeout.ms", "6000".to_owned()),
    ] {
        command.arg("-X").arg(format!("{key}={value}"));
    }
    command.stderr(Stdio::null()).kill_on_drop(true);
    command
}

/// As many records in each of the four partitions, so that each gets a committed offset.
async fn produce(topic: &str) {
    for partition in 0..4 {
        let mut kcat = kcat()
            .args(["-P", "-t", topic, "-p", &partition.to_string()])
            .stdin(Stdio::piped())
            .spawn()
            .expect("start kcat");
        let lines: String = (0..RECORDS / 4).map(|at| format!("record-{at}\n")).collect();
        let mut input = kcat.stdin.take().expect("kcat's input");
        input.write_all(lines.as_bytes()).await.expect("feed kcat");
        drop(input);
        assert!(kcat.wait().await.expect("kcat ends").success());
    }
}

/// A consumer that runs until it is stopped.
fn consume(group: &str, topic: &str) -> Child {
    kcat()
        .args(["-q", "-G", group, topic])
        .stdout(Stdio::piped())
        .spawn()
        .expect("start kcat")
}

/// Asks a consumer to leave; how many records it had.
async fn stop(mut consumer: Child) -> usize {
    let pid = consumer.id().expect("it runs");
    let asked = Command::new("kill").args(["-INT", &pid.to_string()]).status();
    assert!(asked.await.expect("kill runs").success());
    let mut said = Vec::new();
    let mut out = consumer.stdout.take().expect("its output");
    tokio::time::timeout(PATIENCE, out.read_to_end(&mut said))
        .await
        .expect("it ends in time")
        .expect("its output");
    consumer.wait().await.expect("it ends");
    said.split(|byte| *byte == b'\n')
        .filter(|line| line.starts_with(b"record-"))
        .count()
}

async fn until(person: &Person, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let (_status, now) = person.call("GET", path, &Value::Null).await;
        if wanted(&now) {
            return now;
        }
        assert!(Instant::now() < end, "{path} never became as wanted: {now:#}");
        sleep(Duration::from_millis(200)).await;
    }
}

fn sum(offsets: &Value, of: &str) -> i64 {
    let list = offsets.as_array().expect("a list");
    list.iter().filter_map(|it| it[of].as_i64()).sum()
}

#[tokio::test]
async fn a_stopped_consumer_reads_again_from_where_it_was_put() {
    let scene = Scene::new("recovery").await;
    let person = Person::sign_in("payments").await;
    let group = format!("recovery-{}", scene.run);
    let groups = format!("/v1/clusters/{}/groups", stack::text("/ids/payments.cluster"));
    let path = format!("{groups}/{group}");
    produce(&scene.topic).await;

    let running = consume(&group, &scene.topic);
    let read = |it: &Value| it["lag"] == 0 && it["partitions"] == 4 && it["state"] == "STABLE";
    let busy = until(&person, &path, read).await;
    assert_eq!(
        (busy["members"].as_i64(), busy["type"].as_str()),
        (Some(1), Some("CLASSIC")),
        "{busy:#}"
    );
    assert_eq!(sum(&busy["positions"], "committed_offset"), RECORDS);
    assert_eq!(
        sum(&busy["positions"], "member"),
        4,
        "the one member has all four"
    );
    let earliest = json!({"to": {"kind": "EARLIEST"}});
    let (status, refused) = person
        .call("POST", &format!("{path}/reset-offsets"), &earliest)
        .await;
    assert_eq!((status, refused["code"].as_str()), (409, Some("group_active")));
    let (status, refused) = person.call("DELETE", &path, &Value::Null).await;
    assert_eq!((status, refused["code"].as_str()), (409, Some("group_active")));
    assert_eq!(stop(running).await, usize::try_from(RECORDS).expect("few"));

    until(&person, &path, |it| it["state"] == "EMPTY").await;
    let (status, plan) = person
        .call("POST", &format!("{path}/reset-offsets?dry_run=true"), &earliest)
        .await;
    assert_eq!(status, 200, "{plan:#}");
    assert_eq!(sum(&plan["changes"][0]["before"]["offsets"], "offset"), RECORDS);
    assert_eq!(sum(&plan["changes"][0]["after"]["offsets"], "offset"), 0);
    until(&person, &path, |it| {
        sum(&it["positions"], "committed_offset") == RECORDS
    })
    .await;

    let (status, done) = person
        .call("POST", &format!("{path}/reset-offsets"), &earliest)
        .await;
    assert_eq!((status, sum(&done["moves"], "to")), (200, 0), "{done:#}");
    let again = consume(&group, &scene.topic);
    until(&person, &path, read).await;
    assert_eq!(
        stop(again).await,
        usize::try_from(RECORDS).expect("few"),
        "everything once more"
    );

    until(&person, &path, |it| it["state"] == "EMPTY").await;
    let since = json!({"to": {"kind": "TIME", "time": "2020-01-01T00:00:00Z"}});
    let (status, timed) = person
        .call("POST", &format!("{path}/reset-offsets?dry_run=true"), &since)
        .await;
    assert_eq!(
        (status, sum(&timed["changes"][0]["after"]["offsets"], "offset")),
        (200, 0),
        "{timed:#}"
    );
    let (status, _none) = person.call("DELETE", &path, &Value::Null).await;
    assert_eq!(status, 204);
    let (status, _gone) = person.call("GET", &path, &Value::Null).await;
    assert_eq!(status, 404);

    let risk = Person::sign_in("risk").await;
    let (status, _hidden) = risk.call("GET", &groups, &Value::Null).await;
    assert_eq!(status, 404, "another tenant's cluster");
    scene.clear().await;
}

#[tokio::test]
async fn a_rule_of_lag_follows_a_group() {
    let scene = Scene::new("lag").await;
    let person = Person::sign_in("payments").await;
    let group = format!("lag-{}", scene.run);
    let rule = json!({"spec": {"cluster": stack::text("/ids/payments.cluster"), "name": group, "kind": "LAG",
        "group": group, "topic": scene.topic, "threshold": RECORDS}});
    let (status, made) = person.call("POST", "/v1/alert-rules", &rule).await;
    assert_eq!(status, 201, "{made:#}");
    let path = format!("/v1/alert-rules/{}", made["id"].as_str().expect("an id"));
    let stands = |it: &Value, state: &str, value: Value, reason: Value| {
        let it = &it["status"];
        it["state"] == state && it["value"] == value && it["reason"] == reason
    };
    until(&person, &path, |it| {
        stands(it, "NO_DATA", Value::Null, json!("NO_COMMITS"))
    })
    .await;
    produce(&scene.topic).await;
    let running = consume(&group, &scene.topic);
    until(&person, &path, |it| stands(it, "OK", json!(0), Value::Null)).await;
    assert_eq!(stop(running).await, usize::try_from(RECORDS).expect("few"));
    produce(&scene.topic).await;
    until(&person, &path, |it| {
        stands(it, "FIRING", json!(RECORDS), Value::Null)
    })
    .await;
    let again = consume(&group, &scene.topic);
    until(&person, &path, |it| stands(it, "OK", json!(0), Value::Null)).await;
    stop(again).await;
    let (status, _none) = person.call("DELETE", &path, &Value::Null).await;
    assert_eq!(status, 204);
    let groups = format!(
        "/v1/clusters/{}/groups/{group}",
        stack::text("/ids/payments.cluster")
    );
    until(&person, &groups, |it| it["state"] == "EMPTY").await;
    let (status, _none) = person.call("DELETE", &groups, &Value::Null).await;
    assert_eq!(status, 204);
    scene.clear().await;
}

#[tokio::test]
async fn groups_of_the_new_protocol_are_the_same_to_people() {
    let scene = Scene::new("recovery").await;
    let person = Person::sign_in("payments").await;
    let group = format!("new-{}", scene.run);
    let groups = format!("/v1/clusters/{}/groups", stack::text("/ids/payments.cluster"));
    let path = format!("{groups}/{group}");
    let bootstrap = stack::text("/kafka/payments/bootstrap");
    let (host, port) = bootstrap.rsplit_once(':').expect("host and port");
    let mut kafka = Connection::connect(host, port.parse().expect("a port"))
        .await
        .expect("connect to the gateway");
    let login = ["username", "password"].map(|it| stack::text(&format!("/kafka/payments/{it}")));
    kafka.login_plain(&login[0], &login[1]).await.expect("log in");
    let beat = |member: &str, epoch: i32| {
        let joins = epoch == 0;
        ConsumerGroupHeartbeatRequest::default()
            .with_group_id(text(&group).into())
            .with_member_id(text(member))
            .with_member_epoch(epoch)
            .with_rebalance_timeout_ms(if joins { 60_000 } else { -1 })
            .with_subscribed_topic_names(joins.then(|| vec![text(&scene.topic).into()]))
            .with_topic_partitions(joins.then(Vec::new))
    };
    let end = Instant::now() + PATIENCE;
    let joined = loop {
        let joined = kafka.call(&beat("", 0), 0).await.expect("join");
        if joined.error_code == 0 {
            break joined;
        }
        // The coordinator may still be coming up.
        assert!(Instant::now() < end, "{joined:?}");
        sleep(Duration::from_millis(200)).await;
    };
    let member = joined.member_id.expect("an id").to_string();
    let seen = until(&person, &path, |it| it["members"] == 1).await;
    assert_eq!(seen["type"], "CONSUMER", "{seen:#}");
    assert!(!seen.to_string().contains(&member), "members are numbers");
    let earliest =
        json!({"to": {"kind": "EARLIEST"}, "topics": [{"topic": topic_id(&person, &scene).await}]});
    let reset = format!("{path}/reset-offsets");
    let (status, refused) = person.call("POST", &reset, &earliest).await;
    assert_eq!((status, refused["code"].as_str()), (409, Some("group_active")));
    let left = kafka.call(&beat(&member, -1), 0).await.expect("leave");
    assert_eq!(left.error_code, 0, "{left:?}");
    until(&person, &path, |it| it["state"] == "EMPTY").await;

    let at = OffsetCommitRequestPartition::default()
        .with_partition_index(2)
        .with_committed_offset(0)
        .with_committed_metadata(Some(StrBytes::from_utf8(Bytes::new()).expect("empty")));
    let topic = OffsetCommitRequestTopic::default()
        .with_name(text(&scene.topic).into())
        .with_partitions(vec![at]);
    let commit = OffsetCommitRequest::default()
        .with_group_id(text(&group).into())
        .with_topics(vec![topic]);
    let committed = kafka.call(&commit, 8).await.expect("commit");
    assert_eq!(committed.topics[0].partitions[0].error_code, 0, "{committed:?}");
    let (status, done) = person.call("POST", &reset, &earliest).await;
    assert_eq!(status, 200, "{done:#}");
    let moves = done["moves"].as_array().expect("moves");
    let from: Vec<_> = moves.iter().map(|it| it["from"].as_i64()).collect();
    assert_eq!(
        from,
        [None, None, Some(0), None],
        "every partition of the named topic"
    );
    let (status, _none) = person.call("DELETE", &path, &Value::Null).await;
    assert_eq!(status, 204);
    scene.clear().await;
}

async fn topic_id(person: &Person, scene: &Scene) -> String {
    let cluster = stack::text("/ids/payments.cluster");
    let path = format!("/v1/topics?page_size=1000&cluster={cluster}");
    let (status, listed) = person.call("GET", &path, &Value::Null).await;
    assert_eq!(status, 200, "{listed:#}");
    let topics = listed["data"].as_array().expect("topics");
    let found = topics
        .iter()
        .find(|it| it["spec"]["name"] == scene.topic.as_str());
    found.expect("the scene's topic")["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}
