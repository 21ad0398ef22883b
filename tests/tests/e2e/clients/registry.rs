//! Stock serializers with `/registry` of the control plane as their Schema Registry, records through the gateway.

use serde_json::json;

use super::program::{Program, settings_of, tool};
use crate::scene::Scene;
use crate::stack;

#[tokio::test]
async fn confluent_kafkas_serializers() {
    let program = Program::new(&tool("WEIR_CLIENTS_PYTHON"), &["confluent-kafka/registry.py"]);
    let required = [
        "avro",
        "json",
        "protobuf",
        "compatibility",
        "references",
        "rights",
    ];
    super::shows("registry", program, &required).await;
}

/// What clients let through, the gateway does not: a contract holds for who executes no rules, too.
#[tokio::test]
async fn a_contract_is_enforced_whatever_the_client_does() {
    let program = Program::new(&tool("WEIR_CLIENTS_PYTHON"), &["confluent-kafka/contract.py"]);
    let required = [
        "avro",
        "json",
        "protobuf",
        "registered and sent",
        "no record of it",
        "codecs",
        "idempotence",
        "transaction",
    ];
    let scene = Scene::with_others("contract").await;
    scene
        .change_topic(&json!({"contract": {"enforcement": "REJECT"}}))
        .await;
    super::shows_in(scene, "contract", program, &required).await;
}

/// Another language's client reads what confluent-kafka wrote, by the registry alone, and writes its own.
#[tokio::test]
async fn the_registry_client_of_kafkajs() {
    let scene = Scene::new("registry-js").await;
    scene
        .change_topic(&json!({"contract": {"enforcement": "REJECT"}}))
        .await;
    let writer = ["confluent-kafka/registry.py"];
    let written = Program::new(&tool("WEIR_CLIENTS_PYTHON"), &writer)
        .only("avro")
        .run(&scene)
        .await;
    assert!(
        written.len() == 1 && written.iter().all(|it| it.ok),
        "{written:?}"
    );
    let program = Program::new(&tool("WEIR_CLIENTS_NODE"), &["kafkajs/registry.mjs"]);
    let required = ["of others", "avro", "json", "protobuf"];
    super::shows_in(scene, "registry-js", program, &required).await;
}

/// Confluent's registry client in Java, and Flink's coder over it.
#[tokio::test]
#[ignore = "needs a JDK: ring slow"]
async fn the_registry_client_in_java() {
    let program = ["-cp", &tool("WEIR_CLIENTS_JAVA_REGISTRY"), "Registry"];
    let program = Program::new(&tool("WEIR_CLIENTS_JAVA"), &program);
    let required = ["registry client", "compatibility", "flink's coder", "rights"];
    super::shows("registry-java", program, &required).await;
}

/// Producers notice nothing, consumers see what is good, and each bad record is in the dead-letter topic once; when the
/// contract lets them pass, each is put into its topic once.
#[tokio::test]
async fn dead_letters_arrive_once_and_are_redriven_once() {
    let program = |file| Program::new(&tool("WEIR_CLIENTS_PYTHON"), &[file]);
    let scene = Scene::with_others("letters").await;
    let target = scene.id_of(&scene.group_topic).await;
    let contract = |enforcement| json!({"enforcement": enforcement, "dead_letter_topic": target});
    scene.change_topic(&json!({ "contract": contract("DLQ") })).await;
    let mut lines = program("confluent-kafka/dead_letters.py").run(&scene).await;
    scene
        .change_topic(&json!({ "contract": contract("SHADOW") }))
        .await;
    let mut settings = settings_of(&scene);
    settings["inside"] = json!({
        "url": stack::text("/inside"),
        "state_dir": format!("{}/agent", stack::text("/state_dir")),
        "topic_id": target,
    });
    lines.extend(program("confluent-kafka/redrive.py").with(&settings).await);
    // While it is named, the dead-letter topic cannot be taken away.
    scene.change_topic(&json!({"contract": null})).await;
    scene.clear().await;
    assert!(lines.iter().all(|it| it.ok), "{lines:#?}");
    let checked = |check: &str| lines.iter().filter(|it| it.check == check).count();
    for check in [
        "codecs",
        "idempotence",
        "transaction",
        "stranger",
        "listing",
        "redrive",
    ] {
        assert_eq!(checked(check), 1, "{check}");
    }
}

/// A log with batches of which nothing is left, between others and at its end; these clients read it one after the other.
async fn gaps_stop_none(name: &str, readers: Vec<Program>, lines: usize) {
    let scene = Scene::new(name).await;
    let target = scene.id_of(&scene.group_topic).await;
    scene
        .change_topic(&json!({"contract": {"enforcement": "DLQ", "dead_letter_topic": target}}))
        .await;
    let writer = Program::new(&tool("WEIR_CLIENTS_PYTHON"), &["confluent-kafka/gaps.py"]);
    let mut found = writer.run(&scene).await;
    for reader in readers {
        found.extend(reader.only("gaps").run(&scene).await);
    }
    scene.change_topic(&json!({"contract": null})).await;
    scene.clear().await;
    assert!(found.iter().all(|it| it.ok), "{found:#?}");
    assert_eq!(found.len(), 1 + lines, "{found:#?}");
}

#[tokio::test]
async fn gaps_stop_no_client() {
    let python = Program::new(&tool("WEIR_CLIENTS_PYTHON"), &["kafka-python/gaps.py"]);
    let kafkajs = Program::new(&tool("WEIR_CLIENTS_NODE"), &["kafkajs/gaps.mjs"]);
    gaps_stop_none("gaps", vec![python, kafkajs], 2).await;
}

#[tokio::test]
#[ignore = "needs a JDK and Go: ring slow"]
async fn gaps_stop_neither_java_nor_franz_go() {
    let java = ["-cp", &tool("WEIR_CLIENTS_JAVA_CLASSES"), "Gaps"];
    let java = Program::new(&tool("WEIR_CLIENTS_JAVA"), &java);
    let franz_go = Program::new(&tool("WEIR_CLIENTS_FRANZ_GO"), &[]);
    gaps_stop_none("gaps-slow", vec![java, franz_go], 4).await;
}

/// Who reads a marked record sees why; who writes it notices nothing.
#[tokio::test]
async fn marks_reach_consumers() {
    let scene = Scene::new("marks").await;
    scene
        .change_topic(&json!({"contract": {"enforcement": "MARK"}}))
        .await;
    let program = Program::new(&tool("WEIR_CLIENTS_PYTHON"), &["confluent-kafka/marks.py"]);
    super::shows_in(scene, "marks", program, &["codecs", "idempotence", "transaction"]).await;
}
