//! One session as questions name it: each is taken once, by the session that it was asked in.

use weir_proto::agent::v1::{Ask, SignedAsk};
use weir_proto::ask::{self, Addressee, Untrusted};

use super::enroll::LinkError;
use super::identity::Identity;
use super::ledger::unix_ms;
use super::random_number;

/// What questions are held against.
pub struct Own {
    data_plane_id: String,
    /// Random per session.
    pub number: u64,
    /// The highest question that was taken.
    taken: u64,
}

impl Own {
    /// Of a session that begins.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn begin(identity: &Identity) -> Result<Self, LinkError> {
        Ok(Self {
            data_plane_id: identity.pinned().data_plane_id.clone(),
            number: random_number().map_err(LinkError::NoRandomNumbers)?,
            taken: 0,
        })
    }

    /// The question, if it is one of the control plane's for this session and comes for the first time.
    ///
    /// # Errors
    /// Why it is not to be answered.
    pub fn open(&mut self, signed: &SignedAsk, identity: &Identity) -> Result<Ask, Untrusted> {
        let to = Addressee {
            data_plane_id: &self.data_plane_id,
            session: self.number,
            taken: self.taken,
        };
        let now = i64::try_from(unix_ms() / 1000).unwrap_or(i64::MAX);
        let ask = ask::open(identity.signing_public_key(), signed, to, now)?;
        self.taken = ask.ask_id;
        Ok(ask)
    }
}
