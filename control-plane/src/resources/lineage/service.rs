//! Gathers what a lineage is drawn of.

use std::collections::BTreeSet;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{Error, Result};
use crate::resources::lineage::api::Lineage;
use crate::resources::lineage::graph::{self, Facts};
use crate::resources::lineage::groups;
use crate::resources::lineage::model::Around;
use crate::resources::lineage::store;
use crate::resources::{cluster, topic};
use crate::runtime::App;

/// Who was not seen for so long is not drawn.
const HOURS: i64 = 7 * 24;
/// Uses of topics by jobs that are read.
const JOB_USES_MAX: i64 = 5_000;
/// Half of the graph at most is topics, so that there is room for who uses them.
const TOPICS_MAX: usize = graph::NODES_MAX / 2;

/// Draws the lineage around something.
///
/// # Errors
/// 404 for what the tenant does not have.
pub async fn draw(app: &App, scope: TenantScope, around: Around, now: DateTime<Utc>) -> Result<Lineage> {
    let mut tx = app.db.snapshot(&scope.scope()).await?;
    let mut facts = Facts::default();
    let mut ids = match around {
        Around::Cluster(id) => {
            cluster::by_id(&mut tx, scope, id).await?;
            store::of_cluster(&mut tx, scope, id).await?
        }
        Around::Topic(id) => {
            topic::by_id(&mut tx, scope, id).await?;
            vec![id.uuid()]
        }
        Around::Contract(id) => {
            store::contract_stands(&mut tx, scope, id).await?;
            store::of_contract(&mut tx, scope, id).await?
        }
    };
    facts.truncated = cut(&mut ids, TOPICS_MAX);
    // Where their dead letters go; of one topic also whose come to it.
    let neighbours = matches!(around, Around::Topic(_));
    let mut beside = store::beside(&mut tx, scope, &ids, neighbours).await?;
    beside.retain(|it| !ids.contains(it));
    facts.truncated |= cut(&mut beside, TOPICS_MAX - ids.len());
    ids.extend(beside);
    facts.topics = store::topics(&mut tx, scope, &ids).await?;
    facts.governs = store::governs(&mut tx, scope, &ids).await?;
    facts.jobs = topic::jobs_of(&mut tx, scope, &ids, JOB_USES_MAX).await?;
    let clusters: BTreeSet<Uuid> = facts.topics.iter().map(|it| it.cluster.uuid()).collect();
    let clusters: Vec<Uuid> = clusters.into_iter().collect();
    facts.traffic = store::traffic(&mut tx, scope, &clusters, &ids, &hours(now)?).await?;
    let most = graph::EDGES_MAX;
    facts.truncated |= [facts.governs.len(), facts.traffic.len(), facts.jobs.len()]
        .into_iter()
        .any(|it| it >= most);
    // No connection is held while agents think.
    tx.commit().await?;
    if let Some((groups, more)) = groups::ask(app, &facts.topics).await {
        facts.groups = Some(groups);
        facts.truncated |= more;
    }
    Ok(graph::draw(facts))
}

fn cut(ids: &mut Vec<Uuid>, most: usize) -> bool {
    let more = ids.len() > most;
    ids.truncate(most);
    more
}

/// The hours that are looked through, the newest first: usage is found by tenant, hour, cluster and topic.
fn hours(now: DateTime<Utc>) -> Result<Vec<DateTime<Utc>>> {
    let hour = now.duration_trunc(TimeDelta::hours(1)).map_err(Error::internal)?;
    Ok((0..HOURS).map(|back| hour - TimeDelta::hours(back)).collect())
}
