//! Clients that say who they are by a certificate, and clients behind a real balancer: stock ones, unchanged, at a gateway with TLS
//! that runs beside the stack's own.

mod balancer;
mod gateway;
mod stock;

use serde_json::json;

use crate::api::Person;
use crate::rights::{Login, made, unique};
use crate::scene::Scene;
use crate::stack;
use gateway::Further;
use stock::{Person as ClientKey, java_consume, java_produce, kcat_consume, kcat_produce};

/// The label of the tenant's cluster in names.
fn label() -> String {
    let id = stack::text("/ids/payments.cluster");
    id.trim_start_matches("cluster_").to_owned()
}

/// An API key of the story's service account that this client's certificate opens.
async fn register(client: &ClientKey) -> String {
    let person = Person::sign_in("payments").await;
    let spec = json!({
        "service_account": stack::text("/ids/payments.principal"),
        "cluster": stack::text("/ids/payments.cluster"),
        "description": unique("by certificate"),
        "certificate_pem": client.certificate(),
    });
    let key = made(&person, "/v1/api-keys", spec).await;
    assert_eq!(key["status"]["phase"], "READY", "{key:#}");
    assert!(key["secret"].is_null(), "{key:#}");
    key["id"].as_str().expect("an id").to_owned()
}

async fn revoke(key: &str) {
    let person = Person::sign_in("payments").await;
    let (status, answer) = person
        .call("DELETE", &format!("/v1/api-keys/{key}"), &json!({}))
        .await;
    assert!(matches!(status, 202 | 204), "{status} {answer:#}");
}

/// Who is connected to the tenant's cluster by this key, and how.
async fn mechanisms(key: &str) -> Vec<String> {
    let person = Person::sign_in("payments").await;
    let cluster = stack::text("/ids/payments.cluster");
    let (status, page) = person
        .call(
            "GET",
            &format!("/v1/clusters/{cluster}/connections?page_size=1000"),
            &serde_json::Value::Null,
        )
        .await;
    assert_eq!(status, 200, "{page:#}");
    let all = page["data"].as_array().expect("connections").iter();
    all.filter(|it| it["api_key"] == key)
        .map(|it| it["mechanism"].as_str().expect("a word").to_owned())
        .collect()
}

#[tokio::test]
#[ignore = "several times a JVM: ring slow"]
async fn stock_clients_come_by_certificate_alone() {
    let scene = Scene::new("mtls").await;
    let gateway = Further::begin(&[]).await;
    let address = gateway.address("127.0.0.1", &label());
    let client = ClientKey::new(&gateway.folder, "app");
    // Nobody knows it yet.
    assert!(
        kcat_produce(&address, &client.settings(), &scene.topic, &["no"])
            .await
            .is_err()
    );
    let key = register(&client).await;
    kcat_produce(&address, &client.settings(), &scene.topic, &["one", "two"])
        .await
        .expect("kcat produces");
    java_produce(&address, &client.properties(), &scene.topic, &["three"])
        .await
        .expect("Java produces");
    let mut read = kcat_consume(&address, &client.settings(), &scene.topic)
        .await
        .expect("kcat consumes");
    read.sort();
    assert_eq!(read, ["one", "three", "two"]);
    let held = gateway.held(&address, &client).await;
    let mut read = java_consume(&address, &client.properties(), &scene.topic, 3)
        .await
        .expect("Java consumes");
    read.sort();
    assert_eq!(read, ["one", "three", "two"]);
    assert_eq!(mechanisms(&key).await, ["MTLS"]);
    // By password under the same name, as ever: the certificate means nothing then.
    let story = Login::of_story("payments");
    let both = [client.settings(), stock::sasl(&story)].concat();
    kcat_produce(&address, &both, &scene.topic, &["four"])
        .await
        .expect("kcat logs in");
    // A renewed certificate over the same key goes on; another key does not.
    client.renew();
    kcat_produce(&address, &client.settings(), &scene.topic, &["five"])
        .await
        .expect("the same key");
    let thief = ClientKey::new(&gateway.folder, "thief");
    assert!(
        kcat_produce(&address, &thief.settings(), &scene.topic, &["no"])
            .await
            .is_err()
    );
    // Another name of this gateway means no cluster, and a certificate alone is nobody.
    let elsewhere = gateway.address("127.0.0.1", "gateway");
    assert!(
        kcat_produce(&elsewhere, &client.settings(), &scene.topic, &["no"])
            .await
            .is_err()
    );
    revoke(&key).await;
    held.ends().await;
    assert!(
        kcat_produce(&address, &client.settings(), &scene.topic, &["no"])
            .await
            .is_err()
    );
    assert!(
        java_produce(&address, &client.properties(), &scene.topic, &["no"])
            .await
            .is_err()
    );
    gateway.end().await;
    scene.clear().await;
}
