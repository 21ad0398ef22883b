//! What an owner does with the requests that it receives: it makes shares of them, or refuses.

use std::collections::BTreeSet;

use chrono::Utc;
use serde_json::Value;

use crate::auth::{Caller, Role, TenantScope};
use crate::kernel::{Action, Change, Error, Labels, Page, Result, TenantId, code, kind};
use crate::resources::owner;
use crate::resources::share::model::{ShareId, ShareRecipient, ShareSpec, ShareStart, SharedTopic};
use crate::resources::share::product::{self, Product};
use crate::resources::share::request::api::{self, AccessApproval, AccessRejection};
use crate::resources::share::request::model::{AccessRequest, AccessRequestId, Decision, decide, plain_name};
use crate::resources::share::request::sent::check_text;
use crate::resources::share::request::store;
use crate::resources::share::{defaults, party, service as shares};
use crate::resources::topic::{self, Topic};
use crate::rest::{Answer, Begun, Call, Object, Write, note};
use crate::runtime::{App, Tx};

/// Of the name of a share that is made of the product's.
const NAME_MAX: usize = 40;

/// A change of a request, in the words of either side.
pub fn change(action: Action, row: &AccessRequest, side: TenantScope) -> Change {
    let name = format!("access_request={}", row.id);
    Change::new(action, row.id, &name, row.generation, owner(side))
}

/// A row as this side sees it; the name is the other's.
pub fn json(row: &AccessRequest, side: TenantScope, name: &str) -> Result<Value> {
    api::shown(row, side.tenant(), name.to_owned()).json()
}

/// The other side of a request.
fn other(row: &AccessRequest, side: TenantScope) -> TenantId {
    if row.owner == side.tenant() {
        row.requester
    } else {
        row.owner
    }
}

/// The tenant's requests, the newest first.
pub async fn list(
    app: &App,
    scope: TenantScope,
    filter: store::Filter,
    page: Page,
) -> Result<Vec<Object<kind::AccessRequest>>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::list(&mut tx, scope, filter, page).await?;
    let others: BTreeSet<TenantId> = rows.iter().map(|it| other(it, scope)).collect();
    let names = party::names(&mut tx, scope, others).await?;
    tx.commit().await?;
    let shown = rows.iter().map(|row| {
        let name = names.get(&other(row, scope)).cloned().unwrap_or_default();
        api::shown(row, scope.tenant(), name)
    });
    Ok(shown.collect())
}

/// One of them.
///
/// # Errors
/// 404 when the tenant is no side of it.
pub async fn read(app: &App, scope: TenantScope, id: AccessRequestId) -> Result<Object<kind::AccessRequest>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let row = store::by_id(&mut tx, scope, id).await?;
    let party = TenantScope::turn_to_party(&mut tx, other(&row, scope)).await?;
    let name = party::name(&mut tx, party).await?;
    tx.commit().await?;
    Ok(api::shown(&row, scope.tenant(), name))
}

/// Makes a share of a request, in the same transaction. Two who approve at once make one: the second meets what the first decided.
pub async fn approve(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: AccessRequestId,
    input: AccessApproval,
) -> Result<Answer> {
    let mut errors = Vec::new();
    check_text("/answer", &input.answer, false, &mut errors);
    Error::check(errors)?;
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let (before, topic, product) = held(write.tx(), caller, scope, call, id).await?;
    let mut after = decide(&before, Decision::Approve, Utc::now())?;
    if !product.shows_to(before.requester) {
        let detail = "The data product is found by whoever asked for it no more: list it again, share its topic directly, or reject the \
                      request.";
        return Err(Error::conflict(code::NOT_LISTED, detail));
    }
    after.answer.clone_from(&input.answer);
    let spec = wished(write.tx(), scope, &before, &topic, &product, input).await?;
    let share: Result<ShareId> = shares::offer(&mut write, caller, scope, spec, &Labels::new()).await;
    after.share = Some(share.map_err(placed)?);
    finish(write, scope, &before, &after, Decision::Approve).await
}

/// Refuses a request; whoever asked reads why.
pub async fn reject(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: AccessRequestId,
    input: AccessRejection,
) -> Result<Answer> {
    let mut errors = Vec::new();
    check_text("/reason", &input.reason, true, &mut errors);
    Error::check(errors)?;
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let (before, _topic, _product) = held(write.tx(), caller, scope, call, id).await?;
    let mut after = decide(&before, Decision::Reject, Utc::now())?;
    after.answer = input.reason;
    finish(write, scope, &before, &after, Decision::Reject).await
}

