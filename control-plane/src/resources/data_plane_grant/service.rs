//! What may happen to a grant.

use chrono::Utc;

use crate::auth::{Caller, TenantScope};
use crate::kernel::{Action, Change, Error, ErrorKind, Id, Result, code, kind};
use crate::resources::data_plane_grant::model::{self, DataPlaneGrant, DataPlaneGrantId, Decision, decide};
use crate::resources::data_plane_grant::store;
use crate::resources::{broker_pool, owner};
use crate::rest::{Answer, Begun, Call, Object, ObjectInput, PatchInput, Phase, Write, merged};
use crate::runtime::App;

type View = Object<kind::DataPlaneGrant>;

pub async fn offer(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    input: ObjectInput<kind::DataPlaneGrant>,
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
    broker_pool::by_id(write.tx(), scope, spec.broker_pool)
        .await
        .map_err(|error| match error.kind {
            ErrorKind::NotFound => Error::invalid(
                "/spec/broker_pool",
                code::BAD_REFERENCE,
                "There is no such broker pool.",
            ),
            _ => error,
        })?;
    let id: DataPlaneGrantId = Id::generate();
    store::insert(write.tx(), scope, id, &spec, &metadata.labels).await?;
    let row = store::by_id(write.tx(), scope, id).await?;
    let view = View::from(row).json()?;
    let change = Change::new(Action::Create, id, &name(id), 1, owner(scope));
    write.record(change.with_after(view.clone())).await?;
    write.finish(201, view).await
}

pub async fn update(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: DataPlaneGrantId,
    patch: PatchInput<kind::DataPlaneGrant>,
) -> Result<Answer> {
    change(app, caller, scope, call, id, Action::Update, |before| {
        if before.owner != scope.tenant() {
            return Err(Error::denied("Only the grant's owner changes its limits."));
        }
        let immutable = ["broker_pool", "guest_tenant"];
        let (spec, labels) = merged::<kind::DataPlaneGrant>(&before.spec, &before.labels, patch, &immutable)?;
        let mut errors = Vec::new();
        model::validate(&spec, &mut errors);
        crate::kernel::check_labels(&labels, &mut errors);
        Error::check(errors)?;
        Ok(DataPlaneGrant {
            spec,
            labels,
            ..before
        })
    })
    .await
}

pub async fn decided(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: DataPlaneGrantId,
    decision: Decision,
) -> Result<Answer> {
    change(
        app,
        caller,
        scope,
        call,
        id,
        Action::Act(decision.name()),
        |before| {
            let phase = decide(&before, scope.tenant(), decision)?;
            Ok(DataPlaneGrant {
                phase,
                decided_at: Some(Utc::now()),
                ..before
            })
        },
    )
    .await
}

async fn change(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: DataPlaneGrantId,
    action: Action,
    effect: impl FnOnce(DataPlaneGrant) -> Result<DataPlaneGrant> + Send,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = store::by_id(write.tx(), scope, id).await?;
    call.check_generation(before.generation)?;
    let mut after = effect(before.clone())?;
    after.generation += 1;
    store::update(write.tx(), scope, before.generation, &after).await?;
    let after = store::by_id(write.tx(), scope, id).await?;
    let change = Change::new(action, id, &name(id), after.generation, owner(scope));
    let view = View::from(after).json()?;
    write
        .record(
            change
                .with_before(View::from(before).json()?)
                .with_after(view.clone()),
        )
        .await?;
    write.finish(200, view).await
}

pub async fn delete(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: DataPlaneGrantId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let row = store::by_id(write.tx(), scope, id).await?;
    call.check_generation(row.generation)?;
    if row.owner != scope.tenant() {
        return Err(Error::denied(
            "Only the grant's owner deletes it; its guest may decline it.",
        ));
    }
    if row.phase == Phase::Active {
        return Err(Error::conflict(code::WRONG_PHASE, "Revoke the grant first."));
    }
    store::delete(write.tx(), scope, id).await?;
    let change = Change::new(Action::Delete, id, &name(id), row.generation, owner(scope));
    write.record(change.with_before(View::from(row).json()?)).await?;
    write.finish_empty().await
}

fn name(id: DataPlaneGrantId) -> String {
    format!("data_plane_grant={id}")
}
