//! Kafka's own tools through the gateway, as on a cluster of one's own: topics are created, described, changed and
//! deleted, and the API shows the same. Without the role, nothing moves.

use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::api::Person;
use crate::kafka::{API_VERSIONS, Client, request, string};
use crate::stack;

const PATIENCE: Duration = Duration::from_secs(120);

const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";
const CONFIGS: &str = "kafka.admin.ConfigCommand";

/// Kafka's API key and error code (protocol guide).
const CREATE_TOPICS: i16 = 19;
const TOPIC_ALREADY_EXISTS: i16 = 36;

/// Kafka's tools with one key.
struct Tools {
    configuration: tempfile::NamedTempFile,
}

impl Tools {
    fn new((username, password): &(String, String)) -> Self {
        let text = format!(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\n\
             sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
             username=\"{username}\" password=\"{password}\";\n"
        );
        let configuration = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(configuration.path(), text).expect("write the configuration");
        Self { configuration }
    }

    /// Runs a tool to its end; its standard output and errors together.
    async fn run(&self, tool: &str, arguments: &[&str]) -> (bool, String) {
        let libs = PathBuf::from(stack::text("/kafka_libs")).join("*");
        let mut command = Command::new(std::env::var_os("WEIR_JAVA").unwrap_or_else(|| "java".into()));
        command
            .arg("-Xmx128m")
            .arg("-cp")
            .arg(libs)
            .arg(tool)
            .arg("--bootstrap-server")
            .arg(stack::text("/kafka/payments/bootstrap"))
            .arg("--command-config")
            .arg(self.configuration.path())
            .args(arguments)
            .kill_on_drop(true);
        let ended = tokio::time::timeout(PATIENCE, command.output());
        let Output {
            status,
            stdout,
            stderr,
        } = ended.await.expect("in time").expect("java runs");
        let said = [stdout, stderr].concat();
        (status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    async fn topics(&self, arguments: &[&str]) -> (bool, String) {
        self.run(TOPICS, arguments).await
    }
}

/// A service account with this role on the payments tenant's cluster, and a key.
async fn account(person: &Person, name: &str, role: &str) -> (String, String) {
    let spec = json!({"spec": {"name": name}});
    let (status, account) = person.call("POST", "/v1/service-accounts", &spec).await;
    assert_eq!(status, 201, "{account:#}");
    let binding = json!({"spec": {"principal": account["id"], "role": role, "resource": "*"}});
    let (status, bound) = person.call("POST", "/v1/role-bindings", &binding).await;
    assert_eq!(status, 201, "{bound:#}");
    let cluster = stack::text("/ids/payments.cluster");
    let key = json!({"spec": {"service_account": account["id"], "cluster": cluster}});
    let (status, key) = person.call("POST", "/v1/api-keys?wait=30s", &key).await;
    assert_eq!(
        (status, &key["status"]["phase"]),
        (201, &json!("READY")),
        "{key:#}"
    );
    let text = |name: &str| key["secret"][name].as_str().expect("a text").to_owned();
    (text("username"), text("password"))
}

async fn topic(person: &Person, name: &str) -> Option<Value> {
    let cluster = stack::text("/ids/payments.cluster");
    let path = format!("/v1/topics?page_size=1000&cluster={cluster}");
    let (status, listed) = person.call("GET", &path, &Value::Null).await;
    assert_eq!(status, 200, "{listed:#}");
    let data = listed["data"].as_array().expect("topics");
    data.iter().find(|it| it["spec"]["name"] == name).cloned()
}

fn unique(what: &str) -> String {
    format!("{what}-{}", uuid::Uuid::now_v7().simple())
}

#[tokio::test]
async fn kafkas_own_tools_administer_topics_and_the_api_shows_the_same() {
    let person = Person::sign_in("payments").await;
    let tools = Tools::new(&account(&person, &unique("admin"), "TENANT_ADMIN").await);
    let name = unique("made-by-tool");
    create(&person, &tools, &name).await;
    change(&person, &tools, &name).await;
    let (done, said) = tools.topics(&["--delete", "--topic", &name]).await;
    assert!(done, "{said}");
    assert!(
        topic(&person, &name).await.is_none(),
        "gone when the tool is told so"
    );
    let (done, said) = tools.topics(&["--list"]).await;
    assert!(done && !said.contains(&name), "{said}");
    assert!(said.contains("payments"), "{said}");
}

async fn create(person: &Person, tools: &Tools, name: &str) {
    let create = [
        "--create",
        "--topic",
        name,
        "--partitions",
        "3",
        "--config",
        "retention.ms=3600000",
    ];
    let (done, said) = tools.topics(&create).await;
    assert!(done && said.contains("Created topic"), "{said}");
    let made = topic(person, name).await.expect("the API has it");
    assert_eq!(made["status"]["phase"], "READY", "{made:#}");
    let wished = (&made["spec"]["partitions"], &made["spec"]["retention_ms"]);
    assert_eq!(wished, (&json!(3), &json!(3_600_000)));
    let (done, said) = tools.topics(&["--describe", "--topic", name]).await;
    assert!(done && said.contains("PartitionCount: 3"), "{said}");
    assert!(said.contains("retention.ms=3600000"), "{said}");
    let cluster = stack::text("/ids/payments.cluster");
    let (_kind, suffix) = cluster.split_once('_').expect("an id");
    assert!(!said.contains(suffix), "no physical name: {said}");
    let (done, said) = tools.topics(&create).await;
    assert!(!done && said.contains("TopicExistsException"), "{said}");
}

async fn change(person: &Person, tools: &Tools, name: &str) {
    let grow = ["--alter", "--topic", name, "--partitions", "5"];
    let (done, said) = tools.topics(&grow).await;
    assert!(done, "{said}");
    let set = async |setting: &str| {
        let arguments = [
            "--alter",
            "--entity-type",
            "topics",
            "--entity-name",
            name,
            "--add-config",
            setting,
        ];
        tools.run(CONFIGS, &arguments).await
    };
    let (done, said) = set("cleanup.policy=compact").await;
    assert!(done && said.contains("Completed"), "{said}");
    let now = topic(person, name).await.expect("the API has it");
    let wished = (&now["spec"]["partitions"], &now["spec"]["cleanup_policy"]);
    assert_eq!(wished, (&json!(5), &json!("COMPACT")));
    let (done, said) = set("segment.ms=1").await;
    assert!(
        !done && said.contains("segment.ms"),
        "out of range, by name: {said}"
    );
}

#[tokio::test]
async fn without_the_role_a_tool_changes_nothing() {
    let person = Person::sign_in("payments").await;
    let tools = Tools::new(&account(&person, &unique("developer"), "DEVELOPER").await);
    let name = unique("refused");
    let (done, said) = tools
        .topics(&["--create", "--topic", &name, "--partitions", "1"])
        .await;
    assert!(!done && said.contains("TopicAuthorizationException"), "{said}");
    let (done, said) = tools.topics(&["--delete", "--topic", "payments"]).await;
    assert!(!done && said.contains("TopicAuthorizationException"), "{said}");
    assert!(topic(&person, &name).await.is_none());
    assert!(topic(&person, "payments").await.is_some());
}

/// CreateTopics of version 2: one topic with one partition, nothing else, ten seconds.
fn creation(name: &str) -> Vec<u8> {
    let body = [
        &1_i32.to_be_bytes()[..],
        &string(name),
        &1_i32.to_be_bytes(),
        &(-1_i16).to_be_bytes(),
        &0_i32.to_be_bytes(),
        &0_i32.to_be_bytes(),
        &10_000_i32.to_be_bytes(),
        &[0],
    ]
    .concat();
    request(CREATE_TOPICS, 2, &body)
}

#[tokio::test]
async fn wishes_of_one_connection_keep_their_order_among_its_other_requests() {
    let person = Person::sign_in("payments").await;
    let (username, password) = account(&person, &unique("pipeline"), "TENANT_ADMIN").await;
    let mut client = Client::connect().await;
    assert_eq!(client.login(&username, &password).await, Some(0));
    let name = unique("pipelined");
    // All at once: the second creation finds the first one's topic, and what needs no wish waits its turn.
    client.frame(&creation(&name)).await;
    client.frame(&request(API_VERSIONS, 0, &[])).await;
    client.frame(&creation(&name)).await;
    let code = |answer: &[u8]| {
        // Throttle time, array, name; then the code.
        let at = 4 + 4 + 2 + name.len();
        i16::from_be_bytes([answer[at], answer[at + 1]])
    };
    let first = client.answer().await.expect("an answer");
    assert_eq!(code(&first), 0);
    let versions = client.answer().await.expect("an answer");
    assert_eq!(versions[..2], [0, 0], "ApiVersions in its turn");
    let second = client.answer().await.expect("an answer");
    assert_eq!(code(&second), TOPIC_ALREADY_EXISTS);
    let made = topic(&person, &name).await.expect("the API has it");
    let path = format!("/v1/topics/{}", made["id"].as_str().expect("an id"));
    let (status, _going) = person.call("DELETE", &path, &json!({})).await;
    assert_eq!(status, 202);
}
