//! What may happen to a cluster link.

use crate::auth::{Caller, Role, TenantScope};
use crate::kernel::{Action, Change, ClusterId, DataPlaneId, Error, Id, Labels, Result, code, kind};
use crate::resources::cluster::Cluster;
use crate::resources::cluster_link::api::view;
use crate::resources::cluster_link::model::{
    self, ClusterLink, ClusterLinkId, ClusterLinkSpec, topic_changes,
};
use crate::resources::cluster_link::store;
use crate::resources::cluster_link::topics::{self, Ends};
use crate::resources::data_plane_generation::bump_generation;
use crate::resources::service_quota::{self, Quota};
use crate::resources::topic::{self, TopicId, mirror};
use crate::resources::{api_key, cluster, owner, referred, service_account};
use crate::rest::{Answer, Begun, Call, ObjectInput, PatchInput, Write, merged};
use crate::runtime::{App, Tx};

pub async fn create(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    input: ObjectInput<kind::ClusterLink>,
) -> Result<Answer> {
    let ObjectInput { spec, metadata } = input;
    check(&spec, &metadata.labels)?;
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let tx = write.tx();
    let (source, target) = ends(tx, caller, scope, &spec).await?;
    service_quota::check(tx, scope, Quota::ClusterLinks).await?;
    check_account(tx, caller, scope, &spec, target.data_plane).await?;
    let id: ClusterLinkId = Id::generate();
    let planes = (source.data_plane, target.data_plane);
    store::insert(tx, scope, id, &spec, planes, &metadata.labels).await?;
    let wished: Vec<_> = spec.topics.iter().cloned().enumerate().collect();
    let ends = Ends {
        source: &source,
        target: &target,
    };
    let made = topics::add(tx, scope, id, &spec, ends, &wished).await?;
    finish(write, scope, id, Action::Create, None, &made, Vec::new()).await
}

fn check(spec: &ClusterLinkSpec, labels: &Labels) -> Result<()> {
    let mut errors = Vec::new();
    model::validate(spec, &mut errors);
    crate::kernel::check_labels(labels, &mut errors);
    Error::check(errors)
}

/// Both clusters, if the caller administers them and they can be linked.
async fn ends(
    tx: &mut Tx,
    caller: &Caller,
    scope: TenantScope,
    spec: &ClusterLinkSpec,
) -> Result<(Cluster, Cluster)> {
    let source = one(tx, caller, scope, spec.source_cluster, "/spec/source_cluster").await?;
    source.require_gateway("could let a link read it")?;
    let target = one(tx, caller, scope, spec.target_cluster, "/spec/target_cluster").await?;
    target.require_gateway("keeps others from writing to copies")?;
    if target.spec.adopts {
        let detail = "The target's groups and transactional ids are those of the attached Kafka, where a link keeps its place under names of its own: \
                      make another cluster on that pool.";
        return Err(Error::invalid(
            "/spec/target_cluster",
            code::BAD_REFERENCE,
            detail,
        ));
    }
    Ok((source, target))
}

async fn one(
    tx: &mut Tx,
    caller: &Caller,
    scope: TenantScope,
    id: ClusterId,
    pointer: &str,
) -> Result<Cluster> {
    let found = cluster::by_id(tx, scope, id).await;
    let found = referred(found, pointer, "There is no such cluster in this tenant.")?;
    caller.require(Role::TenantAdmin, &found.resource_name())?;
    if found.deleted_at.is_some() {
        let detail = "The cluster is being deleted.";
        return Err(Error::conflict(code::BEING_DELETED, detail));
    }
    Ok(found)
}

/// As whom the source is read: an account of the tenant's, whose rights the caller could hand on.
async fn check_account(
    tx: &mut Tx,
    caller: &Caller,
    scope: TenantScope,
    spec: &ClusterLinkSpec,
    target: DataPlaneId,
) -> Result<()> {
    referred(
        service_account::by_id(tx, scope, spec.service_account).await,
        "/spec/service_account",
        "There is no such service account in this tenant.",
    )?;
    api_key::check_held(tx, caller, scope, spec.service_account).await?;
    store::hold_source(tx, scope, spec.source_cluster).await?;
    match store::reads_otherwise(tx, scope, spec, target).await? {
        None => Ok(()),
        Some(name) => {
            let detail = format!(
                "The link {name} reads this cluster for the same data plane as another service account, and one key opens a cluster as one \
                 account: take the same."
            );
            Err(Error::invalid(
                "/spec/service_account",
                code::BAD_REFERENCE,
                detail,
            ))
        }
    }
}

