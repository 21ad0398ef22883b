//! What a share is to both of its sides: each part is read and written under the scope of the tenant that it belongs to, one after the other in
//! one transaction.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::auth::{DirectoryScope, TenantScope};
use crate::kernel::{Action, Change, DataPlaneId, Id, Result, TenantId, kind};
use crate::resources::data_plane_generation::bump_generation;
use crate::resources::served::{self, Report};
use crate::resources::share::api::{self, Beside};
use crate::resources::share::model::{Decision, Share};
use crate::resources::share::mount;
use crate::resources::topic::{self, TopicId};
use crate::resources::{cluster, owner, tenant};
use crate::rest::note;
use crate::runtime::Tx;

/// By share.
type AllBeside = BTreeMap<Uuid, Beside>;

/// What stands beside shares that the tenant gives.
pub async fn beside_given(tx: &mut Tx, scope: TenantScope, rows: &[Share]) -> Result<AllBeside> {
    let mut all = read(tx, scope, rows).await?;
    let mut by_recipient: BTreeMap<TenantId, Vec<Uuid>> = BTreeMap::new();
    for row in rows {
        if let Some(recipient) = row.recipient {
            by_recipient.entry(recipient).or_default().push(row.id.uuid());
        }
    }
    for (recipient, shares) in by_recipient {
        let consumer = TenantScope::turn_to_party(tx, recipient).await?;
        mounts(tx, consumer, &shares, &mut all).await?;
        let name = name(tx, consumer).await?;
        for share in shares {
            all.entry(share).or_default().other_name.clone_from(&name);
        }
    }
    scope.back(tx).await?;
    Ok(all)
}

/// What stands beside shares that the tenant receives.
pub async fn beside_received(tx: &mut Tx, scope: TenantScope, rows: &[Share]) -> Result<AllBeside> {
    let mut all = read(tx, scope, rows).await?;
    let shares: Vec<Uuid> = rows.iter().map(|it| it.id.uuid()).collect();
    mounts(tx, scope, &shares, &mut all).await?;
    let names = names(tx, scope, rows.iter().map(|it| it.provider).collect()).await?;
    for row in rows {
        let beside = all.entry(row.id.uuid()).or_default();
        beside.other_name = names.get(&row.provider).cloned().unwrap_or_default();
    }
    Ok(all)
}

async fn read(tx: &mut Tx, scope: TenantScope, rows: &[Share]) -> Result<AllBeside> {
    let shares: Vec<Uuid> = rows.iter().map(|it| it.id.uuid()).collect();
    let reads = mount::reads(tx, scope, &shares).await?;
    let with = |id: Uuid| Beside {
        other_name: String::new(),
        mounts: Vec::new(),
        read: reads.get(&id).copied().unwrap_or_default(),
    };
    Ok(shares.into_iter().map(|id| (id, with(id))).collect())
}

async fn mounts(tx: &mut Tx, consumer: TenantScope, shares: &[Uuid], all: &mut AllBeside) -> Result<()> {
    let mounts = mount::of_shares(tx, consumer, shares).await?;
    let topics: Vec<Uuid> = mounts.iter().map(|it| it.topic.uuid()).collect();
    let mut reports: BTreeMap<Uuid, Report> = served::reports(tx, &topics).await?.into_iter().collect();
    for mount in mounts {
        let report = reports.remove(&mount.topic.uuid());
        let beside = all.entry(mount.share.uuid()).or_default();
        beside.mounts.push((mount, report));
    }
    Ok(())
}

/// What people call the tenant whose scope this is.
pub async fn name(tx: &mut Tx, scope: TenantScope) -> Result<String> {
    let spec = tenant::by_id(tx, DirectoryScope::Tenant(scope), scope.tenant())
        .await?
        .spec;
    Ok(if spec.display_name.is_empty() {
        spec.name
    } else {
        spec.display_name
    })
}

/// What people call some tenants with which this one has to do; goes to each, and back.
pub async fn names(
    tx: &mut Tx,
    scope: TenantScope,
    others: BTreeSet<TenantId>,
) -> Result<BTreeMap<TenantId, String>> {
    let mut names = BTreeMap::new();
    for other in others {
        let party = TenantScope::turn_to_party(tx, other).await?;
        names.insert(other, name(tx, party).await?);
    }
    scope.back(tx).await?;
    Ok(names)
}

/// One share as its provider sees it now.
pub async fn given(tx: &mut Tx, scope: TenantScope, row: Share) -> Result<serde_json::Value> {
    let mut beside = beside_given(tx, scope, std::slice::from_ref(&row)).await?;
    let beside = beside.remove(&row.id.uuid()).unwrap_or_default();
    api::given(row, &beside).json()
}

