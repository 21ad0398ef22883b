//! Native mode: who may have it, what it refuses, and that what is kept of a secret opens for the agent alone.

use serde_json::{Value, json};
use weir_control_plane::kernel::Id;
use weir_control_plane::resources::access_token::keep;
use weir_credentials::{NativeCredential, PublicKeyHash, SealingKey, native_binding};
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::{ClusterAccess, DesiredState, Generation, Hello};

use crate::harness::{Bench, Caller, Door, Identity, Reply, Session};
use crate::streams::id;

struct World {
    bench: Bench,
    admin: Caller,
    door: Door,
    identity: Identity,
    environment: String,
    pool: String,
    cluster: String,
    account: String,
}

fn spec(environment: &str, pool: &str, name: &str, more: &Value) -> Value {
    let mut spec = json!({"environment": environment, "broker_pool": pool, "name": name});
    for (key, value) in more.as_object().expect("an object") {
        spec[key] = value.clone();
    }
    json!({ "spec": spec })
}

impl World {
    async fn make() -> Self {
        let bench = Bench::start().await;
        let (admin, _ids) = bench.tenant("TENANT_ADMIN").await;
        let door = bench.door().await;
        let plane = json!({"spec": {"name": "dp"}});
        let plane = admin.post("/v1/data-planes", &plane).await.expect(201);
        let token = plane["enrollment"]["token"].as_str().expect("a token");
        let identity = door.enroll(token).await.expect("enrolled");
        let pool = json!({"spec": {"data_plane": id(&plane), "name": "main"}});
        let pool = id(&admin.post("/v1/broker-pools", &pool).await.expect(201));
        let environment = json!({"spec": {"name": "prod"}});
        let environment = id(&admin.post("/v1/environments", &environment).await.expect(201));
        let native = spec(&environment, &pool, "cards", &json!({"access": "NATIVE"}));
        let cluster = admin.post("/v1/clusters", &native).await.expect(201);
        assert_eq!(cluster["spec"]["access"], "NATIVE");
        let account = json!({"spec": {"name": "app"}});
        let account = id(&admin.post("/v1/service-accounts", &account).await.expect(201));
        Self {
            cluster: id(&cluster),
            bench,
            admin,
            door,
            identity,
            environment,
            pool,
            account,
        }
    }

    fn key(&self) -> Value {
        json!({"spec": {"service_account": self.account, "cluster": self.cluster}})
    }

    async fn session(&self, instance: u64, key: Option<&SealingKey>) -> (Session, DesiredState) {
        let hex = |bytes: [u8; 32]| bytes.iter().map(|it| format!("{it:02x}")).collect();
        let hello = Up::Hello(Hello {
            agent_version: "0.1.0".into(),
            instance,
            accepted: Some(Generation::default()),
            kafka_version: "4.3.1".into(),
            session: instance,
            sealing_public_key: key.map_or_else(String::new, |it| hex(it.public().to_bytes())),
            ..Hello::default()
        });
        let mut session = self
            .door
            .session_with(&self.identity, hello)
            .await
            .expect("a session");
        session.welcome().await;
        let (_frame, state) = session.desired().await;
        (session, state)
    }

    async fn quota(&self, subject: Value, more: &Value) -> Reply {
        let mut quota = json!({"cluster": self.cluster, "subject": subject,
            "limits": {"ingress_bytes_per_second": 4096}});
        for (key, value) in more.as_object().expect("an object") {
            quota[key] = value.clone();
        }
        self.admin.post("/v1/quotas", &json!({ "spec": quota })).await
    }
}