/// The end of every change: both data planes are told, and everybody who watches.
async fn finish(
    mut write: Box<Write>,
    scope: TenantScope,
    id: ClusterLinkId,
    action: Action,
    before: Option<ClusterLink>,
    made: &[TopicId],
    promoted: Vec<Change>,
) -> Result<Answer> {
    let tx = write.tx();
    let row = store::by_id(tx, scope, id).await?;
    let n = bump(tx, &row).await?;
    store::stamp(tx, scope, id, n).await?;
    for topic in made {
        mirror::stamp(tx, scope, *topic, n.1).await?;
    }
    let row = store::by_id(tx, scope, id).await?;
    let said = store::said(tx, scope, std::slice::from_ref(&row)).await?;
    let mut change = Change::new(action, id, &row.resource_name(), row.generation, owner(scope));
    if let Some(before) = before {
        change = change.with_before(view(before, &said).json()?);
    }
    let after = view(row, &said).json()?;
    write.record(change.with_after(after.clone())).await?;
    record_topics(&mut write, scope, made, promoted, n.1).await?;
    let status = if action == Action::Create { 201 } else { 200 };
    write.finish(status, after).await
}

/// Moves both data planes on, in the order of their ids; gives the source's number and the target's.
async fn bump(tx: &mut Tx, row: &ClusterLink) -> Result<(i64, i64)> {
    let (source, target) = (row.source_data_plane, row.target_data_plane);
    if source == target {
        let n = bump_generation(tx, source).await?;
        return Ok((n, n));
    }
    if source < target {
        let n = bump_generation(tx, source).await?;
        return Ok((n, bump_generation(tx, target).await?));
    }
    let n = bump_generation(tx, target).await?;
    Ok((bump_generation(tx, source).await?, n))
}

/// Copies that were made and those that became ordinary topics, in the record.
async fn record_topics(
    write: &mut Write,
    scope: TenantScope,
    made: &[TopicId],
    promoted: Vec<Change>,
    n: i64,
) -> Result<()> {
    for id in made {
        let row = topic::by_id(write.tx(), scope, *id).await?;
        let (name, generation) = (row.resource_name(), row.generation);
        let change = Change::new(Action::Create, *id, &name, generation, owner(scope));
        write.record(change.with_after(mirror::shown(row)?)).await?;
    }
    for change in promoted {
        mirror::stamp(write.tx(), scope, Id::from_uuid(change.uuid), n).await?;
        write.record(change).await?;
    }
    Ok(())
}

pub async fn update(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ClusterLinkId,
    patch: PatchInput<kind::ClusterLink>,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let (before, source, target) = present(&mut write, caller, scope, call, id).await?;
    let immutable = ["source_cluster", "target_cluster", "service_account", "start"];
    let (spec, labels) = merged::<kind::ClusterLink>(&before.spec, &before.labels, patch, &immutable)?;
    check(&spec, &labels)?;
    let changes = topic_changes(&before.mirrors, &spec.topics)?;
    let tx = write.tx();
    let after = ClusterLink {
        spec,
        labels,
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(tx, scope, before.generation, &after).await?;
    let promoted = mirror::promote(tx, scope, id, &changes.removed).await?;
    let mut made = Vec::new();
    if !changes.added.is_empty() {
        // More is done with the account's rights.
        api_key::check_held(tx, caller, scope, after.spec.service_account).await?;
        let ends = Ends {
            source: &source,
            target: &target,
        };
        made = topics::add(tx, scope, id, &after.spec, ends, &changes.added).await?;
    }
    finish(write, scope, id, Action::Update, Some(before), &made, promoted).await
}

/// Ends a link: what was copied stays, as ordinary topics.
pub async fn delete(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ClusterLinkId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let (before, _source, _target) = present(&mut write, caller, scope, call, id).await?;
    let tx = write.tx();
    let said = store::said(tx, scope, std::slice::from_ref(&before)).await?;
    let topics: Vec<TopicId> = before.mirrors.iter().map(|it| it.topic).collect();
    let promoted = mirror::promote(tx, scope, id, &topics).await?;
    store::delete(tx, scope, id).await?;
    let n = bump(tx, &before).await?;
    record_topics(&mut write, scope, &[], promoted, n.1).await?;
    let name = before.resource_name();
    let change = Change::new(Action::Delete, id, &name, before.generation, owner(scope));
    write
        .record(change.with_before(view(before, &said).json()?))
        .await?;
    write.finish_empty().await
}

/// The link and its clusters, if the caller administers both.
async fn present(
    write: &mut Write,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ClusterLinkId,
) -> Result<(ClusterLink, Cluster, Cluster)> {
    let row = store::by_id(write.tx(), scope, id).await?;
    let source = cluster::by_id(write.tx(), scope, row.spec.source_cluster).await?;
    let target = cluster::by_id(write.tx(), scope, row.spec.target_cluster).await?;
    caller.require(Role::TenantAdmin, &source.resource_name())?;
    caller.require(Role::TenantAdmin, &target.resource_name())?;
    call.check_generation(row.generation)?;
    Ok((row, source, target))
}
