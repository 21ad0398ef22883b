//! Stock clients through the gateway: the programs of `tests/clients`, each on topics of its own.

pub mod program;
mod registry;
mod tools;
mod verdicts;

use program::{Program, tool};

use crate::scene::Scene;

/// What every client must have shown.
const COMMON: [&str; 15] = [
    "login PLAIN",
    "login SCRAM-SHA-256",
    "login SCRAM-SHA-512",
    "wrong password",
    "headers",
    "codec gzip",
    "codec snappy",
    "idempotence",
    "rebalance",
    "transaction",
    "foreign topic",
    "same names",
    "administration",
    "reader",
    "stranger",
];

/// What clients that have every codec must have shown besides.
const CODECS: [&str; 2] = ["codec lz4", "codec zstd"];

/// Runs a client's program, and requires [`COMMON`] and `more` of it.
async fn conforms(name: &str, program: Program, more: &[&str]) {
    shows(name, program, &[&COMMON[..], more].concat()).await;
}

/// Runs a client's program: nothing failed, and everything that is required was checked.
async fn shows(name: &str, program: Program, required: &[&str]) {
    shows_in(Scene::with_others(name).await, name, program, required).await;
}

/// The same on topics and keys that are there.
async fn shows_in(scene: Scene, name: &str, program: Program, required: &[&str]) {
    let lines = program.run(&scene).await;
    scene.clear().await;
    let failed: Vec<String> = lines
        .iter()
        .filter(|it| !it.ok)
        .map(|it| format!("{}: {}", it.check, it.detail))
        .collect();
    assert!(failed.is_empty(), "{name}:\n{}", failed.join("\n"));
    for required in required {
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
        &CODECS[..],
        &[
            "login OAUTHBEARER",
            "codec none",
            "offsets by time",
            "commit and fetch",
            "describe group",
            "consume transform produce",
            "fencing",
            "rebalance cooperative",
            "rebalance KIP-848",
            "pattern KIP-848",
        ],
    ];
    conforms("confluent-kafka", python("confluent-kafka"), &more.concat()).await;
}

#[tokio::test]
async fn kafka_python() {
    let more = [
        &CODECS[..],
        &[
            "offsets by time",
            "commit and fetch",
            "describe group",
            "described",
            "consume transform produce",
            "rebalance cooperative",
        ],
    ];
    conforms("kafka-python", python("kafka-python"), &more.concat()).await;
}

#[tokio::test]
async fn kafkajs() {
    let program = Program::new(&tool("WEIR_CLIENTS_NODE"), &["kafkajs/main.mjs"]);
    let more = ["offsets by time", "commit and fetch", "describe group"];
    conforms("kafkajs", program, &more).await;
}

#[tokio::test]
#[ignore = "needs a JDK and half a minute: ring slow"]
async fn java() {
    let program = Program::new(
        &tool("WEIR_CLIENTS_JAVA"),
        &["-cp", &tool("WEIR_CLIENTS_JAVA_CLASSES"), "Main"],
    );
    let more = [
        &CODECS[..],
        &[
            "login OAUTHBEARER",
            "codec none",
            "offsets by time",
            "commit and fetch",
            "describe group",
            "describe group KIP-848",
            "described",
            "consume transform produce",
            "fencing",
            "rebalance cooperative",
            "rebalance KIP-848",
            "pattern KIP-848",
        ],
    ];
    conforms("java", program, &more.concat()).await;
}

#[tokio::test]
#[ignore = "needs Go: ring slow"]
async fn franz_go() {
    let program = Program::new(&tool("WEIR_CLIENTS_FRANZ_GO"), &[]);
    let more = [
        &CODECS[..],
        &[
            "offsets",
            "describe group",
            "consume transform produce",
            "fencing",
            "rebalance KIP-848",
            "patterns",
        ],
    ];
    conforms("franz-go", program, &more.concat()).await;
}

#[tokio::test]
#[ignore = "needs Go: ring slow"]
async fn sarama() {
    let program = Program::new(&tool("WEIR_CLIENTS_SARAMA"), &[]);
    conforms("sarama", program, &CODECS).await;
}
