//! The record: who changed what, the newest first, read only by those whose record it is, without secrets.

use serde_json::{Value, json};

use crate::harness::Bench;
use crate::streams::id;

fn actions(list: &Value) -> Vec<(String, String)> {
    let rows = list["data"].as_array().expect("data");
    let text = |row: &Value, field: &str| row[field].as_str().expect("a text").to_owned();
    rows.iter()
        .map(|it| (text(it, "object_kind"), text(it, "action")))
        .collect()
}

#[tokio::test]
async fn each_change_is_on_record_the_newest_first() {
    let bench = Bench::start().await;
    let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
    let environment = admin
        .post("/v1/environments", &json!({"spec": {"name": "prod"}}))
        .await;
    let request = environment.headers["request-id"]
        .to_str()
        .expect("text")
        .to_owned();
    let environment = environment.expect(201);
    let path = format!("/v1/environments/{}", id(&environment));
    admin
        .patch(&path, &json!({"spec": {"description": "Live"}}))
        .await
        .expect(200);
    admin.delete(&path).await.expect(204);
    let list = admin.get("/v1/audit-events").await.expect(200);
    let written = |action: &str| ("Environment".to_owned(), action.to_owned());
    assert_eq!(
        actions(&list),
        [written("delete"), written("update"), written("create")]
    );
    let (ended, begun) = (&list["data"][0], &list["data"][2]);
    assert_eq!(begun["request_id"], request);
    assert_eq!(begun["object"], environment["id"]);
    assert_eq!(begun["before"], Value::Null);
    assert_eq!(begun["after"], environment);
    assert_eq!(begun["tenant"], ids.tenant.to_string());
    assert_eq!(ended["before"]["spec"]["description"], "Live");
    assert_eq!(ended["after"], Value::Null);
    assert!(ended["who"].as_str().expect("a text").starts_with("member_"));
    let one = admin
        .get(&format!("/v1/audit-events/{}", id(begun)))
        .await
        .expect(200);
    assert_eq!(one, *begun);

    // Page by page, backwards.
    let first = admin.get("/v1/audit-events?page_size=2").await.expect(200);
    let token = first["metadata"]["next_page_token"].as_str().expect("a token");
    let second = format!("/v1/audit-events?page_size=2&page_token={token}");
    let second = admin.get(&second).await.expect(200);
    assert_eq!(actions(&second), [written("create")]);
    assert!(second["metadata"].get("next_page_token").is_none());
}

#[tokio::test]
async fn filters_narrow_the_list_and_bad_ones_are_named() {
    let bench = Bench::start().await;
    let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
    let other = bench.member(&ids, "TENANT_ADMIN").await;
    let made = admin
        .post("/v1/environments", &json!({"spec": {"name": "prod"}}))
        .await
        .expect(201);
    other
        .post("/v1/service-accounts", &json!({"spec": {"name": "app"}}))
        .await
        .expect(201);
    let list = admin.get("/v1/audit-events").await.expect(200);
    let (theirs, own) = (&list["data"][0], &list["data"][1]);
    let moment = theirs["occurred_at"].as_str().expect("a time");
    for (query, matching) in [
        ("kind=Environment".to_owned(), vec![own]),
        (format!("object_id={}", id(&made)), vec![own]),
        (
            format!("principal={}", theirs["who"].as_str().expect("a text")),
            vec![theirs],
        ),
        ("action=create".to_owned(), vec![theirs, own]),
        ("action=delete".to_owned(), vec![]),
        (format!("since={moment}"), vec![theirs]),
        (format!("until={moment}"), vec![own]),
    ] {
        let found = admin.get(&format!("/v1/audit-events?{query}")).await.expect(200);
        assert_eq!(found["data"], json!(matching), "{query}");
    }
    for query in [
        "kind=Nonsense",
        "object_id=prod",
        "principal=me",
        "action=%00",
        "kind=%00",
    ] {
        admin
            .get(&format!("/v1/audit-events?{query}"))
            .await
            .expect_problem(422, "invalid");
    }
    admin
        .get(&format!("/v1/audit-events?kind=Topic&object_id={}", id(&made)))
        .await
        .expect_problem(422, "invalid");
    admin
        .get("/v1/audit-events?since=yesterday")
        .await
        .expect_problem(400, "malformed_query");
}

#[tokio::test]
async fn a_record_shows_no_secret_and_only_to_its_own() {
    let bench = Bench::start().await;
    let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
    let (stranger, _) = bench.tenant("TENANT_ADMIN").await;
    let account = admin
        .post("/v1/service-accounts", &json!({"spec": {"name": "app"}}))
        .await
        .expect(201);
    let key = json!({"spec": {"service_account": id(&account)}});
    let key = admin.post("/v1/api-keys", &key).await.expect(201);
    let person = json!({"spec": {"email": "new@example.com"}});
    let person = admin.post("/v1/members", &person).await.expect(201);
    let renewed = admin
        .post(&format!("/v1/members/{}/reset-password", id(&person)), &json!({}))
        .await
        .expect(200);
    let record = admin.get("/v1/audit-events").await.expect(200);
    assert_eq!(record["data"].as_array().expect("data").len(), 4);
    for secret in [
        &key["secret"]["password"],
        &person["secret"]["password"],
        &renewed["secret"]["password"],
    ] {
        let secret = secret.as_str().expect("a secret");
        assert!(!record.to_string().contains(secret), "{record:#}");
    }
    assert!(!record.to_string().contains("$argon2"));
    let event = format!("/v1/audit-events/{}", id(&record["data"][0]));
    stranger.get(&event).await.expect_problem(404, "not_found");
    assert_eq!(
        stranger.get("/v1/audit-events").await.expect(200)["data"],
        json!([])
    );
    // The organization's administrator sees its tenants' record, and a reader that of the own tenant.
    let above = bench.member(&ids, "ORGANIZATION_ADMIN").await;
    assert_eq!(above.get("/v1/audit-events").await.expect(200), record);
    let reader = bench.member(&ids, "READER").await;
    assert_eq!(reader.get("/v1/audit-events").await.expect(200), record);
}
