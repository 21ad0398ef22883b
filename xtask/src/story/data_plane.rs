//! Chapter 2. payments' admin makes an environment and a data plane; the agent enrols with the printed command.

use super::Story;
use crate::stack::enrollment_arguments;
use crate::trouble::Trouble;
use anyhow::{Context, Result};
use serde_json::json;
use std::time::{Duration, Instant};

/// The chapter.
pub async fn run(story: &mut Story<'_>) -> Result<()> {
    let step = story.progress.step("environment prod");
    let spec = json!({"name": "prod", "description": "What customers see"});
    let environment = story.payments.ensure("/v1/environments", &["name"], spec).await?;
    story.keep("payments.environment", environment.id()?);
    step.done(environment.how());

    let step = story.progress.step("data plane frankfurt");
    let like = json!({"name": "frankfurt"});
    let data_plane = match story.payments.find("/v1/data-planes", &like).await? {
        Some(found) => found,
        None => {
            let body = json!({"spec": {"name": "frankfurt", "description": "payments' own network"}});
            story.payments.post("/v1/data-planes", &body).await?
        }
    };
    let id = data_plane["id"]
        .as_str()
        .context("the data plane has no id")?
        .to_owned();
    story.keep("data_plane", id.clone());
    step.done(&id);
    enrol(story, &id, &data_plane).await?;
    connected(story, &id).await
}

/// Runs the printed command, unless the agent enrolled in an earlier run.
async fn enrol(story: &mut Story<'_>, id: &str, data_plane: &serde_json::Value) -> Result<()> {
    if story.stack.part("agent").is_some() {
        return Ok(());
    }
    let step = story.progress.step("agent enrols with the printed command");
    let printed = match data_plane["enrollment"]["command"].as_str() {
        Some(command) => command.to_owned(),
        // The first token was shown in an earlier run that ended before it was used.
        None => {
            let fresh = story
                .payments
                .post(&format!("/v1/data-planes/{id}/enrollment-tokens"), &json!({}))
                .await?;
            fresh["command"]
                .as_str()
                .or_else(|| fresh["enrollment"]["command"].as_str())
                .context("a new enrolment token comes without its command")?
                .to_owned()
        }
    };
    let arguments = enrollment_arguments(&printed)?;
    story.stack.start_agent(&arguments)?;
    step.done("weir-agent run --control-plane .. --ca-sha256 .. --token ..");
    Ok(())
}

/// Waits until the control plane sees the agent.
pub async fn connected(story: &Story<'_>, id: &str) -> Result<()> {
    let step = story.progress.step("agent is connected");
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let status = story.payments.get(&format!("/v1/data-planes/{id}")).await?["status"].clone();
        if status["connected"] == true {
            step.done(format!(
                "version {}",
                status["agent_version"].as_str().unwrap_or("?")
            ));
            return Ok(());
        }
        if story.stack.part("agent").is_none() || Instant::now() > deadline {
            return Err(Trouble::new("the agent does not connect")
                .log(story.stack.state.log("agent"))
                .remedy("read the log; `cargo xtask down --purge` begins anew")
                .into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
