//! Quotas against stock clients: a limited one is held to its limit, its neighbour is not, SHADOW only counts.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::Instant;

use crate::api::Person;
use crate::kafka::{Client, METADATA, request};
use crate::stack;

const PATIENCE: Duration = Duration::from_secs(60);
const MIB: u64 = 1024 * 1024;
/// Lines of a kibibyte.
const LINES: u64 = 4 * 1024;

struct Kafkaist {
    account: String,
    username: String,
    password: String,
}

async fn made(person: &Person, path: &str, spec: Value) -> Value {
    let (status, body) = person
        .call("POST", &format!("{path}?wait=30s"), &json!({"spec": spec}))
        .await;
    assert_eq!(status, 201, "{path}: {body:#}");
    body
}

fn text(object: &Value, pointer: &str) -> String {
    let found = object.pointer(pointer).and_then(Value::as_str);
    found
        .unwrap_or_else(|| panic!("{pointer}: {object:#}"))
        .to_owned()
}

/// A service account that may produce, and its key.
async fn kafkaist(person: &Person, name: &str) -> Kafkaist {
    kafkaist_on(person, name, &stack::text("/ids/payments.cluster")).await
}

/// The same on a cluster of its own.
async fn kafkaist_on(person: &Person, name: &str, cluster: &str) -> Kafkaist {
    let account = made(person, "/v1/service-accounts", json!({"name": unique(name)})).await;
    let account = text(&account, "/id");
    let binding = json!({"principal": account, "role": "DEVELOPER", "resource": "*"});
    made(person, "/v1/role-bindings", binding).await;
    let key = json!({"service_account": account, "cluster": cluster});
    let key = made(person, "/v1/api-keys", key).await;
    Kafkaist {
        account,
        username: text(&key, "/secret/username"),
        password: text(&key, "/secret/password"),
    }
}

/// Not used by an earlier run on the same stack.
fn unique(name: &str) -> String {
    let id = uuid::Uuid::now_v7().simple().to_string();
    format!("{name}-{}", &id[id.len() - 8..])
}

async fn quota(person: &Person, who: &Kafkaist, mode: &str, limits: Value) -> String {
    let spec = json!({
        "cluster": stack::text("/ids/payments.cluster"),
        "subject": {"kind": "PRINCIPALS", "principals": [who.account]},
        "limits": limits,
        "mode": mode,
    });
    let quota = made(person, "/v1/quotas", spec).await;
    assert_eq!(quota["status"]["phase"], "READY", "{quota:#}");
    format!("/v1/quotas/{}", text(&quota, "/id"))
}

/// Produces four mebibytes with kcat; returns how long it took.
async fn produce(who: &Kafkaist, topic: &str) -> Duration {
    let begun = Instant::now();
    let status = kcat(who, topic).await;
    assert!(status.success(), "{status}");
    begun.elapsed()
}

/// Tries to.
async fn kcat(who: &Kafkaist, topic: &str) -> std::process::ExitStatus {
    let settings = [
        format!("bootstrap.servers={}", stack::text("/kafka/payments/bootstrap")),
        "security.protocol=sasl_plaintext".to_owned(),
        "sasl.mechanisms=PLAIN".to_owned(),
        format!("sasl.username={}", who.username),
        format!("sasl.password={}", who.password),
        "batch.size=100000".to_owned(),
        "compression.codec=none".to_owned(),
    ];
    let mut command = Command::new("kcat");
    command.args(["-q", "-P", "-p", "0", "-t", topic]);
    for setting in &settings {
        command.args(["-X", setting]);
    }
    let mut kcat = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("start kcat");
    let mut input = kcat.stdin.take().expect("kcat's input");
    let line = format!("{}\n", "x".repeat(1024));
    let fed = async {
        for _line in 0..LINES {
            if input.write_all(line.as_bytes()).await.is_err() {
                // It ended: its status says why.
                break;
            }
        }
        drop(input);
        kcat.wait().await.expect("kcat ends")
    };
    tokio::time::timeout(PATIENCE, fed)
        .await
        .expect("kcat is done in time")
}

/// Reads the usage until it is as wanted.
async fn usage(person: &Person, quota: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + PATIENCE;
    let mut again = tokio::time::interval(Duration::from_millis(500));
    loop {
        again.tick().await;
        let (status, body) = person.call("GET", &format!("{quota}/usage"), &json!({})).await;
        assert_eq!(status, 200, "{body:#}");
        if wanted(&body) {
            return body;
        }
        assert!(Instant::now() < end, "never as wanted: {body:#}");
    }
}

fn over_the_hour(usage: &Value, field: &str) -> u64 {
    let minutes = usage["history"].as_array().expect("minutes");
    minutes.iter().filter_map(|it| it[field].as_u64()).sum()
}

