//! Stock serializers and kcat with `/registry` of the control plane as their Schema Registry, records through the gateway.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use super::program::{Program, tool};
use crate::api::Person;
use crate::scene::Scene;
use crate::stack;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn confluent_kafkas_serializers() {
    let scene = Scene::with_others("registry").await;
    let program = Program::new(&tool("WEIR_CLIENTS_PYTHON"), &["confluent-kafka/registry.py"]);
    let lines = program.run(&scene).await;
    scene.clear().await;
    let failed: Vec<String> = lines
        .iter()
        .filter(|it| !it.ok)
        .map(|it| format!("{}: {}", it.check, it.detail))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    for required in [
        "avro",
        "json",
        "protobuf",
        "compatibility",
        "references",
        "rights",
    ] {
        assert!(
            lines.iter().any(|it| it.check == required),
            "{required} was not checked"
        );
    }
}

fn secret(part: &str) -> String {
    stack::text(&format!("/kafka/payments/{part}"))
}

/// The registry's URL with the credentials in it.
fn registry() -> String {
    let url = stack::text("/url");
    let (scheme, rest) = url.split_once("://").expect("a URL");
    format!(
        "{scheme}://{}:{}@{rest}/registry",
        secret("username"),
        secret("password")
    )
}

async fn kcat(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("kcat");
    let login = [
        "-b".to_owned(),
        stack::text("/kafka/payments/bootstrap"),
        "-X".to_owned(),
        "security.protocol=sasl_plaintext".to_owned(),
        "-X".to_owned(),
        "sasl.mechanism=PLAIN".to_owned(),
        "-X".to_owned(),
        format!("sasl.username={}", secret("username")),
        "-X".to_owned(),
        format!("sasl.password={}", secret("password")),
    ];
    let mut kcat = command
        .args(login)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("start kcat");
    let mut stdin = kcat.stdin.take().expect("kcat's input");
    stdin.write_all(input).await.expect("write to kcat");
    drop(stdin);
    let output = timeout(PATIENCE, kcat.wait_with_output())
        .await
        .expect("kcat is done in time")
        .expect("kcat ends");
    assert!(output.status.success(), "{arguments:?}: {}", output.status);
    output.stdout
}

/// kcat reads what a serializer wrote: here by hand, the magic byte, the id, and a string of Avro.
#[tokio::test]
async fn kcat_reads_avro_by_its_id() {
    let scene = Scene::new("kcat-avro").await;
    let topic = scene.topic.as_str();
    let schema = json!({"type": "record", "name": "P", "fields": [{"name": "id", "type": "string"}]});
    let body = json!({"schema": schema.to_string()});
    let path = format!("/registry/subjects/{topic}-value/versions");
    let (status, made) = Person::sign_in("payments").await.call("POST", &path, &body).await;
    assert_eq!(status, 200, "{made:#}");
    let id = u32::try_from(made["id"].as_u64().expect("an id")).expect("an id of 32 bits");
    let mut record = vec![0_u8];
    record.extend_from_slice(&id.to_be_bytes());
    record.extend_from_slice(b"\x0ecard-77");
    kcat(&["-P", "-t", topic, "-p", "0", "-D", "\u{1}"], &record).await;
    let registry = registry();
    let arguments = [
        "-C",
        "-t",
        topic,
        "-p",
        "0",
        "-o",
        "beginning",
        "-e",
        "-q",
        "-s",
        "value=avro",
        "-r",
        &registry,
    ];
    let read = kcat(&arguments, b"").await;
    let read = String::from_utf8(read).expect("text");
    let value: Value = serde_json::from_str(read.trim()).expect("a JSON value");
    assert_eq!(value, json!({"id": "card-77"}));
    scene.clear().await;
}
