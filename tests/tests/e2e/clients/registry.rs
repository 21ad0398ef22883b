//! Stock serializers with `/registry` of the control plane as their Schema Registry, records through the gateway.

use super::program::{Program, tool};

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
