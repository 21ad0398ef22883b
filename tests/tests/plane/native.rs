//! Native mode from the API to Kafka and back: users, rules and quotas are written, revoked and restored, through kills of
//! either side, and only what is this cluster's is ever touched.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use weir_agent::platform::native::{Acl, SeenNative};

use crate::caller::Caller;
use crate::planes::{World, id, is_ready, until};

struct Made {
    enrollment: String,
    environment: String,
    pool: String,
    account: String,
}

async fn make(world: &World, admin: &Caller, attached: Option<Value>) -> Made {
    let plane = json!({"spec": {"name": "dp"}});
    let plane = admin.post("/v1/data-planes", &plane).await.expect(201);
    let environment = json!({"spec": {"name": "prod"}});
    let environment = id(&admin.post("/v1/environments", &environment).await.expect(201));
    let mut pool = json!({"spec": {"data_plane": id(&plane), "name": "main"}});
    if let Some(attached) = attached {
        pool["spec"]["attached"] = attached;
    }
    let pool = id(&admin.post("/v1/broker-pools", &pool).await.expect(201));
    Made {
        enrollment: plane["enrollment"]["token"].as_str().expect("a token").to_owned(),
        environment,
        pool,
        account: world.service_account().await,
    }
}

impl Made {
    async fn cluster(&self, admin: &Caller, name: &str, access: &str) -> String {
        let spec = json!({"environment": self.environment, "broker_pool": self.pool, "name": name, "access": access});
        id(&admin
            .post("/v1/clusters", &json!({ "spec": spec }))
            .await
            .expect(201))
    }

    /// A key, as soon as the agent has told to what its secret is sealed.
    async fn key(&self, admin: &Caller, cluster: &str) -> String {
        let key = json!({"spec": {"service_account": self.account, "cluster": cluster}});
        loop {
            let answer = admin.post("/v1/api-keys", &key).await;
            if answer.body["code"] != "no_sealing_key" {
                return id(&answer.expect(201));
            }
            tokio::task::yield_now().await;
        }
    }

    async fn grant(&self, admin: &Caller, resource: &str) -> String {
        let binding = json!({"spec": {"principal": self.account, "role": "DEVELOPER", "resource": resource}});
        format!(
            "/v1/role-bindings/{}",
            id(&admin.post("/v1/role-bindings", &binding).await.expect(201))
        )
    }
}

fn users(seen: &SeenNative) -> BTreeSet<&str> {
    seen.users.keys().map(String::as_str).collect()
}

fn allows(seen: &SeenNative, user: &str) -> usize {
    let of = |it: &&Acl| it.allows() && it.user() == Some(user);
    seen.acls.iter().filter(of).count()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
async fn keys_bindings_and_quotas_become_kafkas_own_and_go_again() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&world, &admin, None).await;
    let agent = world.agent_of(&plane, &made.enrollment, None).await;
    let cluster = made.cluster(&admin, "cards", "NATIVE").await;
    let path = format!("/v1/clusters/{cluster}");
    let ready = until(&admin, &path, is_ready).await;
    let port = world.ports.native(0, 1);
    assert_eq!(ready["status"]["bootstrap_servers"], format!("127.0.0.1:{port}"));
    let topic = json!({"spec": {"cluster": cluster, "name": "orders", "partitions": 2}});
    let topic = format!(
        "/v1/topics/{}",
        id(&admin.post("/v1/topics", &topic).await.expect(201))
    );
    until(&admin, &topic, is_ready).await;
    assert!(
        world.kafka.topics_of(&made.pool).contains_key("orders"),
        "its own name"
    );

    let binding = made.grant(&admin, "environment=prod/cluster=cards").await;
    let key = made.key(&admin, &cluster).await;
    let key_path = format!("/v1/api-keys/{key}");
    until(&admin, &key_path, is_ready).await;
    let seen = world.kafka.native(&made.pool).seen;
    assert_eq!(users(&seen), BTreeSet::from([key.as_str()]));
    assert_eq!(allows(&seen, &key), 6);
    let quota = json!({"spec": {"cluster": cluster, "limits": {"ingress_bytes_per_second": 4096},
        "subject": {"kind": "PRINCIPALS", "principals": [made.account]}}});
    let quota = format!(
        "/v1/quotas/{}",
        id(&admin.post("/v1/quotas", &quota).await.expect(201))
    );
    until(&admin, &quota, is_ready).await;
    assert!(world.kafka.native(&made.pool).seen.limits.contains_key(&key));

    // A second key is a second user of Kafka: the quota says so.
    let second = made.key(&admin, &cluster).await;
    until(&admin, &format!("/v1/api-keys/{second}"), is_ready).await;
    let said = until(&admin, &quota, |it| it["status"]["reason"] == "PER_KEY").await;
    assert_eq!(said["status"]["phase"], "READY");

    // Another cluster on the pool: no native user reaches its names from the moment that they are there.
    let other = made.cluster(&admin, "guests", "GATEWAY").await;
    let prefix = format!("w{}-", other.rsplit_once('_').expect("an id").1);
    let walled = |seen: &SeenNative| {
        let wall = |user: &str| {
            seen.acls
                .iter()
                .filter(|it| !it.allows() && it.name == prefix && it.user() == Some(user))
                .count()
        };
        wall(&key) == 3 && wall(&second) == 3
    };
    until(&admin, &key_path, |_key| {
        walled(&world.kafka.native(&made.pool).seen)
    })
    .await;

    // What somebody takes away comes back; what somebody else wrote stays.
    let theirs = Acl {
        principal: "User:alice".to_owned(),
        ..world
            .kafka
            .native(&made.pool)
            .seen
            .acls
            .first()
            .expect("a rule")
            .clone()
    };
    world.kafka.meddle_native(&made.pool, |native| {
        native.seen.acls.clear();
        native.seen.acls.insert(theirs.clone());
        native.seen.limits.clear();
    });
    until(&admin, &key_path, |_key| {
        let seen = world.kafka.native(&made.pool).seen;
        allows(&seen, &key) == 6 && seen.limits.contains_key(&key) && seen.acls.contains(&theirs)
    })
    .await;

    // Killed between the wish and the deed: the role goes, then the key, then everything.
    agent.abandon().await;
    admin.delete(&binding).await.expect(204);
    let agent = world.agent(&plane.app.settings.ca_sha256, None, None).await;
    until(&admin, &key_path, |_key| {
        allows(&world.kafka.native(&made.pool).seen, &key) == 0
    })
    .await;
    until(&admin, &key_path, is_ready).await;
    let passwords = world.kafka.native(&made.pool).passwords;
    let written = world
        .kafka
        .log()
        .iter()
        .filter(|it| it.starts_with("user "))
        .count();
    assert_eq!(
        (passwords.len(), written),
        (2, 2),
        "each password was written once"
    );
    admin.delete(&key_path).await.expect(204);
    until(&admin, &quota, |_quota| {
        users(&world.kafka.native(&made.pool).seen) == BTreeSet::from([second.as_str()])
    })
    .await;
    admin.delete(&quota).await.expect(204);
    admin.delete(&format!("/v1/api-keys/{second}")).await.expect(204);
    admin.delete(&topic).await.expect(202);
    until(&admin, &topic, |it| it["code"] == "not_found").await;
    world.kafka.set_away(true);
    admin.delete(&path).await.expect(202);
    until(&admin, &path, |it| it["status"]["phase"] == "DELETING").await;
    world.kafka.set_away(false);
    until(&admin, &path, |it| it["code"] == "not_found").await;
    let left = world.kafka.native(&made.pool).seen;
    assert_eq!(left.acls, BTreeSet::from([theirs]));
    assert!(left.users.is_empty() && left.limits.is_empty());
    agent.shutdown().await.expect("the agent ends");
}

