//! The driver's part for what a compute pool's workers take of the machine: bounded, and counted.

use std::collections::BTreeMap;
use std::io;

use tokio::time::Instant;
use weir_proto::agent::v1::ComputePool;

use super::Driver;
use crate::link::ledger::unix_ms;
use crate::platform::cgroup;
use crate::processor::limits;
use crate::resources::is_plain_id;

impl Driver {
    /// Units that processes of a pool have now.
    pub(super) fn units_held(&self, pool: &str) -> u32 {
        let processes = self.platform.processes.as_ref();
        let own = self.admitted.jobs.iter().filter(|it| it.compute_pool_id == pool);
        let rooms = own.filter_map(|it| self.jobs.rooms.get(&it.id));
        let alive: u32 = rooms.map(|room| room.alive(processes)).sum();
        alive.saturating_add(self.sql.units(pool))
    }

    /// Counts what pools use.
    pub(super) fn meter_pools(&mut self) -> io::Result<()> {
        let pools = &self.admitted.compute_pools;
        let held: BTreeMap<String, u32> = pools
            .iter()
            .map(|it| (it.id.clone(), self.units_held(&it.id)))
            .collect();
        self.jobs.meter.look(held, Instant::now(), unix_ms())?;
        self.jobs.reports.used(self.jobs.meter.told());
        Ok(())
    }

    /// The agent ends: what was counted is kept.
    pub(super) fn keep_meter(&mut self) {
        if let Err(error) = self.jobs.meter.keep(unix_ms()) {
            tracing::error!(%error, "what compute pools used could not be written");
        }
    }

    /// Keeps the workers of a pool to its units, where the customer has set a control group aside. A group that cannot be made is
    /// no reason to run nothing: workers bound their own memory.
    pub(super) fn fence(&mut self, pool: &ComputePool) {
        let policy = self.policy.current();
        let Some(above) = policy.job_cgroup().filter(|_above| is_plain_id(&pool.id)) else {
            return;
        };
        let own = self
            .admitted
            .jobs
            .iter()
            .filter(|it| it.compute_pool_id == pool.id);
        let rooms = own.filter_map(|it| self.jobs.rooms.get(&it.id));
        let pids: Vec<i32> = rooms
            .flat_map(|room| room.pids(self.platform.processes.as_ref()))
            .collect();
        let fenced = cgroup::limit(above, &pool.id, pool.max_units, limits::MEMORY_BYTES)
            .and_then(|group| pids.iter().try_for_each(|pid| cgroup::join(&group, *pid)));
        if let Some(error) = fenced.err().map(|it| it.to_string())
            && self.jobs.unfenced.as_ref() != Some(&error)
        {
            tracing::warn!(
                error,
                pool = pool.id,
                "a compute pool is not kept to its units by a control group"
            );
            self.jobs.unfenced = Some(error);
        }
    }
}
