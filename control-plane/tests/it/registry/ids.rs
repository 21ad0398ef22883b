//! Schemas under their ids, and ids that are brought along.

use serde_json::json;

use super::{refused, register};
use crate::harness::Bench;

#[tokio::test]
async fn a_schema_is_found_by_its_id() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let one = register(&admin, "a", "\"int\"").await;
    register(&admin, "b", "\"int\"").await;
    let two = register(&admin, "b", "\"long\"").await;
    let path = format!("/registry/schemas/ids/{one}");
    assert_eq!(admin.get(&path).await.expect(200), json!({"schema": "\"int\""}));
    let max = admin.get(&format!("{path}?fetchMaxId=true")).await.expect(200);
    assert_eq!(max, json!({"schema": "\"int\"", "maxId": two}));
    assert_eq!(
        admin.get(&format!("{path}/schema")).await.expect(200),
        json!("int")
    );
    assert_eq!(
        admin.get(&format!("{path}/subjects")).await.expect(200),
        json!(["a", "b"])
    );
    let versions = json!([{"subject": "a", "version": 1}, {"subject": "b", "version": 1}]);
    assert_eq!(admin.get(&format!("{path}/versions")).await.expect(200), versions);
    let text = admin.get("/registry/subjects/b/versions/2/schema").await;
    assert_eq!(text.expect(200), json!("long"));
    let types = admin.get("/registry/schemas/types").await.expect(200);
    assert_eq!(types, json!(["JSON", "PROTOBUF", "AVRO"]));
    for id in ["1", "2147483647", "2147483648", "x"] {
        refused(
            admin.get(&format!("/registry/schemas/ids/{id}")).await,
            404,
            40403,
        );
    }
}

#[tokio::test]
async fn an_import_brings_its_ids_along() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let (other, _) = bench.tenant("DEVELOPER").await;
    let import =
        |id: i64, version: i64, schema: &str| json!({"schema": schema, "id": id, "version": version});
    let versions = "/registry/subjects/p/versions";
    refused(admin.post(versions, &import(7, 3, "\"int\"")).await, 422, 42205);
    for caller in [&admin, &other] {
        let mode = caller
            .send("PUT", "/registry/mode/p", r#"{"mode": "IMPORT"}"#)
            .await;
        assert_eq!(mode.expect(200), json!({"mode": "IMPORT"}));
    }
    let made = admin.post(versions, &import(7, 3, "\"int\"")).await.expect(200);
    assert_eq!(made["id"], 7);
    assert_eq!(admin.get(versions).await.expect(200), json!([3]));
    let again = admin.post(versions, &import(7, 3, "\"int\"")).await.expect(200);
    assert_eq!(again, made);
    // The same again is the same; another schema or another id is not.
    refused(
        admin.post(versions, &import(7, 4, "\"string\"")).await,
        422,
        42205,
    );
    refused(admin.post(versions, &import(8, 4, "\"int\"")).await, 422, 42207);
    refused(
        admin.post(versions, &import(100_000_000, 4, "\"long\"")).await,
        422,
        42205,
    );
    refused(
        admin.post(versions, &json!({"schema": "\"long\""})).await,
        422,
        42205,
    );
    // Nothing is compared, and another tenant has its own ids.
    admin
        .post(versions, &import(9, 1, "\"boolean\""))
        .await
        .expect(200);
    other.post(versions, &import(7, 1, "\"bytes\"")).await.expect(200);
    let own = |schema: &str| json!({"schema": schema});
    assert_eq!(
        admin.get("/registry/schemas/ids/7").await.expect(200),
        own("\"int\"")
    );
    assert_eq!(
        other.get("/registry/schemas/ids/7").await.expect(200),
        own("\"bytes\"")
    );
    admin
        .send("PUT", "/registry/mode/p", r#"{"mode": "READWRITE"}"#)
        .await
        .expect(200);
    let given = register(&admin, "fresh", "\"double\"").await;
    assert!(
        given >= 100_000_000,
        "the installation's ids lie above those that are imported: {given}"
    );
}
