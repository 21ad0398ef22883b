//! Access tokens: who gets one, what it says, what it opens, and how its keys turn.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use weir_control_plane::resources::access_token::keep;
use weir_proto::agent::v1::Generation;

use crate::harness::{Bench, Caller};
use crate::streams::{self, id};

const PATH: &str = "/v1/oauth/token";

struct Key {
    id: String,
    secret: String,
    account: String,
    cluster: Option<String>,
}

/// A service account of its own with a key, for a cluster or for the API alone.
async fn key(admin: &Caller, cluster: Option<&str>) -> Key {
    let account = json!({"spec": {"name": format!("app-{}", cluster.map_or("api", |_| "kafka"))}});
    let account = id(&admin.post("/v1/service-accounts", &account).await.expect(201));
    let spec = json!({"spec": {"service_account": account, "cluster": cluster}});
    let made = admin.post("/v1/api-keys", &spec).await.expect(201);
    Key {
        id: id(&made),
        secret: made["secret"]["password"].as_str().expect("a secret").to_owned(),
        account,
        cluster: cluster.map(str::to_owned),
    }
}

fn form(bench: &Bench) -> Caller {
    bench
        .nobody()
        .with("Content-Type", "application/x-www-form-urlencoded")
}

fn body(key: &Key, more: &str) -> String {
    let Key { id, secret, .. } = key;
    format!("grant_type=client_credentials&client_id={id}&client_secret={secret}{more}")
}

fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

async fn token(bench: &Bench, key: &Key, more: &str) -> String {
    let answer = form(bench).send("POST", PATH, body(key, more)).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    let answer = answer.expect(200);
    answer["access_token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn a_key_gets_a_token_for_its_cluster_and_nothing_else() {
    let bench = Bench::start().await;
    let (admin, ids) = bench.tenant("TENANT_ADMIN").await;
    let made = streams::make(&admin).await;
    let key = key(&admin, Some(&made.cluster)).await;
    keep(&bench.app, Utc::now()).await.expect("a key to sign with");
    let answer = form(&bench).send("POST", PATH, body(&key, "")).await.expect(200);
    assert_eq!(
        (&answer["token_type"], &answer["scope"]),
        (&json!("Bearer"), &json!("kafka"))
    );
    assert_eq!(answer["expires_in"], 900);
    let token = answer["access_token"].as_str().expect("a token");
    let (header, claims) = (part(token, 0), part(token, 1));
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&json!("ES256"), &json!("at+jwt"))
    );
    let keys = bench.nobody().get("/.well-known/jwks.json").await;
    assert_eq!(keys.headers["cache-control"], "public, max-age=300");
    assert_eq!(keys.expect(200)["keys"][0]["kid"], header["kid"]);
    for (claim, value) in [
        ("iss", json!("http://127.0.0.1:1")),
        ("sub", json!(key.account)),
        ("aud", json!(format!("weir://data-plane/{}", made.data_plane))),
        ("client_id", json!(key.id)),
        ("tenant", json!(ids.tenant)),
        ("cluster", json!(key.cluster)),
        ("scope", json!("kafka")),
    ] {
        assert_eq!(claims[claim], value, "{claim}");
    }
    let seconds = |claim: &str| claims[claim].as_i64().expect("a time");
    assert_eq!(seconds("exp") - seconds("iat"), 900);
    assert!((Utc::now().timestamp() - seconds("nbf")).abs() < 60);
    // By HTTP Basic, as the Java client and librdkafka do.
    let pair = STANDARD.encode(format!("{}:{}", key.id, key.secret));
    let basic = form(&bench).with("Authorization", format!("Basic {pair}"));
    let answer = basic
        .send("POST", PATH, "grant_type=client_credentials")
        .await
        .expect(200);
    assert_ne!(
        part(answer["access_token"].as_str().expect("a token"), 1)["jti"],
        claims["jti"]
    );
}

