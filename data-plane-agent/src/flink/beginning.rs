//! Where a job begins that remembers nothing: at offsets that are committed for its group before Flink is given the job.
//!
//! Flink's Kafka source goes on at the log's begin or end by itself where a log does not have the offset that it wants, in every
//! mode but one: from committed offsets, with no reset. So jobs begin from committed offsets alone, and one whose records are gone
//! fails and says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use weir_proto::agent::v1::{GroupState, GroupType};

use crate::driver::Directory;
use crate::platform::groups::{ListedGroup, Mark, Positions};
use crate::platform::kafka::Kafka;

/// A topic that a job reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its id.
    pub topic_id: String,
    /// How many partitions it has.
    pub partitions: u32,
    /// Is it read from what comes after the job's beginning, or from the oldest record?
    pub from_latest: bool,
}

/// Commits where jobs begin.
#[derive(Clone)]
pub struct Beginner {
    /// The brokers.
    pub kafka: Arc<dyn Kafka>,
    /// Where topics and clusters are.
    pub directory: Arc<ArcSwap<Directory>>,
}

impl Beginner {
    /// Commits where `job` of `cluster` begins, which came to be at `began_ms` (Unix time).
    ///
    /// # Errors
    /// A sentence: nothing may begin.
    pub async fn begin(
        &self,
        (cluster, job): (&str, &str),
        origins: &[Origin],
        began_ms: i64,
    ) -> Result<(), String> {
        let directory = self.directory.load_full();
        let place = directory
            .clusters
            .get(cluster)
            .ok_or("its cluster is not served")?;
        let mut by_mark: [BTreeSet<(String, u32)>; 2] = Default::default();
        for origin in origins {
            let name = place
                .physical_name(&origin.topic_id)
                .ok_or("a topic that it reads is not served")?;
            let partitions = (0..origin.partitions).map(|at| (name.clone(), at));
            by_mark[usize::from(origin.from_latest)].extend(partitions);
        }
        let wanted = by_mark.iter().map(BTreeSet::len).sum::<usize>();
        let mut positions = Positions::new();
        for (partitions, mark) in by_mark.iter().zip([Mark::Earliest, Mark::Time(began_ms)]) {
            if !partitions.is_empty() {
                let found = self.kafka.offsets_at(&place.pool, partitions, mark).await;
                positions.extend(found.map_err(|it| it.to_string())?);
            }
        }
        if positions.len() != wanted {
            return Err("a partition that it reads is not there".to_owned());
        }
        let group = self.group(place, job).await?;
        let committed = self.kafka.commit(&place.pool, &group, &positions).await;
        committed.map_err(|it| it.to_string())
    }

    async fn group(&self, place: &crate::driver::Place, job: &str) -> Result<ListedGroup, String> {
        let id = place.group_out(job);
        let ids = [id.clone()];
        let found: BTreeMap<String, i32> = self
            .kafka
            .coordinators(&place.pool, &ids)
            .await
            .map_err(|it| it.to_string())?;
        let coordinator = *found.get(&id).ok_or("nobody coordinates its group now")?;
        Ok(ListedGroup {
            id,
            kind: GroupType::Classic,
            state: GroupState::Empty,
            coordinator,
        })
    }
}
