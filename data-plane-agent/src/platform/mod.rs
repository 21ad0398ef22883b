//! The only code that touches the customer's systems: Kafka and processes. Both have a fake for tests.

use std::sync::Arc;

mod assignment;
pub mod cgroup;
pub mod child;
pub mod discovery;
pub mod fake;
mod fake_discovery;
mod fake_groups;
mod fake_log;
pub mod fake_logs;
mod fake_native;
pub mod groups;
pub mod kafka;
mod kafka_coordinators;
mod kafka_discovery;
mod kafka_extent;
mod kafka_groups;
mod kafka_logs;
mod kafka_native;
mod kafka_read;
mod kafka_real;
pub mod logs;
pub mod native;
pub mod process;

pub use kafka_real::RealKafka;
pub use process::RealProcesses;

/// What an agent runs on.
#[derive(Clone)]
pub struct Platform {
    /// Kafka's administration.
    pub kafka: Arc<dyn kafka::Kafka>,
    /// Records: apart from the administration, so that waiting for records keeps no question waiting.
    pub logs: Arc<dyn logs::Logs>,
    /// Child processes.
    pub processes: Arc<dyn process::Processes>,
}

impl Platform {
    /// The real Kafka and real processes of this machine.
    #[must_use]
    pub fn real() -> Self {
        Self {
            kafka: Arc::new(RealKafka::default()),
            logs: Arc::new(RealKafka::default()),
            processes: Arc::new(RealProcesses),
        }
    }
}
