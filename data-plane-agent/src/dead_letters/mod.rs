//! Dead letters of topics under DLQ: gateways mark and withhold them, and from here they are copied to the topic that the
//! contract names, each exactly once (docs/decisions/0035-dead-letters-are-copied-by-the-agent.md).
//!
//! [`routes`] says what goes where, [`scan`] finds it in what was read, [`letter`] makes what is written, [`session`] writes it
//! in transactions; one [`worker`] for each pool does so for all of its topics. Without a topic under DLQ nothing runs.
//!
//! What is in a dead-letter topic is read by [`listing`] and sent again by [`redrive`], when somebody within the network asks
//! the [`Office`] to.

pub(crate) mod headers;
mod letter;
mod listing;
mod office;
mod redrive;
mod routes;
mod scan;
mod session;
mod status;
mod told;
mod track;
mod worker;

#[cfg(test)]
pub mod samples;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use weir_proto::lane::v1::Snapshot;

pub(crate) use listing::Content;
pub use listing::{Asked, Page};
pub use office::{Office, Refusal};
pub use redrive::{Phase, Progress, Wish};
pub(crate) use scan::walk;
pub(crate) use session::Way;
pub use status::{DeadLetters, Row};
pub(crate) use track::edges;

use crate::driver::Directory;
use crate::platform::logs::Logs;
use worker::Worker;

/// What letters need of the rest of the agent.
#[derive(Clone)]
pub struct Post {
    /// The brokers.
    pub logs: Arc<dyn Logs>,
    /// What is served, contracts among it.
    pub snapshot: watch::Receiver<Arc<Snapshot>>,
    /// And where.
    pub directory: Arc<ArcSwap<Directory>>,
}

/// What copies.
pub struct Copier {
    /// What it needs.
    pub post: Post,
    /// How it goes.
    pub status: Arc<DeadLetters>,
}

impl Copier {
    /// Copies for ever: a worker for each pool that ever had something to copy.
    pub async fn run(mut self) {
        let (mut workers, mut pools) = (JoinSet::new(), BTreeSet::<String>::new());
        let mut running: Vec<(String, AbortHandle)> = Vec::new();
        loop {
            let snapshot = Arc::clone(&self.post.snapshot.borrow_and_update());
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
                changed = self.post.snapshot.changed() => if changed.is_err() {
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
            Arc::clone(&self.post.logs),
            self.post.snapshot.clone(),
            Arc::clone(&self.post.directory),
            Arc::clone(&self.status),
        )
    }
}
