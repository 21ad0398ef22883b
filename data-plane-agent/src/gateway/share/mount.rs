//! When a shared topic is there, and how much of it is seen.

use std::sync::Arc;

use weir_proto::agent::v1::Mount as Told;

use super::lens::Lens;
use super::lenses::Lenses;

/// What holds of a topic that is shared by another tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The share: what its quota is kept by.
    pub share: Arc<str>,
    /// Seconds since 1970; 0: at once.
    pub starts_at: i64,
    /// Seconds since 1970; 0: never.
    pub expires_at: i64,
    /// Of all who read the share together; 0: no bound of its own.
    pub fetch_bytes_per_second: u64,
    /// How much of it is seen.
    pub sight: Sight,
}

/// How much of a shared topic is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// All of it, as it is.
    Whole,
    /// What is left behind this.
    Through(Arc<Lens>),
    /// Nothing: its view cannot be compiled here, and what it would take away is not known.
    Closed,
}

impl Mount {
    /// As a snapshot tells it, with the view that was compiled.
    #[must_use]
    pub fn of(topic_id: &str, told: &Told, lenses: &Lenses) -> Self {
        Self {
            share: told.share_id.as_str().into(),
            starts_at: told.starts_at_unix_seconds,
            expires_at: told.expires_at_unix_seconds,
            fetch_bytes_per_second: told.fetch_bytes_per_second,
            sight: lenses.sight(topic_id, told),
        }
    }

    /// Whether it may be looked at now, in seconds since 1970.
    #[must_use]
    pub fn stands(&self, now: i64) -> bool {
        let began = self.starts_at == 0 || now >= self.starts_at;
        let ended = self.expires_at != 0 && now >= self.expires_at;
        began && !ended && self.sight != Sight::Closed
    }

    /// What records are looked at through; `None`: they are shown as they are.
    #[must_use]
    pub const fn lens(&self) -> Option<&Arc<Lens>> {
        match &self.sight {
            Sight::Through(lens) => Some(lens),
            Sight::Whole | Sight::Closed => None,
        }
    }
}
