//! Administrative wishes of this gateway's clients: numbered, handed to the agent, each with one result.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use weir_proto::agent::v1::{Intent, IntentResult};

use crate::intents::{Intents, Patience};

const PATIENCE: Patience = Patience {
    unsent: Duration::from_secs(2),
    slack: Duration::from_secs(3),
    room: 1024,
    away: "Weir's agent cannot be reached now. Records flow on; topics cannot be changed until it is back.",
};
/// Wishes of one connection that are under way.
pub const PER_CONNECTION: usize = 256;

/// The wishes under way.
#[derive(Debug)]
pub struct Wishes {
    gateway_id: String,
    boot: u64,
    last: AtomicU64,
    /// Those that wait.
    pub intents: Intents,
}

impl Wishes {
    /// For this start of the gateway.
    #[must_use]
    pub fn new(gateway_id: &str, boot: u64) -> Self {
        Self {
            gateway_id: gateway_id.to_owned(),
            boot,
            last: AtomicU64::new(0),
            intents: Intents::new(PATIENCE),
        }
    }

    /// Carries wishes, all at once; the results are in their order.
    pub async fn carry(&self, wishes: Vec<Intent>) -> Vec<IntentResult> {
        let numbered = wishes.into_iter().map(|wish| Intent {
            intent_id: self.last.fetch_add(1, Ordering::Relaxed) + 1,
            gateway_id: self.gateway_id.clone(),
            gateway_boot: self.boot,
            ..wish
        });
        join_all(numbered.map(|intent| self.intents.carry(intent))).await
    }
}
