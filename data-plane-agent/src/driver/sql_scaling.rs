//! The driver's part for how many subtasks jobs in SQL have, and how large the TaskManagers of their pool are.

use std::collections::BTreeMap;
use std::io;

use weir_proto::agent::v1::Job;

use super::Driver;
use crate::flink::sizes::SIZES;
use crate::flink::told::Standing;
use crate::resources::compute_pool::{Demand, Share, room_for};
use crate::resources::job::scaling::{SqlBounds, SqlGiven, SqlPool, own_policy, units};

impl Driver {
    /// The size of a pool's TaskManagers: what the neediest of its jobs asks for, as far as all of them fit.
    pub(super) fn sized(&mut self, pool: &str, own: &[&Job], units_max: u32) -> usize {
        let wanted = own.iter().filter(|it| it.sql.is_some()).map(|job| {
            let room = self.jobs.rooms.get(&job.id);
            room.map_or(0, |it| it.scaler.sql_size(&self.sql_bounds(job)))
        });
        let mut size = wanted.max().unwrap_or(0).min(SIZES.len() - 1);
        let least = |size: usize| {
            let each = own.iter().map(|job| match Self::least_and_most(job) {
                (least, _most) if job.sql.is_some() => units(least, size),
                (least, _most) => least,
            });
            each.fold(0, u32::saturating_add)
        };
        while size > 0 && least(size) > units_max {
            size -= 1;
        }
        self.sql.sizes.insert(pool.to_owned(), size);
        size
    }

    /// Units that a pool's jobs would take on TaskManagers of this size; more than there are where there is none.
    pub(super) fn would_take(&self, own: &[&Job], demands: &[Demand], size: usize) -> u32 {
        if size >= SIZES.len() {
            return u32::MAX;
        }
        let each = own.iter().zip(demands).map(|(job, demand)| {
            let room = self.jobs.rooms.get(&job.id).filter(|_room| job.sql.is_some());
            let target = room.map(|it| it.scaler.sql_target(&self.sql_bounds(job)));
            target.map_or(demand.units.max(demand.held), |it| units(it, size))
        });
        each.fold(0, u32::saturating_add)
    }

    /// What a job wants of its pool before it is looked at anew.
    pub(super) fn demand_of_sql(&self, job: &Job, size: usize, now_ms: u64) -> Demand {
        let bounds = self.sql_bounds(job);
        let room = self.jobs.rooms.get(&job.id);
        let target = room.map_or(bounds.least, |it| it.scaler.sql_target(&bounds));
        let least = units(bounds.least, size);
        let held = self.jobs.given.get(&job.id).copied().unwrap_or(0);
        Demand {
            job: job.id.clone(),
            priority: job.priority,
            least,
            units: units(target, size),
            // What it runs on was made larger only when all that runs fits: it keeps its least of the new size.
            held: if held > 0 { held.max(least) } else { 0 },
            waiting_since_ms: self.jobs.queued.get(&job.id).copied().unwrap_or(now_ms),
        }
    }

    /// Decides how many subtasks a job should have, if it is time.
    pub(super) fn scale_sql(
        &mut self,
        job: &Job,
        (units_max, size, can_be_larger): (u32, usize, bool),
        demands: &mut [Demand],
        at: usize,
        now_ms: u64,
    ) -> io::Result<()> {
        let bounds = self.sql_bounds(job);
        let told = self.sql.told(job);
        let held = demands[at].held;
        let runs = told.standing == Standing::Running && told.version == job.version && held > 0;
        let ends = self.ends_by_table(job);
        let Some(room) = self.jobs.rooms.get_mut(&job.id).filter(|_room| runs) else {
            return Ok(());
        };
        let given = SqlGiven { units: held, size };
        let most = units(bounds.most, size);
        let pool = || SqlPool {
            room: room_for(units_max, demands, &job.id, most, now_ms),
            can_be_larger,
        };
        let decision = room
            .scaler
            .turn_sql(given, (told.reading.as_deref(), &ends), &bounds, pool, now_ms);
        demands[at].units = units(room.scaler.sql_target(&bounds), size);
        self.weighed(job, decision.as_ref(), now_ms)
    }

    /// The subtasks of a job's widest vertex, and of each as far as that was decided, within what its pool gives it.
    pub(super) fn subtasks(&self, job: &Job, share: Share) -> (u32, BTreeMap<String, u32>) {
        let bounds = self.sql_bounds(job);
        let Some(room) = self.jobs.rooms.get(&job.id) else {
            return (bounds.least, BTreeMap::new());
        };
        let Share::Given(units) = share else {
            return (bounds.least, BTreeMap::new());
        };
        let size = self.sql.size(&job.compute_pool_id);
        let slots = SqlGiven { units, size }.slots();
        (
            room.scaler.sql_target(&bounds).min(slots),
            room.scaler.sql_vertices(&bounds),
        )
    }

    fn sql_bounds(&self, job: &Job) -> SqlBounds {
        let (least, most) = Self::least_and_most(job);
        let sources = job.sql.iter().flat_map(|it| &it.sources);
        let partitions = sources.map(|source| {
            let mut topics = self.admitted.topics.iter();
            let topic = topics.find(|it| it.id == source.topic_id);
            (source.name.clone(), topic.map_or(0, |it| it.partitions))
        });
        SqlBounds {
            version: job.version,
            least,
            most,
            partitions: partitions.collect(),
            own: own_policy(job),
            scale_down_after_ms: self.policy.current().scale_down_after_ms(),
        }
    }
}
