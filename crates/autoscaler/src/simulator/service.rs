//! What a vertex of a simulated job can do with how many tasks.

use crate::graph::Vertex;
use crate::policy::Policy;
use crate::sizing::bounds;

/// What a vertex can do.
#[derive(Clone, Debug)]
pub struct Service {
    /// Records per second of one task alone, at 100 % busy.
    pub rate_per_task: f64,
    /// How much each further task slows the others; 0: not at all.
    pub contention: f64,
    /// Share of the records that one key, or one partition, has.
    pub hot_share: f64,
    /// How much more than its fair share the fullest task has beside that.
    pub unevenness: f64,
    /// Records given out to each reader for one taken in.
    pub selectivity: f64,
    /// Of a source: its share of what arrives.
    pub arrival_share: f64,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            rate_per_task: 1_000.0,
            contention: 0.0,
            hot_share: 0.0,
            unevenness: 0.0,
            selectivity: 1.0,
            arrival_share: 1.0,
        }
    }
}

impl Service {
    /// Share of the records that the fullest of so many tasks has.
    pub fn fullest(&self, vertex: &Vertex, tasks: u32) -> f64 {
        if tasks <= 1 {
            return 1.0;
        }
        (self.hot_share + (1.0 - self.hot_share) * vertex.fair_share(tasks) * (1.0 + self.unevenness))
            .min(1.0)
    }

    /// Records per second that so many tasks can do before the fullest is 100 % busy.
    pub fn capacity(&self, vertex: &Vertex, tasks: u32) -> f64 {
        let slowed = 1.0 + self.contention * (f64::from(tasks.max(1)) - 1.0);
        self.rate_per_task / slowed / self.fullest(vertex, tasks)
    }

    /// The fewest tasks that can do so much, within bounds; the most allowed where none can.
    pub fn fewest(&self, vertex: &Vertex, rate: f64, policy: &Policy) -> u32 {
        let (least, most, _) = bounds(vertex, policy);
        (least..=most)
            .find(|tasks| self.capacity(vertex, *tasks) >= rate)
            .unwrap_or(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skew_and_groups_decide_what_tasks_are_worth() {
        let vertex = Vertex::source("a", 1, 6);
        let even = Service::default();
        let capacities: Vec<_> = [1, 3, 4, 5, 6, 9]
            .map(|tasks| even.capacity(&vertex, tasks).round())
            .into();
        assert_eq!(capacities, [1_000.0, 3_000.0, 3_000.0, 3_000.0, 6_000.0, 6_000.0]);
        let hot = Service {
            hot_share: 0.5,
            ..Service::default()
        };
        assert!(hot.capacity(&Vertex::operator("b", 1, 128, false), 1_000) < 2_000.0);
    }
}
