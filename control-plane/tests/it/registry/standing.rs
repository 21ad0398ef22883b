//! What contracts say of themselves, and how they are found by it.

use serde_json::{Value, json};

use super::record;
use crate::harness::{Bench, Caller};

#[tokio::test]
async fn contracts_say_whose_they_are_and_how_far_in_their_life() {
    let bench = Bench::start().await;
    let (admin, _ids) = bench.tenant("TENANT_ADMIN").await;
    let (stranger, _ids) = bench.tenant("TENANT_ADMIN").await;
    let put = async |caller: &Caller, subject: &str, metadata: Value| {
        let path = format!("/registry/subjects/{subject}/versions");
        let body = json!({"schema": record(&["id"]), "metadata": metadata});
        caller.post(&path, &body).await.expect(200);
    };
    let of = |lifecycle: &str, class: &str| json!({"properties": {"owner": "cards", "lifecycle": lifecycle, "classification": class}});
    put(&admin, "a-value", of("draft", "Internal")).await;
    put(&admin, "b-value", of("STABLE", "secret")).await;
    let mut hidden = of("STABLE", "PUBLIC");
    hidden["sensitive"] = json!(["owner", "lifecycle", "classification"]);
    put(&admin, "c-value", hidden).await;
    put(&stranger, "d-value", of("STABLE", "PUBLIC")).await;
    let found = async |query: &str| -> Vec<String> {
        let list = admin.get(&format!("/v1/contracts?{query}")).await.expect(200);
        let rows = list["data"].as_array().expect("rows").iter();
        rows.map(|it| it["spec"]["subject"].as_str().expect("a subject").to_owned())
            .collect()
    };
    assert_eq!(found("owner=cards").await, ["a-value", "b-value"]);
    assert_eq!(found("owner=card").await, [""; 0]);
    assert_eq!(found("lifecycle=DRAFT").await, ["a-value"]);
    assert_eq!(found("lifecycle=STABLE&owner=cards").await, ["b-value"]);
    assert_eq!(found("classification=INTERNAL").await, ["a-value"]);
    assert_eq!(
        found("classification=PUBLIC").await,
        [""; 0],
        "a sensitive property is not told"
    );
    admin
        .get("/v1/contracts?lifecycle=BETA")
        .await
        .expect_problem(400, "malformed_query");
    let list = admin.get("/v1/contracts").await.expect(200);
    let status = |at: usize| &list["data"][at]["status"];
    assert_eq!(
        (&status(0)["lifecycle"], &status(0)["classification"]),
        (&json!("DRAFT"), &json!("INTERNAL"))
    );
    assert_eq!(
        (&status(1)["lifecycle"], status(1).get("classification")),
        (&json!("STABLE"), None)
    );
    assert_eq!((status(2).get("lifecycle"), status(2).get("owner")), (None, None));
    // What the newest version says counts.
    put(&admin, "a-value", of("retired", "INTERNAL")).await;
    assert_eq!(found("lifecycle=RETIRED").await, ["a-value"]);
    assert_eq!(found("lifecycle=DRAFT").await, [""; 0]);
}
