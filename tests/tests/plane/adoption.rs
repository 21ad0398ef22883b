//! Adoption from the API to Kafka and back: attached by a file of the customer's, adopted without a touch, changed only where
//! it was wished, let go with the Kafka away.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use weir_agent::platform::kafka::{Kafka as _, NewTopic, PoolAddress};

use crate::caller::Caller;
use crate::planes::{PATIENCE, World, id, is_ready, until};

struct Made {
    enrollment: String,
    environment: String,
    managed: String,
    pool: String,
}

async fn attached(admin: &Caller) -> Made {
    let data_plane = admin
        .post("/v1/data-planes", &json!({"spec": {"name": "dp"}}))
        .await
        .expect(201);
    let environment = json!({"spec": {"name": "prod"}});
    let environment = id(&admin.post("/v1/environments", &environment).await.expect(201));
    let managed = json!({"spec": {"data_plane": id(&data_plane), "name": "main"}});
    let managed = id(&admin.post("/v1/broker-pools", &managed).await.expect(201));
    let east = json!({"bootstrap_servers": ["kafka.test:9092"], "credential": "east",
        "sasl": {"mechanism": "PLAIN", "username": "weir"}});
    let pool = json!({"spec": {"data_plane": id(&data_plane), "name": "east", "attached": east}});
    let pool = id(&admin.post("/v1/broker-pools", &pool).await.expect(201));
    Made {
        enrollment: data_plane["enrollment"]["token"]
            .as_str()
            .expect("a token")
            .to_owned(),
        environment,
        managed,
        pool,
    }
}

fn cluster_spec(made: &Made, pool: &str, name: &str, adopts: bool) -> Value {
    json!({"spec": {"environment": made.environment, "broker_pool": pool, "name": name, "adopts": adopts}})
}

impl World {
    /// What the Kafka has before anybody attaches it.
    pub async fn there(&self, pool: &str, name: &str, configs: &[(&str, &str)]) {
        let at = PoolAddress {
            pool_id: pool.to_owned(),
            ..PoolAddress::default()
        };
        let topic = NewTopic {
            physical_name: name.to_owned(),
            partitions: 2,
            replication_factor: 1,
            configs: configs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        };
        self.kafka.create_topic(&at, &topic).await.expect("a topic");
    }

    pub fn allow(&self, hosts: &str) {
        let folder = self.agent_state.path().join("agent/credentials");
        std::fs::create_dir_all(&folder).expect("a folder");
        let text = format!("hosts = [\"{hosts}\"]\npassword = \"secret\"\n");
        std::fs::write(folder.join("east.toml"), text).expect("write the credential");
    }

    fn settings(&self, pool: &str, name: &str) -> BTreeMap<String, String> {
        self.kafka.topics_of(pool)[name].configs.clone()
    }

    /// What was asked to be changed in Kafka since the topics were made.
    fn changes(&self) -> Vec<String> {
        let log = self.kafka.log();
        log.into_iter().filter(|it| !it.starts_with("create ")).collect()
    }
}

