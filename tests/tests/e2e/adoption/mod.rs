//! A Kafka that exists is attached over TLS and SCRAM, its topics adopted under their own names, used directly and through
//! the gateway by one group at once, and let go: what was there is as it was.

mod kafka;

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use self::kafka::{Plain, SECRET};
use crate::api::Person;
use crate::stack;

const PATIENCE: Duration = Duration::from_secs(90);
const GROUP: &str = "Billing/v2";

/// kcat with a login.
fn kcat(bootstrap: &str, mechanism: &str, username: &str, password: &str) -> Command {
    let mut command = Command::new("kcat");
    for (key, value) in [
        ("bootstrap.servers", bootstrap),
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", mechanism),
        ("sasl.username", username),
        ("sasl.password", password),
        ("auto.offset.reset", "earliest"),
        ("session.timeout.ms", "6000"),
    ] {
        command.arg("-X").arg(format!("{key}={value}"));
    }
    command.stderr(Stdio::null()).kill_on_drop(true);
    command
}

async fn produce(mut kcat: Command, topic: &str, first: usize, count: usize) {
    let mut kcat = kcat
        .args(["-P", "-t", topic])
        .stdin(Stdio::piped())
        .spawn()
        .expect("start kcat");
    let lines: String = (first..first + count)
        .map(|at| format!("record-{at}\n"))
        .collect();
    let mut input = kcat.stdin.take().expect("kcat's input");
    input.write_all(lines.as_bytes()).await.expect("feed kcat");
    drop(input);
    assert!(kcat.wait().await.expect("kcat ends").success(), "produced");
}

/// What a member of the group reads until the end of every partition; it commits when it leaves.
async fn consume(mut kcat: Command, topic: &str) -> Vec<usize> {
    let read = kcat.args(["-q", "-e", "-G", GROUP, topic]).output();
    let read = tokio::time::timeout(PATIENCE, read)
        .await
        .expect("in time")
        .expect("kcat runs");
    let said = String::from_utf8_lossy(&read.stdout).into_owned();
    let mut numbers: Vec<usize> = said
        .lines()
        .filter_map(|line| line.strip_prefix("record-")?.parse().ok())
        .collect();
    numbers.sort_unstable();
    numbers
}

pub async fn made(person: &Person, path: &str, spec: Value) -> Value {
    let (status, body) = person
        .call("POST", &format!("{path}?wait=30s"), &json!({"spec": spec}))
        .await;
    assert_eq!(status, 201, "{path}: {body:#}");
    body
}

pub fn id(object: &Value) -> String {
    object["id"].as_str().expect("an id").to_owned()
}

