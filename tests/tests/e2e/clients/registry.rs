//! Stock serializers with `/registry` of the control plane as their Schema Registry, records through the gateway.

use serde_json::json;

use super::program::{Program, tool};
use crate::scene::Scene;

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
