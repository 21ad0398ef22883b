//! What a provider does with its shares.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use serde_json::{Value, json};
use weir_credentials::{Secret, SecretKind};

use crate::auth::{Caller, Role, TenantScope};
use crate::kernel::{Action, Error, ErrorKind, Id, Labels, Result, check_labels, code, kind};
use crate::resources::share::api::ShareEnd;
use crate::resources::share::model::{
    Decision, Share, ShareId, ShareRecipient, ShareSpec, SharedTopic, decide, is_live,
};
use crate::resources::share::{encryption, invitation, party, price, store, switch, validate, view};
use crate::resources::{cluster, contract, member, owner, referred, topic};
use crate::rest::{Answer, Begun, Call, ObjectInput, PatchInput, Phase, Write, merged};
use crate::runtime::{App, Settings, Tx};

/// How long an invitation can be taken.
const INVITATION: TimeDelta = TimeDelta::days(7);
/// Shares of a tenant that have not ended.
const SHARES_MAX: i64 = 5_000;

pub async fn create(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    input: ObjectInput<kind::Share>,
) -> Result<Answer> {
    let ObjectInput { mut spec, metadata } = input;
    let mut errors = Vec::new();
    validate::validate(&spec, &mut errors);
    check_labels(&metadata.labels, &mut errors);
    Error::check(errors)?;
    check_end(spec.expires_at)?;
    if let ShareRecipient::Email { email } = &mut spec.recipient {
        *email = member::normalised(email);
    }
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    switch::check_gives(write.tx(), scope).await?;
    check_offer(write.tx(), caller, scope, &mut spec).await?;
    let id = insert(write.tx(), scope, &spec, &metadata.labels).await?;
    let invitation = invite(write.tx(), scope, id, &spec, &app.settings).await?;
    let shown = created(&mut write, scope, id).await?;
    write.finish(201, with(shown, invitation)).await
}

/// A share whose offer was checked, by request: its tenant is the recipient, so there is no invitation. Both sides are told.
pub async fn offer(
    write: &mut Write,
    caller: &Caller,
    scope: TenantScope,
    mut spec: ShareSpec,
    labels: &Labels,
) -> Result<ShareId> {
    let mut errors = Vec::new();
    validate::validate(&spec, &mut errors);
    Error::check(errors)?;
    check_end(spec.expires_at)?;
    switch::check_gives(write.tx(), scope).await?;
    check_offer(write.tx(), caller, scope, &mut spec).await?;
    let id = insert(write.tx(), scope, &spec, labels).await?;
    created(write, scope, id).await?;
    Ok(id)
}

async fn insert(tx: &mut Tx, scope: TenantScope, spec: &ShareSpec, labels: &Labels) -> Result<ShareId> {
    if store::live(tx, scope).await? >= SHARES_MAX {
        let detail = format!("A tenant has at most {SHARES_MAX} shares that have not ended.");
        return Err(Error::new(ErrorKind::OverQuota, code::OVER_QUOTA, detail));
    }
    let id: ShareId = Id::generate();
    store::insert(tx, scope, id, spec, labels).await?;
    if spec.price.is_some() {
        price::set(tx, scope, id, hour(Utc::now()), spec.price.as_ref()).await?;
    }
    Ok(id)
}

/// A new share: both sides are told; gives it as its provider sees it.
async fn created(write: &mut Write, scope: TenantScope, id: ShareId) -> Result<Value> {
    let request = write.call().request_id.clone();
    let row = store::by_id(write.tx(), scope, id).await?;
    party::tell_recipient(write.tx(), scope, row.recipient, Action::Create, &row, &request).await?;
    let change = party::given_change(Action::Create, &row, scope);
    let shown = party::given(write.tx(), scope, row).await?;
    write.record(change.with_after(shown.clone())).await?;
    Ok(shown)
}

/// Puts what is shown once into an answer.
fn with(mut shown: Value, invitation: Option<Value>) -> Value {
    if let (Some(object), Some(invitation)) = (shown.as_object_mut(), invitation) {
        object.insert("invitation".into(), invitation);
    }
    shown
}

/// The beginning of the hour.
fn hour(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at)
}

fn check_end(expires_at: Option<DateTime<Utc>>) -> Result<()> {
    if expires_at.is_some_and(|it| it <= Utc::now()) {
        let detail = "The end of a share lies in the future.";
        return Err(Error::invalid("/spec/expires_at", code::OUT_OF_RANGE, detail));
    }
    Ok(())
}