#[tokio::test]
async fn refusals_are_those_of_rfc_6749() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let (own, other) = (key(&admin, None).await, "key_01jabcdefghjkmnpqrstvwxyz0");
    let early = form(&bench).send("POST", PATH, body(&own, "")).await;
    assert_eq!(early.expect(503)["error"], "temporarily_unavailable");
    keep(&bench.app, Utc::now()).await.expect("a key to sign with");
    let wrong = Key {
        secret: format!("{}?", &own.secret[..own.secret.len() - 1]),
        id: own.id.clone(),
        account: String::new(),
        cluster: None,
    };
    let unknown = Key {
        id: other.to_owned(),
        secret: own.secret.clone(),
        account: String::new(),
        cluster: None,
    };
    for (body, status, error) in [
        (body(&wrong, ""), 401, "invalid_client"),
        (body(&unknown, ""), 401, "invalid_client"),
        (body(&own, "&scope=kafka"), 400, "invalid_scope"),
        (body(&own, "&scope=root"), 400, "invalid_scope"),
        (body(&own, "&client_id=x"), 400, "invalid_request"),
        ("grant_type=client_credentials".to_owned(), 401, "invalid_client"),
        (
            body(&own, "").replace("client_credentials", "password"),
            400,
            "unsupported_grant_type",
        ),
    ] {
        let answer = form(&bench).send("POST", PATH, body.clone()).await;
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.expect(status)["error"], error);
    }
    let pair = STANDARD.encode(format!("{}:{}", wrong.id, wrong.secret));
    let basic = form(&bench).with("Authorization", format!("Basic {pair}"));
    let answer = basic.send("POST", PATH, "grant_type=client_credentials").await;
    assert_eq!(answer.headers["www-authenticate"], "Basic realm=\"weir\"");
    assert_eq!(answer.expect(401)["error"], "invalid_client");
    bench.nobody().send("POST", PATH, "{}").await.expect(400);
    // Whoever does not know the secret cannot use up what its holder may ask for.
    for _try in 0..121 {
        form(&bench)
            .send("POST", PATH, body(&wrong, ""))
            .await
            .expect(401);
    }
    let mut given = 0;
    let answer = loop {
        let answer = form(&bench).send("POST", PATH, body(&own, "")).await;
        if answer.status != 200 {
            break answer;
        }
        given += 1;
    };
    assert!((100..=120).contains(&given), "{given}");
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(answer.expect(429)["error"], "slow_down");
}

#[tokio::test]
async fn a_token_opens_the_api_as_its_key_does_and_ends_with_it() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let made = streams::make(&admin).await;
    keep(&bench.app, Utc::now()).await.expect("a key to sign with");
    let key = key(&admin, Some(&made.cluster)).await;
    let bearer = |token: &str| bench.nobody().with("Authorization", format!("Bearer {token}"));
    let kafka = bearer(&token(&bench, &key, "").await);
    kafka
        .get("/v1/topics")
        .await
        .expect_problem(401, "unauthenticated");
    let api = bearer(&token(&bench, &key, "&scope=api").await);
    api.get("/v1/topics").await.expect_problem(403, "denied");
    let binding = json!({"spec": {"principal": key.account, "role": "READER", "resource": "*"}});
    admin.post("/v1/role-bindings", &binding).await.expect(201);
    api.get("/v1/topics").await.expect(200);
    for broken in ["a.b.c", "..", "eyJhbGciOiJub25lIn0.e30."] {
        bearer(broken)
            .get("/v1/topics")
            .await
            .expect_problem(401, "unauthenticated");
    }
    admin
        .delete(&format!("/v1/api-keys/{}", key.id))
        .await
        .expect(204);
    api.get("/v1/topics").await.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn keys_turn_and_every_agent_is_told_before() {
    let bench = Bench::start().await;
    let (_, tenant) = bench.tenant("TENANT_ADMIN").await;
    let served = bench.database.serve(tenant).await;
    let door = bench.door().await;
    let enrolment = bench.database.token(&served, 30).await;
    let identity = door.enroll(&enrolment).await.expect("enrolled");
    let mut session = door
        .session(&identity, 1, Generation { epoch: 0, n: 0 })
        .await
        .expect("a session");
    session.welcome().await;
    let now = Utc::now();
    assert_eq!(session.desired().await.1.token_issuers, []);
    keep(&bench.app, now).await.expect("a first key");
    let first = session.desired().await.1.token_issuers;
    assert_eq!((first.len(), first[0].keys.len()), (1, 1));
    assert_eq!(first[0].issuer, "http://127.0.0.1:1");
    assert_eq!(
        first[0].audience,
        format!("weir://data-plane/{}", served.data_plane)
    );
    // Nothing is due, so nothing moves: the next wish is the successor's, a day before it signs.
    keep(&bench.app, now + TimeDelta::days(5))
        .await
        .expect("nothing to do");
    keep(&bench.app, now + TimeDelta::days(6))
        .await
        .expect("a successor");
    let both = session.desired().await.1.token_issuers;
    assert_eq!(both[0].keys.len(), 2);
    let after = now + TimeDelta::days(7) + TimeDelta::hours(2);
    keep(&bench.app, after).await.expect("the end of the first");
    let last = session.desired().await.1.token_issuers;
    assert_eq!(last[0].keys.len(), 1);
    assert!(both[0].keys.contains(&last[0].keys[0]) && last[0].keys != first[0].keys);
    let sealed: Vec<u8> = sqlx::query_scalar("SELECT sealed_private_key FROM token_key")
        .fetch_one(&mut bench.database.owner().await)
        .await
        .expect("the key");
    let plain = weir_credentials::TokenSigner::new(String::new(), &sealed);
    assert!(plain.is_err(), "the private half is not there in clear");
}
