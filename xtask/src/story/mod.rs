//! The story: two tenants of one bank, card payments through stock clients, and a bill that adds up.
//!
//! One file a chapter. Everything is created through the public API or found there, so the story can be run again
//! on the same state: it sends a further batch, and compares what was added.

pub mod client;
mod cluster;
mod contract;
mod costs;
mod data_plane;
mod directory;
mod guest;
pub mod isolation;
mod job;
pub mod kafka;
mod model;
mod outage;
mod payments;
mod share;
mod share_sql;
mod sql;
mod sql_model;
pub mod table;
mod traffic;
pub mod usage;

use crate::progress::Progress;
use crate::stack::Stack;
use anyhow::{Context, Result};
use client::Api;
use kafka::{KafkaUser, StockClients};
use std::collections::BTreeMap;

/// What the chapters hand on to each other.
pub struct Story<'a> {
    /// The running stack.
    pub stack: &'a mut Stack,
    /// The display.
    pub progress: Progress,
    /// Runs the control plane.
    pub operator: Api,
    /// payments' admin, once signed in.
    pub payments: Api,
    /// risk's admin, once signed in.
    pub risk: Api,
    /// Ids by a name of ours: `organization`, `payments.tenant`, `payments.cluster`, ...
    ids: BTreeMap<String, String>,
    /// What a Kafka client of each tenant needs, by tenant.
    users: BTreeMap<String, KafkaUser>,
}

/// Runs all chapters.
pub async fn run(stack: &mut Stack, progress: &Progress) -> Result<()> {
    let mut story = Story::begin(stack, progress);
    set_up(&mut story).await?;
    progress.chapter("A contract for refunds");
    contract::run(&mut story).await?;
    progress.chapter("A job without code");
    job::run(&mut story).await?;
    progress.chapter("A job in SQL");
    sql::run(&mut story).await?;
    progress.chapter("A job that asks a model");
    model::run(&mut story).await?;
    sql_model::run(&mut story).await?;
    progress.chapter("Card payments");
    let before = usage::Meters::settled(&story).await?;
    let batch = traffic::run(&mut story).await?;
    progress.chapter("Neighbours");
    isolation::run(&mut story).await?;
    progress.chapter("Who used what");
    usage::check(&story, &before, batch.sent, batch.delivered).await?;
    costs::run(&story).await?;
    progress.chapter("What the jobs wrote");
    job::check(&story, batch.number).await?;
    sql::check(&story, batch.number).await?;
    progress.chapter("What the model said");
    model::check(&story, batch.number).await?;
    sql_model::check(&story, batch.number).await?;
    progress.chapter("A share");
    share::run(&story, batch.number).await?;
    progress.chapter("Trouble");
    outage::run(&mut story).await
}

/// The first four chapters: two tenants, one data plane, a cluster, topic and key for each.
pub async fn set_up(story: &mut Story<'_>) -> Result<()> {
    let progress = story.progress.clone();
    progress.chapter("Northbank");
    directory::run(story).await?;
    progress.chapter("A data plane of its own");
    data_plane::run(story).await?;
    progress.chapter("A cluster, a topic, a key");
    cluster::run(story).await?;
    progress.chapter("A guest on the same brokers");
    guest::run(story).await?;
    story.write_connection_file()
}

impl<'a> Story<'a> {
    /// A story that has not begun.
    pub fn begin(stack: &'a mut Stack, progress: &Progress) -> Self {
        let nobody = Api::new(&stack.url());
        Self {
            stack,
            progress: progress.clone(),
            operator: nobody.clone(),
            payments: nobody.clone(),
            risk: nobody,
            ids: BTreeMap::new(),
            users: BTreeMap::new(),
        }
    }
}

impl Story<'_> {
    /// Keeps an id.
    pub fn keep(&mut self, name: &str, id: String) {
        self.ids.insert(name.to_owned(), id);
    }

    /// An id that an earlier chapter kept.
    pub fn id(&self, name: &str) -> Result<&str> {
        self.ids
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("the story has no {name} yet"))
    }

    /// What a Kafka client of `tenant` needs.
    pub fn user(&self, tenant: &str) -> Result<&KafkaUser> {
        self.users
            .get(tenant)
            .with_context(|| format!("{tenant} has no key yet"))
    }

    /// Commands of stock Kafka clients.
    pub fn clients(&self) -> StockClients {
        StockClients {
            libs: self.stack.kafka_libs.clone(),
            java: self.stack.tools.java.clone(),
            logging: self.stack.ws.root.join("deploy/kafka/clients-log4j2.properties"),
            folder: self.stack.state.clients(),
        }
    }

    /// Addresses and credentials for the end-to-end tests, and for scripts of one's own.
    fn write_connection_file(&self) -> Result<()> {
        let users: serde_json::Map<String, serde_json::Value> = self
            .users
            .iter()
            .map(|(tenant, user)| (tenant.clone(), serde_json::json!(user)))
            .collect();
        let file = serde_json::json!({
            "url": self.stack.url(),
            "link": format!("127.0.0.1:{}", self.stack.ports().link()),
            "inside": format!("https://127.0.0.1:{}", self.stack.ports().inside()),
            "kafka_libs": self.stack.kafka_libs,
            "state_dir": self.stack.state.root,
            "ids": self.ids,
            "members": {
                "operator": {"email": crate::stack::OPERATOR, "password": self.stack.settings.secrets.get("operator")},
                "payments": {"email": directory::PAYMENTS_ADMIN, "password": self.stack.settings.secrets.get("member.payments")},
                "risk": {"email": directory::RISK_ADMIN, "password": self.stack.settings.secrets.get("member.risk")},
            },
            "kafka": users,
        });
        let text = serde_json::to_string_pretty(&file).context("encode the connection file")?;
        crate::workspace::write_private(&self.stack.state.root.join("connection.json"), &text)
    }
}
