//! Deleting in two steps.

use serde_json::json;

use super::{record, refused, register};
use crate::harness::Bench;

#[tokio::test]
async fn a_version_is_deleted_then_gone() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let one = register(&admin, "p", &record(&["id"])).await;
    let two = register(&admin, "p", &record(&["id", "a=-"])).await;
    let version = |number: u8| format!("/registry/subjects/p/versions/{number}");
    refused(
        admin.delete(&format!("{}?permanent=true", version(2))).await,
        404,
        40407,
    );
    assert_eq!(admin.delete(&version(2)).await.expect(200), json!(2));
    refused(admin.delete(&version(2)).await, 404, 40406);
    refused(admin.get(&version(2)).await, 404, 40402);
    let shown = admin
        .get(&format!("{}?deleted=true", version(2)))
        .await
        .expect(200);
    assert_eq!(shown["deleted"], true);
    let versions = |more: &str| format!("/registry/subjects/p/versions{more}");
    assert_eq!(admin.get(&versions("")).await.expect(200), json!([1]));
    assert_eq!(
        admin.get(&versions("?deleted=true")).await.expect(200),
        json!([1, 2])
    );
    assert_eq!(
        admin.get(&versions("?deletedOnly=true")).await.expect(200),
        json!([2])
    );
    // Records that carry the id can still be read.
    let by_id = format!("/registry/schemas/ids/{two}");
    admin.get(&by_id).await.expect(200);
    assert_eq!(
        admin.get(&format!("{by_id}/subjects")).await.expect(200),
        json!([])
    );
    let deleted = admin
        .get(&format!("{by_id}/subjects?deleted=true"))
        .await
        .expect(200);
    assert_eq!(deleted, json!(["p"]));
    // Registered again it has its id, a new number, and the deleted one is gone.
    assert_eq!(register(&admin, "p", &record(&["id", "a=-"])).await, two);
    assert_eq!(
        admin.get(&versions("?deleted=true")).await.expect(200),
        json!([1, 3])
    );
    assert_eq!(admin.delete(&version(3)).await.expect(200), json!(3));
    let gone = admin.delete(&format!("{}?permanent=true", version(3))).await;
    assert_eq!(gone.expect(200), json!(3));
    refused(admin.get(&by_id).await, 404, 40403);
    assert!(
        register(&admin, "p", &record(&["id", "a=-"])).await > two,
        "an id is given once"
    );
    refused(admin.delete(&version(9)).await, 404, 40402);
    admin
        .get(&format!("/registry/schemas/ids/{one}"))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_subject_is_deleted_with_what_is_configured_for_it() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let subject = "/registry/subjects/p";
    refused(admin.delete(subject).await, 404, 40401);
    let id = register(&admin, "p", &record(&["id"])).await;
    register(&admin, "p", &record(&["id", "a=-"])).await;
    admin
        .send("PUT", "/registry/config/p", r#"{"compatibility": "FULL"}"#)
        .await
        .expect(200);
    refused(
        admin.delete(&format!("{subject}?permanent=true")).await,
        404,
        40405,
    );
    assert_eq!(admin.delete(subject).await.expect(200), json!([1, 2]));
    refused(admin.delete(subject).await, 404, 40404);
    refused(admin.get("/registry/config/p").await, 404, 40408);
    refused(admin.get(&format!("{subject}/versions")).await, 404, 40401);
    assert_eq!(admin.get("/registry/subjects").await.expect(200), json!([]));
    assert_eq!(
        admin.get("/registry/subjects?deleted=true").await.expect(200),
        json!(["p"])
    );
    assert_eq!(admin.get("/v1/contracts").await.expect(200)["data"], json!([]));
    assert_eq!(
        admin
            .delete(&format!("{subject}?permanent=true"))
            .await
            .expect(200),
        json!([1, 2])
    );
    refused(
        admin.delete(&format!("{subject}?permanent=true")).await,
        404,
        40401,
    );
    assert_eq!(
        admin.get("/registry/subjects?deleted=true").await.expect(200),
        json!([])
    );
    refused(
        admin.get(&format!("/registry/schemas/ids/{id}")).await,
        404,
        40403,
    );
    let version = json!([1]);
    register(&admin, "p", &record(&["id"])).await;
    assert_eq!(
        admin.get(&format!("{subject}/versions")).await.expect(200),
        version
    );
}
