//! What a requester does: it asks, and takes back what it asked.

use chrono::Utc;

use crate::auth::{Caller, Role, TenantScope};
use crate::kernel::{Action, ClusterId, Error, ErrorKind, FieldError, Kind as _, Result, code, kind};
use crate::resources::broker_pool::BrokerPoolId;
use crate::resources::share::product::{self, DataProductId};
use crate::resources::share::request::api::AccessRequestInput;
use crate::resources::share::request::model::{
    A_DAY_FOR_ONE_MAX, A_DAY_MAX, AccessRequest, AccessRequestId, Decision, TEXT_MAX, WAITS, decide,
};
use crate::resources::share::request::{service, store};
use crate::resources::share::{party, switch};
use crate::resources::{cluster, owner, referred, topic};
use crate::rest::{Answer, Begun, Call, Phase, Write, note};
use crate::runtime::{App, Tx};

/// Seconds after which somebody who asked too often may ask again, at the latest.
const A_DAY_SECONDS: u64 = 24 * 60 * 60;

/// What is wrong with a text that has to be there.
pub fn check_text(pointer: &str, text: &str, needed: bool, errors: &mut Vec<FieldError>) {
    let (code, detail) = if needed && text.trim().is_empty() {
        (code::REQUIRED, "Say why.".to_owned())
    } else if text.chars().count() > TEXT_MAX || text.contains('\0') {
        let detail = format!("The text has at most {TEXT_MAX} characters, and no NUL.");
        (code::OUT_OF_RANGE, detail)
    } else {
        return;
    };
    errors.push(FieldError {
        pointer: pointer.to_owned(),
        code: code.to_owned(),
        detail,
    });
}

/// Asks for a data product.
pub async fn ask(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: DataProductId,
    input: AccessRequestInput,
) -> Result<Answer> {
    let mut errors = Vec::new();
    check_text("/reason", &input.reason, true, &mut errors);
    Error::check(errors)?;
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let tx = write.tx();
    // Of two of a tenant's who ask at once one comes after the other: it is counted rightly.
    switch::hold(tx, scope).await?;
    let (found, standing) = product::found_by_id(tx, scope, id).await?;
    switch::check_receives(tx, scope).await?;
    if standing.request.is_some() {
        let detail = "The tenant has asked for this data product already: wait for the answer, or withdraw the request.";
        return Err(Error::conflict(code::ALREADY_REQUESTED, detail));
    }
    if standing.share.is_some() {
        let detail = "It is shared with the tenant already, or offered to it: see the received shares.";
        return Err(Error::conflict(code::ALREADY_SHARED, detail));
    }
    check_often(tx, scope, id).await?;
    let pool = target(tx, caller, scope, input.cluster).await?;
    let provider = TenantScope::turn_to_party(tx, found.owner).await?;
    // Held from here on: who makes it private meanwhile comes before or after.
    let product = product::own_by_id(tx, provider, id).await?;
    if !product.shows_to(scope.tenant()) {
        return Err(Error::not_found(kind::DataProduct::KIND));
    }
    let topic = topic::by_id(tx, provider, product.topic).await?;
    if pool.is_some_and(|it| it != topic.broker_pool) {
        let detail = "The cluster is on another broker pool than the data product, and a mount shows what is there already. Take it into a \
                      cluster of yours on its pool (ask without one, and for a place there), then copy it into this one with a cluster link.";
        return Err(Error::conflict(code::OTHER_POOL, detail));
    }
    let now = Utc::now();
    let row = AccessRequest {
        id: AccessRequestId::generate(),
        owner: found.owner,
        requester: scope.tenant(),
        product: id,
        product_name: product.spec.name,
        topic: None,
        cluster: input.cluster,
        reason: input.reason,
        phase: Phase::Pending,
        answer: String::new(),
        share: None,
        expires_at: now + WAITS,
        decided_at: None,
        generation: 1,
        created_at: now,
        updated_at: now,
    };
    store::insert(tx, provider, &row).await?;
    finish(write, scope, provider, None, row.id, Action::Create).await
}

async fn check_often(tx: &mut Tx, scope: TenantScope, id: DataProductId) -> Result<()> {
    let (all, one) = store::made_today(tx, scope, id).await?;
    if all < A_DAY_MAX && one < A_DAY_FOR_ONE_MAX {
        return Ok(());
    }
    let detail = format!(
        "A tenant asks {A_DAY_MAX} times within a day, and {A_DAY_FOR_ONE_MAX} times for the same; try again later."
    );
    let mut error = Error::new(ErrorKind::TooMany, code::TOO_MANY_REQUESTS, detail);
    error.retry_after_seconds = Some(A_DAY_SECONDS);
    Err(error)
}

/// The pool of the cluster that would show it.
async fn target(
    tx: &mut Tx,
    caller: &Caller,
    scope: TenantScope,
    cluster: Option<ClusterId>,
) -> Result<Option<BrokerPoolId>> {
    let Some(cluster) = cluster else { return Ok(None) };
    let found = cluster::by_id(tx, scope, cluster).await;
    let found = referred(found, "/cluster", "There is no such cluster.")?;
    caller.require(Role::Developer, &found.resource_name())?;
    found.require_gateway("could show a shared topic")?;
    Ok(Some(found.spec.broker_pool))
}

/// Takes a request back.
pub async fn withdraw(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: AccessRequestId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let tx = write.tx();
    let seen = store::by_id(tx, scope, id).await?;
    call.check_generation(seen.generation)?;
    if seen.requester != scope.tenant() {
        let detail = "Another tenant made this request: approve or reject it.";
        return Err(Error::denied(detail));
    }
    let provider = TenantScope::turn_to_party(tx, seen.owner).await?;
    let before = store::hold(tx, provider, id).await?;
    let after = decide(&before, Decision::Withdraw, Utc::now())?;
    store::decided(tx, provider, &before, &after).await?;
    let action = Action::Act(Decision::Withdraw.name());
    finish(write, scope, provider, Some(seen), id, action).await
}

/// The owner is told under its scope, then the requester's own record is written, and its view is the answer.
async fn finish(
    mut write: Box<Write>,
    scope: TenantScope,
    provider: TenantScope,
    before: Option<AccessRequest>,
    id: AccessRequestId,
    action: Action,
) -> Result<Answer> {
    let request = write.call().request_id.clone();
    let tx = write.tx();
    let row = store::by_id(tx, provider, id).await?;
    // It learns which tenant did, not who.
    let who = scope.tenant().to_string();
    note(tx, &service::change(action, &row, provider), &who, &request).await?;
    let name = party::name(tx, provider).await?;
    scope.back(tx).await?;
    let row = store::by_id(tx, scope, id).await?;
    let mut change = service::change(action, &row, scope);
    if let Some(before) = before {
        change = change.with_before(service::json(&before, scope, &name)?);
    }
    let shown = service::json(&row, scope, &name)?;
    write.record(change.with_after(shown.clone())).await?;
    let status = if action == Action::Create { 201 } else { 200 };
    write.finish(status, shown).await
}
