//! Wake-ups: they carry no data; whoever wakes reads the database again.
//!
//! A commit marks a channel as changed. One task turns marks into at most one NOTIFY per 20 ms, outside of any
//! write transaction (inside, NOTIFY takes a lock that serialises commits). Every listener also polls, so that
//! correctness never depends on a wake-up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::runtime::Db;

const CHANGES: &str = "weir_changes";
const EVENTS: &str = "weir_events";
const COALESCE: Duration = Duration::from_millis(20);
const RECONNECT: Duration = Duration::from_secs(1);

/// The two channels: something was committed; events got their positions.
#[derive(Debug, Clone)]
pub struct Wake {
    changes: Channel,
    events: Channel,
}

#[derive(Debug, Clone)]
struct Channel {
    marked: Arc<Notify>,
    woken: Arc<watch::Sender<u64>>,
}

impl Channel {
    fn new() -> Self {
        Self {
            marked: Arc::new(Notify::new()),
            woken: Arc::new(watch::Sender::new(0)),
        }
    }
    fn ring(&self) {
        self.woken.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Default for Wake {
    fn default() -> Self {
        Self {
            changes: Channel::new(),
            events: Channel::new(),
        }
    }
}

impl Wake {
    /// Call after a commit that changed something.
    pub fn changed(&self) {
        self.changes.marked.notify_one();
    }

    /// Call after events were numbered.
    pub fn numbered(&self) {
        self.events.marked.notify_one();
    }

    /// Wakes when anything was committed, here or at another control plane.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.woken.subscribe()
    }

    /// Wakes when events were numbered.
    #[must_use]
    pub fn events(&self) -> watch::Receiver<u64> {
        self.events.woken.subscribe()
    }

    /// Runs both directions until stopped.
    pub async fn run(self, db: Db, stop: CancellationToken) {
        let sending = async {
            tokio::join!(send(&db, &self.changes, CHANGES), send(&db, &self.events, EVENTS));
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = sending => {}
            () = self.listen(&db) => {}
        }
    }

    async fn listen(&self, db: &Db) {
        loop {
            match db.listener().await {
                Ok(mut listener) => {
                    if listener.listen_all([CHANGES, EVENTS]).await.is_ok() {
                        // What happened while nobody listened is caught by looking once now.
                        self.changes.ring();
                        self.events.ring();
                        while let Ok(notification) = listener.recv().await {
                            if notification.channel() == CHANGES {
                                self.changes.ring()
                            } else {
                                self.events.ring()
                            }
                        }
                    }
                }
                Err(error) => tracing::warn!(%error, "listen for wake-ups"),
            }
            tokio::time::sleep(RECONNECT).await;
        }
    }
}

async fn send(db: &Db, channel: &Channel, name: &'static str) {
    loop {
        channel.marked.notified().await;
        // Here at once; elsewhere through the database.
        channel.ring();
        if let Err(error) = db.notify(name).await {
            tracing::warn!(%error, "send a wake-up");
        }
        tokio::time::sleep(COALESCE).await;
    }
}