#[tokio::test]
async fn a_limited_producer_is_held_to_its_limit_and_its_neighbour_is_not() {
    let person = Person::sign_in("payments").await;
    let topic = unique("quotas");
    let spec = json!({"cluster": stack::text("/ids/payments.cluster"), "name": topic, "partitions": 1});
    made(&person, "/v1/topics", spec).await;
    let (limited, free) = (
        kafkaist(&person, "limited").await,
        kafkaist(&person, "free").await,
    );
    let kept = quota(
        &person,
        &limited,
        "ENFORCE",
        json!({"ingress_bytes_per_second": MIB}),
    )
    .await;
    let shadow = quota(
        &person,
        &free,
        "SHADOW",
        json!({"ingress_bytes_per_second": MIB / 64}),
    )
    .await;

    let (slow, quick) = tokio::join!(produce(&limited, &topic), produce(&free, &topic));
    // Four mebibytes at one a second, less the last batch and what is saved up: only slower is possible.
    assert!(slow >= Duration::from_secs(3), "{slow:?}");
    // Enforced, its own quota would have taken four minutes.
    assert!(quick < PATIENCE, "{quick:?}");

    let ended = Instant::now();
    let told = usage(&person, &kept, |it| over_the_hour(it, "ingress_bytes") >= 4 * MIB).await;
    // What people look at follows the traffic within ten seconds, with who it was.
    assert!(
        ended.elapsed() <= Duration::from_secs(10),
        "{:?}",
        ended.elapsed()
    );
    assert_eq!(
        told["principals"][0]["principal"],
        limited.account.as_str(),
        "{told:#}"
    );
    assert!(
        told["principals"][0]["throttled_ms"].as_u64() > Some(0),
        "{told:#}"
    );
    let waited = over_the_hour(&told, "throttled_ms");
    assert!(waited >= 2_500, "{told:#}");
    assert_eq!(over_the_hour(&told, "would_throttle_ms"), 0, "{told:#}");
    let told = usage(&person, &shadow, |it| {
        over_the_hour(it, "ingress_bytes") >= 4 * MIB
    })
    .await;
    assert_eq!(over_the_hour(&told, "throttled_ms"), 0, "{told:#}");
    let would = over_the_hour(&told, "would_throttle_ms");
    // 256 seconds' worth and what batches add, less the time that it took.
    assert!((150_000..=300_000).contains(&would), "{told:#}");
    for quota in [kept, shadow] {
        let (status, _gone) = person.call("DELETE", &quota, &json!({})).await;
        assert_eq!(status, 204);
    }
}

#[tokio::test]
async fn an_answer_tells_for_how_long_its_client_is_not_heard() {
    let person = Person::sign_in("payments").await;
    let asker = kafkaist(&person, "asker").await;
    let kept = quota(&person, &asker, "ENFORCE", json!({"requests_per_second": 1})).await;
    let mut client = Client::connect().await;
    assert_eq!(client.login(&asker.username, &asker.password).await, Some(0));
    // Metadata of version 3, of no topics; its answer begins with the throttle time.
    let ask = request(METADATA, 3, &0_i32.to_be_bytes());
    let mut told = Vec::new();
    for _request in 0..3 {
        client.frame(&ask).await;
        let answer = client.answer().await.expect("an answer");
        told.push(i32::from_be_bytes(answer[..4].try_into().expect("four bytes")));
    }
    // A tenth of a request was saved up; each that follows has waited for the one before it.
    for throttle_ms in &told {
        assert!((1..=1_000).contains(throttle_ms), "{told:?}");
    }
    let (status, _gone) = person.call("DELETE", &kept, &json!({})).await;
    assert_eq!(status, 204);
    client.frame(&ask).await;
    assert!(
        client.answer().await.is_some(),
        "the connection outlives its quota"
    );
}

