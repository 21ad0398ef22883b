//! A topic may be a mirror: a cluster link writes it, and nobody else may. And a topic may be what a link copies: then it is not taken away.
//! The room `cluster_link` knows topics, and topics do not know links; what is needed of them is read and written here.

mod store;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

pub use super::store::stamp;
pub use store::{Mirrored, NewMirror, ancestors, hold_sources, insert, provider_of, shows_another};

use crate::auth::TenantScope;
use crate::kernel::{Action, Change, Error, Id, Result, TenantId, code, kind};
use crate::resources::data_plane_generation::bump_generation;
use crate::resources::data_plane_grant::{Wanted, check_room};
use crate::resources::owner;
use crate::resources::service_quota::{self, Quota};
use crate::resources::topic::api::view;
use crate::resources::topic::model::{MAX_MESSAGE_BYTES_MOST, PARTITIONS_MAX, Topic, TopicId, TopicSpec};
use crate::resources::topic::store as topics;
use crate::rest::note;
use crate::runtime::{App, Scope, Tx};

/// Who grew a mirror, in the audit.
const WHO: &str = "cluster_link";

/// By what a topic is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct TopicMirror {
    /// The cluster link.
    #[schema(value_type = String)]
    pub cluster_link: Id<kind::ClusterLink>,
    /// What is copied: a topic of the link's source.
    #[schema(value_type = String)]
    pub source_topic: TopicId,
}

/// Refuses what cannot be done with a mirror.
///
/// # Errors
/// 409 `mirrored`.
pub fn check_own(topic: &Topic, what: &str) -> Result<()> {
    let Some(TopicMirror { cluster_link, .. }) = topic.mirror else {
        return Ok(());
    };
    let detail = format!(
        "The topic is written by the cluster link {cluster_link}, and {what}: take it out of the link first; it stays as an ordinary topic."
    );
    Err(Error::conflict(code::MIRRORED, detail))
}

/// Refuses while a cluster link copies one of these topics. They are held already against those who would begin to
/// (`contract::check_free`).
///
/// # Errors
/// 409 `in_use` that names the link.
pub async fn check_unmirrored(tx: &mut Tx, scope: TenantScope, ids: &[TopicId]) -> Result<()> {
    let ids: Vec<Uuid> = ids.iter().map(|it| it.uuid()).collect();
    match store::link_of(tx, scope, &ids).await? {
        None => Ok(()),
        Some(name) => {
            let detail = format!("The cluster link {name} copies it: take it out of the link first.");
            Err(Error::conflict(code::IN_USE, detail))
        }
    }
}

/// The settings that a copy of a topic is made with. Of a mount nothing is visible but its partitions, and a view may make records larger.
///
/// # Errors
/// 500 when the defaults cannot be read, which does not happen.
pub fn spec_of(source: &Topic, partitions: i32, name: &str, cluster: Id<kind::Cluster>) -> Result<TopicSpec> {
    let defaults = super::settings::default_spec(cluster, name)?;
    if source.mount.is_some() {
        return Ok(TopicSpec {
            partitions,
            max_message_bytes: MAX_MESSAGE_BYTES_MOST,
            ..defaults
        });
    }
    let mut spec = TopicSpec {
        cluster,
        name: name.to_owned(),
        partitions,
        contract: None,
        ..source.spec.clone()
    };
    // A copy keeps each record's own timestamp, whatever it is.
    spec.configs
        .retain(|name, _value| !name.starts_with("message.timestamp"));
    Ok(spec)
}

/// Makes mirrors ordinary topics again; gives each as it was and as it is.
///
/// # Errors
/// The database's.
pub async fn promote(
    tx: &mut Tx,
    scope: TenantScope,
    link: Id<kind::ClusterLink>,
    ids: &[TopicId],
) -> Result<Vec<Change>> {
    let mut changes = Vec::with_capacity(ids.len());
    for id in ids {
        let before = topics::by_id(tx, scope, *id).await?;
        store::promote(tx, scope, link.uuid(), *id).await?;
        let after = topics::by_id(tx, scope, *id).await?;
        let (name, generation) = (after.resource_name(), after.generation);
        let change = Change::new(Action::Act("promote"), *id, &name, generation, owner(scope));
        changes.push(change.with_before(shown(before)?).with_after(shown(after)?));
    }
    Ok(changes)
}

/// A new mirror, for the record.
///
/// # Errors
/// 500 when it cannot be written, which does not happen.
pub fn shown(row: Topic) -> Result<Value> {
    view(row, None).json()
}

/// Gives a mirror as many partitions as its source has. What quotas or a grant do not allow stays as it is, and is tried again with the next
/// report.
///
/// # Errors
/// The database's, and 402.
pub async fn grow(app: &App, tenant: TenantId, id: TopicId, partitions: i32) -> Result<()> {
    let mut tx = app.db.begin(&Scope::Tenant(tenant)).await?;
    let scope = TenantScope::turn_to_party(&mut tx, tenant).await?;
    let before = topics::by_id(&mut tx, scope, id).await?;
    let partitions = partitions.min(PARTITIONS_MAX);
    let more = partitions - before.spec.partitions;
    if before.mirror.is_none() || more <= 0 {
        return Ok(());
    }
    service_quota::check_more(&mut tx, scope, Quota::Partitions, i64::from(more)).await?;
    let wanted = Wanted {
        clusters: 0,
        topics: 0,
        partitions: i64::from(more),
    };
    check_room(&mut tx, scope, before.broker_pool, wanted).await?;
    let mut after = before.clone();
    (after.spec.partitions, after.generation) = (partitions, before.generation + 1);
    topics::update(&mut tx, scope, before.generation, &after).await?;
    let change = Change::new(
        Action::Update,
        id,
        &after.resource_name(),
        after.generation,
        owner(scope),
    );
    let (data_plane, change) = (
        before.data_plane,
        change.with_before(shown(before)?).with_after(shown(after)?),
    );
    note(&mut tx, &change, WHO, "").await?;
    let n = bump_generation(&mut tx, data_plane).await?;
    topics::stamp(&mut tx, scope, id, n).await?;
    tx.commit().await?;
    app.wake.changed();
    Ok(())
}
