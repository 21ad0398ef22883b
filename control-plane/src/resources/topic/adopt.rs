//! Topics that are there already come in and go out: rows are made and marked, Kafka is not touched.

use std::collections::BTreeSet;

use chrono::Utc;

use crate::auth::TenantScope;
use crate::kernel::{Action, Change, Error, Id, Result, code};
use crate::resources::cluster::{Cluster, ClusterId};
use crate::resources::data_plane_generation::bump_generation;
use crate::resources::service_quota::{self, Quota};
use crate::resources::topic::api::view;
use crate::resources::topic::model::{Topic, TopicId, TopicSpec};
use crate::resources::topic::{contract, jobs, mirror, mount, store};
use crate::resources::{owner, served};
use crate::rest::Write;

/// Makes adopted topics; the caller's permission was checked. Gives their ids and names.
///
/// # Errors
/// 402 over a count quota, 409 while the cluster goes away or a name is taken.
pub async fn adopt(
    write: &mut Write,
    scope: TenantScope,
    cluster: &Cluster,
    specs: Vec<TopicSpec>,
) -> Result<Vec<(TopicId, String)>> {
    if cluster.deleted_at.is_some() {
        return Err(Error::conflict(
            code::BEING_DELETED,
            "The cluster is being deleted.",
        ));
    }
    if specs.is_empty() {
        return Ok(Vec::new());
    }
    let partitions: i64 = specs.iter().map(|it| i64::from(it.partitions)).sum();
    let topics = i64::try_from(specs.len()).unwrap_or(i64::MAX);
    service_quota::check_more(write.tx(), scope, Quota::Topics, topics).await?;
    service_quota::check_more(write.tx(), scope, Quota::Partitions, partitions).await?;
    let n = bump_generation(write.tx(), cluster.data_plane).await?;
    let mut adopted = Vec::with_capacity(specs.len());
    for spec in specs {
        let id: TopicId = Id::generate();
        let labels = crate::kernel::Labels::new();
        store::insert(write.tx(), scope, id, &spec, cluster.data_plane, &labels).await?;
        store::mark_adopted(write.tx(), scope, id).await?;
        store::stamp(write.tx(), scope, id, n).await?;
        let row = store::by_id(write.tx(), scope, id).await?;
        let change = Change::new(
            Action::Act("adopt"),
            id,
            &row.resource_name(),
            row.generation,
            owner(scope),
        );
        write.record(change.with_after(view(row, None).json()?)).await?;
        adopted.push((id, spec.name));
    }
    Ok(adopted)
}

/// Marks adopted topics of these names as going; the agent lets them go without touching them.
///
/// # Errors
/// The database's.
pub async fn release(
    write: &mut Write,
    scope: TenantScope,
    cluster: ClusterId,
    names: &BTreeSet<String>,
) -> Result<Vec<(TopicId, String)>> {
    let rows = store::adopted(write.tx(), scope, cluster).await?;
    let rows: Vec<Topic> = rows
        .into_iter()
        .filter(|it| it.deleted_at.is_none() && names.contains(&it.spec.name))
        .collect();
    let Some(data_plane) = rows.first().map(|it| it.data_plane) else {
        return Ok(Vec::new());
    };
    let ids: Vec<TopicId> = rows.iter().map(|it| it.id).collect();
    contract::check_free(write.tx(), scope, &ids).await?;
    jobs::check_unused(write.tx(), scope, &ids).await?;
    mirror::check_unmirrored(write.tx(), scope, &ids).await?;
    mount::check_unshared(write.tx(), scope, &ids).await?;
    let n = bump_generation(write.tx(), data_plane).await?;
    let mut released = Vec::with_capacity(rows.len());
    for before in rows {
        let after = Topic {
            deleted_at: Some(Utc::now()),
            generation: before.generation + 1,
            ..before.clone()
        };
        store::update(write.tx(), scope, before.generation, &after).await?;
        store::stamp(write.tx(), scope, before.id, n).await?;
        let report = served::report(write.tx(), before.id.uuid()).await?;
        let change = Change::new(
            Action::Act("release"),
            before.id,
            &before.resource_name(),
            after.generation,
            owner(scope),
        );
        released.push((before.id, before.spec.name.clone()));
        write
            .record(change.with_before(view(before, report.as_ref()).json()?))
            .await?;
    }
    Ok(released)
}