/// One share as its recipient sees it now.
pub async fn received(tx: &mut Tx, scope: TenantScope, row: &Share) -> Result<serde_json::Value> {
    let beside = beside_received(tx, scope, std::slice::from_ref(row)).await?;
    let nothing = Beside::default();
    let beside = beside.get(&row.id.uuid()).unwrap_or(&nothing);
    api::received(row, beside).json()
}

/// A change of a share, in its provider's words.
pub fn given_change(action: Action, row: &Share, provider: TenantScope) -> Change {
    Change::new(
        action,
        row.id,
        &row.resource_name(),
        row.generation,
        owner(provider),
    )
}

/// The same in its recipient's words.
pub fn received_change(action: Action, row: &Share, consumer: TenantScope) -> Change {
    let id = Id::<kind::ReceivedShare>::from_uuid(row.id.uuid());
    Change::new(
        action,
        id,
        &format!("received_share={id}"),
        row.generation,
        owner(consumer),
    )
}

/// Tells the provider what its recipient decided; under the provider's scope. It learns which tenant did, not who.
pub async fn tell_provider(
    tx: &mut Tx,
    provider: TenantScope,
    consumer: TenantId,
    action: Action,
    row: &Share,
    request_id: &str,
) -> Result<()> {
    note(
        tx,
        &given_change(action, row, provider),
        &consumer.to_string(),
        request_id,
    )
    .await
}

/// Goes to the recipient, tells it what was decided, and lets its mounts go if the share ended; then back to the provider.
pub async fn tell_recipient(
    tx: &mut Tx,
    provider: TenantScope,
    recipient: Option<TenantId>,
    action: Action,
    row: &Share,
    request_id: &str,
) -> Result<()> {
    let Some(recipient) = recipient else { return Ok(()) };
    let consumer = TenantScope::turn_to_party(tx, recipient).await?;
    let ends = [Decision::Revoke, Decision::Expire]
        .iter()
        .any(|it| action == Action::Act(it.name()));
    if ends {
        shut(tx, consumer, row).await?;
    } else if row.phase == crate::rest::Phase::Active {
        stamp(tx, consumer, row).await?;
    }
    note(
        tx,
        &received_change(action, row, consumer),
        &provider.tenant().to_string(),
        request_id,
    )
    .await?;
    provider.back(tx).await
}

/// Lets the mounts of a share go, under its recipient's scope: tombstones, which the agent carries out.
pub async fn shut(tx: &mut Tx, consumer: TenantScope, row: &Share) -> Result<()> {
    let ended = mount::end(tx, consumer, row.id).await?;
    let ids: Vec<Uuid> = ended.iter().map(|it| it.uuid()).collect();
    let Some(data_plane) = topic::mount::bury(tx, consumer, &ids).await? else {
        return Ok(());
    };
    let Some(first) = ended.first() else { return Ok(()) };
    let first = topic::by_id(tx, consumer, *first).await?;
    if served::report(tx, first.broker_pool.uuid()).await?.is_none() {
        // No agent ever spoke of the pool: nobody shows them.
        topic::mount::forget(tx, consumer, &ids).await?;
    }
    stamped(tx, consumer, data_plane, &ended).await
}

/// What mounts show changed: the agent learns of it.
async fn stamp(tx: &mut Tx, consumer: TenantScope, row: &Share) -> Result<()> {
    let mounts = mount::of_shares(tx, consumer, &[row.id.uuid()]).await?;
    let living: Vec<_> = mounts.iter().filter(|it| it.ended_at.is_none()).collect();
    let Some(data_plane) = living.iter().find_map(|it| it.data_plane) else {
        return Ok(());
    };
    let ids: Vec<TopicId> = living.iter().map(|it| it.topic).collect();
    stamped(tx, consumer, data_plane, &ids).await
}

/// Moves the wish on, and notes which of them carries the mounts.
pub async fn stamped(
    tx: &mut Tx,
    consumer: TenantScope,
    data_plane: DataPlaneId,
    mounts: &[TopicId],
) -> Result<()> {
    let n = bump_generation(tx, data_plane).await?;
    for id in mounts {
        topic::mount::stamp(tx, consumer, *id, n).await?;
    }
    Ok(())
}

/// The broker pool that a share's topics are on; under the provider's scope.
pub async fn pool_of(
    tx: &mut Tx,
    provider: TenantScope,
    row: &Share,
) -> Result<crate::resources::broker_pool::BrokerPoolId> {
    Ok(cluster::by_id(tx, provider, row.spec.cluster)
        .await?
        .spec
        .broker_pool)
}
