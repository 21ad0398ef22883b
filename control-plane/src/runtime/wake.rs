//! Wake-ups: they carry no data; whoever wakes reads the database again.
//!
//! A commit marks a channel as changed. One task turns marks into at most one NOTIFY per 20 ms, outside of any
//! write transaction (inside, NOTIFY takes a lock that serialises commits). Every listener also polls, so that
//! correctness never depends on a wake-up.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::runtime::{Db, Memory};

const CHANGES: &str = "weir_changes";
const EVENTS: &str = "weir_events";
/// Of triggers: who may what has changed.
const RIGHTS: &str = "weir_rights";
/// Of a trigger: a schema ended.
const SCHEMAS: &str = "weir_schemas";
const COALESCE: Duration = Duration::from_millis(20);
const RECONNECT: Duration = Duration::from_secs(1);

/// The two channels: something was committed; events got their positions. And what is forgotten on two more, which the database
/// itself rings, so that no path of ours can leave that out.
#[derive(Debug, Clone)]
pub struct Wake {
    changes: Channel,
    events: Channel,
    memory: Arc<Memory>,
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

impl Wake {
    /// Wake-ups that keep the memory true.
    #[must_use]
    pub fn new(memory: Arc<Memory>) -> Self {
        Self {
            changes: Channel::new(),
            events: Channel::new(),
            memory,
        }
    }

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
                Ok(listener) => self.hear(listener).await,
                Err(error) => tracing::warn!(%error, "listen for wake-ups"),
            }
            tokio::time::sleep(RECONNECT).await;
        }
    }

    /// Until the connection is lost. It is not to be replaced in silence: what was missed meanwhile would be kept as true.
    async fn hear(&self, mut listener: PgListener) {
        listener.eager_reconnect(false);
        let listening = listener.listen_all([CHANGES, EVENTS, RIGHTS, SCHEMAS]).await;
        if let Err(error) = listening {
            tracing::warn!(%error, "listen for wake-ups");
            return;
        }
        let _listening = self.memory.listening();
        // What happened while nobody listened is caught by looking once now.
        self.changes.ring();
        self.events.ring();
        while let Ok(Some(notification)) = listener.try_recv().await {
            match notification.channel() {
                CHANGES => self.changes.ring(),
                EVENTS => self.events.ring(),
                RIGHTS => self.memory.rights.forget(),
                SCHEMAS => self.memory.schemas.forget(),
                _other => {}
            }
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
