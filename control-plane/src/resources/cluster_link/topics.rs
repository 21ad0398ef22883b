//! The topics of a link: what may be copied, and the copies, which are topics of the target's.

use uuid::Uuid;

use crate::auth::{self, Binding, Role, TenantScope, holds};
use crate::kernel::{Error, FieldError, Id, Result, code};
use crate::resources::cluster::Cluster;
use crate::resources::cluster_link::model::{ClusterLinkId, ClusterLinkSpec, LinkedTopic};
use crate::resources::data_plane_grant::{Wanted, check_room};
use crate::resources::service_quota::{self, Quota};
use crate::resources::topic::{self, Topic, TopicId, mirror};
use crate::runtime::Tx;

/// The two ends, as they are when something is to be copied.
#[derive(Debug, Clone, Copy)]
pub struct Ends<'a> {
    /// What is read.
    pub source: &'a Cluster,
    /// What is written.
    pub target: &'a Cluster,
}

/// Makes copies of topics in the target; gives them.
///
/// # Errors
/// 422 at a topic that cannot be copied, 409 when its name is taken or the target has a copy, 402 over quotas.
pub async fn add(
    tx: &mut Tx,
    scope: TenantScope,
    link: ClusterLinkId,
    spec: &ClusterLinkSpec,
    ends: Ends<'_>,
    wished: &[(usize, LinkedTopic)],
) -> Result<Vec<TopicId>> {
    let ids: Vec<Uuid> = wished.iter().map(|(_, it)| it.topic.uuid()).collect();
    let living = mirror::hold_sources(tx, scope, ends.source.id, &ids).await?;
    let bindings = auth::bindings(tx, spec.service_account.uuid()).await?;
    let (mut sources, mut errors) = (Vec::new(), Vec::new());
    for (at, topic) in wished {
        let pointer = format!("/spec/topics/{at}/topic");
        if !living.contains(&topic.topic) {
            errors.push(FieldError {
                pointer,
                code: code::BAD_REFERENCE.into(),
                detail: "There is no such topic in the source cluster, or it is being deleted.".into(),
            });
            continue;
        }
        let source = topic::by_id(tx, scope, topic.topic).await?;
        errors.extend(unreadable(&pointer, &source, &bindings));
        if mirror::ancestors(tx, scope, topic.topic)
            .await?
            .contains(&ends.target.id)
        {
            errors.push(FieldError {
                pointer,
                code: code::BAD_REFERENCE.into(),
                detail: "The topic is a copy of one in the target cluster: it would be copied back to where it came from.".into(),
            });
        }
        sources.push((at, topic, source));
    }
    Error::check(errors)?;
    let mut made = Vec::with_capacity(sources.len());
    let taken = topic::names(tx, scope, ends.target.id).await?;
    for (at, topic, source) in sources {
        let name = topic.name.clone().unwrap_or_else(|| source.spec.name.clone());
        if taken.values().any(|it| *it == name) {
            let detail = format!("The target cluster has a topic {name} already: call the copy otherwise.");
            return Err(Error::invalid(
                format!("/spec/topics/{at}/name"),
                code::NAME_TAKEN,
                detail,
            ));
        }
        made.push(copy(tx, scope, link, ends, &source, &name).await?);
    }
    Ok(made)
}

/// What the link's service account is missing to read a topic.
fn unreadable(pointer: &str, source: &Topic, bindings: &[Binding]) -> Option<FieldError> {
    let resource = source.resource_name();
    (!holds(bindings, Role::Reader, &resource)).then(|| FieldError {
        pointer: pointer.to_owned(),
        code: code::ROLE_MISSING.into(),
        detail: format!(
            "The link's service account may not read this topic: it needs the role {} on {resource}.",
            Role::Reader.name()
        ),
    })
}

async fn copy(
    tx: &mut Tx,
    scope: TenantScope,
    link: ClusterLinkId,
    ends: Ends<'_>,
    source: &Topic,
    name: &str,
) -> Result<TopicId> {
    let partitions = partitions(tx, scope, source).await?;
    let spec = mirror::spec_of(source, partitions, name, ends.target.id)?;
    let partitions = i64::from(partitions);
    service_quota::check(tx, scope, Quota::Topics).await?;
    service_quota::check_more(tx, scope, Quota::Partitions, partitions).await?;
    let wanted = Wanted {
        clusters: 0,
        topics: 1,
        partitions,
    };
    check_room(tx, scope, ends.target.spec.broker_pool, wanted).await?;
    let new = mirror::NewMirror {
        id: Id::generate(),
        spec: &spec,
        data_plane: ends.target.data_plane,
        link: link.uuid(),
        source: source.id,
        source_name: &source.spec.name,
    };
    mirror::insert(tx, scope, &new).await?;
    Ok(new.id)
}

/// Of a mount, those of the topic that it shows.
async fn partitions(tx: &mut Tx, scope: TenantScope, source: &Topic) -> Result<i32> {
    if source.mount.is_none() {
        return Ok(source.spec.partitions);
    }
    let gone = || Error::conflict(code::WRONG_PHASE, "The share that shows the topic has ended.");
    let (provider, shown) = mirror::provider_of(tx, scope, source.id)
        .await?
        .ok_or_else(gone)?;
    let provider = TenantScope::turn_to_party(tx, provider).await?;
    let shown = topic::by_id(tx, provider, shown).await;
    scope.back(tx).await?;
    shown.map(|it| it.spec.partitions).map_err(|_gone| gone())
}
