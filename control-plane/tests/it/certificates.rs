//! API keys that a client certificate opens: what is kept of it, and that nothing else opens them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};
use serde_json::{Value, json};
use weir_control_plane::resources::access_token::keep;
use weir_credentials::PublicKeyHash;

use crate::harness::{Bench, Caller};
use crate::streams::{self, id};

fn certificate(key: &KeyPair) -> String {
    let params = CertificateParams::new(vec!["app.example.com".to_owned()]).expect("parameters");
    params.self_signed(key).expect("a certificate").pem()
}

fn hash(key: &KeyPair) -> String {
    PublicKeyHash::of(&key.subject_public_key_info()).to_string()
}

async fn account(admin: &Caller, name: &str) -> String {
    let spec = json!({"spec": {"name": name}});
    id(&admin.post("/v1/service-accounts", &spec).await.expect(201))
}

fn spec(account: &str, cluster: &str, more: &Value) -> Value {
    let mut spec = json!({"service_account": account, "cluster": cluster});
    for (name, value) in more.as_object().expect("an object") {
        spec[name] = value.clone();
    }
    json!({ "spec": spec })
}

#[tokio::test]
async fn of_a_certificate_the_hash_of_its_key_is_kept_and_no_secret_is_made() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let made = streams::make(&admin).await;
    let account = account(&admin, "app").await;
    let key = KeyPair::generate().expect("a key");
    let wish = spec(
        &account,
        &made.cluster,
        &json!({"certificate_pem": certificate(&key)}),
    );
    let made_key = admin.post("/v1/api-keys", &wish).await.expect(201);
    assert_eq!(made_key["spec"]["public_key_sha256"], hash(&key));
    assert!(made_key["secret"].is_null() && made_key["spec"]["certificate_pem"].is_null());
    let path = format!("/v1/api-keys/{}", id(&made_key));
    let shown = admin.get(&path).await.expect(200);
    assert_eq!(shown["spec"], made_key["spec"]);
    let record = admin
        .get("/v1/audit-events?kind=ApiKey")
        .await
        .expect(200)
        .to_string();
    assert!(
        record.contains(&hash(&key)) && !record.contains("CERTIFICATE"),
        "{record}"
    );
    // Description and end may change, what opens it may not.
    let described = json!({"spec": {"description": "on the ship", "expires_at": "2999-01-01T00:00:00Z"}});
    let described = admin.patch(&path, &described).await.expect(200);
    assert_eq!(described["spec"]["public_key_sha256"], hash(&key));
    let other = KeyPair::generate().expect("a key");
    for change in [
        json!({"public_key_sha256": hash(&other)}),
        json!({"public_key_sha256": null}),
        json!({"certificate_pem": certificate(&other)}),
    ] {
        let problem = admin
            .patch(&path, &json!({ "spec": change }))
            .await
            .expect_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["code"], "immutable", "{problem:#}");
    }
}

#[tokio::test]
async fn what_says_no_public_key_or_opens_no_cluster_is_refused_and_a_private_key_is_not_repeated() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let made = streams::make(&admin).await;
    let account = account(&admin, "app").await;
    let key = KeyPair::generate().expect("a key");
    let private = format!("{}{}", certificate(&key), key.serialize_pem());
    for (more, pointer) in [
        (json!({"certificate_pem": "nothing"}), "/spec/certificate_pem"),
        (json!({"certificate_pem": private}), "/spec/certificate_pem"),
        (
            json!({"certificate_pem": "x".repeat(65_537)}),
            "/spec/certificate_pem",
        ),
        (json!({"public_key_sha256": "AAAA"}), "/spec/public_key_sha256"),
        (
            json!({"public_key_sha256": hash(&key), "certificate_pem": certificate(&key)}),
            "/spec/certificate_pem",
        ),
        (
            json!({"public_key_sha256": hash(&key), "cluster": null}),
            "/spec/cluster",
        ),
    ] {
        let wish = spec(&account, &made.cluster, &more);
        let problem = admin
            .post("/v1/api-keys", &wish)
            .await
            .expect_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem:#}");
        assert!(!problem.to_string().contains("-----"), "{problem:#}");
    }
    let listed = admin.get("/v1/api-keys").await.expect(200);
    assert_eq!(listed["data"], json!([]));
}

#[tokio::test]
async fn a_public_key_is_one_key_of_a_cluster_and_tells_nobody_of_other_tenants() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let (stranger, _) = bench.tenant("TENANT_ADMIN").await;
    let (ours, theirs) = (streams::make(&admin).await, streams::make(&stranger).await);
    let key = KeyPair::generate().expect("a key");
    let more = json!({"public_key_sha256": hash(&key)});
    let first = account(&admin, "first").await;
    let wish = spec(&first, &ours.cluster, &more);
    let made = admin.post("/v1/api-keys", &wish).await.expect(201);
    // Another account of the cluster cannot be the same client.
    let second = account(&admin, "second").await;
    let problem = admin
        .post("/v1/api-keys", &spec(&second, &ours.cluster, &more))
        .await
        .expect_problem(409, "name_taken");
    assert!(problem.to_string().contains("has this public key"), "{problem:#}");
    // Another tenant may write down the same public key: it opens that tenant's cluster alone, and he learns nothing.
    let foreign = account(&stranger, "app").await;
    let wish = spec(&foreign, &theirs.cluster, &more);
    stranger.post("/v1/api-keys", &wish).await.expect(201);
    let path = format!("/v1/api-keys/{}", id(&made));
    stranger.get(&path).await.expect_problem(404, "not_found");
    // Once it is gone, its public key is free again.
    admin.delete(&path).await.expect(204);
    let wish = spec(&second, &ours.cluster, &more);
    admin.post("/v1/api-keys", &wish).await.expect(201);
}

#[tokio::test]
async fn no_secret_opens_a_key_by_certificate() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("TENANT_ADMIN").await;
    let made = streams::make(&admin).await;
    let account = account(&admin, "app").await;
    keep(&bench.app, Utc::now()).await.expect("a key to sign with");
    let secret = json!({"spec": {"service_account": account, "cluster": made.cluster}});
    let secret = admin.post("/v1/api-keys", &secret).await.expect(201);
    let secret = secret["secret"]["password"].as_str().expect("a secret");
    let key = KeyPair::generate().expect("a key");
    let wish = spec(&account, &made.cluster, &json!({"public_key_sha256": hash(&key)}));
    let made_key = id(&admin.post("/v1/api-keys", &wish).await.expect(201));
    for password in ["", secret, &hash(&key)] {
        let form = format!("grant_type=client_credentials&client_id={made_key}&client_secret={password}");
        let answer = bench
            .nobody()
            .with("Content-Type", "application/x-www-form-urlencoded")
            .send("POST", "/v1/oauth/token", form)
            .await;
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{password}");
        let pair = STANDARD.encode(format!("{made_key}:{password}"));
        bench
            .nobody()
            .with("Authorization", format!("Basic {pair}"))
            .get("/v1/environments")
            .await
            .expect_problem(401, "unauthenticated");
    }
}
