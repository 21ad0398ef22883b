//! Stock clients through the gateway: the programs of `tests/clients`, each on topics of its own.

pub mod program;
mod tools;

use program::{Program, tool};

use crate::scene::Scene;

/// What every client must have shown.
const COMMON: [&str; 12] = [
    "login PLAIN",
    "login SCRAM-SHA-256",
    "login SCRAM-SHA-512",
    "wrong password",
    "headers",
    "codec gzip",
    "rebalance",
    "transaction",
    "foreign topic",
    "same names",
    "reader",
    "stranger",
];

/// Runs a client's program, and requires [`COMMON`] and `more` of it.
async fn conforms(name: &str, program: Program, more: &[&str]) {
    let scene = Scene::with_reader(name).await;
    let lines = program.run(&scene).await;
    scene.clear().await;
    let failed: Vec<String> = lines
        .iter()
        .filter(|it| !it.ok)
        .map(|it| format!("{}: {}", it.check, it.detail))
        .collect();
    assert!(failed.is_empty(), "{name}:\n{}", failed.join("\n"));
    for required in COMMON.iter().chain(more) {
        assert!(
            lines.iter().any(|it| it.check == *required),
            "{name} did not check {required}"
        );
    }
}

fn python(client: &str) -> Program {
    Program::new(&tool("WEIR_CLIENTS_PYTHON"), &[&format!("{client}/main.py")])
}

#[tokio::test]
async fn confluent_kafka() {
    let more = [
        "login OAUTHBEARER",
        "codec snappy",
        "codec lz4",
        "codec zstd",
        "fencing",
        "rebalance KIP-848",
        "pattern KIP-848",
    ];
    conforms("confluent-kafka", python("confluent-kafka"), &more).await;
}

#[tokio::test]
async fn kafka_python() {
    let more = [
        "codec snappy",
        "codec lz4",
        "codec zstd",
        "rebalance cooperative",
        "described",
    ];
    conforms("kafka-python", python("kafka-python"), &more).await;
}

#[tokio::test]
async fn kafkajs() {
    let program = Program::new(&tool("WEIR_CLIENTS_NODE"), &["kafkajs/main.mjs"]);
    conforms(
        "kafkajs",
        program,
        &["codec snappy", "idempotence", "describe group"],
    )
    .await;
}

#[tokio::test]
#[ignore = "needs a JDK and half a minute: ring slow"]
async fn java() {
    let program = Program::new(
        &tool("WEIR_CLIENTS_JAVA"),
        &["-cp", &tool("WEIR_CLIENTS_JAVA_CLASSES"), "Main"],
    );
    let more = [
        "login OAUTHBEARER",
        "codec snappy",
        "codec lz4",
        "codec zstd",
        "fencing",
        "rebalance KIP-848",
        "pattern KIP-848",
    ];
    conforms("java", program, &more).await;
}

#[tokio::test]
#[ignore = "needs Go: ring slow"]
async fn franz_go() {
    let program = Program::new(&tool("WEIR_CLIENTS_FRANZ_GO"), &[]);
    conforms("franz-go", program, &["codec snappy", "codec lz4", "codec zstd"]).await;
}

#[tokio::test]
#[ignore = "needs Go: ring slow"]
async fn sarama() {
    let program = Program::new(&tool("WEIR_CLIENTS_SARAMA"), &[]);
    let more = ["codec snappy", "codec lz4", "codec zstd", "idempotence"];
    conforms("sarama", program, &more).await;
}