/// The cluster and every topic, with what is done with its records; names are filled in.
async fn check_offer(tx: &mut Tx, caller: &Caller, scope: TenantScope, spec: &mut ShareSpec) -> Result<()> {
    let cluster = cluster::by_id(tx, scope, spec.cluster).await;
    let cluster = referred(cluster, "/spec/cluster", "There is no such cluster.")?;
    cluster.require_gateway("could show its topics to others")?;
    let mut ids = Vec::with_capacity(spec.topics.len());
    for (at, shared) in spec.topics.iter_mut().enumerate() {
        let pointer = format!("/spec/topics/{at}/topic");
        let found = topic::by_id(tx, scope, shared.topic).await;
        let found = referred(found, &pointer, "There is no such topic.")?;
        if found.spec.cluster != cluster.id || found.deleted_at.is_some() {
            let detail = "There is no such topic in the share's cluster, or it is being deleted.";
            return Err(Error::invalid(pointer, code::BAD_REFERENCE, detail));
        }
        caller.require(Role::TenantAdmin, &found.resource_name())?;
        if topic::mirror::shows_another(tx, scope, found.id).await? {
            let detail = "The topic is another tenant's that is shared with this one, or a cluster link's copy of such a topic. To share it further needs \
                          the consent of whoever shares it, and there is no way yet to ask for that.";
            return Err(Error::conflict(code::MOUNTED, detail));
        }
        if let Some(number) = shared.contract_version
            && !contract::has_value_version(tx, scope, cluster.id, &found.spec.name, number).await?
        {
            let pointer = format!("/spec/topics/{at}/contract_version");
            let detail = format!("The subject {}-value has no version {number}.", found.spec.name);
            return Err(Error::invalid(pointer, code::BAD_REFERENCE, detail));
        }
        let steps = format!("/spec/topics/{at}/steps");
        view::check_keys(&steps, shared)?;
        view::compile(tx, scope, &found, &shared.steps, &steps).await?;
        shared.alias.get_or_insert_with(|| found.spec.name.clone());
        ids.push(found.id.uuid());
    }
    let living = topic::mount::hold_shared(tx, scope, &ids).await?;
    if living != ids.len() {
        let detail = "A topic of the share is being deleted.";
        return Err(Error::conflict(code::BEING_DELETED, detail));
    }
    Ok(())
}

/// A new invitation, for the caller alone; none for a tenant, which sees the share among those it receives.
async fn invite(
    tx: &mut Tx,
    scope: TenantScope,
    id: ShareId,
    spec: &ShareSpec,
    settings: &Settings,
) -> Result<Option<Value>> {
    if matches!(spec.recipient, ShareRecipient::Tenant { .. }) {
        return Ok(None);
    }
    let token = Secret::generate(SecretKind::Invitation).map_err(Error::internal)?;
    let week = Utc::now() + INVITATION;
    let until = spec.expires_at.map_or(week, |it| it.min(week));
    invitation::set_token(tx, scope, id, Some((token.sha256(), until))).await?;
    let url = format!("{}/share-invitation#{}", settings.public_url, token.reveal());
    Ok(Some(
        json!({"token": token.reveal(), "expires_at": until, "url": url}),
    ))
}

/// Whoever may share all of the topics decides about the share.
async fn require(tx: &mut Tx, caller: &Caller, scope: TenantScope, row: &Share) -> Result<()> {
    for SharedTopic { topic, .. } in &row.spec.topics {
        let found = topic::by_id(tx, scope, *topic).await?;
        caller.require(Role::TenantAdmin, &found.resource_name())?;
    }
    if row.spec.topics.is_empty() {
        caller.require(Role::TenantAdmin, &row.resource_name())?;
    }
    Ok(())
}

pub async fn update(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ShareId,
    patch: PatchInput<kind::Share>,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    store::hold(write.tx(), scope, id).await?;
    let before = store::by_id(write.tx(), scope, id).await?;
    require(write.tx(), caller, scope, &before).await?;
    call.check_generation(before.generation)?;
    let fixed = ["cluster", "name", "recipient", "starts_at"];
    let (mut spec, labels) = merged::<kind::Share>(&before.spec, &before.labels, patch, &fixed)?;
    let mut errors = Vec::new();
    validate::validate(&spec, &mut errors);
    check_labels(&labels, &mut errors);
    Error::check(errors)?;
    if spec != before.spec {
        check_change(&before, &spec)?;
        check_offer(write.tx(), caller, scope, &mut spec).await?;
    }
    if spec.price != before.spec.price {
        // Who reads now pays what he agreed to until the hour is full.
        let now = hour(Utc::now());
        let from = if before.phase == Phase::Active {
            now + TimeDelta::hours(1)
        } else {
            now
        };
        price::set(write.tx(), scope, id, from, spec.price.as_ref()).await?;
    }
    let after = Share {
        spec,
        labels,
        generation: before.generation + 1,
        ..before.clone()
    };
    store::update(write.tx(), scope, &before, &after).await?;
    finish(write, scope, &before, Action::Update, None).await
}

