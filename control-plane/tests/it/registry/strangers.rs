//! The sweep of `/registry`: every operation by nobody, by another tenant, by who may only read.

use serde_json::{Value, json};
use weir_control_plane::registry::paths;

use super::{record, refused, register};
use crate::harness::{Bench, Caller};

struct World {
    bench: Bench,
    owner: Caller,
    ids: crate::harness::TenantIds,
    id: i64,
    guid: String,
}

impl World {
    async fn make() -> Self {
        let bench = Bench::start().await;
        let (owner, ids) = bench.tenant("TENANT_ADMIN").await;
        let id = register(&owner, "secret-value", &record(&["id", "hidden=-"])).await;
        let newer = owner.clone().with("Confluent-Accept-Unknown-Properties", "true");
        let shown = newer
            .get(&format!("/registry/schemas/ids/{id}"))
            .await
            .expect(200);
        owner
            .send(
                "PUT",
                "/registry/config/secret-value",
                r#"{"compatibility": "FULL"}"#,
            )
            .await
            .expect(200);
        owner
            .send("PUT", "/registry/mode/secret-value", r#"{"mode": "READWRITE"}"#)
            .await
            .expect(200);
        let guid = shown["guid"].as_str().expect("a guid").to_owned();
        Self {
            bench,
            owner,
            ids,
            id,
            guid,
        }
    }

    /// Every operation, about what the first tenant has.
    fn calls(&self) -> Vec<(&'static str, String, String)> {
        let body = |method: &str, path: &str| match (method, path) {
            ("PUT", it) if it.contains("/config") => json!({"compatibility": "NONE"}).to_string(),
            ("PUT", _mode) => json!({"mode": "READONLY"}).to_string(),
            ("POST", _schema) => json!({"schema": record(&["id", "hidden=-"])}).to_string(),
            _ => String::new(),
        };
        let filled = |path: String| {
            path.replace("{subject}", "secret-value")
                .replace("{version}", "1")
                .replace("{id}", &self.id.to_string())
                .replace("{guid}", &self.guid)
        };
        let calls = paths().into_iter();
        calls
            .map(|(method, path)| (method, filled(path.clone()), body(method, &path)))
            .collect()
    }

    async fn seen(&self) -> Vec<Value> {
        let mut seen = Vec::new();
        for path in [
            "/registry/subjects",
            "/registry/schemas",
            "/registry/config",
            "/registry/config/secret-value",
            "/registry/mode/secret-value",
        ] {
            seen.push(self.owner.get(path).await.expect(200));
        }
        seen
    }
}

#[tokio::test]
async fn nobody_gets_in() {
    let world = World::make().await;
    let before = world.seen().await;
    let calls = world.calls();
    assert!(calls.len() >= 30, "every operation is called");
    for (method, path, body) in calls {
        let reply = world.bench.nobody().send(method, &path, body).await;
        refused(reply, 401, 401);
    }
    assert_eq!(world.seen().await, before);
}

#[tokio::test]
async fn a_stranger_finds_nothing_and_changes_nothing() {
    let world = World::make().await;
    let before = world.seen().await;
    let (stranger, _) = world.bench.tenant("TENANT_ADMIN").await;
    for path in [
        "/registry/subjects",
        "/registry/schemas",
        "/registry/subjects?subjectPrefix=:*:&deleted=true",
    ] {
        assert_eq!(stranger.get(path).await.expect(200), json!([]));
    }
    for (method, path, body) in world.calls() {
        let reply = stranger.send(method, &path, body.clone()).await;
        let text = reply.body.to_string();
        // Of its own it may see as much as it makes here; of the first tenant's, the id is enough to know it by.
        assert!(
            reply.body["error_code"].is_number() || !text.contains(&world.id.to_string()),
            "{method} {path}: {text}"
        );
        if path.contains("/schemas/") && path != "/registry/schemas/types" {
            refused(reply, 404, 40403);
        }
        // Naming the first tenant opens nothing either.
        let pretender = stranger.clone().with("Weir-Tenant", world.ids.tenant.to_string());
        let reply = pretender.send(method, &path, body).await;
        assert_eq!(reply.status, 404, "{method} {path}: {}", reply.body);
        assert!(!reply.body.to_string().contains("hidden"));
    }
    assert_eq!(world.seen().await, before);
    // The same text of two tenants has two ids, and neither resolves the other's.
    let own = register(&stranger, "secret-value", &record(&["id", "hidden=-"])).await;
    assert_ne!(own, world.id);
    refused(
        world.owner.get(&format!("/registry/schemas/ids/{own}")).await,
        404,
        40403,
    );
    refused(
        stranger.get(&format!("/registry/schemas/ids/{}", world.id)).await,
        404,
        40403,
    );
}

#[tokio::test]
async fn a_reader_reads_and_changes_nothing() {
    let world = World::make().await;
    let before = world.seen().await;
    let reader = world.bench.member(&world.ids, "READER").await;
    for (method, path, body) in world.calls() {
        let reply = reader.send(method, &path, body).await;
        let asks =
            method == "GET" || path.contains("/compatibility/") || path.ends_with("/subjects/secret-value");
        if asks && method != "DELETE" {
            // `/metadata` finds a version without properties when it is asked for none.
            assert_eq!(reply.status, 200, "{method} {path}: {}", reply.body);
        } else {
            refused(reply, 403, 40301);
        }
    }
    assert_eq!(world.seen().await, before);
}