/// The request, its topic and how that is described, held until the end; whoever may share the topic decides.
async fn held(
    tx: &mut Tx,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: AccessRequestId,
) -> Result<(AccessRequest, Topic, Product)> {
    let seen = store::by_id(tx, scope, id).await?;
    if seen.owner != scope.tenant() {
        let detail =
            "Your tenant made this request: whoever owns the data product decides. You may withdraw it.";
        return Err(Error::denied(detail));
    }
    let before = store::hold(tx, scope, id).await?;
    let product = product::own_by_id(tx, scope, before.product).await?;
    let topic = topic::by_id(tx, scope, product.topic).await?;
    caller.require(Role::TenantAdmin, &topic.resource_name())?;
    call.check_generation(before.generation)?;
    Ok((before, topic, product))
}

/// The share that a request becomes: what the approval says, and what is safe where it says nothing.
async fn wished(
    tx: &mut Tx,
    scope: TenantScope,
    request: &AccessRequest,
    topic: &Topic,
    product: &Product,
    input: AccessApproval,
) -> Result<ShareSpec> {
    let AccessApproval {
        steps,
        keys,
        start,
        alias,
        contract_version,
        terms,
        fetch_bytes_per_second,
        price,
        expires_at,
        answer: _,
    } = input;
    let steps = match steps {
        Some(steps) => steps,
        None => defaults::steps(tx, scope, topic).await?.0,
    };
    let plain = plain_name(&product.spec.name, NAME_MAX);
    let suffix = request.id.suffix();
    let tail: String = suffix.chars().skip(suffix.len().saturating_sub(8)).collect();
    let shared = SharedTopic {
        topic: topic.id,
        // Not the topic's own name: nobody was shown that.
        alias: Some(alias.unwrap_or_else(|| plain.clone())),
        contract_version,
        steps,
        start: start.unwrap_or(ShareStart::Latest {}),
        keys,
        // Who wants the values encrypted says so in the share.
        encryption: None,
    };
    Ok(ShareSpec {
        cluster: topic.spec.cluster,
        name: format!("{plain}-{tail}"),
        description: String::new(),
        topics: vec![shared],
        recipient: ShareRecipient::Tenant {
            tenant: request.requester,
        },
        terms,
        fetch_bytes_per_second: Some(fetch_bytes_per_second.unwrap_or(defaults::FETCH_BYTES_PER_SECOND)),
        price: price.or_else(|| product.spec.price.clone()),
        starts_at: None,
        expires_at: Some(expires_at.unwrap_or_else(|| Utc::now() + defaults::ENDS_AFTER)),
    })
}

/// What is wrong with the share stands at another place in the body of an approval.
fn placed(mut error: Error) -> Error {
    for field in &mut error.fields {
        let topics = field.pointer.strip_prefix("/spec/topics/0");
        if let Some(rest) = topics.or_else(|| field.pointer.strip_prefix("/spec")) {
            field.pointer = rest.to_owned();
        }
    }
    error
}

/// Writes what the owner decided, and tells whoever asked.
async fn finish(
    mut write: Box<Write>,
    scope: TenantScope,
    before: &AccessRequest,
    after: &AccessRequest,
    decision: Decision,
) -> Result<Answer> {
    let request = write.call().request_id.clone();
    let tx = write.tx();
    store::decided(tx, scope, before, after).await?;
    let name = tell_requester(tx, scope, after, decision, &request).await?;
    let row = store::by_id(tx, scope, after.id).await?;
    let old = json(before, scope, &name)?;
    let shown = json(&row, scope, &name)?;
    let change = change(Action::Act(decision.name()), &row, scope);
    write
        .record(change.with_before(old).with_after(shown.clone()))
        .await?;
    write.finish(200, shown).await
}

/// Goes to whoever asked, tells it what became of it, and comes back; gives what that tenant is called.
pub async fn tell_requester(
    tx: &mut Tx,
    scope: TenantScope,
    row: &AccessRequest,
    decision: Decision,
    request_id: &str,
) -> Result<String> {
    let requester = TenantScope::turn_to_party(tx, row.requester).await?;
    let name = party::name(tx, requester).await?;
    let told = change(Action::Act(decision.name()), row, requester);
    note(tx, &told, &scope.tenant().to_string(), request_id).await?;
    scope.back(tx).await?;
    Ok(name)
}
