//! One reader for all sessions of this process: at a wake-up, or every few seconds, it reads how their data planes
//! stand in one query, and wakes those sessions for which something moved. They read the database again themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::store::{self, Standing};
use crate::kernel::{DataPlaneId, Result};
use crate::runtime::{App, Scope};

/// The net under the wake-ups.
const POLL: Duration = Duration::from_secs(3);

/// The data planes with a session in this process.
#[derive(Debug, Clone, Default)]
pub(in crate::link) struct Standings {
    watched: Arc<Mutex<HashMap<DataPlaneId, watch::Sender<Option<Standing>>>>>,
}

impl Standings {
    /// Wakes when the data plane stands otherwise than before. Its value is `None` when the data plane is gone.
    pub(super) fn watch(&self, data_plane: DataPlaneId) -> watch::Receiver<Option<Standing>> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched
            .entry(data_plane)
            .or_insert_with(|| watch::Sender::new(None))
            .subscribe()
    }

    /// Reads and wakes until stopped.
    pub(in crate::link) async fn keep(self, app: App, stop: CancellationToken) {
        let mut changes = app.wake.changes();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _net = tokio::time::timeout(POLL, changes.changed()) => {}
            }
            if let Err(error) = self.refresh(&app).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "read how data planes stand"
                );
            }
        }
    }

    async fn refresh(&self, app: &App) -> Result<()> {
        let ids: Vec<Uuid> = {
            let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
            watched.retain(|_, sender| sender.receiver_count() > 0);
            watched.keys().map(|id| id.uuid()).collect()
        };
        if ids.is_empty() {
            return Ok(());
        }
        let mut tx = app.db.read(&Scope::Operator).await?;
        let standings: HashMap<_, _> = store::standings(&mut tx, &ids).await?.into_iter().collect();
        drop(tx);
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids.into_iter().map(DataPlaneId::from_uuid) {
            if let Some(sender) = watched.get(&id) {
                let now = standings.get(&id).copied();
                sender.send_if_modified(|held| std::mem::replace(held, now) != now);
            }
        }
        Ok(())
    }
}
