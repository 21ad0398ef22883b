//! `/v1/contracts`: registering for people and scripts, and what a dry run tells before.

mod lifecycle;
mod lint;
mod plans;
mod writes;

use serde_json::{Value, json};

use crate::harness::Caller;
use crate::streams::id;

/// A wish for a subject of an environment.
pub fn wish(environment: &str, subject: &str, schema: &str) -> Value {
    json!({"spec": {"environment": environment, "subject": subject, "schema": schema}})
}

/// An environment of this name.
pub async fn environment(admin: &Caller, name: &str) -> String {
    let environment = json!({"spec": {"name": name}});
    id(&admin.post("/v1/environments", &environment).await.expect(201))
}

/// A record of Avro with these fields of strings, which have defaults.
pub fn record(name: &str, fields: &[&str]) -> String {
    let field = |name: &&str| json!({"name": name, "type": "string", "default": ""});
    let fields: Vec<Value> = fields.iter().map(field).collect();
    json!({"type": "record", "name": name, "namespace": "bank", "fields": fields}).to_string()
}

/// The same with a field without a default, which no earlier record has.
pub fn record_with(name: &str, fields: &[&str], needed: &str) -> String {
    let mut schema: Value = serde_json::from_str(&record(name, fields)).expect("JSON");
    let fields = schema["fields"].as_array_mut().expect("fields");
    fields.push(json!({"name": needed, "type": "string"}));
    schema.to_string()
}
