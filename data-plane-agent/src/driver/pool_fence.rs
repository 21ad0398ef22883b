//! The driver's part for what a compute pool's workers may take of the machine.

use weir_proto::agent::v1::ComputePool;

use super::Driver;
use crate::platform::cgroup;
use crate::processor::limits;
use crate::resources::is_plain_id;

impl Driver {
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
