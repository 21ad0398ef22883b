//! Clients' administrative wishes in a session: each in a task of its own, so that reports do not wait for them.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tonic::Status;
use weir_proto::agent::v1::control_frame::Frame as Down;
use weir_proto::agent::v1::{ControlFrame, Intent, IntentKind, IntentOutcome};

use super::Session;
use crate::link::intent::{carry_out, own_result};

/// Wishes of one agent under way, those that wait for gateways included.
const UNDER_WAY_MAX: usize = 1024;
/// Wishes of one agent that are being written: each holds a connection to the database.
const WRITING_MAX: usize = 4;

/// Room for a session's wishes.
#[derive(Debug)]
pub(super) struct Intents {
    under_way: Arc<Semaphore>,
    writing: Arc<Semaphore>,
}

impl Default for Intents {
    fn default() -> Self {
        Self {
            under_way: Arc::new(Semaphore::new(UNDER_WAY_MAX)),
            writing: Arc::new(Semaphore::new(WRITING_MAX)),
        }
    }
}

impl Session {
    /// Begins a wish; its result follows when it is settled.
    pub(super) async fn intend(&self, intent: Intent) -> Result<(), Status> {
        if intent.kind() == IntentKind::Unspecified {
            let result = own_result(&intent, IntentOutcome::Unsupported, "");
            return self.send(Down::IntentResult(result)).await;
        }
        let Ok(room) = Arc::clone(&self.intents.under_way).try_acquire_owned() else {
            let detail = "Too many administrative requests are under way; try again.";
            let result = own_result(&intent, IntentOutcome::Unavailable, detail);
            return self.send(Down::IntentResult(result)).await;
        };
        let (app, data_plane, out) = (self.door.app.clone(), self.data_plane, self.out.clone());
        let (writing, stop) = (Arc::clone(&self.intents.writing), self.door.stop.clone());
        // Goes on when the session ends: the agent asks again, and gets the same result.
        tokio::spawn(async move {
            let result = carry_out(&app, data_plane, &writing, &intent).await;
            drop(room);
            if stop.is_cancelled() {
                // What failed now may have failed for that: the next session is asked again, and knows.
                return;
            }
            let frame = Some(Down::IntentResult(result));
            let _gone = out.send(Ok(ControlFrame { frame })).await;
        });
        Ok(())
    }
}
