//! What a recipient does with the shares that it is offered.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::auth::{Caller, Role, TenantScope};
use crate::kernel::{Action, Change, Error, Id, Result, code, kind};
use crate::resources::cluster::Cluster;
use crate::resources::service_quota::{self, Quota};
use crate::resources::share::api::{PreviewedTopic, ReceivedTopic, ShareAcceptance, SharePreview, offered};
use crate::resources::share::model::{Decision, Mount, Share, ShareId, ShareStart, decide, is_live};
use crate::resources::share::{mount, party, store, switch, view};
use crate::resources::{cluster, owner, referred, topic};
use crate::rest::{Answer, Begun, Call, Phase, Write};
use crate::runtime::{App, Tx};

const PREFIX_MAX: usize = 100;

/// The id under which its provider knows it.
pub fn given_id(id: Id<kind::ReceivedShare>) -> ShareId {
    Id::from_uuid(id.uuid())
}

/// Takes a share: its topics are shown in the recipient's cluster from then on.
pub async fn accept(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ShareId,
    input: ShareAcceptance,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = store::received_by_id(write.tx(), scope, id).await?;
    call.check_generation(before.generation)?;
    switch::check_receives(write.tx(), scope).await?;
    let cluster = target(write.tx(), caller, scope, &input).await?;
    let (before, after) = decide_at_provider(
        &mut write,
        scope,
        &before,
        Decision::Accept,
        Some((&input, &cluster)),
    )
    .await?;
    show(&mut write, scope, &after, &cluster, &input).await?;
    finish(write, scope, &before, Decision::Accept).await
}

/// Refuses a share, or ends it.
pub async fn decided(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ShareId,
    decision: Decision,
) -> Result<Answer> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), call).await? {
        Begun::Replayed(answer) => return Ok(answer),
        Begun::Fresh(write) => write,
    };
    let before = store::received_by_id(write.tx(), scope, id).await?;
    call.check_generation(before.generation)?;
    let mounts = mount::of_shares(write.tx(), scope, &[id.uuid()]).await?;
    let living: Vec<&Mount> = mounts.iter().filter(|it| it.ended_at.is_none()).collect();
    if let Some(first) = living.first() {
        let cluster = cluster::by_id(write.tx(), scope, first.cluster).await?;
        caller.require(Role::TenantAdmin, &cluster.resource_name())?;
        let topics: Vec<_> = living.iter().map(|it| it.topic).collect();
        topic::mount::check_unread(write.tx(), scope, &topics).await?;
    } else {
        // What concerns the tenant as a whole.
        caller.require(Role::TenantAdmin, "received_share")?;
    }
    let (before, after) = decide_at_provider(&mut write, scope, &before, decision, None).await?;
    party::shut(write.tx(), scope, &after).await?;
    finish(write, scope, &before, decision).await
}

/// The cluster that is to show the topics.
async fn target(
    tx: &mut Tx,
    caller: &Caller,
    scope: TenantScope,
    input: &ShareAcceptance,
) -> Result<Cluster> {
    let found = cluster::by_id(tx, scope, input.cluster).await;
    let found = referred(found, "/cluster", "There is no such cluster.")?;
    caller.require(Role::TenantAdmin, &found.resource_name())?;
    found.require_gateway("could show a shared topic")?;
    if found.deleted_at.is_some() {
        return Err(Error::conflict(
            code::BEING_DELETED,
            "The cluster is being deleted.",
        ));
    }
    Ok(found)
}