/// Once somebody took it, what he took stays: what is shown, and what he agreed to.
fn check_change(before: &Share, spec: &ShareSpec) -> Result<()> {
    if !is_live(before.phase) {
        let detail = "The share has ended: offer it anew (resend) before it is changed.";
        return Err(Error::conflict(code::WRONG_PHASE, detail));
    }
    if spec.expires_at != before.spec.expires_at {
        check_end(spec.expires_at)?;
    }
    let taken = |it: &SharedTopic| {
        let SharedTopic {
            topic,
            alias,
            contract_version,
            steps: _,
            start,
            keys: _,
            encryption: _,
        } = it;
        (*topic, alias.clone(), *contract_version, start.clone())
    };
    let same = spec.terms == before.spec.terms
        && spec
            .topics
            .iter()
            .map(taken)
            .eq(before.spec.topics.iter().map(taken));
    if before.phase == Phase::Active && !same {
        let detail = "The share is accepted: its terms, topics, names and beginnings stay. Make another share for what is different.";
        return Err(Error::conflict(code::WRONG_PHASE, detail));
    }
    if before.phase == Phase::Active {
        encryption::check_stays(before, &spec.topics)?;
    }
    Ok(())
}

/// The end of every change: both sides are told, and the newest form is the answer.
async fn finish(
    mut write: Box<Write>,
    scope: TenantScope,
    before: &Share,
    action: Action,
    invitation: Option<Value>,
) -> Result<Answer> {
    let row = store::by_id(write.tx(), scope, before.id).await?;
    let request = write.call().request_id.clone();
    // Whoever had it until now is told, also when it is nobody's from now on.
    let recipient = before.recipient.or(row.recipient);
    party::tell_recipient(write.tx(), scope, recipient, action, &row, &request).await?;
    let change = party::given_change(action, &row, scope);
    let old = party::given(write.tx(), scope, before.clone()).await?;
    let shown = party::given(write.tx(), scope, row).await?;
    write
        .record(change.with_before(old).with_after(shown.clone()))
        .await?;
    write.finish(200, with(shown, invitation)).await
}

/// Ends a share, offers it anew, or moves its end.
pub async fn decided(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ShareId,
    (decision, end): (Decision, ShareEnd),
) -> Result<Answer> {
    check_end(end.expires_at)?;
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    store::hold(write.tx(), scope, id).await?;
    let before = store::by_id(write.tx(), scope, id).await?;
    require(write.tx(), caller, scope, &before).await?;
    call.check_generation(before.generation)?;
    let mut after = Share {
        phase: decide(before.phase, decision)?,
        generation: before.generation + 1,
        ..before.clone()
    };
    after.spec.expires_at = end.expires_at.or(before.spec.expires_at);
    let mut invitation = None;
    match decision {
        Decision::Resend => {
            switch::check_gives(write.tx(), scope).await?;
            if after.is_over(Utc::now()) {
                let detail = "The share's end is over: name a later one.";
                return Err(Error::invalid("/expires_at", code::REQUIRED, detail));
            }
            check_offer(write.tx(), caller, scope, &mut after.spec).await?;
            (after.terms_accepted_at, after.decided_at) = (None, None);
            if !matches!(before.spec.recipient, ShareRecipient::Tenant { .. }) {
                after.recipient = None;
            }
            invitation = invite(write.tx(), scope, id, &after.spec, &app.settings).await?;
        }
        Decision::Extend => {}
        Decision::RotateKey => {
            encryption::check_any(&before)?;
            after.key_generation += 1;
        }
        _ends => {
            after.decided_at = Some(Utc::now());
            invitation::set_token(write.tx(), scope, id, None).await?;
        }
    }
    store::update(write.tx(), scope, &before, &after).await?;
    finish(write, scope, &before, Action::Act(decision.name()), invitation).await
}

pub async fn delete(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ShareId,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    store::hold(write.tx(), scope, id).await?;
    let row = store::by_id(write.tx(), scope, id).await?;
    require(write.tx(), caller, scope, &row).await?;
    call.check_generation(row.generation)?;
    if row.phase == Phase::Active {
        return Err(Error::conflict(code::WRONG_PHASE, "Revoke the share first."));
    }
    let request = call.request_id.clone();
    party::tell_recipient(write.tx(), scope, row.recipient, Action::Delete, &row, &request).await?;
    // Mounts that are still going away hold it: 409.
    let change = party::given_change(Action::Delete, &row, scope);
    let old = party::given(write.tx(), scope, row).await?;
    store::delete(write.tx(), scope, id).await?;
    write.record(change.with_before(old)).await?;
    write.finish_empty().await
}
