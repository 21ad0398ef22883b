//! What others allow a job: room in its compute pool, its quota, and the sizes of TaskManager there are.

use serde::{Deserialize, Serialize};

/// Bounds that do not come from the job's own policy. Units are compute units; what one is in memory and cores is the pool's affair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Units that the pool can give the job beyond what it has. `None`: no limit.
    pub pool_room_units: Option<u64>,
    /// The most units that the job may have in all, by quota or budget. `None`: no limit.
    pub quota_units: Option<u64>,
    /// Units of one slot for each size of TaskManager, from the smallest; empty: one size of one unit.
    pub size_class_units: Vec<u64>,
    /// The size that the job runs with now, as a place in that list.
    pub size_class: usize,
}

impl Limits {
    /// Units of one slot of the size that it runs with.
    pub fn units_per_slot(&self) -> u64 {
        let last = self.size_class_units.len().saturating_sub(1);
        self.size_class_units
            .get(self.size_class.min(last))
            .copied()
            .unwrap_or(1)
            .max(1)
    }

    /// The next larger size, and units of one of its slots.
    pub fn larger(&self) -> Option<(usize, u64)> {
        let next = self.size_class.checked_add(1)?;
        self.size_class_units
            .get(next)
            .map(|units| (next, (*units).max(1)))
    }
}