fn verdicts(plan: &Value) -> Vec<String> {
    let topics = plan["topics"].as_array().expect("topics");
    let say = |it: &Value| {
        let words = ["name", "verdict", "refusal"].map(|word| it[word].as_str().unwrap_or_default());
        words.join(" ").trim().to_owned()
    };
    topics.iter().map(say).collect()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
async fn what_is_there_is_adopted_changed_where_it_was_wished_and_let_go() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = attached(&admin).await;
    world
        .kafka
        .set_brokers(vec![(107, "kafka.test".to_owned(), 9092)]);
    world
        .there(
            &made.pool,
            "orders",
            &[("retention.ms", "1000"), ("flush.ms", "9")],
        )
        .await;
    world.there(&made.pool, "__consumer_offsets", &[]).await;
    let agent = world.agent_of(&plane, &made.enrollment, None).await;
    let mut gateway = world.gateway(1).await;
    let pool = format!("/v1/broker-pools/{}", made.pool);
    until(&admin, &pool, |it| it["status"]["reason"] == "CREDENTIAL_MISSING").await;
    world.allow("kafka.test:9092");
    until(&admin, &pool, is_ready).await;

    // Who may adopt: one cluster of a pool that is attached.
    let east = cluster_spec(&made, &made.pool, "east", true);
    let cluster = id(&admin.post("/v1/clusters", &east).await.expect(201));
    let second = cluster_spec(&made, &made.pool, "west", true);
    admin
        .post("/v1/clusters", &second)
        .await
        .expect_problem(409, "name_taken");
    let managed = cluster_spec(&made, &made.managed, "cards", true);
    admin.post("/v1/clusters", &managed).await.expect(422);
    let plain = id(&admin
        .post("/v1/clusters", &cluster_spec(&made, &made.pool, "guests", false))
        .await
        .expect(201));
    admin
        .get(&format!("/v1/clusters/{plain}/adoption"))
        .await
        .expect_problem(409, "wrong_phase");

    let cluster = format!("/v1/clusters/{cluster}");
    let plan = until(&admin, &format!("{cluster}/adoption"), |it| {
        it["kind"] == "AdoptionPlan"
    })
    .await;
    assert_eq!(
        verdicts(&plan),
        ["__consumer_offsets REFUSED INTERNAL", "orders ADOPT"],
        "{plan:#}"
    );
    let named = json!({"topics": ["orders", "nowhere"]});
    let adopted = admin.post(&format!("{cluster}/adopt"), &named).await.expect(200);
    assert_eq!(adopted["refused"][0]["refusal"], "NOT_FOUND", "{adopted:#}");
    let topic = format!(
        "/v1/topics/{}",
        adopted["topics"][0]["topic"].as_str().expect("an id")
    );
    let orders = until(&admin, &topic, is_ready).await;
    assert_eq!(
        (&orders["spec"]["retention_ms"], &orders["status"]["adopted"]),
        (&json!(1000), &json!(true))
    );
    let snapshot = gateway
        .snapshot(PATIENCE, |it| {
            it.clusters.iter().any(|it| it.own_names && !it.topics.is_empty())
        })
        .await
        .expect("served");
    let served = snapshot
        .clusters
        .iter()
        .find(|it| it.own_names)
        .expect("the adopting cluster");
    assert_eq!(served.topics[0].physical_name, "orders");
    let east = snapshot
        .upstreams
        .iter()
        .find(|it| it.attached)
        .expect("the attached pool");
    assert_eq!((east.brokers[0].node_id, east.brokers[0].place), (107, 1));
    assert_eq!(world.changes(), Vec::<String>::new(), "nothing was changed");

    // One setting is changed here: one is changed there.
    let patch = json!({"spec": {"retention_ms": 2000}});
    admin.patch(&topic, &patch).await.expect(200);
    until(&admin, &topic, |it| {
        is_ready(it) && it["spec"]["retention_ms"] == 2000
    })
    .await;
    let settings = world.settings(&made.pool, "orders");
    let expected = [("flush.ms", "9"), ("retention.ms", "2000")];
    assert_eq!(
        settings,
        expected
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    );

    // Let go while the Kafka is away.
    world.kafka.set_away(true);
    let released = admin
        .post(&format!("{cluster}/release"), &json!({}))
        .await
        .expect(200);
    assert_eq!(released["topics"][0]["name"], "orders");
    until(&admin, &topic, |it| it["code"] == "not_found").await;
    world.kafka.set_away(false);
    let plan = until(&admin, &format!("{cluster}/adoption"), |it| {
        it["kind"] == "AdoptionPlan"
    })
    .await;
    assert_eq!(verdicts(&plan)[1], "orders ADOPT");
    for path in [cluster, format!("/v1/clusters/{plain}"), pool] {
        admin.delete(&path).await;
        until(&admin, &path, |it| it["code"] == "not_found").await;
    }
    assert_eq!(world.changes(), ["alter orders"]);
    assert!(world.kafka.topics_of(&made.pool).contains_key("orders"));
    agent.shutdown().await.expect("the agent ends");
}

#[tokio::test]
async fn the_customer_refuses_to_attach_and_to_tell() {
    let world = World::begin().await;
    let plane = world.control_plane().await;
    let admin = world.admin(&plane);
    let made = attached(&admin).await;
    world.kafka.set_brokers(vec![(1, "kafka.test".to_owned(), 9092)]);
    world.there(&made.pool, "salaries", &[]).await;
    world.there(&made.pool, "orders", &[]).await;
    world.there(&made.pool, "secret", &[]).await;
    world.allow("kafka.test:*");
    let policy = "[[rule]]\nrefuse = [\"topic.discover\"]\nname = \"secret\"\n[[rule]]\nrefuse = [\"topic.adopt\"]\nname = \"salaries\"\n";
    let agent = world.agent_of(&plane, &made.enrollment, Some(policy)).await;
    let _gateway = world.gateway(1).await;
    let cluster = cluster_spec(&made, &made.pool, "east", true);
    let cluster = format!(
        "/v1/clusters/{}",
        id(&admin.post("/v1/clusters", &cluster).await.expect(201))
    );
    let plan = until(&admin, &format!("{cluster}/adoption"), |it| {
        it["kind"] == "AdoptionPlan"
    })
    .await;
    assert_eq!(
        (
            plan["topics_withheld"].as_i64(),
            plan.to_string().contains("secret")
        ),
        (Some(1), false),
        "{plan:#}"
    );
    let adopted = admin
        .post(&format!("{cluster}/adopt"), &json!({}))
        .await
        .expect(200);
    for topic in adopted["topics"].as_array().expect("topics") {
        let path = format!("/v1/topics/{}", topic["topic"].as_str().expect("an id"));
        if topic["name"] == "orders" {
            until(&admin, &path, is_ready).await;
        } else {
            until(&admin, &path, |it| it["status"]["reason"] == "POLICY_REFUSED").await;
        }
    }
    let refusing = "refuse = [\"pool.attach\"]\n";
    std::fs::write(world.agent_state.path().join("policy.toml"), refusing).expect("write the policy");
    let moved = json!({"spec": {"attached": {"bootstrap_servers": ["elsewhere.test:9092"]}}});
    let pool = format!("/v1/broker-pools/{}", made.pool);
    admin.patch(&pool, &moved).await.expect(200);
    until(&admin, &pool, |it| it["status"]["reason"] == "POLICY_REFUSED").await;
    assert_eq!(world.changes(), Vec::<String>::new());
    agent.shutdown().await.expect("the agent ends");
}
