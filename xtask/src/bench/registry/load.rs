//! What a registry is asked, over and over: ours and Apicurio's in the same words.

use crate::bench::api::CONNECTIONS;
use crate::postgres::Postgres;
use crate::story::client::Api;
use anyhow::{Context, Result, bail};
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// An answer that takes longer does not come: seen of Apicurio now and then, with both processors idle.
const STALL: Duration = Duration::from_secs(3);
/// How often the same is asked.
const TRIES: u32 = 3;

/// A Schema Registry API: who asks, and below which path.
#[derive(Clone)]
pub struct Registry {
    /// The caller.
    pub api: Api,
    /// Before `/subjects`.
    pub base: &'static str,
}

impl Registry {
    /// Registers a schema; its id.
    async fn register(&self, subject: &str, schema: &str, stalls: &AtomicU64) -> Result<i64> {
        let path = format!("{}/subjects/{subject}/versions", self.base);
        let body = json!({ "schema": schema });
        let answer = ask(&self.api, Method::POST, &path, Some(&body), stalls).await?;
        answer["id"].as_i64().context("a registration has no id")
    }

    /// How many versions a subject has.
    async fn versions(&self, subject: &str) -> Result<u64> {
        let path = format!("{}/subjects/{subject}/versions", self.base);
        let answer = ask(&self.api, Method::GET, &path, None, &AtomicU64::new(0)).await?;
        Ok(answer.as_array().context("versions are no list")?.len() as u64)
    }
}

/// Asks, and asks again where no answer comes: all that is asked here may be asked twice.
async fn ask(
    api: &Api,
    method: Method,
    path: &str,
    body: Option<&Value>,
    stalls: &AtomicU64,
) -> Result<Value> {
    let what = format!("{method} {path}");
    for _again in 0..TRIES {
        let asked = api.send(method.clone(), path, body, None);
        let Ok(answer) = tokio::time::timeout(STALL, asked).await else {
            stalls.fetch_add(1, Ordering::Relaxed);
            continue;
        };
        let answer = answer?;
        if answer.status != 200 {
            bail!("{what}: answered {} {}", answer.status, answer.body);
        }
        return Ok(answer.body);
    }
    bail!("{what}: no answer, asked {TRIES} times")
}

/// Requests that can be repeated.
pub struct Load {
    requests: Requests,
    /// Requests that were sent again because no answer came.
    stalls: AtomicU64,
}

enum Requests {
    /// These paths, one after the other.
    Read {
        /// Who asks.
        api: Api,
        /// What.
        paths: Vec<String>,
    },
    /// The next version of each of these subjects, one after the other.
    Register {
        /// Where.
        registry: Registry,
        /// Of this load; no other sends its schemas.
        name: String,
        /// Their names.
        subjects: Vec<String>,
        /// Schemas that were sent, the first ones included; no two are the same.
        sent: AtomicU64,
    },
}

impl Load {
    fn of(requests: Requests) -> Self {
        let stalls = AtomicU64::new(0);
        Self { requests, stalls }
    }

    /// Reads.
    pub fn read(api: &Api, paths: Vec<String>) -> Arc<Self> {
        let api = api.clone();
        Arc::new(Self::of(Requests::Read { api, paths }))
    }

    /// Lookups of as many schemas by their ids.
    pub async fn lookups(registry: &Registry, count: u64) -> Result<Arc<Self>> {
        let mut paths = Vec::new();
        for at in 0..count {
            let subject = format!("bench-looked-up-{at}");
            let id = registry
                .register(&subject, &schema("looked_up", at), &AtomicU64::new(0))
                .await?;
            paths.push(format!("{}/schemas/ids/{id}", registry.base));
        }
        Ok(Self::read(&registry.api, paths))
    }

    /// Registrations under as many subjects, each of which has its first version.
    pub async fn register(registry: &Registry, name: &str, count: u64) -> Result<Arc<Self>> {
        let subjects: Vec<String> = (0..count).map(|at| format!("bench-{name}-{at}")).collect();
        for (at, subject) in subjects.iter().enumerate() {
            registry
                .register(subject, &schema(name, at as u64), &AtomicU64::new(0))
                .await?;
        }
        Ok(Arc::new(Self::of(Requests::Register {
            registry: registry.clone(),
            name: name.to_owned(),
            subjects,
            sent: AtomicU64::new(count),
        })))
    }

    /// One request; `turn` tells which of the paths.
    pub async fn send(&self, turn: usize) -> Result<()> {
        match &self.requests {
            Requests::Read { api, paths } => {
                let path = paths
                    .get(turn % paths.len())
                    .context("there is nothing to read")?;
                ask(api, Method::GET, path, None, &self.stalls).await?;
            }
            Requests::Register {
                registry,
                name,
                subjects,
                sent,
            } => {
                let number = sent.fetch_add(1, Ordering::Relaxed);
                let at = usize::try_from(number)? % subjects.len();
                let subject = subjects.get(at).context("there is no subject")?;
                registry
                    .register(subject, &schema(name, number), &self.stalls)
                    .await?;
            }
        }
        Ok(())
    }

    /// Requests that were sent again since the last time, because no answer came.
    pub fn take_stalls(&self) -> u64 {
        self.stalls.swap(0, Ordering::Relaxed)
    }

    /// How many versions there are: every registration that was answered is one.
    pub async fn versions(&self) -> Result<u64> {
        let Requests::Register {
            registry,
            name: _,
            subjects,
            sent,
        } = &self.requests
        else {
            return Ok(0);
        };
        let (mut found, sent) = (0, sent.load(Ordering::Relaxed));
        for subject in subjects {
            found += registry.versions(subject).await?;
        }
        if found != sent {
            bail!("{sent} schemas were registered, but there are {found} versions");
        }
        Ok(found)
    }
}

/// Sends requests over all connections; returns how many were answered.
pub async fn drive(load: &Arc<Load>, time: Duration) -> Result<u64> {
    let until = Instant::now() + time;
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..CONNECTIONS {
        let load = load.clone();
        workers.spawn(async move {
            let mut answered = 0_u64;
            // Far from each other among the paths.
            let mut turn = worker * 50;
            while Instant::now() < until {
                load.send(turn).await?;
                turn += 1;
                answered += 1;
            }
            anyhow::Ok(answered)
        });
    }
    let mut answered = 0;
    while let Some(ended) = workers.join_next().await {
        answered += ended.context("run a worker")??;
    }
    Ok(answered)
}

/// A schema of a kibibyte. Any of them may follow any other: what one adds, readers of the others do not need.
pub fn schema(name: &str, number: u64) -> String {
    let field =
        |at: usize| json!({"name": format!("field_{at}"), "type": "string", "doc": "What a payment says."});
    let mut fields: Vec<Value> = (0..12).map(field).collect();
    fields.push(json!({"name": format!("added_{name}_{number}"), "type": ["null", "long"], "default": null}));
    json!({"type": "record", "name": "Payment", "namespace": "weir.bench", "fields": fields}).to_string()
}

/// Lets a tenant have as many subjects and versions as a run makes.
pub async fn lift_quotas(postgres: &Postgres) -> Result<()> {
    let sql = "insert into service_quota (tenant_id, name, value) \
               select t.id, quota, 1000000000 from tenant t, \
                   unnest(array['contracts', 'contract_versions', 'contract_bytes']) quota \
               on conflict (tenant_id, name) do update set value = excluded.value";
    postgres.psql("weir", sql).await?;
    Ok(())
}
