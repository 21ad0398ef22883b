//! The data keys of a topic, as the agent told them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use prost::Message as _;
use ring::digest;
use ring::hkdf::{HKDF_SHA256, Prk};
use ring::rand::{SecureRandom as _, SystemRandom};
use weir_proto::lane::v1::KeyRing as Told;

use super::frame::{BatchKey, Salt};

const KEY_BYTES: usize = 32;

/// Data keys of a topic, for those who may write to it or read it here.
pub struct Ring {
    topic: Arc<str>,
    keys: BTreeMap<u64, Prk>,
    active: u64,
    newest: u64,
    required: bool,
    closed: bool,
    /// The keys are still to come: the agent tells them, no disk does.
    waits: bool,
    /// Of all that was told.
    digest: [u8; 32],
}

/// How what is produced is written.
#[derive(Debug, PartialEq, Eq)]
pub enum Writes {
    /// As it is.
    Clear,
    /// Under the active data key.
    Encrypted,
    /// Not at all for now: the key is still to come.
    NotYet,
    /// Not at all: the key that wraps the data keys is gone.
    Never,
}

impl Ring {
    /// As a snapshot tells it.
    #[must_use]
    pub fn of(told: &Told) -> Self {
        let Told {
            topic_id,
            keys,
            active,
            newest,
            required,
            closed,
        } = told;
        let whole = keys.iter().filter(|it| it.key.len() == KEY_BYTES);
        let mut digest = [0; 32];
        digest.copy_from_slice(digest::digest(&digest::SHA256, &told.encode_to_vec()).as_ref());
        Self {
            topic: topic_id.as_str().into(),
            keys: whole
                .map(|it| (it.id, Prk::new_less_safe(HKDF_SHA256, &it.key)))
                .collect(),
            active: *active,
            newest: *newest,
            required: *required,
            closed: *closed,
            waits: keys.iter().any(|it| it.key.is_empty()),
            digest,
        }
    }

    /// Names the ring and all that is in it.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// What ciphertext is bound to.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The key that wraps the data keys for whoever this ring is for is gone.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Its keys are still to come.
    #[must_use]
    pub const fn waits(&self) -> bool {
        self.waits
    }

    /// No record is under a later key, as far as is known.
    pub(super) const fn newest(&self) -> u64 {
        self.newest
    }

    pub(super) fn data_key(&self, id: u64) -> Option<&Prk> {
        self.keys.get(&id)
    }

    /// How what is produced is written.
    #[must_use]
    pub fn writes(&self) -> Writes {
        if !self.required {
            Writes::Clear
        } else if self.closed {
            Writes::Never
        } else if self.keys.contains_key(&self.active) {
            Writes::Encrypted
        } else {
            Writes::NotYet
        }
    }

    /// A fresh key for a batch, of the active data key.
    pub(super) fn batch_key(&self) -> Option<BatchKey> {
        let data_key = self.keys.get(&self.active)?;
        let mut salt: Salt = [0; 16];
        SystemRandom::new().fill(&mut salt).ok()?;
        BatchKey::derive(self.active, data_key, salt)
    }
}

impl PartialEq for Ring {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Ring {}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("topic", &self.topic)
            .field("keys", &self.keys.len())
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}
