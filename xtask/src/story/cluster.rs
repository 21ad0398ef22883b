//! Chapter 3. Brokers, a logical cluster, a topic, and a service account with a key that may produce and consume.

use super::Story;
use super::client::Api;
use super::kafka::KafkaUser;
use anyhow::{Context, Result};
use serde_json::json;

/// Partitions of payments' topic.
pub const PARTITIONS: u32 = 6;

/// The chapter.
pub async fn run(story: &mut Story<'_>) -> Result<()> {
    let step = story
        .progress
        .step("broker pool: the agent starts Kafka and the gateway");
    let spec = json!({"data_plane": story.id("data_plane")?, "name": "main", "brokers": 1});
    let pool = story
        .payments
        .ensure("/v1/broker-pools", &["data_plane", "name"], spec)
        .await?;
    story.keep("pool", pool.id()?);
    step.done(format!("{}, ready", pool.how()));

    let api = story.payments.clone();
    logical_cluster(story, &api, "payments", "cards", PARTITIONS).await
}

/// A tenant's own logical cluster with a topic `payments` and a key for it.
pub async fn logical_cluster(
    story: &mut Story<'_>,
    api: &Api,
    tenant: &str,
    cluster_name: &str,
    partitions: u32,
) -> Result<()> {
    let step = story.progress.step(format!("logical cluster {cluster_name}"));
    let environment = story.id(&format!("{tenant}.environment"))?;
    let spec = json!({"environment": environment, "broker_pool": story.id("pool")?, "name": cluster_name});
    let cluster = api.ensure("/v1/clusters", &["environment", "name"], spec).await?;
    let cluster_id = cluster.id()?;
    let bootstrap = bootstrap_of(&cluster.value)?;
    story.keep(&format!("{tenant}.cluster"), cluster_id.clone());
    step.done(format!("{}, bootstrap {bootstrap}", cluster.how()));

    let step = story
        .progress
        .step(format!("topic payments, {partitions} partitions"));
    let spec = json!({"cluster": cluster_id, "name": "payments", "partitions": partitions, "retention_ms": 604_800_000});
    let topic = api.ensure("/v1/topics", &["cluster", "name"], spec).await?;
    story.keep(&format!("{tenant}.topic"), topic.id()?);
    step.done(format!("{}, ready on every gateway", topic.how()));

    let step = story.progress.step("service account, role and key");
    let name = format!("{tenant}-app");
    let account = api
        .ensure(
            "/v1/service-accounts",
            &["name"],
            json!({"name": name, "description": "The application"}),
        )
        .await?;
    let principal = account.id()?;
    let binding = json!({"principal": principal, "role": "DEVELOPER", "resource": "*"});
    api.ensure("/v1/role-bindings", &["principal", "role", "resource"], binding)
        .await?;
    let (username, password, how) = key(story, api, tenant, &principal, &cluster_id).await?;
    story.keep(&format!("{tenant}.principal"), principal);
    story.keep(&format!("{tenant}.key"), username.clone());
    let user = KafkaUser {
        name: tenant.to_owned(),
        bootstrap,
        username: username.clone(),
        password,
    };
    story.clients().write_configuration(&user)?;
    story.users.insert(tenant.to_owned(), user);
    step.done(format!("{how} {username}"));
    Ok(())
}

/// The key that an earlier run kept, or a new one: its secret is shown only once.
async fn key(
    story: &mut Story<'_>,
    api: &Api,
    tenant: &str,
    principal: &str,
    cluster: &str,
) -> Result<(String, String, &'static str)> {
    let (name_at, secret_at) = (format!("key.{tenant}.username"), format!("key.{tenant}.password"));
    let held = &story.stack.settings.secrets;
    if let (Some(username), Some(password)) = (held.get(&name_at).cloned(), held.get(&secret_at).cloned())
        && let Some(found) = api
            .list("/v1/api-keys")
            .await?
            .into_iter()
            .find(|it| it["id"] == username)
        && found["status"]["phase"] == "READY"
    {
        return Ok((username, password, "key held:"));
    }
    let body =
        json!({"spec": {"service_account": principal, "cluster": cluster, "description": "The story's key"}});
    let made = api.post("/v1/api-keys?wait=30s", &body).await?;
    let username = made["secret"]["username"]
        .as_str()
        .context("the key has no user name")?
        .to_owned();
    let password = made["secret"]["password"]
        .as_str()
        .context("the key has no secret")?
        .to_owned();
    story.stack.settings.remember(&name_at, &username)?;
    story.stack.settings.remember(&secret_at, &password)?;
    let object = super::client::Object {
        value: made,
        created: true,
    };
    api.until_ready("/v1/api-keys", object).await?;
    Ok((username, password, "key made:"))
}

fn bootstrap_of(cluster: &serde_json::Value) -> Result<String> {
    let servers = &cluster["status"]["bootstrap_servers"];
    let text = match servers.as_array() {
        Some(list) => list
            .iter()
            .filter_map(|it| it.as_str())
            .collect::<Vec<_>>()
            .join(","),
        None => servers.as_str().unwrap_or_default().to_owned(),
    };
    if text.is_empty() {
        anyhow::bail!("the cluster is ready but has no bootstrap address")
    }
    Ok(text)
}
