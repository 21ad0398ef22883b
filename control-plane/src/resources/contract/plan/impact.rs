//! Whom a change of a contract meets: topics that take its schemas, who wrote to and read from them lately, and jobs that do.

use chrono::{Duration, Utc};
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::kernel::{Id, Result};
use crate::resources::contract::model::Subject;
use crate::resources::contract::plan::api::{
    ContractImpact, ContractImpactJob, ContractImpactShare, ContractImpactTopic, ContractImpactUse,
};
use crate::resources::topic::mount::SharedBy;
use crate::resources::topic::{self, JobUse, Taking};
use crate::resources::usage::{self, Direction, LastUse};
use crate::runtime::Tx;

const TOPICS_MAX: usize = 200;
const USES_MAX: usize = 500;
/// Who has been silent for longer is not warned of a change.
const LATELY: Duration = Duration::days(7);

/// Whom it meets; `record_names` are those of the schemas that the subject holds and would hold.
pub async fn of(
    tx: &mut Tx,
    scope: TenantScope,
    subject: &Subject,
    record_names: &[String],
) -> Result<ContractImpact> {
    // No topic is in the default context.
    let Some(environment) = subject.context.environment else {
        return Ok(ContractImpact::default());
    };
    let mut topics = topic::taking(
        tx,
        scope,
        environment,
        &subject.name,
        record_names,
        one_more(TOPICS_MAX),
    )
    .await?;
    let mut truncated = cut(&mut topics, TOPICS_MAX);
    let ids: Vec<Uuid> = topics.iter().map(|it| it.topic.uuid()).collect();
    let since = Utc::now() - LATELY;
    let mut uses = [Vec::new(), Vec::new()];
    for (found, direction) in uses.iter_mut().zip([Direction::Produce, Direction::Fetch]) {
        *found = usage::last_uses(tx, scope, &ids, since, direction, one_more(USES_MAX)).await?;
        truncated |= cut(found, USES_MAX);
    }
    let mut jobs = topic::jobs_of(tx, scope, &ids, one_more(USES_MAX)).await?;
    truncated |= cut(&mut jobs, USES_MAX);
    let mut shares = topic::mount::shared_by(tx, scope, &ids, one_more(USES_MAX)).await?;
    truncated |= cut(&mut shares, USES_MAX);
    let [writers, readers] = uses.map(|it| it.into_iter().map(ContractImpactUse::from).collect());
    Ok(ContractImpact {
        topics: topics.into_iter().map(ContractImpactTopic::from).collect(),
        writers,
        readers,
        jobs: jobs.into_iter().map(ContractImpactJob::from).collect(),
        shares: shares.into_iter().map(ContractImpactShare::from).collect(),
        truncated,
    })
}

/// One more than is shown tells whether there is more.
fn one_more(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX - 1) + 1
}

fn cut<T>(rows: &mut Vec<T>, most: usize) -> bool {
    let more = rows.len() > most;
    rows.truncate(most);
    more
}

impl From<Taking> for ContractImpactTopic {
    fn from(found: Taking) -> Self {
        let Taking {
            topic,
            name,
            cluster,
            enforcement,
        } = found;
        Self {
            topic_id: topic,
            name,
            cluster_id: cluster,
            enforcement,
        }
    }
}

impl From<LastUse> for ContractImpactUse {
    fn from(found: LastUse) -> Self {
        let LastUse {
            principal,
            name,
            topic,
            direction: _,
            last_hour_at,
        } = found;
        Self {
            service_account_id: principal,
            display_name: name,
            topic_id: topic,
            last_hour_at,
        }
    }
}

impl From<SharedBy> for ContractImpactShare {
    fn from(found: SharedBy) -> Self {
        let SharedBy {
            share,
            name,
            phase,
            topic,
            contract_version,
        } = found;
        Self {
            share_id: Id::from_uuid(share),
            name,
            phase,
            topic_id: topic,
            contract_version,
        }
    }
}

impl From<JobUse> for ContractImpactJob {
    fn from(found: JobUse) -> Self {
        let JobUse {
            job,
            name,
            cluster: _,
            desired_state: _,
            topic,
            part,
        } = found;
        Self {
            job_id: job,
            name,
            topic_id: topic,
            part,
        }
    }
}
