//! The directory: organizations, tenants, people who sign in, service accounts, keys, and who may do what.

use serde_json::{Value, json};

use crate::harness::{Bench, Caller};
use crate::streams::{id, make};

/// An operator made by `admin bootstrap`, signed in through the API.
async fn operator(bench: &Bench) -> Caller {
    let hash = weir_control_plane::auth::password::hash("correct horse battery".into())
        .await
        .expect("hash");
    let db = &bench.app.db;
    assert!(
        weir_control_plane::resources::member::bootstrap(db, "Op@Example.com", hash.clone())
            .await
            .expect("made")
    );
    assert!(
        !weir_control_plane::resources::member::bootstrap(db, "op@example.com", hash)
            .await
            .expect("found")
    );
    sign_in(bench, "op@example.com", "correct horse battery").await
}

async fn sign_in(bench: &Bench, email: &str, password: &str) -> Caller {
    let body = json!({"email": email, "password": password});
    let session = bench.nobody().post("/v1/sessions", &body).await.expect(201);
    bench.nobody().with(
        "Authorization",
        format!("Bearer {}", session["token"].as_str().expect("a token")),
    )
}

async fn create(caller: &Caller, path: &str, spec: Value) -> Value {
    caller.post(path, &json!({"spec": spec})).await.expect(201)
}

