//! What a contract needs of what is around its topic, and who is told when its schemas change.

use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;

use crate::auth::{Caller, Role, TenantScope};
use crate::kernel::{DataPlaneId, Error, Id, Result, code};
use crate::resources::cluster::{Cluster, ClusterAccess};
use crate::resources::data_plane_generation::bump_generation;
use crate::resources::topic::contract::{fits_dead_letters, store};
use crate::resources::topic::model::{TopicId, TopicSpec};
use crate::rest::until_settled;
use crate::runtime::{App, Tx};

const ENFORCEMENT: &str = "/spec/contract/enforcement";
const DEAD_LETTERS: &str = "/spec/contract/dead_letter_topic";
/// How long a registration waits for gateways; serializers give up after ten seconds and more.
const JUDGED_WITHIN: Duration = Duration::from_secs(5);

/// Refuses a contract that the cluster cannot keep, and a dead-letter topic that is none.
///
/// # Errors
/// 422 at the field; 403 for a dead-letter topic that the caller may not write to.
pub async fn check(
    tx: &mut Tx,
    caller: &Caller,
    scope: TenantScope,
    cluster: &Cluster,
    id: TopicId,
    before: Option<&TopicSpec>,
    spec: &TopicSpec,
) -> Result<()> {
    let Some(contract) = &spec.contract else {
        return Ok(());
    };
    if contract.judges() && cluster.spec.access == ClusterAccess::Native {
        let detail = "In native mode clients reach the brokers directly, and no gateway judges their records: only OFF can be kept.";
        return Err(Error::invalid(ENFORCEMENT, code::NOT_ENFORCED, detail));
    }
    let Some(target) = contract.dead_letter_topic else {
        return Ok(());
    };
    let refused = |detail: &str| Error::invalid(DEAD_LETTERS, code::BAD_REFERENCE, detail);
    if target == id {
        return Err(refused("A topic cannot take its own dead letters."));
    }
    let found = store::hold_target(tx, scope, cluster.id, target).await?;
    let found = found.ok_or_else(|| refused("There is no such topic in this cluster."))?;
    if !fits_dead_letters(found.cleanup_policy, found.contract.as_ref()) {
        return Err(refused(
            "A dead-letter topic is not compacted, and not under DLQ itself.",
        ));
    }
    let held = before.and_then(|it| it.contract.as_ref()?.dead_letter_topic);
    if held != Some(target) {
        // Records come into it, so it takes who may write there to say so.
        let name = format!("{}/topic={}", cluster.resource_name(), found.name);
        caller.require(Role::Developer, &name)?;
    }
    Ok(())
}

/// Refuses to take topics away, or to make them unfit, while living ones copy dead letters into them. They are held from then on.
///
/// # Errors
/// 409 `in_use`.
pub async fn check_free(tx: &mut Tx, scope: TenantScope, ids: &[TopicId]) -> Result<()> {
    let ids: Vec<Uuid> = ids.iter().map(|it| it.uuid()).collect();
    store::hold(tx, scope, &ids).await?;
    match store::named_by(tx, scope, &ids).await? {
        None => Ok(()),
        Some(name) => {
            let detail = format!(
                "It is the dead-letter topic of the topic {name}: take it out of that one's contract first."
            );
            Err(Error::conflict(code::IN_USE, detail))
        }
    }
}

/// A topic that others copy dead letters into stays fit for them.
///
/// # Errors
/// 409 `in_use`.
pub async fn check_stays_fit(tx: &mut Tx, scope: TenantScope, id: TopicId, spec: &TopicSpec) -> Result<()> {
    if fits_dead_letters(spec.cleanup_policy, spec.contract.as_ref()) {
        return Ok(());
    }
    check_free(tx, scope, &[id]).await
}

/// Moves on the data planes with topics whose contracts take schemas of a subject; last in the transaction that adds versions to it
/// or takes them away. Without such a topic nothing moves, and the answer is no.
///
/// # Errors
/// The database's.
pub async fn tell_of_subject(
    tx: &mut Tx,
    scope: TenantScope,
    environment: Uuid,
    subject: &str,
    schemas: &[Uuid],
) -> Result<bool> {
    let mut planes: BTreeMap<DataPlaneId, Vec<Uuid>> = BTreeMap::new();
    for (topic, data_plane) in store::under_subject(tx, scope, environment, subject, schemas).await? {
        planes.entry(data_plane).or_default().push(Id::uuid(topic));
    }
    let moved = !planes.is_empty();
    for (data_plane, topics) in planes {
        let n = bump_generation(tx, data_plane).await?;
        store::stamp_all(tx, scope, &topics, n).await?;
    }
    Ok(moved)
}

/// Do some gateways judge by less than a subject's topics promise now, of these schemas?
///
/// # Errors
/// The database's.
pub async fn behind_subject(
    tx: &mut Tx,
    scope: TenantScope,
    environment: Uuid,
    subject: &str,
    schemas: &[Uuid],
) -> Result<bool> {
    store::behind(tx, scope, environment, subject, schemas).await
}

/// Waits, some seconds at most, until all gateways judge by what a subject's topics promise now: who registers a schema may produce
/// with its id at once. The schemas are those that the caller was told of.
///
/// # Errors
/// The database's.
pub async fn until_judged(
    app: &App,
    scope: TenantScope,
    environment: Uuid,
    subject: &str,
    schemas: &[Uuid],
) -> Result<()> {
    until_settled(app, JUDGED_WITHIN, || async {
        let mut tx = app.db.read(&scope.scope()).await?;
        let behind = store::behind(&mut tx, scope, environment, subject, schemas).await?;
        tx.commit().await?;
        Ok(((), !behind))
    })
    .await
}