/// Decides in the provider's row, under its scope; then back. Two who decide at once come one after the other, and the second meets what
/// the first decided.
async fn decide_at_provider(
    write: &mut Write,
    scope: TenantScope,
    seen: &Share,
    decision: Decision,
    taking: Option<(&ShareAcceptance, &Cluster)>,
) -> Result<(Share, Share)> {
    let request = write.call().request_id.clone();
    let tx = write.tx();
    let provider = TenantScope::turn_to_party(tx, seen.provider).await?;
    store::hold(tx, provider, seen.id).await?;
    let before = store::by_id(tx, provider, seen.id).await?;
    if before.recipient != Some(scope.tenant()) {
        return Err(Error::not_found("ReceivedShare"));
    }
    let now = Utc::now();
    let mut after = Share {
        phase: decide(before.phase, decision)?,
        generation: before.generation + 1,
        decided_at: Some(now),
        ..before.clone()
    };
    if let Some((input, cluster)) = taking {
        check_taking(tx, provider, &before, input, cluster, now).await?;
        let agreed = !before.spec.terms.is_empty() && input.terms_accepted;
        after.terms_accepted_at = agreed.then_some(now);
    }
    if decision == Decision::Preview {
        after.decided_at = before.decided_at;
    }
    store::update(tx, provider, &before, &after).await?;
    let action = Action::Act(decision.name());
    party::tell_provider(tx, provider, scope.tenant(), action, &after, &request).await?;
    scope.back(tx).await?;
    Ok((before, after))
}

/// What has to hold when a share is taken, on the provider's side.
async fn check_taking(
    tx: &mut Tx,
    provider: TenantScope,
    share: &Share,
    input: &ShareAcceptance,
    cluster: &Cluster,
    now: DateTime<Utc>,
) -> Result<()> {
    if share.is_over(now) {
        let detail = "The share's time is over; ask its provider to extend it.";
        return Err(Error::conflict(code::WRONG_PHASE, detail));
    }
    if !share.spec.terms.is_empty() && !input.terms_accepted {
        let detail = "The share has terms: agree to them with `terms_accepted`.";
        return Err(Error::invalid("/terms_accepted", code::TERMS, detail));
    }
    if party::pool_of(tx, provider, share).await? != cluster.spec.broker_pool {
        let detail = "The cluster is on another broker pool than the topics: a mount shows what is there already. Take it into a cluster of \
                      yours on the provider's pool (a data plane grant lends a place there), then copy it into this one with a cluster link.";
        return Err(Error::conflict(code::OTHER_POOL, detail));
    }
    let ids: Vec<_> = share.spec.topics.iter().map(|it| it.topic.uuid()).collect();
    if ids.is_empty() || topic::mount::hold_shared(tx, provider, &ids).await? != ids.len() {
        let detail = "A topic of the share is gone or going; ask its provider for another share.";
        return Err(Error::conflict(code::BEING_DELETED, detail));
    }
    Ok(())
}

/// Makes the topics that show the share's, in the recipient's cluster.
async fn show(
    write: &mut Write,
    scope: TenantScope,
    share: &Share,
    cluster: &Cluster,
    input: &ShareAcceptance,
) -> Result<()> {
    let tx = write.tx();
    let count = i64::try_from(share.spec.topics.len()).unwrap_or(i64::MAX);
    service_quota::check_more(tx, scope, Quota::Topics, count).await?;
    let taken: BTreeSet<String> = topic::names(tx, scope, cluster.id).await?.into_values().collect();
    let mut made = Vec::with_capacity(share.spec.topics.len());
    for shared in &share.spec.topics {
        let alias = shared.alias.clone().unwrap_or_default();
        let name = format!("{}{alias}", input.name_prefix);
        if input.name_prefix.len() > PREFIX_MAX || !topic::is_name(&name) {
            return Err(Error::invalid("/name_prefix", code::BAD_NAME, topic::NAME_RULE));
        }
        if taken.contains(&name) {
            let detail = format!("The cluster has a topic {name} already: take another name_prefix.");
            return Err(Error::conflict(code::NAME_TAKEN, detail));
        }
        let mount = Mount {
            topic: Id::generate(),
            share: share.id,
            shown: shared.topic,
            cluster: cluster.id,
            alias,
            name: Some(name.clone()),
            data_plane: Some(cluster.data_plane),
            desired_n: 0,
            deleted: false,
            ended_at: None,
        };
        let new = topic::mount::NewMount {
            id: mount.topic,
            cluster: cluster.id,
            data_plane: cluster.data_plane,
            name,
            share: share.id.uuid(),
            shown: shared.topic,
        };
        topic::mount::insert(tx, scope, &new).await?;
        mount::begin(tx, scope, share, &mount, from_unix_ms(&shared.start)).await?;
        made.push(mount.topic);
    }
    party::stamped(tx, scope, cluster.data_plane, &made).await?;
    for id in made {
        let row = topic::by_id(write.tx(), scope, id).await?;
        let change = Change::new(
            Action::Create,
            id,
            &row.resource_name(),
            row.generation,
            owner(scope),
        );
        write.record(change.with_after(topic::mount::shown(row)?)).await?;
    }
    Ok(())
}