#[tokio::test]
async fn an_operator_makes_an_organization_whose_people_serve_themselves() {
    let bench = Bench::start().await;
    let operator = operator(&bench).await;
    let organization = create(&operator, "/v1/organizations", json!({"name": "northbank"})).await;
    let tenant = json!({"organization": id(&organization), "name": "payments"});
    let tenant = create(&operator, "/v1/tenants", tenant).await;
    let within = operator.clone().with("Weir-Tenant", id(&tenant));
    let member = json!({"spec": {"email": "Paula@Northbank.example"}, "password": "correct horse battery"});
    let member = within.post("/v1/members", &member).await.expect(201);
    assert_eq!(member["spec"]["email"], "paula@northbank.example");
    assert!(member.get("secret").is_none(), "a chosen password is not shown");
    create(
        &within,
        "/v1/role-bindings",
        json!({"principal": id(&member), "role": "TENANT_ADMIN"}),
    )
    .await;

    let paula = sign_in(&bench, " PAULA@northbank.example ", "correct horse battery").await;
    let session = paula.get("/v1/sessions/current").await.expect(200);
    assert_eq!(session["member"]["tenant"], tenant["id"]);
    assert_eq!(session["member"]["roles"], json!(["TENANT_ADMIN"]));
    assert!(session.get("token").is_none());
    create(&paula, "/v1/environments", json!({"name": "prod"})).await;
    // She stands below: neither operators' nor organizations' things are hers.
    paula
        .post("/v1/organizations", &json!({"spec": {"name": "other"}}))
        .await
        .expect_problem(403, "denied");
    paula
        .post("/v1/tenants", &json!({"spec": {"name": "other"}}))
        .await
        .expect_problem(403, "denied");
    for role in ["OPERATOR", "ORGANIZATION_ADMIN"] {
        let spec = json!({"principal": id(&member), "role": role});
        paula
            .post("/v1/role-bindings", &json!({"spec": spec}))
            .await
            .expect_problem(422, "invalid");
    }
    // A tenant with objects stays.
    operator
        .delete(&format!("/v1/tenants/{}", id(&tenant)))
        .await
        .expect_problem(409, "in_use");
    operator
        .delete(&format!("/v1/organizations/{}", id(&organization)))
        .await
        .expect_problem(409, "in_use");
    // Signing out ends the session.
    paula.delete("/v1/sessions/current").await.expect(204);
    paula
        .get("/v1/environments")
        .await
        .expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_wrong_password_tells_nothing_and_cannot_be_tried_for_ever() {
    let bench = Bench::start().await;
    let _operator = operator(&bench).await;
    let nobody = bench.nobody();
    let wrong = json!({"email": "op@example.com", "password": "wrong"});
    let unknown = json!({"email": "nobody@example.com", "password": "wrong"});
    let one = nobody
        .post("/v1/sessions", &wrong)
        .await
        .expect_problem(401, "wrong_password");
    let other = nobody
        .post("/v1/sessions", &unknown)
        .await
        .expect_problem(401, "wrong_password");
    assert_eq!(one["detail"], other["detail"]);
    let tried = json!({"email": "tried@example.com", "password": "wrong"});
    for _ in 0..10 {
        nobody
            .post("/v1/sessions", &tried)
            .await
            .expect_problem(401, "wrong_password");
    }
    let reply = nobody.post("/v1/sessions", &tried).await;
    assert!(reply.headers.contains_key("retry-after"));
    reply.expect_problem(429, "too_many_requests");
}

#[tokio::test]
async fn the_cookie_needs_its_proof_for_changes() {
    let bench = Bench::start().await;
    let _operator = operator(&bench).await;
    let body = json!({"email": "op@example.com", "password": "correct horse battery"});
    let reply = bench.nobody().post("/v1/sessions", &body).await;
    let cookie = reply.headers["set-cookie"].to_str().expect("text").to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let session = reply.expect(201);
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    let console = bench.nobody().with("Cookie", cookie);
    console.get("/v1/organizations").await.expect(200);
    let organization = json!({"spec": {"name": "northbank"}});
    console
        .post("/v1/organizations", &organization)
        .await
        .expect_problem(403, "csrf");
    let forged = console.clone().with("Weir-Csrf", "guess");
    forged
        .post("/v1/organizations", &organization)
        .await
        .expect_problem(403, "csrf");
    let csrf = session["csrf_token"].as_str().expect("a token");
    console
        .with("Weir-Csrf", csrf)
        .post("/v1/organizations", &organization)
        .await
        .expect(201);
}

#[tokio::test]
async fn a_key_is_shown_once_and_opens_the_api_until_it_is_deleted() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let account = create(&admin, "/v1/service-accounts", json!({"name": "app"})).await;
    let key = create(&admin, "/v1/api-keys", json!({"service_account": id(&account)})).await;
    let secret = key["secret"]["password"].as_str().expect("a secret").to_owned();
    assert_eq!(key["secret"]["username"], key["id"]);
    let path = format!("/v1/api-keys/{}", id(&key));
    assert!(!admin.get(&path).await.expect(200).to_string().contains(&secret));
    let basic = |password: &str| {
        use base64::Engine as _;
        let pair = format!("{}:{password}", id(&key));
        let text = base64::engine::general_purpose::STANDARD.encode(pair);
        bench.nobody().with("Authorization", format!("Basic {text}"))
    };
    let program = basic(&secret);
    // Known, but without any role yet.
    program
        .get("/v1/environments")
        .await
        .expect_problem(403, "denied");
    create(
        &admin,
        "/v1/role-bindings",
        json!({"principal": id(&account), "role": "READER"}),
    )
    .await;
    program.get("/v1/environments").await.expect(200);
    program
        .post("/v1/environments", &json!({"spec": {"name": "e"}}))
        .await
        .expect_problem(403, "denied");
    basic("wrong")
        .get("/v1/environments")
        .await
        .expect_problem(401, "unauthenticated");
    admin
        .delete(&format!("/v1/service-accounts/{}", id(&account)))
        .await
        .expect_problem(409, "in_use");
    admin.delete(&path).await.expect(204);
    program
        .get("/v1/environments")
        .await
        .expect_problem(401, "unauthenticated");
    let expired = json!({"service_account": id(&account), "expires_at": "2020-01-01T00:00:00Z"});
    admin
        .post("/v1/api-keys", &json!({"spec": expired}))
        .await
        .expect_problem(422, "invalid");
}

