//! The OpenAPI document: committed, current, and without what strict readers refuse.

use std::collections::BTreeSet;

use serde_json::Value;

fn document() -> Value {
    serde_json::to_value(weir_control_plane::server::rest::document()).expect("JSON")
}

fn operations(document: &Value) -> impl Iterator<Item = &Value> {
    let paths = document["paths"].as_object().expect("paths").values();
    paths.flat_map(|item| item.as_object().expect("an item").values())
}

#[test]
fn the_committed_document_is_what_the_routes_say() {
    let committed = include_str!("../../openapi.json");
    let committed: Value = serde_json::from_str(committed).expect("JSON");
    assert!(
        committed == document(),
        "openapi.json is stale: run `cargo xtask bless`"
    );
}

#[test]
fn every_operation_has_its_own_id_and_described_answers() {
    let document = document();
    let mut ids = BTreeSet::new();
    for operation in operations(&document) {
        let id = operation["operationId"].as_str().expect("an id");
        assert!(ids.insert(id.to_owned()), "{id} twice");
        for (status, response) in operation["responses"].as_object().expect("responses") {
            assert!(
                response["description"].as_str().is_some_and(|it| !it.is_empty()),
                "{id} {status}"
            );
        }
        assert!(
            operation["responses"].get("default").is_some(),
            "{id} names its problems"
        );
    }
    assert!(ids.len() > 60, "{} operations", ids.len());
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for (at, _) in text.match_indices("#/components/schemas/") {
        let rest = &text[at + "#/components/schemas/".len()..];
        let name = rest.split('"').next().expect("a name");
        assert!(schemas.contains_key(name), "{name} is referred to and missing");
    }
}
