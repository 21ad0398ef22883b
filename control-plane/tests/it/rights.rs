//! Ways to more than one holds, each closed: passwords of others, keys of stronger accounts, one's own roles; and the
//! ends of members, tenants and retries.

use serde_json::{Value, json};
use weir_control_plane::auth::password;

use crate::harness::{Bench, Caller, TenantIds};
use crate::streams::id;

async fn create(caller: &Caller, path: &str, spec: Value) -> Value {
    caller.post(path, &json!({"spec": spec})).await.expect(201)
}

/// A member whose one binding is narrowed to these resources.
async fn bound(bench: &Bench, ids: &TenantIds, role: &str, resource: &str) -> Caller {
    let caller = bench.member(ids, role).await;
    let statement = "UPDATE role_binding SET resource = $1
         WHERE id = (SELECT id FROM role_binding ORDER BY id DESC LIMIT 1)";
    sqlx::query(statement)
        .bind(resource)
        .execute(&mut bench.database.owner().await)
        .await
        .expect("narrow the binding");
    caller
}

async fn own_id(caller: &Caller) -> String {
    let session = caller.get("/v1/sessions/current").await.expect(200);
    session["member"]["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_password_is_no_way_to_another_ones_rights() {
    let bench = Bench::start().await;
    let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
    let narrow = bound(&bench, &ids, "TENANT_ADMIN", "environment=test/*").await;
    let path = format!("/v1/members/{}", own_id(&admin).await);
    let reset = format!("{path}/reset-password");
    narrow
        .post(&reset, &json!({}))
        .await
        .expect_problem(403, "denied");
    narrow.delete(&path).await.expect_problem(403, "denied");
    narrow
        .patch(&path, &json!({"spec": {"display_name": "x"}}))
        .await
        .expect_problem(403, "denied");
    narrow
        .post("/v1/members", &json!({"spec": {"email": "x@example.com"}}))
        .await
        .expect_problem(403, "denied");
    // Nor does one whose pattern names the very kind: what concerns the tenant needs a binding to all of it.
    let people = bound(&bench, &ids, "TENANT_ADMIN", "member=*").await;
    people
        .post(&reset, &json!({}))
        .await
        .expect_problem(403, "denied");
    people
        .post("/v1/members", &json!({"spec": {"email": "plain@example.com"}}))
        .await
        .expect_problem(403, "denied");
    admin.get("/v1/environments").await.expect(200);
}

#[tokio::test]
async fn an_administrator_of_a_part_passes_no_permission_over_the_tenant() {
    let bench = Bench::start().await;
    let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
    let narrow = bound(
        &bench,
        &ids,
        "TENANT_ADMIN",
        "environment=test/cluster=c/topic=pay*",
    )
    .await;
    let account = create(&admin, "/v1/service-accounts", json!({"name": "app"})).await;
    let binding = json!({"principal": id(&account), "role": "READER", "resource": "environment=test/cluster=c/topic=pay*"});
    for (path, spec) in [
        ("/v1/data-planes", json!({"name": "own"})),
        ("/v1/members", json!({"email": "x@example.com"})),
        // Even what lies within its own pattern is handed on by those who administer all of it.
        ("/v1/role-bindings", binding),
    ] {
        let refused = narrow.post(path, &json!({"spec": spec})).await;
        refused.expect_problem(403, "denied");
    }
    narrow.get("/v1/environments").await.expect(200);
}

#[tokio::test]
async fn a_key_is_no_way_to_an_accounts_greater_rights() {
    let bench = Bench::start().await;
    let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
    let developer = bench.member(&ids, "DEVELOPER").await;
    let account = create(&admin, "/v1/service-accounts", json!({"name": "strong"})).await;
    let spec = json!({"service_account": id(&account)});
    let key = create(&developer, "/v1/api-keys", spec.clone()).await;
    let binding = json!({"principal": id(&account), "role": "TENANT_ADMIN", "resource": "*"});
    create(&admin, "/v1/role-bindings", binding).await;
    developer
        .post("/v1/api-keys", &json!({"spec": spec}))
        .await
        .expect_problem(403, "denied");
    // Nor does he lengthen the life of the one that he made before.
    developer
        .patch(
            &format!("/v1/api-keys/{}", id(&key)),
            &json!({"spec": {"expires_at": "2999-01-01T00:00:00Z"}}),
        )
        .await
        .expect_problem(403, "denied");
    create(&admin, "/v1/api-keys", spec).await;
}

#[tokio::test]
async fn nobody_takes_his_own_role_or_deletes_himself() {
    let bench = Bench::start().await;
    let operator = bench.operator().await;
    let own = own_id(&operator).await;
    let path = format!("/v1/role-bindings?principal={own}");
    let held = operator.get(&path).await.expect(200);
    let path = format!("/v1/role-bindings/{}", id(&held["data"][0]));
    operator.delete(&path).await.expect_problem(409, "in_use");
    let member = format!("/v1/members/{own}");
    operator.delete(&member).await.expect_problem(409, "in_use");
    bench.operator().await.delete(&path).await.expect(204);
    operator
        .get("/v1/organizations")
        .await
        .expect_problem(403, "denied");
}

#[tokio::test]
async fn a_new_password_ends_what_the_old_one_opened() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let person = create(&admin, "/v1/members", json!({"email": "person@example.com"})).await;
    let sign_in = async |password: &Value| {
        let body = json!({"email": "person@example.com", "password": password});
        bench.nobody().post("/v1/sessions", &body).await
    };
    let old = &person["secret"]["password"];
    let session = sign_in(old).await.expect(201);
    let token = session["token"].as_str().expect("a token");
    let signed_in = bench.nobody().with("Authorization", format!("Bearer {token}"));
    signed_in.get("/v1/sessions/current").await.expect(200);
    let reset = format!("/v1/members/{}/reset-password", id(&person));
    let renewed = admin.post(&reset, &json!({})).await.expect(200);
    let gone = signed_in.get("/v1/sessions/current").await;
    gone.expect_problem(401, "unauthenticated");
    sign_in(old).await.expect_problem(401, "wrong_password");
    let session = sign_in(&renewed["secret"]["password"]).await.expect(201);
    let token = session["token"].as_str().expect("a token");
    let signed_in = bench.nobody().with("Authorization", format!("Bearer {token}"));
    let path = format!("/v1/members/{}", id(&person));
    assert!(admin.get(&path).await.expect(200)["status"]["last_signed_in_at"].is_string());
    admin.delete(&path).await.expect(204);
    let gone = signed_in.get("/v1/sessions/current").await;
    gone.expect_problem(401, "unauthenticated");
    // It is all on record, and who did it.
    let record = admin.get("/v1/audit-events?kind=Session").await.expect(200);
    assert_eq!(record["data"][0]["action"], "sign_in");
    assert_eq!(record["data"][0]["who"], person["id"]);
}

