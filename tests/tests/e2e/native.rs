//! Native mode on real brokers: on ones that the agent starts, and in a Kafka that exists, whose own users stay as they were.

use serde_json::{Value, json};

use crate::adoption::{World, id, made, ready, until};
use crate::api::Person;
use crate::clients::program::{Program, tool};
use crate::stack;

/// What a client with a living key must show.
const CHECKS: [&str; 6] = [
    "produce and read",
    "transaction",
    "login",
    "wrong password",
    "internal topics",
    "administration refused",
];

/// Where a client goes, as whom.
struct Client {
    bootstrap: String,
    secure: Option<String>,
    secret: Value,
    topic: String,
    run: String,
}

impl Client {
    async fn run(&self, alive: bool) {
        let settings = json!({
            "bootstrap": self.bootstrap,
            "secure": self.secure,
            "owner": self.secret,
            "topic": self.topic,
            "group_topic": self.topic,
            "foreign_topic": self.topic,
            "run": self.run,
            "alive": alive,
            "records": 200,
        });
        let program = Program::new(&tool("WEIR_CLIENTS_PYTHON"), &["confluent-kafka/native.py"]);
        let lines = program.with(&settings).await;
        let required: &[&str] = if alive { &CHECKS } else { &["refused"] };
        for check in required {
            let line = lines.iter().find(|it| it.check == *check);
            assert!(line.is_some_and(|it| it.ok), "{check}: {line:?}");
        }
    }
}

/// A developer on everything, and its key for a cluster, ready.
async fn key(person: &Person, cluster: &str, name: &str) -> Value {
    let account = made(person, "/v1/service-accounts", json!({ "name": name })).await;
    let binding = json!({"principal": id(&account), "role": "DEVELOPER", "resource": "*"});
    made(person, "/v1/role-bindings", binding).await;
    let spec = json!({"service_account": id(&account), "cluster": cluster});
    let key = made(person, "/v1/api-keys", spec).await;
    until(person, &format!("/v1/api-keys/{}", id(&key)), ready).await;
    key
}

async fn gone(person: &Person, path: &str) {
    let (status, answer) = person.call("DELETE", path, &Value::Null).await;
    assert!(matches!(status, 200 | 202 | 204), "{path}: {status} {answer:#}");
    until(person, path, |it| it["code"] == "not_found").await;
}

fn run_name() -> String {
    format!("native-{}", &uuid::Uuid::new_v4().simple().to_string()[..8])
}

#[tokio::test]
async fn clients_reach_brokers_of_the_agents_own_and_lose_them_with_their_key() {
    let (person, run) = (Person::sign_in("payments").await, run_name());
    let pool = json!({"data_plane": stack::text("/ids/data_plane"), "name": run});
    let pool = format!(
        "/v1/broker-pools/{}",
        id(&made(&person, "/v1/broker-pools", pool).await)
    );
    until(&person, &pool, ready).await;
    let spec = json!({"environment": stack::text("/ids/payments.environment"), "name": run,
        "broker_pool": pool.rsplit_once('/').expect("a path").1, "access": "NATIVE"});
    let cluster = id(&made(&person, "/v1/clusters", spec).await);
    let cluster_path = format!("/v1/clusters/{cluster}");
    let told = until(&person, &cluster_path, ready).await;
    let topic = json!({"cluster": cluster, "name": "orders", "partitions": 2});
    let topic = made(&person, "/v1/topics", topic).await;
    let topic = format!("/v1/topics/{}", id(&topic));
    until(&person, &topic, ready).await;
    let made_key = key(&person, &cluster, &run).await;
    let client = Client {
        bootstrap: told["status"]["bootstrap_servers"]
            .as_str()
            .expect("an address")
            .to_owned(),
        secure: None,
        secret: made_key["secret"].clone(),
        topic: "orders".to_owned(),
        run,
    };
    client.run(true).await;

    let lag = format!("{cluster_path}/groups");
    // It read before the transaction, which left a record and its marker.
    let groups = until(&person, &lag, |it| it["data"][0]["lag"] == 2).await;
    assert_eq!(
        groups["data"][0]["group"],
        format!("{}-native", client.run),
        "{groups:#}"
    );
    gone(&person, &format!("/v1/api-keys/{}", id(&made_key))).await;
    client.run(false).await;
    for path in [&topic, &cluster_path, &pool] {
        gone(&person, path).await;
    }
}

#[tokio::test]
async fn an_attached_kafka_gets_users_and_is_left_as_it_was() {
    let world = World::begin(&json!({"adopts": true, "access": "NATIVE"})).await;
    let person = world.person();
    let before = world.plain.look().await;
    let ca = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(ca.path(), &world.plain.ca_pem).expect("write the certificate");
    let run = run_name();
    let made_key = key(person, world.cluster(), &run).await;
    let client = Client {
        bootstrap: format!("127.0.0.1:{}", world.plain.secure),
        secure: Some(ca.path().display().to_string()),
        secret: made_key["secret"].clone(),
        topic: "orders".to_owned(),
        run,
    };
    client.run(true).await;
    world.undisturbed("orders").await;
    assert_ne!(world.plain.look().await, before, "its rules are there");
    gone(person, &format!("/v1/api-keys/{}", id(&made_key))).await;
    client.run(false).await;
    for path in [
        format!("/v1/clusters/{}", world.cluster()),
        format!("/v1/broker-pools/{}", world.pool()),
    ] {
        gone(person, &path).await;
    }
    assert_eq!(world.plain.look().await, before, "as it was");
    world.undisturbed("orders").await;
}