/// From which timestamp on records are shown; 0: all.
fn from_unix_ms(start: &ShareStart) -> i64 {
    match start {
        ShareStart::Earliest {} => 0,
        ShareStart::Latest {} => Utc::now().timestamp_millis(),
        ShareStart::Timestamp { timestamp } => timestamp.timestamp_millis(),
    }
}

async fn finish(
    mut write: Box<Write>,
    scope: TenantScope,
    before: &Share,
    decision: Decision,
) -> Result<Answer> {
    let row = store::received_by_id(write.tx(), scope, before.id).await?;
    let change = party::received_change(Action::Act(decision.name()), &row, scope);
    let old = party::received(write.tx(), scope, before).await?;
    let shown = party::received(write.tx(), scope, &row).await?;
    write
        .record(change.with_before(old).with_after(shown.clone()))
        .await?;
    write.finish(200, shown).await
}

/// What its recipient will see: fields after everything that is done with records. The first look is noted.
pub async fn preview(
    app: &App,
    caller: &Caller,
    scope: TenantScope,
    call: &Call,
    id: ShareId,
) -> Result<SharePreview> {
    let mut write = match Write::begin(app, &scope.scope(), caller, owner(scope), &call.without_key()).await?
    {
        Begun::Replayed(_never) => return Err(Error::internal("replay a look")),
        Begun::Fresh(write) => write,
    };
    let row = store::received_by_id(write.tx(), scope, id).await?;
    if row.phase == Phase::Invited {
        let (before, _after) = decide_at_provider(&mut write, scope, &row, Decision::Preview, None).await?;
        let provider = TenantScope::turn_to_party(write.tx(), before.provider).await?;
        let shown = look(write.tx(), provider, id).await?;
        scope.back(write.tx()).await?;
        finish(write, scope, &before, Decision::Preview).await?;
        return Ok(shown);
    }
    let provider = TenantScope::turn_to_party(write.tx(), row.provider).await?;
    look(write.tx(), provider, id).await
}

/// A share as whoever is invited sees it; under the provider's scope.
pub async fn look(tx: &mut Tx, provider: TenantScope, id: ShareId) -> Result<SharePreview> {
    let row = store::by_id(tx, provider, id).await?;
    let provider_name = party::name(tx, provider).await?;
    let mut topics = Vec::with_capacity(row.spec.topics.len());
    for (at, shared) in row.spec.topics.iter().enumerate() {
        let found = topic::by_id(tx, provider, shared.topic).await?;
        // What was valid when it was offered, and is no more, shows no fields.
        let view = view::compile(
            tx,
            provider,
            &found,
            &shared.steps,
            &format!("/spec/topics/{at}/steps"),
        )
        .await
        .unwrap_or_default();
        topics.push(PreviewedTopic {
            topic: ReceivedTopic {
                alias: shared.alias.clone().unwrap_or_default(),
                contract_version: shared.contract_version,
                changed: !shared.steps.is_empty(),
                start: shared.start.clone(),
                keys: shared.keys_shown(),
                encrypted: shared.encryption.is_some(),
            },
            filtered: view.filtered,
            fields: view.fields,
        });
    }
    Ok(SharePreview {
        kind: "SharePreview",
        id: Id::from_uuid(row.id.uuid()),
        phase: row.phase,
        provider_name,
        spec: offered(&row.spec),
        topics,
        invitation_expires_at: row.invitation_expires_at.filter(|_| is_live(row.phase)),
    })
}

/// A received share as it is now.
pub async fn read(app: &App, scope: TenantScope, id: ShareId) -> Result<Value> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let row = store::received_by_id(&mut tx, scope, id).await?;
    let shown = party::received(&mut tx, scope, &row).await?;
    tx.commit().await?;
    Ok(shown)
}
