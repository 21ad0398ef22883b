//! Cluster links that are written here: topics of another cluster of the same tenant's, copied from the gateways of its data plane, each
//! record once and in order (docs/decisions/0057-a-link-copies-between-clusters-of-one-tenant.md).
//!
//! [`plan`] says what the customer's policy lets become of the links; a [`worker`] for each lives one [`life`] after the other. In a life,
//! [`open`] finds where each topic goes on, [`copy`] what of the source's records is written, as batches that [`pack`] makes; and [`session`]
//! writes them in one transaction with the places behind them. [`syncs`] are kept beside each place.

mod begun;
mod book;
mod copy;
mod identity;
mod life;
mod open;
mod pack;
mod plan;
mod session;
mod syncs;
mod track;
mod worker;

#[cfg(test)]
pub(crate) mod scene;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trouble_tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use book::Translated;
pub use identity::open_or_make;
pub use plan::{Around, Plan, Plans, plans, source};

use crate::link_reports::LinkReports;
use crate::platform::Platform;
use begun::Begun;
use worker::{Common, Worker};

/// What the driver says of links, and what is said of them.
#[derive(Debug)]
pub struct Ground {
    /// What is to be done; `None`: nobody has said yet.
    pub plans: watch::Sender<Option<Arc<Plans>>>,
    /// How it goes.
    pub reports: Arc<LinkReports>,
}

impl Default for Ground {
    fn default() -> Self {
        Self {
            plans: watch::Sender::new(None),
            reports: Arc::default(),
        }
    }
}

/// A worker that runs.
struct Running {
    plan: Plan,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// All links that are written here.
pub struct Links {
    common: Common,
    plans: watch::Receiver<Option<Arc<Plans>>>,
    stop: CancellationToken,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Links").finish_non_exhaustive()
    }
}

impl Links {
    /// Of an agent; nothing runs yet.
    #[must_use]
    pub fn open(
        platform: &Platform,
        ground: &Ground,
        state_dir: &Path,
        stop: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self {
            common: Common {
                logs: Arc::clone(&platform.logs),
                folder: state_dir.join("cluster-links"),
                book: Arc::default(),
                reports: Arc::clone(&ground.reports),
            },
            plans: ground.plans.subscribe(),
            stop,
        })
    }

    /// Where in a copy whoever was at `offset` of its source goes on; `None`: that is not known here.
    #[must_use]
    pub fn translate(
        &self,
        link_id: &str,
        topic_id: &str,
        partition: i32,
        offset: i64,
    ) -> Option<Translated> {
        self.common.book.translate(link_id, topic_id, partition, offset)
    }

    /// Follows the plans until it is stopped.
    pub async fn run(self: Arc<Self>) {
        let mut plans = self.plans.clone();
        let mut running: BTreeMap<String, Running> = BTreeMap::new();
        plans.mark_changed();
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                changed = plans.changed() => if changed.is_err() {
                    break;
                },
            }
            let now = plans.borrow_and_update().clone();
            if let Some(now) = now {
                self.follow(&mut running, &now).await;
            }
        }
        for (_id, it) in running {
            it.stop.cancel();
            let _ended = it.task.await;
        }
    }

    async fn follow(&self, running: &mut BTreeMap<String, Running>, plans: &Plans) {
        let gone = running.extract_if(.., |id, _running| !plans.contains_key(id));
        for (id, it) in gone.collect::<Vec<_>>() {
            it.stop.cancel();
            let _ended = it.task.await;
            self.common.book.forget(&id);
            Begun::forget(&self.common.folder, &id);
        }
        for (id, plan) in plans {
            if running
                .get(id)
                .is_some_and(|it| it.plan == *plan && !it.task.is_finished())
            {
                continue;
            }
            let before = running.remove(id);
            let stop = self.stop.child_token();
            let worker = Worker::new(self.common.clone(), plan.clone(), stop.clone());
            let task = tokio::spawn(async move {
                // The one before ends its transaction first.
                if let Some(before) = before {
                    before.stop.cancel();
                    let _ended = before.task.await;
                }
                worker.run().await;
            });
            running.insert(
                id.clone(),
                Running {
                    plan: plan.clone(),
                    stop,
                    task,
                },
            );
        }
    }
}
