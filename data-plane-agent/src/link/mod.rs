//! The only code that talks home: enrolment, the session, and the ledger of all that was sent.
//!
//! It knows nothing of Kafka or processes. What it reports stands on the [`Board`], which others write.

use std::collections::BTreeMap;
use std::io;

use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::oneshot;
use weir_proto::agent::v1::{Answer, Ask, DesiredFrame, Generation, ItemStatus, RefusedFrame};

pub mod enroll;
pub mod identity;
pub mod keys;
pub mod ledger;
mod outbound;
mod own;
mod pace;
pub mod replay;
pub mod session;
mod tls;
mod told;

/// What the control plane may know of this data plane now. A session sends what it has not sent yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Board {
    /// Generation held on disk.
    pub accepted: Generation,
    /// Every item of this generation was acted upon.
    pub applied: Generation,
    /// Gateways attached to the lane.
    pub gateways_live: u32,
    /// Status per item.
    pub items: BTreeMap<String, ItemStatus>,
    /// How many frames were refused since the start.
    pub refused_count: u64,
    /// The last of them, newest last; bounded.
    pub refused: Vec<RefusedFrame>,
}

impl Default for Board {
    fn default() -> Self {
        let none = Generation { epoch: 0, n: 0 };
        Self {
            accepted: none,
            applied: none,
            gateways_live: 0,
            items: BTreeMap::new(),
            refused_count: 0,
            refused: Vec::new(),
        }
    }
}

impl Board {
    /// Notes a refused frame; only the newest are kept.
    pub fn refuse(&mut self, frame: RefusedFrame) {
        const KEPT: usize = 16;
        self.refused_count += 1;
        self.refused.push(frame);
        if self.refused.len() > KEPT {
            self.refused.remove(0);
        }
    }
}

/// A number that nobody can guess.
///
/// # Errors
/// When the system gives no random numbers.
pub fn random_number() -> io::Result<u64> {
    let mut bytes = [0; 8];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_unspecified| io::Error::other("the system gave no random numbers"))?;
    Ok(u64::from_be_bytes(bytes))
}

/// What came down the link and is for others to handle.
#[derive(Debug)]
pub enum Inlet {
    /// A wish, not judged yet.
    Desired(DesiredFrame),
    /// A question; the answer is sent if it comes before the question's deadline.
    Ask(Ask, oneshot::Sender<Answer>),
}
