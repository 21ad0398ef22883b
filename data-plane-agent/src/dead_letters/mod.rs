//! Dead letters of topics under DLQ: gateways mark and withhold them, and from here they are copied to the topic that the
//! contract names, each exactly once (docs/decisions/0035-dead-letters-are-copied-by-the-agent.md).
//!
//! [`routes`] says what goes where, [`scan`] finds it in what was read, [`letter`] makes what is written, [`session`] writes it
//! in transactions; one [`worker`] for each pool does so for all of its topics. Without a topic under DLQ nothing runs.

pub(crate) mod headers;
mod letter;
mod routes;
mod scan;
mod session;
mod status;
mod track;
mod worker;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use weir_proto::lane::v1::Snapshot;

pub use status::{DeadLetters, Row};

use crate::driver::{Directory, Shared};
use crate::platform::Platform;
use crate::platform::logs::Logs;
use worker::Worker;

/// What copying needs of the rest of the agent.
pub struct Copier {
    /// The brokers.
    pub logs: Arc<dyn Logs>,
    /// What is served, contracts among it.
    pub snapshot: watch::Receiver<Arc<Snapshot>>,
    /// And where.
    pub directory: Arc<ArcSwap<Directory>>,
    /// How it goes.
    pub status: Arc<DeadLetters>,
}

impl Copier {
    /// Begins to copy for an agent that serves these snapshots; says how it goes.
    pub fn begin(
        platform: &Platform,
        shared: &Shared,
        snapshot: watch::Receiver<Arc<Snapshot>>,
        tasks: &mut JoinSet<()>,
    ) -> Arc<DeadLetters> {
        let copier = Self {
            logs: Arc::clone(&platform.logs),
            snapshot,
            directory: Arc::clone(&shared.directory),
            status: Arc::default(),
        };
        let status = Arc::clone(&copier.status);
        tasks.spawn(copier.run());
        status
    }

    /// Copies for ever: a worker for each pool that ever had something to copy.
    pub async fn run(mut self) {
        let (mut workers, mut pools) = (JoinSet::new(), BTreeSet::<String>::new());
        let mut running: Vec<(String, AbortHandle)> = Vec::new();
        loop {
            let snapshot = Arc::clone(&self.snapshot.borrow_and_update());
            let known: BTreeSet<&String> = snapshot.upstreams.iter().map(|it| &it.broker_pool_id).collect();
            running.retain(|(pool, worker)| {
                let stays = known.contains(pool) && !worker.is_finished();
                if !stays {
                    worker.abort();
                    pools.remove(pool);
                    self.status.follow(pool, std::iter::empty());
                }
                stays
            });
            for route in routes::of(&snapshot).into_values() {
                if known.contains(&route.pool_id) && pools.insert(route.pool_id.clone()) {
                    let worker = self.worker(route.pool_id.clone());
                    running.push((route.pool_id, workers.spawn(worker.run())));
                }
            }
            tokio::select! {
                changed = self.snapshot.changed() => if changed.is_err() {
                    return;
                },
                // One that panicked is begun anew.
                Some(_ended) = workers.join_next() => {}
            }
        }
    }

    fn worker(&self, pool_id: String) -> Worker {
        Worker::new(
            pool_id,
            Arc::clone(&self.logs),
            self.snapshot.clone(),
            Arc::clone(&self.directory),
            Arc::clone(&self.status),
        )
    }
}