#[tokio::test]
async fn a_key_of_a_cluster_and_its_rights_move_the_data_plane_on() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let (stranger, _) = bench.tenant("TENANT_ADMIN").await;
    let made = make(&admin).await;
    let path = format!("/v1/data-planes/{}", made.data_plane);
    let generation = async || admin.get(&path).await.expect(200)["status"]["desired_generation"].as_i64();
    let account = create(&admin, "/v1/service-accounts", json!({"name": "app"})).await;
    let before = generation().await;
    let key = json!({"service_account": id(&account), "cluster": made.cluster});
    let key = create(&admin, "/v1/api-keys", key).await;
    assert_eq!(key["status"]["phase"], "PENDING");
    let with_key = generation().await;
    assert!(with_key > before);
    create(
        &admin,
        "/v1/role-bindings",
        json!({"principal": id(&account), "role": "DEVELOPER"}),
    )
    .await;
    let with_rights = generation().await;
    assert!(with_rights > with_key);
    // Another tenant's account and cluster are as if they did not exist.
    let foreign = create(&stranger, "/v1/service-accounts", json!({"name": "app"})).await;
    let spec = json!({"service_account": id(&foreign), "cluster": made.cluster});
    stranger
        .post("/v1/api-keys", &json!({"spec": spec}))
        .await
        .expect_problem(422, "invalid");
    let spec = json!({"principal": id(&account), "role": "DEVELOPER"});
    stranger
        .post("/v1/role-bindings", &json!({"spec": spec}))
        .await
        .expect_problem(422, "invalid");
    stranger
        .get(&format!("/v1/api-keys/{}", id(&key)))
        .await
        .expect_problem(404, "not_found");
    assert_eq!(generation().await, with_rights);
}

#[tokio::test]
async fn nobody_hands_on_more_than_he_holds() {
    let bench = Bench::start().await;
    let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
    let bound = bench.member(&ids, "TENANT_ADMIN").await;
    sqlx::query("UPDATE role_binding SET resource = 'environment=test/*' WHERE id = (SELECT max(id::text)::uuid FROM role_binding)")
        .execute(&mut bench.database.owner().await)
        .await
        .expect("narrow the second administrator");
    let account = create(&admin, "/v1/service-accounts", json!({"name": "app"})).await;
    let narrow =
        json!({"principal": id(&account), "role": "DEVELOPER", "resource": "environment=test/cluster=a"});
    // Roles are the whole tenant's business: an administrator of a part hands on nothing, not even in that part.
    let wide = json!({"principal": id(&account), "role": "DEVELOPER", "resource": "*"});
    for spec in [&narrow, &wide] {
        bound
            .post("/v1/role-bindings", &json!({"spec": spec}))
            .await
            .expect_problem(403, "denied");
    }
    let above = json!({"principal": id(&account), "role": "ORGANIZATION_ADMIN", "resource": "*"});
    admin
        .post("/v1/role-bindings", &json!({"spec": above}))
        .await
        .expect_problem(422, "invalid");
    let bad = json!({"principal": id(&account), "role": "DEVELOPER", "resource": "nonsense"});
    admin
        .post("/v1/role-bindings", &json!({"spec": bad}))
        .await
        .expect_problem(422, "invalid");
    let binding = create(&admin, "/v1/role-bindings", narrow).await;
    admin
        .delete(&format!("/v1/role-bindings/{}", id(&binding)))
        .await
        .expect(204);
}

#[tokio::test]
async fn another_tenant_cannot_be_named() {
    let bench = Bench::start().await;
    let (owner, ids) = bench.tenant("TENANT_ADMIN").await;
    let (stranger, _) = bench.tenant("TENANT_ADMIN").await;
    create(&owner, "/v1/environments", json!({"name": "prod"})).await;
    let trespassing = stranger.with("Weir-Tenant", ids.tenant.to_string());
    trespassing
        .get("/v1/environments")
        .await
        .expect_problem(404, "not_found");
    trespassing
        .post("/v1/environments", &json!({"spec": {"name": "x"}}))
        .await
        .expect_problem(404, "not_found");
    owner
        .with("Weir-Tenant", "nonsense")
        .get("/v1/environments")
        .await
        .expect_problem(400, "malformed_header");
}