#[tokio::test]
async fn odd_sign_ins_are_refused_like_wrong_ones() {
    let bench = Bench::start().await;
    for email in ["", "\0", "a\0@example.com", "no address", "x@example.com"] {
        let body = json!({"email": email, "password": "p".repeat(password::LENGTH_MAX)});
        let reply = bench.nobody().post("/v1/sessions", &body).await;
        reply.expect_problem(401, "wrong_password");
    }
    let long = json!({"email": "a".repeat(500_000), "password": "p"});
    let reply = bench.nobody().post("/v1/sessions", &long).await;
    reply.expect_problem(401, "wrong_password");
    for body in [
        json!({}),
        json!({"email": "x@example.com"}),
        json!({"email": 1, "password": "p"}),
    ] {
        bench
            .nobody()
            .post("/v1/sessions", &body)
            .await
            .expect_problem(422, "invalid");
    }
}

#[tokio::test]
async fn a_tenant_ends_when_nothing_is_left_of_it() {
    let bench = Bench::start().await;
    let operator = bench.operator().await;
    let organization = create(&operator, "/v1/organizations", json!({"name": "northbank"})).await;
    let spec = json!({"organization": id(&organization), "name": "guest"});
    let guest = create(&operator, "/v1/tenants", spec).await;
    let guest_path = format!("/v1/tenants/{}", id(&guest));
    let (owner, _) = bench.tenant("TENANT_ADMIN").await;
    let made = crate::streams::make(&owner).await;
    let grant = json!({"broker_pool": made.pool, "guest_tenant": id(&guest),
        "clusters_max": 1, "topics_max": 1, "partitions_max": 1});
    let grant = create(&owner, "/v1/data-plane-grants", grant).await;
    operator.delete(&guest_path).await.expect_problem(409, "in_use");
    // A report that outlived its object holds nothing.
    let statement = "INSERT INTO object_status (object_id, tenant_id, data_plane_id, phase, observed_epoch, observed_n)
         SELECT gen_random_uuid(), t.id, d.id, 'DELETED', 1, 1 FROM tenant t, data_plane d WHERE t.name = 'guest'";
    let mut behind = bench.database.owner().await;
    sqlx::query(statement).execute(&mut behind).await.expect("report");
    sqlx::query("DELETE FROM data_plane_grant")
        .execute(&mut behind)
        .await
        .expect("forget");
    assert!(grant["id"].is_string());
    operator.delete(&guest_path).await.expect(204);
    let path = format!("/v1/organizations/{}", id(&organization));
    operator.delete(&path).await.expect(204);
}

