//! `/registry` as clients of the Schema Registry API use it.

mod concurrency;
mod contexts;
mod counts;
mod deletion;
mod ids;
mod kept;
mod keys;
mod references;
mod registration;
mod settings;
mod standing;
mod strangers;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Bench, Caller, Reply};
use crate::streams::id;

/// A record of Avro with these fields: a name alone is a string without a default.
pub fn record(fields: &[&str]) -> String {
    let field = |text: &&str| match text.split_once('=') {
        Some((name, default)) => json!({"name": name, "type": "string", "default": default}),
        None => json!({"name": text, "type": "string"}),
    };
    let fields: Vec<Value> = fields.iter().map(field).collect();
    json!({"type": "record", "name": "Payment", "fields": fields}).to_string()
}

/// Registers and gives the id.
pub async fn register(caller: &Caller, subject: &str, schema: &str) -> i64 {
    let reply = caller
        .post(
            &format!("/registry/subjects/{subject}/versions"),
            &json!({"schema": schema}),
        )
        .await;
    reply.expect(200)["id"].as_i64().expect("an id")
}

/// Fails unless the answer is this error of the registry's.
#[track_caller]
pub fn refused(reply: Reply, status: u16, code: u32) -> String {
    let media = reply.headers["content-type"].to_str().expect("text").to_owned();
    assert_eq!(media, "application/vnd.schemaregistry.v1+json");
    let body = reply.expect(status);
    assert_eq!(body["error_code"], code, "{body:#}");
    let fields = body.as_object().expect("an object");
    assert_eq!(fields.len(), 2, "{body:#}");
    body["message"].as_str().expect("a message").to_owned()
}

/// A service account with a role and a key, and a caller that presents it by HTTP Basic.
pub async fn key(bench: &Bench, admin: &Caller, role: &str, resource: &str, cluster: Option<&str>) -> Caller {
    let name = format!("app{}", uuid::Uuid::now_v7().simple());
    let account = json!({"spec": {"name": name}});
    let account = id(&admin.post("/v1/service-accounts", &account).await.expect(201));
    let binding = json!({"spec": {"principal": account, "role": role, "resource": resource}});
    admin.post("/v1/role-bindings", &binding).await.expect(201);
    let spec = json!({"spec": {"service_account": account, "cluster": cluster}});
    let made = admin.post("/v1/api-keys", &spec).await.expect(201);
    let secret = made["secret"]["password"].as_str().expect("a secret");
    let pair = STANDARD.encode(format!("{}:{secret}", id(&made)));
    bench.nobody().with("Authorization", format!("Basic {pair}"))
}
