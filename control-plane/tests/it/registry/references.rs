//! Schemas that refer to others.

use serde_json::{Value, json};

use super::{record, refused, register};
use crate::harness::Bench;

fn order(version: i32) -> Value {
    let schema =
        json!({"type": "record", "name": "Order", "fields": [{"name": "payment", "type": "Payment"}]});
    json!({"schema": schema.to_string(),
        "references": [{"name": "Payment", "subject": "payment", "version": version}]})
}

#[tokio::test]
async fn what_is_referred_to_must_be_there_and_stays() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let versions = "/registry/subjects/order/versions";
    let message = refused(admin.post(versions, &order(1)).await, 422, 42201);
    assert!(
        message.contains("No schema reference found for subject \"payment\" and version 1"),
        "{message}"
    );
    register(&admin, "payment", &record(&["id"])).await;
    refused(admin.post(versions, &order(2)).await, 422, 42201);
    let id = admin.post(versions, &order(1)).await.expect(200)["id"].clone();
    assert_eq!(admin.post(versions, &order(1)).await.expect(200)["id"], id);
    let shown = admin
        .get(&format!("/registry/schemas/ids/{id}"))
        .await
        .expect(200);
    assert_eq!(shown["references"], order(1)["references"]);
    let by = admin
        .get("/registry/subjects/payment/versions/1/referencedby")
        .await;
    assert_eq!(by.expect(200), json!([id]));
    for path in [
        "/registry/subjects/payment",
        "/registry/subjects/payment/versions/1",
    ] {
        let message = refused(admin.delete(path).await, 422, 42206);
        assert!(message.contains("{subject=payment,version=1}"), "{message}");
    }
    // A reader of a reference's reference.
    let basket = json!({"type": "record", "name": "Basket", "fields": [{"name": "order", "type": "Order"}]});
    let basket = json!({"schema": basket.to_string(),
        "references": [{"name": "Order", "subject": "order", "version": -1}]});
    admin
        .post("/registry/subjects/basket/versions", &basket)
        .await
        .expect(200);
    // When nothing needs it any more, it goes.
    admin.delete("/registry/subjects/basket").await.expect(200);
    admin.delete("/registry/subjects/order").await.expect(200);
    let by = admin
        .get("/registry/subjects/payment/versions/1/referencedby")
        .await;
    assert_eq!(by.expect(200), json!([]));
    admin.delete("/registry/subjects/payment").await.expect(200);
    refused(
        admin.post("/registry/subjects/new/versions", &order(1)).await,
        422,
        42201,
    );
}