#[tokio::test]
async fn only_the_owner_of_a_pool_has_one_native_cluster_on_it() {
    let world = World::make().await;
    let path = format!("/v1/clusters/{}", world.cluster);
    let flip = json!({"spec": {"access": "GATEWAY"}});
    let problem = world.admin.patch(&path, &flip).await.expect(422);
    assert_eq!(problem["errors"][0]["code"], "immutable");
    let second = |more| spec(&world.environment, &world.pool, "more", &more);
    let again = second(json!({"access": "NATIVE"}));
    let taken = world.admin.post("/v1/clusters", &again).await;
    taken.expect_problem(409, "name_taken");
    let plain = world
        .admin
        .post("/v1/clusters", &second(json!({})))
        .await
        .expect(201);
    assert_eq!(plain["spec"]["access"], "GATEWAY");

    // A guest has a place on the pool, but not its names.
    let (guest, ids) = world.bench.tenant("TENANT_ADMIN").await;
    let grant = json!({"spec": {"broker_pool": world.pool, "guest_tenant": ids.tenant}});
    let grant = id(&world
        .admin
        .post("/v1/data-plane-grants", &grant)
        .await
        .expect(201));
    let accept = format!("/v1/data-plane-grants/{grant}/accept");
    guest.post(&accept, &json!({})).await.expect(200);
    let environment = json!({"spec": {"name": "prod"}});
    let environment = id(&guest.post("/v1/environments", &environment).await.expect(201));
    let native = spec(&environment, &world.pool, "own", &json!({"access": "NATIVE"}));
    let problem = guest.post("/v1/clusters", &native).await.expect(422);
    assert_eq!(problem["errors"][0]["pointer"], "/spec/access");
    let plain = spec(&environment, &world.pool, "own", &json!({}));
    guest.post("/v1/clusters", &plain).await.expect(201);

    // Two kinds of own names do not meet on an attached pool either.
    let east = json!({"bootstrap_servers": ["kafka.test:9092"], "credential": "east"});
    let pool = world
        .admin
        .get(&format!("/v1/broker-pools/{}", world.pool))
        .await
        .expect(200);
    let east = json!({"spec": {"data_plane": pool["spec"]["data_plane"], "name": "east", "attached": east}});
    let east = id(&world.admin.post("/v1/broker-pools", &east).await.expect(201));
    let both = json!({"access": "NATIVE", "adopts": true});
    let both = spec(&world.environment, &east, "east", &both);
    world.admin.post("/v1/clusters", &both).await.expect(201);
    let adopts = spec(&world.environment, &east, "west", &json!({"adopts": true}));
    let taken = world.admin.post("/v1/clusters", &adopts).await;
    taken.expect_problem(409, "name_taken");
}

