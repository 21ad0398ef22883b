//! What may happen to a topic.

use chrono::Utc;

use crate::auth::{Caller, Role, TenantScope};
use crate::kernel::{Action, Change, DataPlaneId, Error, ErrorKind, Id, Labels, Result, code, kind};
use crate::resources::cluster::ClusterAccess;
use crate::resources::data_plane_generation::bump_generation;
use crate::resources::data_plane_grant::{Wanted, check_room};
use crate::resources::service_quota::{self, Quota};
use crate::resources::topic::api::view;
use crate::resources::topic::model::{self, Topic, TopicId, TopicSpec};
use crate::resources::topic::{contract, jobs, mirror, mount, settings, store};
use crate::resources::{cluster, owner, served};
use crate::rest::{Answer, Begun, Call, ObjectInput, PatchInput, Write, merged};
use crate::runtime::App;

pub async fn create(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    input: ObjectInput<kind::Topic>,
) -> Result<Answer> {
    let ObjectInput { spec, metadata } = input;
    let mut errors = Vec::new();
    model::validate(&spec, &mut errors);
    crate::kernel::check_labels(&metadata.labels, &mut errors);
    Error::check(errors)?;
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let cluster = cluster::by_id(write.tx(), scope, spec.cluster)
        .await
        .map_err(|error| match error.kind {
            ErrorKind::NotFound => {
                Error::invalid("/spec/cluster", code::BAD_REFERENCE, "There is no such cluster.")
            }
            _ => error,
        })?;
    caller.require(
        Role::Developer,
        &format!("{}/topic={}", cluster.resource_name(), spec.name),
    )?;
    if cluster.deleted_at.is_some() {
        return Err(Error::conflict(
            code::BEING_DELETED,
            "The cluster is being deleted.",
        ));
    }
    if cluster.spec.access == ClusterAccess::Native {
        Error::check(model::native_name(&spec.name).into_iter().collect())?;
    }
    let partitions = i64::from(spec.partitions);
    service_quota::check(write.tx(), scope, Quota::Topics).await?;
    service_quota::check_more(write.tx(), scope, Quota::Partitions, partitions).await?;
    let wanted = Wanted {
        clusters: 0,
        topics: 1,
        partitions,
    };
    check_room(write.tx(), scope, cluster.spec.broker_pool, wanted).await?;
    let id: TopicId = Id::generate();
    contract::check(write.tx(), caller, scope, &cluster, id, None, &spec).await?;
    store::insert(write.tx(), scope, id, &spec, cluster.data_plane, &metadata.labels).await?;
    finish(write, scope, id, cluster.data_plane, Action::Create, None).await
}

/// The end of every change: stamp, record, answer.
async fn finish(
    mut write: Box<Write>,
    scope: TenantScope,
    id: TopicId,
    data_plane: DataPlaneId,
    action: Action,
    before: Option<Topic>,
) -> Result<Answer> {
    let n = bump_generation(write.tx(), data_plane).await?;
    store::stamp(write.tx(), scope, id, n).await?;
    let row = store::by_id(write.tx(), scope, id).await?;
    let report = served::report(write.tx(), id.uuid()).await?;
    let mut change = Change::new(action, id, &row.resource_name(), row.generation, owner(scope));
    if let Some(before) = before {
        change = change.with_before(view(before, report.as_ref()).json()?);
    }
    let after = view(row, report.as_ref()).json()?;
    write.record(change.with_after(after.clone())).await?;
    let status = match action {
        Action::Create => 201,
        Action::Delete => 202,
        Action::Update | Action::Act(_) => 200,
    };
    write.finish(status, after).await
}

pub async fn update(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: TopicId,
    patch: PatchInput<kind::Topic>,
) -> Result<Answer> {
    let wish = |before: &Topic| merged(&before.spec, &before.labels, patch, &["cluster", "name"]);
    change(app, caller, scope, call, id, wish).await
}

/// Changes a topic to what `wish` makes of it, which never touches its cluster or name.
pub async fn change(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: TopicId,
    wish: impl FnOnce(&Topic) -> Result<(TopicSpec, Labels)>,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = present(&mut write, caller, scope, call, id).await?;
    let (spec, labels) = wish(&before)?;
    let mut errors = Vec::new();
    model::validate(&spec, &mut errors);
    model::validate_change(&before.spec, &spec, &mut errors);
    crate::kernel::check_labels(&labels, &mut errors);
    Error::check(errors)?;
    if spec.contract.is_some() {
        let cluster = cluster::by_id(write.tx(), scope, spec.cluster).await?;
        contract::check(write.tx(), caller, scope, &cluster, id, Some(&before.spec), &spec).await?;
    }
    contract::check_stays_fit(write.tx(), scope, id, &spec).await?;
    let more = i64::from(spec.partitions - before.spec.partitions);
    if more > 0 {
        service_quota::check_more(write.tx(), scope, Quota::Partitions, more).await?;
        let wanted = Wanted {
            clusters: 0,
            topics: 0,
            partitions: more,
        };
        check_room(write.tx(), scope, before.broker_pool, wanted).await?;
    }
    let after = Topic {
        changed_settings: changed_settings(&before, &spec),
        spec,
        labels,
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(write.tx(), scope, before.generation, &after).await?;
    finish(write, scope, id, before.data_plane, Action::Update, Some(before)).await
}

/// What was changed here of a topic that was there: once changed, a setting stays ours to keep.
fn changed_settings(before: &Topic, spec: &TopicSpec) -> Vec<String> {
    let mut changed = before.changed_settings.clone();
    if before.adopted {
        let (held, wished) = (settings::of_spec(&before.spec), settings::of_spec(spec));
        let differ = wished
            .into_iter()
            .filter(|(name, value)| held.get(name) != Some(value));
        changed.extend(differ.map(|(name, _value)| name));
        changed.sort();
        changed.dedup();
    }
    changed
}

pub async fn delete(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: TopicId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = present(&mut write, caller, scope, call, id).await?;
    contract::check_free(write.tx(), scope, &[id]).await?;
    jobs::check_unused(write.tx(), scope, &[id]).await?;
    mirror::check_unmirrored(write.tx(), scope, &[id]).await?;
    mount::check_unshared(write.tx(), scope, &[id]).await?;
    let pool = served::report(write.tx(), before.broker_pool.uuid()).await?;
    if pool.is_none() {
        // No agent ever spoke of the pool: there is nothing to destroy.
        store::delete(write.tx(), scope, id).await?;
        let change = Change::new(
            Action::Delete,
            id,
            &before.resource_name(),
            before.generation,
            owner(scope),
        );
        write
            .record(change.with_before(view(before, None).json()?))
            .await?;
        return write.finish_empty().await;
    }
    let after = Topic {
        deleted_at: Some(Utc::now()),
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(write.tx(), scope, before.generation, &after).await?;
    finish(write, scope, id, before.data_plane, Action::Delete, Some(before)).await
}

async fn present(
    write: &mut Write,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: TopicId,
) -> Result<Topic> {
    let row = store::by_id(write.tx(), scope, id).await?;
    caller.require(Role::Developer, &row.resource_name())?;
    call.check_generation(row.generation)?;
    mount::check_own(&row, "neither changed nor deleted")?;
    mirror::check_own(&row, "neither changed nor deleted")?;
    if row.deleted_at.is_some() {
        return Err(Error::conflict(
            code::BEING_DELETED,
            "The topic is being deleted.",
        ));
    }
    Ok(row)
}
