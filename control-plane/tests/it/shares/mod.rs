//! Shares: what is offered, seen, taken and ended between two tenants on one broker pool, and what nobody else learns of it.

mod asking;
mod bad;
mod encrypted;
mod invitations;
mod life;
mod link;
mod money;
pub mod products;
mod requests;

use serde_json::{Value, json};

use crate::harness::{Bench, Caller, Reply, TenantIds};
use crate::jobs::made;
use crate::streams::{self, Streams};

/// A provider with a cluster, and a consumer with a cluster of its own on the provider's pool; both share.
pub struct World {
    pub bench: Bench,
    pub provider: Caller,
    pub giver: TenantIds,
    pub made: Streams,
    pub consumer: Caller,
    pub taker: TenantIds,
    pub cluster: String,
}

pub async fn turn(caller: &Caller, gives: bool, receives: bool) {
    let body = json!({"gives": gives, "receives": receives}).to_string();
    caller.send("PUT", "/v1/sharing", body).await.expect(200);
}

impl World {
    pub async fn make() -> Self {
        let bench = Bench::start().await;
        let (provider, giver) = bench.tenant("TENANT_ADMIN").await;
        let (consumer, taker) = bench.tenant("TENANT_ADMIN").await;
        let streams = streams::make(&provider).await;
        let cluster = guest(&provider, &streams, &consumer, &taker).await;
        turn(&provider, true, false).await;
        turn(&consumer, false, true).await;
        Self {
            bench,
            provider,
            giver,
            made: streams,
            consumer,
            taker,
            cluster,
        }
    }

    /// Payments, to the consumer.
    pub fn spec(&self) -> Value {
        json!({"spec": {"cluster": self.made.cluster, "name": "cards-for-risk", "topics": [{"topic": self.made.topic}],
            "recipient": {"kind": "TENANT", "tenant": self.taker.tenant}}})
    }

    /// The same with something else at a pointer.
    pub fn with(&self, pointer: &str, value: Value) -> Value {
        let mut spec = self.spec();
        let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
        spec.pointer_mut(parent).expect("a place")[field] = value;
        spec
    }

    /// An offer; its id and the id that its recipient knows.
    pub async fn offer(&self, spec: &Value) -> (String, String) {
        let id = crate::streams::id(&self.provider.post("/v1/shares", spec).await.expect(201));
        let received = id.replace("share_", "received_share_");
        (id, received)
    }

    /// The consumer takes it.
    pub async fn accept(&self, received: &str, body: Value) -> Reply {
        let mut body = body;
        body["cluster"] = json!(self.cluster);
        self.consumer
            .post(&format!("/v1/received-shares/{received}/accept"), &body)
            .await
    }

    pub async fn act(&self, path: &str) -> Value {
        let caller = if path.starts_with("received") {
            &self.consumer
        } else {
            &self.provider
        };
        caller.post(&format!("/v1/{path}"), &json!({})).await.expect(200)
    }

    /// What is in the record of one side, of shares.
    pub async fn audited(&self, caller: &Caller) -> Vec<(String, String)> {
        let list = caller.get("/v1/audit-events?page_size=1000").await.expect(200);
        let rows = list["data"].as_array().expect("rows").iter().rev();
        rows.filter(|it| it["object_kind"].as_str().is_some_and(|it| it.ends_with("Share")))
            .map(|it| (it["action"].to_string(), it["who"].to_string()))
            .map(|(action, who)| (action.trim_matches('"').into(), who.trim_matches('"').into()))
            .collect()
    }
}

/// A cluster of a guest on the provider's pool.
pub async fn guest(provider: &Caller, streams: &Streams, consumer: &Caller, taker: &TenantIds) -> String {
    let grant = json!({"broker_pool": streams.pool, "guest_tenant": taker.tenant});
    let grant = made(provider, "/v1/data-plane-grants", grant).await;
    let accept = format!("/v1/data-plane-grants/{grant}/accept");
    consumer.post(&accept, &json!({})).await.expect(200);
    let environment = made(consumer, "/v1/environments", json!({"name": "risk"})).await;
    let cluster = json!({"environment": environment, "broker_pool": streams.pool, "name": "scores"});
    made(consumer, "/v1/clusters", cluster).await
}
