//! What may happen to a data plane.

use chrono::Utc;
use serde_json::Value;

use crate::auth::{Caller, TenantScope};
use crate::kernel::{Action, Change, DataPlaneId, Error, Id, Result, kind};
use crate::resources::data_plane::model::{self, DataPlane, resource_name};
use crate::resources::data_plane::{enrollment, store};
use crate::resources::data_plane_generation::bump_sources;
use crate::resources::owner;
use crate::resources::service_quota::{self, Quota};
use crate::rest::{Answer, Begun, Call, Object, ObjectInput, PatchInput, Write, merged};
use crate::runtime::App;

type View = Object<kind::DataPlane>;

pub async fn create(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    input: ObjectInput<kind::DataPlane>,
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
    service_quota::check(write.tx(), scope, Quota::DataPlanes).await?;
    let id: DataPlaneId = Id::generate();
    store::insert(write.tx(), scope, id, &spec, &metadata.labels).await?;
    let enrollment = enrollment::offer(write.tx(), scope, id, &app.settings).await?;
    let row = store::by_id(write.tx(), scope, id).await?;
    let change = Change::new(
        Action::Create,
        id,
        &resource_name(&row.spec),
        row.generation,
        owner(scope),
    );
    let view = View::from(row).json()?;
    write.record(change.with_after(view.clone())).await?;
    write.finish(201, with_enrollment(view, enrollment)).await
}

/// A new token, for an agent that was not enrolled in time, was lost, or was cut off.
pub async fn renew_token(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: DataPlaneId,
) -> Result<Answer> {
    change(
        app,
        caller,
        scope,
        call,
        id,
        Action::Act("offer_enrollment"),
        |_unchanged| {},
    )
    .await
}

/// Cuts the agent off at once. What it runs goes on until somebody stops it there.
pub async fn revoke(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: DataPlaneId,
) -> Result<Answer> {
    change(app, caller, scope, call, id, Action::Act("revoke"), |row| {
        row.revoke(Utc::now());
    })
    .await
}

async fn change(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: DataPlaneId,
    action: Action,
    effect: impl FnOnce(&mut DataPlane) + Send,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = store::by_id(write.tx(), scope, id).await?;
    call.check_generation(before.generation)?;
    let mut after = before.clone();
    effect(&mut after);
    after.generation += 1;
    store::update(write.tx(), scope, before.generation, &after).await?;
    let enrollment = match action {
        Action::Act("offer_enrollment") => {
            Some(enrollment::offer(write.tx(), scope, id, &app.settings).await?)
        }
        Action::Act("revoke") => {
            store::withdraw_tokens(write.tx(), scope, id).await?;
            // Whatever cluster links read for it lets its agent in no longer.
            store::forget_keys(write.tx(), scope, id).await?;
            write.tx().turn_to_operator().await?;
            bump_sources(write.tx(), id).await?;
            scope.back(write.tx()).await?;
            None
        }
        _ => None,
    };
    let after = store::by_id(write.tx(), scope, id).await?;
    let change = Change::new(
        action,
        id,
        &resource_name(&after.spec),
        after.generation,
        owner(scope),
    );
    let view = View::from(after).json()?;
    write
        .record(
            change
                .with_before(View::from(before).json()?)
                .with_after(view.clone()),
        )
        .await?;
    let view = match enrollment {
        Some(enrollment) => with_enrollment(view, enrollment),
        None => view,
    };
    write.finish(200, view).await
}

pub async fn update(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: DataPlaneId,
    patch: PatchInput<kind::DataPlane>,
) -> Result<Answer> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let before = store::by_id(&mut tx, scope, id).await?;
    tx.commit().await?;
    let (spec, labels) = merged::<kind::DataPlane>(&before.spec, &before.labels, patch, &["name"])?;
    let mut errors = Vec::new();
    model::validate(&spec, &mut errors);
    crate::kernel::check_labels(&labels, &mut errors);
    Error::check(errors)?;
    change(app, caller, scope, call, id, Action::Update, |row| {
        (row.spec, row.labels) = (spec, labels)
    })
    .await
}

pub async fn delete(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: DataPlaneId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let row = store::by_id(write.tx(), scope, id).await?;
    call.check_generation(row.generation)?;
    // Pools on it hold it by their foreign key: 409 with what to delete first.
    store::delete(write.tx(), scope, id).await?;
    let change = Change::new(
        Action::Delete,
        id,
        &resource_name(&row.spec),
        row.generation,
        owner(scope),
    );
    write.record(change.with_before(View::from(row).json()?)).await?;
    write.finish_empty().await
}

/// The token is for the caller alone: it is in the answer, not in audit or plan.
fn with_enrollment(mut view: Value, enrollment: Value) -> Value {
    view["enrollment"] = enrollment;
    view
}