#[tokio::test]
async fn an_attached_kafka_is_changed_only_where_weir_made_it() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let east = json!({"bootstrap_servers": ["kafka.test:9092"], "credential": "east",
        "sasl": {"mechanism": "PLAIN", "username": "weir"}});
    let made = make(&world, &admin, Some(east)).await;
    world.kafka.set_brokers(vec![(7, "kafka.test".to_owned(), 9092)]);
    world.there(&made.pool, "ledger", &[]).await;
    world.allow("kafka.test:9092");
    world.kafka.set_lawless(true);
    let agent = world.agent_of(&plane, &made.enrollment, None).await;
    let cluster = made.cluster(&admin, "east", "NATIVE").await;
    let path = format!("/v1/clusters/{cluster}");
    until(&admin, &path, |it| it["status"]["reason"] == "NO_AUTHORIZER").await;
    let key = made.key(&admin, &cluster).await;
    let key_path = format!("/v1/api-keys/{key}");
    until(&admin, &key_path, |it| it["status"]["phase"] == "PENDING").await;
    assert_eq!(world.kafka.native(&made.pool).seen, SeenNative::default());

    // Somebody has a user of just this name: theirs stays theirs.
    world.kafka.meddle_native(&made.pool, |native| {
        native.seen.users.insert(key.clone(), BTreeSet::from([1]));
    });
    world.kafka.set_lawless(false);
    let ready = until(&admin, &path, is_ready).await;
    assert_eq!(ready["status"]["bootstrap_servers"], "kafka.test:9092");
    assert_eq!(world.kafka.native(&made.pool).seen.acls, BTreeSet::new());
    world
        .kafka
        .meddle_native(&made.pool, |native| native.seen.users.clear());
    until(&admin, &key_path, is_ready).await;

    // A topic that is there is nobody's to make or destroy.
    let topic = json!({"spec": {"cluster": cluster, "name": "ledger", "partitions": 9}});
    let topic = format!(
        "/v1/topics/{}",
        id(&admin.post("/v1/topics", &topic).await.expect(201))
    );
    until(&admin, &topic, |it| it["status"]["reason"] == "NOT_OURS").await;
    admin.delete(&topic).await;
    until(&admin, &topic, |it| it["code"] == "not_found").await;
    assert_eq!(world.kafka.topics_of(&made.pool)["ledger"].partitions, 2);
    agent.shutdown().await.expect("the agent ends");
}

#[tokio::test]
async fn the_customer_keeps_the_brokers_closed() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = make(&world, &admin, None).await;
    let refuse = "refuse = [\"native.cluster\"]";
    let agent = world.agent_of(&plane, &made.enrollment, Some(refuse)).await;
    let cluster = made.cluster(&admin, "cards", "NATIVE").await;
    let path = format!("/v1/clusters/{cluster}");
    until(&admin, &path, |it| it["status"]["reason"] == "POLICY_REFUSED").await;
    let key = made.key(&admin, &cluster).await;
    let policy = world.agent_state.path().join("policy.toml");
    std::fs::write(&policy, "refuse = [\"native.user\"]").expect("write the policy");
    until(&admin, &path, is_ready).await;
    let pending = until(&admin, &format!("/v1/api-keys/{key}"), |it| {
        it["status"]["phase"] == "PENDING"
    })
    .await;
    assert_eq!(pending["spec"]["cluster"], cluster.as_str());
    assert_eq!(world.kafka.native(&made.pool).seen, SeenNative::default());
    std::fs::write(&policy, "").expect("write the policy");
    until(&admin, &format!("/v1/api-keys/{key}"), is_ready).await;
    agent.shutdown().await.expect("the agent ends");
}