#[tokio::test]
async fn one_retry_key_in_two_tenants_is_two_requests() {
    let bench = Bench::start().await;
    let operator = bench.operator().await.with("Idempotency-Key", "same");
    let (_, one) = bench.tenant("READER").await;
    let (_, other) = bench.tenant("READER").await;
    let body = json!({"spec": {"name": "prod"}});
    let mut made = Vec::new();
    for tenant in [one.tenant, other.tenant, one.tenant] {
        let within = operator.clone().with("Weir-Tenant", tenant.to_string());
        made.push(within.post("/v1/environments", &body).await.expect(201));
    }
    assert_eq!(made[0], made[2]);
    assert_ne!(made[0]["id"], made[1]["id"]);
}

#[tokio::test]
async fn a_kept_request_does_not_give_its_password_away() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let admin = admin.with("Idempotency-Key", "0b8f");
    let body = json!({"spec": {"email": "p@example.com"}, "password": "correct horse battery"});
    let first = admin.post("/v1/members", &body).await.expect(201);
    assert_eq!(admin.post("/v1/members", &body).await.expect(201), first);
    let (kept,): (Vec<u8>,) = sqlx::query_as("SELECT request_sha256 FROM idempotency")
        .fetch_one(&mut bench.database.owner().await)
        .await
        .expect("one row");
    let guess = weir_credentials::sha256(format!("POST /v1/members\n{body}").as_bytes());
    assert_ne!(kept, guess);
}

#[tokio::test]
async fn a_key_past_its_end_opens_nothing() {
    use base64::Engine as _;
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let account = create(&admin, "/v1/service-accounts", json!({"name": "app"})).await;
    let binding = json!({"principal": id(&account), "role": "READER", "resource": "*"});
    create(&admin, "/v1/role-bindings", binding).await;
    let spec = json!({"service_account": id(&account), "expires_at": "2999-01-01T00:00:00Z"});
    let key = create(&admin, "/v1/api-keys", spec).await;
    let password = key["secret"]["password"].as_str().expect("a secret");
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{}:{password}", id(&key)));
    let program = bench.nobody().with("Authorization", format!("Basic {pair}"));
    program.get("/v1/environments").await.expect(200);
    sqlx::query("UPDATE api_key SET expires_at = now() - interval '1 second'")
        .execute(&mut bench.database.owner().await)
        .await
        .expect("let time pass");
    let gone = program.get("/v1/environments").await;
    gone.expect_problem(401, "unauthenticated");
    let path = format!("/v1/api-keys/{}", id(&key));
    let ended = admin.get(&path).await.expect(200);
    assert_eq!(ended["status"]["phase"], "EXPIRED");
}
