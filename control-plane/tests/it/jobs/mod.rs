//! Compute pools and jobs: what may be wished, by whom, and what becomes of it.

mod budget;
mod guests;
mod life;
mod link;
mod programs;
mod rights;
mod scaling;
mod sql;
mod used;

use serde_json::{Value, json};
use weir_proto::agent::v1::{Generation, ItemStatus, Phase};

use crate::harness::{Bench, Caller, TenantIds};
use crate::streams::{self, Streams, id};

/// A tenant with a cluster of three topics, a compute pool, and a service account that may read and write all of them.
pub struct World {
    pub bench: Bench,
    pub admin: Caller,
    pub tenant: TenantIds,
    pub made: Streams,
    pub out: String,
    pub dead: String,
    pub account: String,
    pub pool: String,
}

/// Makes an object and gives its id.
pub async fn made(caller: &Caller, path: &str, spec: Value) -> String {
    id(&caller.post(path, &json!({"spec": spec})).await.expect(201))
}

impl World {
    pub async fn make() -> Self {
        let bench = Bench::start().await;
        let (admin, tenant) = bench.tenant("TENANT_ADMIN").await;
        let streams = streams::make(&admin).await;
        let topic = |name: &str| json!({"cluster": streams.cluster, "name": name});
        let out = made(&admin, "/v1/topics", topic("approved")).await;
        let dead = made(&admin, "/v1/topics", topic("dead")).await;
        let account = made(&admin, "/v1/service-accounts", json!({"name": "enricher"})).await;
        let binding = json!({"principal": account, "role": "DEVELOPER", "resource": "environment=prod/cluster=cards/*"});
        made(&admin, "/v1/role-bindings", binding).await;
        let pool = json!({"data_plane": streams.data_plane, "name": "steady", "max_units": 4});
        let pool = made(&admin, "/v1/compute-pools", pool).await;
        Self {
            bench,
            admin,
            tenant,
            made: streams,
            out,
            dead,
            account,
            pool,
        }
    }

    /// A job that lets payments over a hundred through.
    pub fn spec(&self) -> Value {
        json!({"spec": {"cluster": self.made.cluster, "name": "approve", "compute_pool": self.pool,
            "service_account": self.account, "program": {"kind": "ACTION", "source": {"topic": self.made.topic},
                "steps": [{"filter": {"where": "message.amount > 100"}}],
                "sinks": [{"topic": self.out}], "dead_letter": self.dead}}})
    }

    /// The same, with something else at a pointer.
    pub fn with(&self, pointer: &str, value: Value) -> Value {
        let mut spec = self.spec();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        match spec.pointer_mut(parent).expect("a parent") {
            Value::Array(items) => {
                let at: usize = name.parse().expect("a number");
                items.truncate(at);
                items.push(value);
            }
            parent => parent[name] = value,
        }
        spec
    }

    pub async fn job(&self) -> Value {
        self.admin.post("/v1/jobs", &self.spec()).await.expect(201)
    }

    pub async fn get(&self, path: &str) -> Value {
        self.admin.get(path).await.expect(200)
    }
}

/// What an agent says of an object.
pub fn said(id: &str, phase: Phase, observed: Option<Generation>) -> ItemStatus {
    ItemStatus {
        id: id.to_owned(),
        phase: phase.into(),
        observed,
        policy_accepted: true,
        ..ItemStatus::default()
    }
}
