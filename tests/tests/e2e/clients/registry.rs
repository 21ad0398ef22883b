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
    for check in [
        "codecs",
        "idempotence",
        "transaction",
        "stranger",
        "listing",
        "redrive",
    ] {
        let line = lines.iter().find(|it| it.check == check);
        assert!(line.is_some_and(|it| it.ok), "{check}: {line:?}");
    }
}