pub async fn until(person: &Person, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
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

pub fn ready(object: &Value) -> bool {
    object["status"]["phase"] == "READY"
}

/// What was made for one test, in the order of its making.
pub struct World {
    person: Person,
    pub plain: Plain,
    pool: String,
    cluster: String,
}

impl World {
    /// An attached Kafka with three topics, and a cluster on it with these fields of its spec besides.
    pub async fn begin(more: &Value) -> Self {
        let (person, plain) = (Person::sign_in("payments").await, Plain::start().await);
        plain
            .topic(
                "orders",
                3,
                &[("retention.ms", "3600000"), ("min.insync.replicas", "1")],
            )
            .await;
        plain
            .topic(
                "Ledger.v1",
                1,
                &[("cleanup.policy", "compact"), ("segment.ms", "700000")],
            )
            .await;
        plain.topic("taken", 1, &[]).await;
        plain.allow_direct().await;
        let name = uuid::Uuid::now_v7().simple().to_string();
        let name = format!("east-{}", &name[name.len() - 8..]);
        let attached = json!({
            "bootstrap_servers": [format!("127.0.0.1:{}", plain.secure)],
            "tls": {"ca_pem": plain.ca_pem},
            "sasl": {"mechanism": "SCRAM_SHA_512", "username": "weir"},
            "credential": name,
        });
        let spec = json!({"data_plane": stack::text("/ids/data_plane"), "name": name, "attached": attached});
        let (status, pool) = person
            .call("POST", "/v1/broker-pools", &json!({"spec": spec}))
            .await;
        assert_eq!(status, 201, "{pool:#}");
        let path = format!("/v1/broker-pools/{}", id(&pool));
        until(&person, &path, |it| {
            it["status"]["reason"] == "CREDENTIAL_MISSING"
        })
        .await;
        // The customer's part: the password, and where it may be sent.
        let folder = std::path::PathBuf::from(stack::text("/state_dir")).join("agent/credentials");
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join(format!("{name}.toml"));
        let hosts = |port: u16| format!("hosts = [\"127.0.0.1:{port}\"]\npassword = \"{SECRET}\"\n");
        std::fs::write(&file, hosts(1)).expect("write the credential");
        until(&person, &path, |it| {
            it["status"]["reason"] == "CREDENTIAL_OTHER_HOST"
        })
        .await;
        std::fs::write(&file, hosts(plain.secure)).expect("write the credential");
        until(&person, &path, ready).await;
        let mut spec = more.clone();
        spec["environment"] = json!(stack::text("/ids/payments.environment"));
        spec["broker_pool"] = json!(id(&pool));
        spec["name"] = json!(name);
        let cluster = made(&person, "/v1/clusters", spec).await;
        Self {
            pool: id(&pool),
            cluster: id(&cluster),
            person,
            plain,
        }
    }

    pub fn person(&self) -> &Person {
        &self.person
    }

    pub fn pool(&self) -> &str {
        &self.pool
    }

    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Clients that go there directly still write and read.
    pub async fn undisturbed(&self, topic: &str) {
        produce(self.plain.kcat(), topic, 0, 5).await;
        assert!(consume(self.plain.kcat(), topic).await.len() >= 5);
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.person.call(method, path, body).await
    }

    /// A key of a developer, as kcat's settings.
    async fn key(&self) -> (String, [String; 3]) {
        let account = made(
            &self.person,
            "/v1/service-accounts",
            json!({"name": format!("east-{}", &self.cluster[self.cluster.len() - 8..])}),
        )
        .await;
        let binding = json!({"principal": id(&account), "role": "DEVELOPER", "resource": "*"});
        made(&self.person, "/v1/role-bindings", binding).await;
        let spec = json!({"service_account": id(&account), "cluster": self.cluster});
        let key = made(&self.person, "/v1/api-keys", spec).await;
        let text = |name: &str| key["secret"][name].as_str().expect("a text").to_owned();
        let settings = [
            stack::text("/kafka/payments/bootstrap"),
            text("username"),
            text("password"),
        ];
        (id(&key), settings)
    }

    async fn topics(&self) -> Vec<Value> {
        let path = format!("/v1/topics?cluster={}", self.cluster);
        let (status, listed) = self.call("GET", &path, &Value::Null).await;
        assert_eq!(status, 200, "{listed:#}");
        listed["data"].as_array().expect("topics").clone()
    }
}

fn verdict(plan: &Value, name: &str) -> String {
    let topics = plan["topics"].as_array().expect("topics");
    let found = topics.iter().find(|it| it["name"] == name);
    let found = found.unwrap_or_else(|| panic!("{name} is in the plan: {plan:#}"));
    let refusal = found["refusal"].as_str().unwrap_or_default();
    format!("{} {refusal}", found["verdict"].as_str().expect("a verdict"))
        .trim()
        .to_owned()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
async fn a_kafka_that_exists_is_adopted_used_both_ways_and_let_go() {
    let world = World::begin(&json!({"adopts": true})).await;
    let cluster = format!("/v1/clusters/{}", world.cluster);
    let before = world.plain.look().await;
    produce(world.plain.kcat(), "orders", 0, 20).await;
    assert_eq!(
        consume(world.plain.kcat(), "orders").await.len(),
        20,
        "the group has read before"
    );

    // The plan, with a clash.
    let spec = json!({"cluster": world.cluster, "name": "taken", "partitions": 1});
    let clash = made(&world.person, "/v1/topics", spec).await;
    let plan = until(&world.person, &format!("{cluster}/adoption"), |it| {
        it["kind"] == "AdoptionPlan"
    })
    .await;
    assert_eq!(verdict(&plan, "orders"), "ADOPT");
    assert_eq!(verdict(&plan, "taken"), "REFUSED NAME_TAKEN");
    assert_eq!(verdict(&plan, "__consumer_offsets"), "REFUSED INTERNAL");
    assert_eq!(plan["groups"][0]["group"], GROUP, "{plan:#}");
    assert_eq!(plan["acls"]["bindings"], 2);
    let (status, dry) = world
        .call("POST", &format!("{cluster}/adopt?dry_run=true"), &json!({}))
        .await;
    assert_eq!(
        (status, dry["changes"].as_array().map(Vec::len)),
        (200, Some(2)),
        "{dry:#}"
    );
    let (status, adopted) = world.call("POST", &format!("{cluster}/adopt"), &json!({})).await;
    assert_eq!(
        (status, adopted["topics"].as_array().map(Vec::len)),
        (200, Some(2)),
        "{adopted:#}"
    );
    for topic in adopted["topics"].as_array().expect("topics") {
        let path = format!("/v1/topics/{}", topic["topic"].as_str().expect("an id"));
        let now = until(&world.person, &path, ready).await;
        assert_eq!(now["status"]["adopted"], true, "{now:#}");
    }
    let orders = world.topics().await;
    let orders = orders
        .iter()
        .find(|it| it["spec"]["name"] == "orders")
        .expect("orders");
    assert_eq!(
        (
            orders["spec"]["partitions"].as_i64(),
            orders["spec"]["retention_ms"].as_i64()
        ),
        (Some(3), Some(3_600_000))
    );
    let (status, _gone) = world
        .call("DELETE", &format!("/v1/topics/{}", id(&clash)), &Value::Null)
        .await;
    assert!(matches!(status, 202 | 204));
    until(&world.person, &format!("/v1/topics/{}", id(&clash)), |it| {
        it["code"] == "not_found"
    })
    .await;
    assert_eq!(
        world.plain.look().await,
        before,
        "attached and adopted: nothing is another than before"
    );

    // Both ways at once, in one group.
    let (key, [bootstrap, username, password]) = world.key().await;
    let through = || kcat(&bootstrap, "SCRAM-SHA-256", &username, &password);
    produce(world.plain.kcat(), "orders", 20, 10).await;
    let read: Vec<usize> = consume(through(), "orders").await;
    assert_eq!(
        read,
        (20..30).collect::<Vec<_>>(),
        "through the gateway the group goes on where it was"
    );
    produce(through(), "orders", 30, 5).await;
    let read = consume(world.plain.kcat(), "orders").await;
    assert_eq!(read, (30..35).collect::<Vec<_>>(), "and back");
    let groups = until(&world.person, &format!("{cluster}/groups"), |it| {
        it["data"][0]["lag"] == 0
    })
    .await;
    assert_eq!(groups["data"][0]["group"], GROUP);
    assert_eq!(world.plain.committed(GROUP, "orders").await, 35);

    // Let go.
    let (status, released) = world
        .call("POST", &format!("{cluster}/release"), &json!({}))
        .await;
    assert_eq!(
        (status, released["topics"].as_array().map(Vec::len)),
        (200, Some(2)),
        "{released:#}"
    );
    until(
        &world.person,
        &format!("/v1/topics?cluster={}", world.cluster),
        |it| it["data"] == json!([]),
    )
    .await;
    assert!(
        consume(through(), "orders").await.is_empty(),
        "not Weir's any more"
    );
    for path in [
        format!("/v1/api-keys/{key}"),
        cluster.clone(),
        format!("/v1/broker-pools/{}", world.pool),
    ] {
        let (status, gone) = world.call("DELETE", &path, &Value::Null).await;
        assert!(matches!(status, 202 | 204), "{path}: {status} {gone:#}");
        until(&world.person, &path, |it| it["code"] == "not_found").await;
    }
    assert_eq!(world.plain.look().await, before, "as it was");
    assert_eq!(world.plain.committed(GROUP, "orders").await, 35);
    produce(world.plain.kcat(), "orders", 35, 3).await;
    assert_eq!(
        consume(world.plain.kcat(), "orders").await,
        [35, 36, 37],
        "direct clients go on"
    );
}
