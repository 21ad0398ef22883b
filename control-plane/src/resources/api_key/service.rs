//! What may happen to an API key.

use chrono::Utc;
use serde_json::{Value, json};
use weir_credentials::Secret;

use crate::auth::{Caller, Home, Role, TenantScope};
use crate::kernel::{Action, ApiKeyId, Change, Error, Id, Result, ServiceAccountId, kind};
use crate::resources::api_key::model::{self, resource_name};
use crate::resources::api_key::store::{self, New};
use crate::resources::api_key::{certificate, sealed, verifiers};
use crate::resources::service_quota::{self, Quota};
use crate::resources::{owner, referred, service_account};
use crate::rest::{Answer, Begun, Call, Object, ObjectInput, PatchInput, Write, merged};
use crate::runtime::{App, Tx};

type View = Object<kind::ApiKey>;

pub async fn create(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    input: ObjectInput<kind::ApiKey>,
) -> Result<Answer> {
    let ObjectInput { mut spec, metadata } = input;
    let mut errors = Vec::new();
    model::validate(&spec, None, Utc::now(), &mut errors);
    crate::kernel::check_labels(&metadata.labels, &mut errors);
    let public_key = certificate::public_key(&mut spec, &mut errors);
    Error::check(errors)?;
    let (secret, verifiers) = verifiers::issue(public_key).await?;
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let account = referred(
        service_account::by_id(write.tx(), scope, spec.service_account).await,
        "/spec/service_account",
        "There is no such service account in this tenant.",
    )?;
    let id: ApiKeyId = Id::generate();
    caller.require(Role::Developer, &resource_name(&account.spec.name, id))?;
    check_held(write.tx(), caller, scope, spec.service_account).await?;
    let opened = match spec.cluster {
        None => None,
        Some(cluster) => Some(referred(
            store::opened(write.tx(), scope, cluster).await,
            "/spec/cluster",
            "There is no such cluster in this tenant.",
        )?),
    };
    service_quota::check(write.tx(), scope, Quota::ApiKeys).await?;
    let data_plane = opened.as_ref().map(|it| it.data_plane);
    let sealed = match spec.cluster.zip(opened.filter(|it| it.native)) {
        None => None,
        Some((cluster, opened)) => Some(sealed::seal(id, &spec, cluster, &opened, secret.clone()).await?),
    };
    let new = New {
        id,
        spec: &spec,
        labels: &metadata.labels,
        data_plane,
        sealed,
        verifiers: &verifiers,
    };
    store::insert(write.tx(), scope, new).await?;
    store::key_changed(write.tx(), scope, id, data_plane).await?;
    let row = store::by_id(write.tx(), scope, id).await?;
    let change = Change::new(
        Action::Create,
        id,
        &row.resource_name(),
        row.generation,
        owner(scope),
    );
    let view = View::from(row).json()?;
    write.record(change.with_after(view.clone())).await?;
    write.finish(201, with_secret(view, id, secret.as_ref())).await
}

pub async fn update(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ApiKeyId,
    patch: PatchInput<kind::ApiKey>,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = store::by_id(write.tx(), scope, id).await?;
    caller.require(Role::Developer, &before.resource_name())?;
    call.check_generation(before.generation)?;
    let (spec, labels) = merged::<kind::ApiKey>(
        &before.spec,
        &before.labels,
        patch,
        &[
            "service_account",
            "cluster",
            "public_key_sha256",
            "certificate_pem",
        ],
    )?;
    let mut errors = Vec::new();
    model::validate(&spec, before.spec.expires_at, Utc::now(), &mut errors);
    crate::kernel::check_labels(&labels, &mut errors);
    Error::check(errors)?;
    if spec.expires_at != before.spec.expires_at {
        // A longer life is as much as a new key.
        check_held(write.tx(), caller, scope, spec.service_account).await?;
    }
    let mut after = before.clone();
    (after.spec, after.labels, after.generation) = (spec, labels, before.generation + 1);
    store::update(write.tx(), scope, before.generation, &after).await?;
    store::key_changed(write.tx(), scope, id, after.data_plane).await?;
    let after = store::by_id(write.tx(), scope, id).await?;
    let change = Change::new(
        Action::Update,
        id,
        &after.resource_name(),
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
    write.finish(200, view).await
}

/// Revokes: the API refuses the key from the commit on, a data plane as soon as its gateways have the next version.
pub async fn delete(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ApiKeyId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let row = store::by_id(write.tx(), scope, id).await?;
    caller.require(Role::Developer, &row.resource_name())?;
    call.check_generation(row.generation)?;
    // The bump needs no key: it is the data plane that learns of the absence.
    let data_plane = row.data_plane;
    let change = Change::new(
        Action::Delete,
        id,
        &row.resource_name(),
        row.generation,
        owner(scope),
    );
    store::delete(write.tx(), scope, id).await?;
    write.record(change.with_before(View::from(row).json()?)).await?;
    store::key_changed(write.tx(), scope, id, data_plane).await?;
    write.finish_empty().await
}

/// A key gives its holder all that the service account may do, and a job does it: nobody hands on more than he holds.
///
/// # Errors
/// 403 naming what the service account holds and the caller does not.
pub async fn check_held(
    tx: &mut Tx,
    caller: &Caller,
    scope: TenantScope,
    account: ServiceAccountId,
) -> Result<()> {
    let place = Home::Tenant(scope.organization(), scope.tenant());
    let held = crate::auth::bindings(tx, account.uuid()).await?;
    match held
        .iter()
        .find(|it| !caller.covers(place, it.role, &it.resource))
    {
        None => Ok(()),
        Some(more) => Err(Error::denied(format!(
            "The service account holds {} on {}, which you do not. Somebody who does can make its keys and jobs.",
            more.role.name(),
            more.resource
        ))),
    }
}

/// The secret is for the caller alone: it is in the answer, not in audit, event or plan.
fn with_secret(mut view: Value, id: ApiKeyId, secret: Option<&Secret>) -> Value {
    if let Some(secret) = secret {
        view["secret"] = json!({"username": id, "password": secret.reveal()});
    }
    view
}
