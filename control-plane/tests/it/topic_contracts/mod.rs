//! What topics promise of their records: what may be wished, and what agents are told of it.

mod desired;
mod judged;
mod wishes;

use serde_json::{Value, json};
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::{DesiredState, Generation, ItemStatus, Phase, Schema, StatusReport, Topic};

use crate::harness::{Bench, Caller, Door, Identity, Session};
use crate::streams::id;

/// A data plane with an enrolled agent, whose owner has a cluster on it.
pub struct World {
    pub bench: Bench,
    pub door: Door,
    pub identity: Identity,
    pub data_plane: String,
    pub pool: String,
    pub owner: Tenant,
}

/// A tenant with an environment `prod` and a cluster.
pub struct Tenant {
    pub admin: Caller,
    pub environment: String,
    pub cluster: String,
}

impl Tenant {
    async fn make(admin: Caller, pool: &str) -> Self {
        let environment = json!({"spec": {"name": "prod"}});
        let environment = id(&admin.post("/v1/environments", &environment).await.expect(201));
        let cluster = json!({"spec": {"environment": environment, "broker_pool": pool, "name": "cards"}});
        let cluster = id(&admin.post("/v1/clusters", &cluster).await.expect(201));
        Self {
            admin,
            environment,
            cluster,
        }
    }

    pub fn spec(&self, name: &str, contract: Value) -> Value {
        json!({"spec": {"cluster": self.cluster, "name": name, "contract": contract}})
    }

    pub async fn topic(&self, name: &str, contract: Value) -> String {
        let topic = self.spec(name, contract);
        id(&self.admin.post("/v1/topics", &topic).await.expect(201))
    }

    pub async fn change(&self, topic: &str, contract: Value) -> Value {
        let patch = json!({"spec": {"contract": contract}});
        let path = format!("/v1/topics/{topic}");
        self.admin.patch(&path, &patch).await.expect(200)
    }

    /// Registers in the context of `prod`; the id that records carry.
    pub async fn register(&self, subject: &str, body: &Value) -> i64 {
        let path = format!("/registry/contexts/.prod/subjects/{subject}/versions");
        self.admin.post(&path, body).await.expect(200)["id"]
            .as_i64()
            .expect("an id")
    }

    pub async fn forget(&self, path: &str) {
        let path = format!("/registry/contexts/.prod/subjects/{path}");
        self.admin.delete(&path).await.expect(200);
    }
}

pub fn avro(name: &str, fields: &[&str]) -> Value {
    let field = |name: &&str| json!({"name": name, "type": "string", "default": ""});
    let fields: Vec<Value> = fields.iter().map(field).collect();
    json!({"schema": json!({"type": "record", "name": name, "namespace": "bank", "fields": fields}).to_string()})
}

impl World {
    pub async fn make() -> Self {
        let bench = Bench::start().await;
        let (admin, _ids) = bench.tenant("TENANT_ADMIN").await;
        let door = bench.door().await;
        let plane = json!({"spec": {"name": "dp"}});
        let plane = admin.post("/v1/data-planes", &plane).await.expect(201);
        let token = plane["enrollment"]["token"].as_str().expect("a token");
        let identity = door.enroll(token).await.expect("enrolled");
        let pool = json!({"spec": {"data_plane": id(&plane), "name": "main"}});
        let pool = id(&admin.post("/v1/broker-pools", &pool).await.expect(201));
        Self {
            owner: Tenant::make(admin, &pool).await,
            data_plane: id(&plane),
            bench,
            door,
            identity,
            pool,
        }
    }

    /// Another tenant on the same brokers.
    pub async fn guest(&self) -> Tenant {
        let (guest, ids) = self.bench.tenant("TENANT_ADMIN").await;
        let grant = json!({"spec": {"broker_pool": self.pool, "guest_tenant": ids.tenant}});
        let admin = &self.owner.admin;
        let grant = id(&admin.post("/v1/data-plane-grants", &grant).await.expect(201));
        let accept = format!("/v1/data-plane-grants/{grant}/accept");
        guest.post(&accept, &json!({})).await.expect(200);
        Tenant::make(guest, &self.pool).await
    }

    pub async fn agent(&self) -> Agent {
        let session = self.door.session(&self.identity, 1, Generation::default()).await;
        let mut session = session.expect("a session");
        session.welcome().await;
        let (frame, state) = session.desired().await;
        Agent {
            session,
            n: frame.generation.expect("a generation").n,
            state,
        }
    }

    pub async fn generation(&self) -> u64 {
        let path = format!("/v1/data-planes/{}", self.data_plane);
        let plane = self.owner.admin.get(&path).await.expect(200);
        plane["status"]["desired_generation"].as_u64().expect("a number")
    }
}

/// An agent and what it was told last.
pub struct Agent {
    pub session: Session,
    n: u64,
    pub state: DesiredState,
}

impl Agent {
    /// What it is told now.
    pub async fn told(&mut self, world: &World) -> &DesiredState {
        let generation = world.generation().await;
        while self.n < generation {
            let (frame, state) = self.session.desired().await;
            (self.n, self.state) = (frame.generation.expect("a generation").n, state);
        }
        &self.state
    }

    /// Reports that every gateway serves a topic as it is wished now.
    pub async fn ready(&self, world: &World, topic: &str) {
        let observed = Generation {
            epoch: 1,
            n: world.generation().await,
        };
        let item = ItemStatus {
            id: topic.to_owned(),
            phase: Phase::Ready.into(),
            observed: Some(observed),
            policy_accepted: true,
            ..ItemStatus::default()
        };
        let report = StatusReport {
            observed: Some(observed),
            items: vec![item],
            ..StatusReport::default()
        };
        self.session.say(Up::Status(report)).await;
    }
}

pub fn topic<'a>(state: &'a DesiredState, id: &str) -> &'a Topic {
    state.topics.iter().find(|it| it.id == id).expect("the topic")
}

/// The ids of values' schemas that a topic's records may carry, as numbers.
pub fn values(state: &DesiredState, topic: &str) -> Vec<i64> {
    let contract = self::topic(state, topic).contract.as_ref().expect("a contract");
    let part = contract.value.as_ref().expect("a promise of values");
    let mut ids: Vec<i64> = part
        .schema_ids
        .iter()
        .map(|id| i64::from(schema(state, id).schema_id))
        .collect();
    ids.sort_unstable();
    ids
}

pub fn schema<'a>(state: &'a DesiredState, id: &str) -> &'a Schema {
    let found = state.schemas.iter().find(|it| it.id == id);
    found.expect("every schema that a topic names is sent")
}

/// The numbers of all schemas that are sent.
pub fn sent(state: &DesiredState) -> Vec<i64> {
    let ids = state.schemas.iter().map(|it| &it.id);
    assert!(ids.is_sorted(), "sorted, and each once");
    let mut ids: Vec<i64> = state.schemas.iter().map(|it| i64::from(it.schema_id)).collect();
    ids.sort_unstable();
    ids
}
