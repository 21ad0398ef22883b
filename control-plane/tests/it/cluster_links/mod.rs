//! Cluster links: what may be copied, what the agents at both ends are told, and what becomes of what they say.

mod agents;
mod bad;
mod ends;
mod life;
mod link;
mod rights;

use serde_json::{Value, json};

use crate::harness::Caller;
use crate::jobs::made;
use crate::shares;
use crate::streams::{self, Streams, id};

/// A tenant with a cluster on another's pool, which shows one of the other's topics and has one of its own; a cluster at home, and a service
/// account that may read the first.
pub struct World {
    pub away: shares::World,
    pub home: Streams,
    pub account: String,
    pub orders: String,
}

impl World {
    pub async fn make() -> Self {
        let away = shares::World::make().await;
        let consumer = &away.consumer;
        let home = streams::make(consumer).await;
        let orders = json!({"cluster": away.cluster, "name": "orders", "partitions": 3, "retention_ms": 1000,
            "configs": {"message.timestamp.type": "LogAppendTime", "compression.type": "zstd"}});
        let orders = made(consumer, "/v1/topics", orders).await;
        let account = made(consumer, "/v1/service-accounts", json!({"name": "mover"})).await;
        let binding =
            json!({"principal": account, "role": "READER", "resource": "environment=risk/cluster=scores"});
        made(consumer, "/v1/role-bindings", binding).await;
        Self {
            away,
            home,
            account,
            orders,
        }
    }

    /// Orders, brought home.
    pub fn spec(&self) -> Value {
        json!({"spec": {"name": "bring-home", "source_cluster": self.away.cluster, "target_cluster": self.home.cluster,
            "service_account": self.account, "topics": [{"topic": self.orders}]}})
    }

    /// The same with something else in the spec.
    pub fn with(&self, field: &str, value: Value) -> Value {
        let mut spec = self.spec();
        spec["spec"][field] = value;
        spec
    }

    pub fn admin(&self) -> &Caller {
        &self.away.consumer
    }

    /// A link; its id and the id of its first copy.
    pub async fn link(&self, spec: &Value) -> (String, String) {
        let link = self.admin().post("/v1/cluster-links", spec).await.expect(201);
        let copy = link["status"]["topics"][0]["mirror"].as_str().unwrap_or_default();
        (id(&link), copy.to_owned())
    }

    /// The share of payments, accepted: the topic that shows it.
    pub async fn mount(&self) -> String {
        let (_share, received) = self.away.offer(&self.away.spec()).await;
        self.away.accept(&received, json!({})).await.expect(200);
        let mounts = self.admin().get("/v1/mounts").await.expect(200);
        id(&mounts["data"][0])
    }

    pub async fn get(&self, path: &str) -> Value {
        self.admin().get(path).await.expect(200)
    }
}