#[tokio::test]
async fn a_full_cluster_refuses_records_and_takes_them_again_when_there_is_room() {
    let person = Person::sign_in("payments").await;
    let (status, shown) = person
        .call(
            "GET",
            &format!("/v1/clusters/{}", stack::text("/ids/payments.cluster")),
            &json!({}),
        )
        .await;
    assert_eq!(status, 200, "{shown:#}");
    let spec = json!({"environment": shown["spec"]["environment"], "broker_pool": shown["spec"]["broker_pool"],
        "name": unique("full")});
    let cluster = made(&person, "/v1/clusters", spec).await;
    let cluster = text(&cluster, "/id");
    let topic = made(
        &person,
        "/v1/topics",
        json!({"cluster": cluster, "name": "log", "partitions": 1}),
    )
    .await;
    let writer = kafkaist_on(&person, "writer", &cluster).await;
    let spec =
        json!({"cluster": cluster, "subject": {"kind": "TENANT"}, "limits": {"storage_bytes": 3 * MIB}});
    let kept = made(&person, "/v1/quotas", spec).await;
    let kept = format!("/v1/quotas/{}", text(&kept, "/id"));
    // Four mebibytes go over: part of them may be let in, and nothing after that.
    let _some = kcat(&writer, "log").await;
    usage(&person, &kept, |it| {
        it["storage"]["bytes"].as_u64() >= Some(3 * MIB)
    })
    .await;
    let full = usage_status(&person, &kept, "STORAGE_FULL").await;
    assert_eq!(full["status"]["phase"], "READY", "{full:#}");
    let refused = kcat(&writer, "log").await;
    assert!(!refused.success(), "a full cluster takes nothing");
    usage(&person, &kept, |it| over_the_hour(it, "storage_refused") > 0).await;
    // More room, and it flows again.
    let raise = json!({"spec": {"limits": {"storage_bytes": 64 * MIB}}});
    let (status, raised) = person.call("PATCH", &format!("{kept}?wait=30s"), &raise).await;
    assert_eq!(status, 200, "{raised:#}");
    produce(&writer, "log").await;
    usage_status(&person, &kept, "").await;
    let (status, _gone) = person.call("DELETE", &kept, &json!({})).await;
    assert_eq!(status, 204);
    let topic = format!("/v1/topics/{}", text(&topic, "/id"));
    let (status, _gone) = person.call("DELETE", &topic, &json!({})).await;
    assert!(matches!(status, 202 | 204), "{status}");
}

/// Reads a quota until its reason is this; empty: none.
async fn usage_status(person: &Person, quota: &str, reason: &str) -> Value {
    let end = Instant::now() + PATIENCE;
    let mut again = tokio::time::interval(Duration::from_millis(500));
    loop {
        again.tick().await;
        let (status, body) = person.call("GET", quota, &json!({})).await;
        assert_eq!(status, 200, "{body:#}");
        if body["status"]["reason"].as_str().unwrap_or_default() == reason {
            return body;
        }
        assert!(Instant::now() < end, "never {reason}: {body:#}");
    }
}

#[tokio::test]
async fn who_is_connected_is_shown_to_its_own_tenant_alone() {
    let person = Person::sign_in("payments").await;
    let stranger = Person::sign_in("risk").await;
    let guest = kafkaist(&person, "connected").await;
    let kept = quota(&person, &guest, "SHADOW", json!({"requests_per_second": 1000})).await;
    let mut client = Client::connect().await;
    assert_eq!(client.login(&guest.username, &guest.password).await, Some(0));
    client.frame(&request(METADATA, 3, &0_i32.to_be_bytes())).await;
    assert!(client.answer().await.is_some());
    let path = format!(
        "/v1/clusters/{}/connections",
        stack::text("/ids/payments.cluster")
    );
    let (status, list) = person
        .call("GET", &format!("{path}?page_size=1000"), &json!({}))
        .await;
    assert_eq!(status, 200, "{list:#}");
    let all = list["data"].as_array().expect("connections");
    let own = all.iter().find(|it| it["principal"] == guest.account.as_str());
    let own = own.unwrap_or_else(|| panic!("{list:#}"));
    assert_eq!(
        (&own["mechanism"], &own["address"]),
        (&json!("PLAIN"), &json!("LOOPBACK"))
    );
    assert_eq!(own["api_key"], guest.username.as_str());
    let one = format!("{path}/{}", text(own, "/id"));
    let (status, detail) = person.call("GET", &one, &json!({})).await;
    assert_eq!(status, 200, "{detail:#}");
    assert_eq!(detail["access"][0]["role"], "DEVELOPER", "{detail:#}");
    let quota_id = kept.rsplit('/').next().expect("an id");
    assert!(
        detail["quotas"]
            .as_array()
            .expect("quotas")
            .contains(&json!(quota_id))
    );
    assert!(detail["requests"].as_u64() >= Some(1), "{detail:#}");
    // Neither by this cluster nor by one of its own does another tenant see it.
    let theirs = format!("/v1/clusters/{}/connections", stack::text("/ids/risk.cluster"));
    let (status, listed) = stranger.call("GET", &theirs, &json!({})).await;
    assert_eq!(status, 200, "{listed:#}");
    assert!(!listed.to_string().contains(&guest.account), "{listed:#}");
    let (status, _hidden) = stranger.call("GET", &one, &json!({})).await;
    assert_eq!(status, 404);
    let stolen = format!("{theirs}/{}", text(own, "/id"));
    let (status, _hidden) = stranger.call("GET", &stolen, &json!({})).await;
    assert_eq!(status, 404);
    drop(client);
    let (status, _gone) = person.call("DELETE", &kept, &json!({})).await;
    assert_eq!(status, 204);
}