#[tokio::test]
async fn a_secret_goes_down_sealed_to_the_agent_and_is_kept_nowhere_else() {
    let world = World::make().await;
    let refused = world.admin.post("/v1/api-keys", &world.key()).await;
    refused.expect_problem(409, "no_sealing_key");
    let (old, _state) = world.session(1, None).await;
    let refused = world.admin.post("/v1/api-keys", &world.key()).await;
    refused.expect_problem(409, "no_sealing_key");
    drop(old);
    let key = SealingKey::generate().expect("a key");
    let (told, _state) = world.session(2, Some(&key)).await;
    let made = world.admin.post("/v1/api-keys", &world.key()).await.expect(201);
    let secret = made["secret"]["password"].as_str().expect("a secret");
    drop(told);

    // Another key of the same agent does not take its place.
    let other = SealingKey::generate().expect("a key");
    let (session, _state) = world.session(3, Some(&other)).await;
    drop(session);
    let more = world.admin.post("/v1/api-keys", &world.key()).await.expect(201);
    let (_session, state) = world.session(4, Some(&key)).await;
    assert_eq!(state.clusters[0].access(), ClusterAccess::Native);
    for (made, text) in [
        (&made, secret),
        (&more, more["secret"]["password"].as_str().expect("a secret")),
    ] {
        let sent = state
            .api_keys
            .iter()
            .find(|it| made["id"] == it.id)
            .expect("sent");
        assert!(sent.sha256.is_empty() && sent.scram_sha_256.is_none() && sent.scram_sha_512.is_none());
        let binding = |key: &str| native_binding(&state.data_plane_id, &world.cluster, &world.account, key);
        let opened = key
            .open(&binding(&sent.id), &sent.sealed)
            .expect("opens for the pinned key");
        let credential = NativeCredential::from_bytes(&opened).expect("a credential");
        assert!(is_of(&credential, text));
        assert!(other.open(&binding(&sent.id), &sent.sealed).is_err());
        assert!(key.open(&binding("key_other"), &sent.sealed).is_err());
        let hex: String = credential
            .sha512
            .salted
            .iter()
            .map(|it| format!("{it:02x}"))
            .collect();
        assert!(!everything(&world.bench, "api_key").await.contains(&hex));
        assert!(!everything(&world.bench, "desired_state").await.contains(&hex));
    }
    let shown = world
        .admin
        .get(&format!("/v1/api-keys/{}", id(&made)))
        .await
        .expect(200);
    assert!(!shown.to_string().contains("sealed"), "{shown:#}");

    // An agent that enrols anew has another key, and that is pinned then.
    let plane = &world.identity.data_plane;
    let answer = world
        .admin
        .post(&format!("/v1/data-planes/{plane}/enrollment-tokens"), &json!({}))
        .await;
    let token = answer.expect(200)["enrollment"]["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let identity = world.door.enroll(&token).await.expect("enrolled");
    let world = World { identity, ..world };
    let refused = world.admin.post("/v1/api-keys", &world.key()).await;
    refused.expect_problem(409, "no_sealing_key");
    let (_session, _state) = world.session(5, Some(&other)).await;
    world.admin.post("/v1/api-keys", &world.key()).await.expect(201);
}

/// A proof that the server's check accepts can be made of it (RFC 5802): it is of this password.
fn is_of(credential: &NativeCredential, password: &str) -> bool {
    let salt = credential.sha256.salt.clone();
    let verifier = weir_credentials::ScramVerifier::with_salt(
        weir_credentials::Mechanism::Sha256,
        password,
        salt,
        credential.iterations,
    );
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &credential.sha256.salted);
    ring::hmac::sign(&key, b"Server Key").as_ref() == verifier.server_key
}

/// A table as text.
async fn everything(bench: &Bench, table: &str) -> String {
    let statement = match table {
        "api_key" => "SELECT coalesce(string_agg(t::text, ' '), '') FROM api_key t",
        _ => "SELECT coalesce(string_agg(t::text, ' '), '') FROM desired_state t",
    };
    sqlx::query_scalar(statement)
        .fetch_one(&mut bench.database.owner().await)
        .await
        .expect("rows")
}

#[tokio::test]
async fn quotas_that_kafka_cannot_keep_are_refused() {
    let world = World::make().await;
    let principals = || json!({"kind": "PRINCIPALS", "principals": [world.account]});
    let made = world
        .quota(
            principals(),
            &json!({"limits": {"ingress_bytes_per_second": 4096,
            "egress_bytes_per_second": 4096, "partition_mutations_per_second": 5}}),
        )
        .await
        .expect(201);
    world
        .quota(json!({"kind": "DEFAULT"}), &json!({}))
        .await
        .expect(201);
    let rate = 4096;
    for (subject, more, pointer) in [
        (json!({"kind": "TENANT"}), json!({}), "/spec/subject/kind"),
        (
            json!({"kind": "SHARED", "principals": [world.account]}),
            json!({}),
            "/spec/subject/kind",
        ),
        (principals(), json!({"mode": "SHADOW"}), "/spec/mode"),
        (principals(), json!({"burst_seconds": 1}), "/spec/burst_seconds"),
        (
            principals(),
            json!({"floors": {"ingress_bytes_per_second": rate}}),
            "/spec/floors",
        ),
        (
            principals(),
            json!({"limits": {"requests_per_second": 1}}),
            "/spec/limits/requests_per_second",
        ),
        (
            principals(),
            json!({"limits": {"connections": 1}}),
            "/spec/limits/connections",
        ),
    ] {
        let problem = world.quota(subject, &more).await.expect(422);
        assert_eq!(
            (&problem["errors"][0]["code"], &problem["errors"][0]["pointer"]),
            (&json!("not_enforced"), &json!(pointer)),
            "{problem:#}"
        );
    }
    let path = format!("/v1/quotas/{}", id(&made));
    for patch in [json!({"mode": "SHADOW"}), json!({"limits": {"connections": 3}})] {
        let problem = world
            .admin
            .patch(&path, &json!({ "spec": patch }))
            .await
            .expect(422);
        assert_eq!(problem["errors"][0]["code"], "not_enforced");
    }
}

