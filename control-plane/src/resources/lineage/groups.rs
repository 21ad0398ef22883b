//! Consumer groups of the topics: nothing of them is stored, so the agents are asked now.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tokio::sync::Semaphore;
use weir_proto::agent::v1::ask::Question;
use weir_proto::agent::v1::{GroupQuestion, GroupState, GroupsQuestion};

use crate::kernel::{ClusterId, DataPlaneId, Error, Result};
use crate::resources::consumer_group;
use crate::resources::lineage::model::{Consumes, Topic};
use crate::resources::topic::TopicId;
use crate::runtime::App;

/// Groups of one cluster that are asked about.
const GROUPS_MAX: u32 = 100;
/// Clusters of one answer that are asked.
const CLUSTERS_MAX: usize = 4;
/// Questions to one agent at a time: others ask it, too.
const AT_ONCE: usize = 8;
/// As long as anybody waits for a graph.
const DEADLINE: Duration = Duration::from_secs(10);
/// Graphs that ask at one time in this process.
const ASKING_MAX: usize = 4;
static ASKING: Semaphore = Semaphore::const_new(ASKING_MAX);

/// What agents told, and whether there is more; `None` when one could not be asked in time.
pub async fn ask(app: &App, topics: &[Topic]) -> Option<(Vec<Consumes>, bool)> {
    let _room = ASKING.try_acquire().ok()?;
    let mut clusters: BTreeMap<ClusterId, (DataPlaneId, BTreeSet<TopicId>)> = BTreeMap::new();
    for topic in topics {
        let held = clusters
            .entry(topic.cluster)
            .or_insert_with(|| (topic.data_plane, BTreeSet::new()));
        held.1.insert(topic.id);
    }
    let mut truncated = clusters.len() > CLUSTERS_MAX;
    let mut told = Vec::new();
    let asking = async {
        for (cluster, (data_plane, wanted)) in clusters.iter().take(CLUSTERS_MAX) {
            let (consumes, more) = of_cluster(app, *cluster, *data_plane, wanted).await?;
            told.extend(consumes);
            truncated |= more;
        }
        Ok::<(), Error>(())
    };
    match tokio::time::timeout(DEADLINE, asking).await {
        Ok(Ok(())) => Some((told, truncated)),
        Ok(Err(_away)) => None,
        Err(_late) => None,
    }
}

async fn of_cluster(
    app: &App,
    cluster: ClusterId,
    data_plane: DataPlaneId,
    wanted: &BTreeSet<TopicId>,
) -> Result<(Vec<Consumes>, bool)> {
    let list = Question::Groups(GroupsQuestion {
        cluster_id: cluster.to_string(),
        after: String::new(),
        limit: GROUPS_MAX,
    });
    let listed = consumer_group::read(app, data_plane, list)
        .await?
        .groups
        .unwrap_or_default();
    let most = usize::try_from(GROUPS_MAX).unwrap_or(usize::MAX);
    let mut truncated = listed.more || listed.groups.len() > most;
    let names = listed.groups.into_iter().map(|it| it.group_id).take(most);
    let answers = stream::iter(names)
        .map(|group| of_group(app, cluster, data_plane, group, wanted))
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let mut told = Vec::new();
    for answer in answers {
        match answer {
            Some(consumes) => told.extend(consumes),
            // It went meanwhile, or is not told of.
            None => truncated = true,
        }
    }
    Ok((told, truncated))
}

async fn of_group(
    app: &App,
    cluster: ClusterId,
    data_plane: DataPlaneId,
    group: String,
    wanted: &BTreeSet<TopicId>,
) -> Option<Vec<Consumes>> {
    let question = Question::Group(GroupQuestion {
        cluster_id: cluster.to_string(),
        group_id: group.clone(),
    });
    let answer = consumer_group::read(app, data_plane, question)
        .await
        .ok()?
        .group?;
    let state = state(answer.summary.unwrap_or_default().state());
    // An agent serves several tenants: what is not among the topics asked about is nobody's business here.
    let topics: BTreeSet<TopicId> = answer
        .positions
        .iter()
        .filter_map(|it| it.topic_id.parse().ok())
        .filter(|it| wanted.contains(it))
        .collect();
    let consumes = topics.into_iter().map(|topic| Consumes {
        cluster,
        group: group.clone(),
        state,
        topic,
    });
    Some(consumes.collect())
}

const fn state(told: GroupState) -> &'static str {
    match told {
        GroupState::Empty => "EMPTY",
        GroupState::Stable => "STABLE",
        GroupState::Rebalancing => "REBALANCING",
        GroupState::Dead => "DEAD",
        GroupState::Unspecified => "UNKNOWN",
    }
}
