//! Chapter 4. payments grants risk a place on its brokers; risk accepts and makes a cluster and a topic of its own,
//! with the same name.

use super::{Story, cluster};
use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Partitions of risk's topic: not as many as payments', so that the two cannot be mixed up.
pub const PARTITIONS: u32 = 3;
/// Compute units: one for Flink's JobManager and SQL gateway, one for a TaskManager.
const UNITS: i64 = 2;

/// The chapter.
pub async fn run(story: &mut Story<'_>) -> Result<()> {
    let step = story.progress.step("payments offers risk a place on its brokers");
    let guest = story.id("risk.tenant")?.to_owned();
    let like = json!({"broker_pool": story.id("pool")?, "guest_tenant": guest});
    let live = |grants: Vec<Value>| {
        grants.into_iter().find(|it| {
            it["spec"]["broker_pool"] == like["broker_pool"]
                && it["spec"]["guest_tenant"] == like["guest_tenant"]
                && matches!(it["status"]["phase"].as_str(), Some("OFFERED" | "ACTIVE"))
        })
    };
    let grant = match live(
        story
            .payments
            .list("/v1/data-plane-grants?direction=offered")
            .await?,
    ) {
        Some(found) => found,
        None => {
            let mut spec = like.clone();
            spec["clusters_max"] = json!(2);
            spec["topics_max"] = json!(20);
            spec["partitions_max"] = json!(60);
            spec["compute_units_max"] = json!(UNITS);
            story
                .payments
                .post("/v1/data-plane-grants", &json!({ "spec": spec }))
                .await?
        }
    };
    let id = grant["id"].as_str().context("the grant has no id")?.to_owned();
    if grant["spec"]["compute_units_max"].as_i64() < Some(UNITS) {
        // Of an earlier run, before there were units to lend.
        let change = json!({"spec": {"compute_units_max": UNITS}});
        story
            .payments
            .patch(&format!("/v1/data-plane-grants/{id}"), &change)
            .await?;
    }
    step.done(format!(
        "2 clusters, 20 topics, 60 partitions, {UNITS} compute units at most"
    ));

    let step = story.progress.step("risk accepts");
    if grant["status"]["phase"] == "OFFERED" {
        story
            .risk
            .post(&format!("/v1/data-plane-grants/{id}/accept"), &json!({}))
            .await?;
    }
    let seen = story.risk.get(&format!("/v1/data-plane-grants/{id}")).await?;
    if seen["status"]["phase"] != "ACTIVE" {
        anyhow::bail!("the grant is {} after risk accepted it", seen["status"]["phase"]);
    }
    story.keep("grant", id);
    step.done("ACTIVE");

    let step = story.progress.step("risk's environment");
    let spec = json!({"name": "prod", "description": "risk's own"});
    let environment = story.risk.ensure("/v1/environments", &["name"], spec).await?;
    story.keep("risk.environment", environment.id()?);
    step.done(environment.how());
    let api = story.risk.clone();
    cluster::logical_cluster(story, &api, "risk", "scoring", PARTITIONS).await
}