#[tokio::test]
async fn what_only_gateways_do_says_that_it_is_not_there() {
    let world = World::make().await;
    let path = format!("/v1/clusters/{}/connections", world.cluster);
    world.admin.get(&path).await.expect_problem(409, "native_access");
    let rule =
        json!({"spec": {"cluster": world.cluster, "name": "slow", "kind": "THROTTLING", "threshold": 1}});
    let problem = world.admin.post("/v1/alert-rules", &rule).await.expect(422);
    assert_eq!(problem["errors"][0]["code"], "not_enforced");
    let rule = json!({"spec": {"cluster": world.cluster, "name": "behind", "kind": "LAG", "group": "billing", "threshold": 1}});
    world.admin.post("/v1/alert-rules", &rule).await.expect(201);
    let mut certified = world.key();
    certified["spec"]["public_key_sha256"] = json!(PublicKeyHash::of(b"a public key").to_string());
    let problem = world.admin.post("/v1/api-keys", &certified).await.expect(422);
    assert_eq!(problem["errors"][0]["code"], "not_enforced");

    let topic = |name: &str| json!({"spec": {"cluster": world.cluster, "name": name, "partitions": 1}});
    let suffix = world.cluster.rsplit_once('_').expect("an id").1;
    let theirs = topic(&format!("w{suffix}-orders"));
    let problem = world.admin.post("/v1/topics", &theirs).await.expect(422);
    assert_eq!(problem["errors"][0]["code"], "bad_name");
    world.admin.post("/v1/topics", &topic("orders")).await.expect(201);

    let key = SealingKey::generate().expect("a key");
    let (_session, state) = world.session(1, Some(&key)).await;
    assert_eq!(state.topics[0].physical_name, "orders");
    let made = world.admin.post("/v1/api-keys", &world.key()).await.expect(201);
    keep(&world.bench.app, chrono::Utc::now())
        .await
        .expect("a key to sign with");
    let form = world
        .bench
        .nobody()
        .with("Content-Type", "application/x-www-form-urlencoded");
    let body = |scope: &str| {
        let (id, secret) = (id(&made), made["secret"]["password"].as_str().expect("a secret"));
        format!("grant_type=client_credentials&client_id={id}&client_secret={secret}&scope={scope}")
    };
    let refused = form
        .send("POST", "/v1/oauth/token", body("kafka"))
        .await
        .expect(400);
    assert_eq!(refused["error"], "invalid_scope");
    form.send("POST", "/v1/oauth/token", body("api"))
        .await
        .expect(200);
}

#[tokio::test]
async fn usage_and_costs_name_the_clusters_that_nobody_meters() {
    let world = World::make().await;
    for path in ["/v1/usage", "/v1/costs"] {
        let report = world.admin.get(path).await.expect(200);
        let unmetered = &report["metadata"]["unmetered_clusters"];
        assert_eq!(unmetered, &json!([world.cluster]), "{path}");
        let elsewhere = format!(
            "{path}?cluster={}",
            Id::<weir_control_plane::kernel::kind::Cluster>::generate()
        );
        let report = world.admin.get(&elsewhere).await.expect(200);
        assert_eq!(report["metadata"]["unmetered_clusters"], Value::Null);
    }
    let (stranger, _ids) = world.bench.tenant("TENANT_ADMIN").await;
    let report = stranger.get("/v1/usage").await.expect(200);
    assert_eq!(report["metadata"]["unmetered_clusters"], Value::Null);
}
