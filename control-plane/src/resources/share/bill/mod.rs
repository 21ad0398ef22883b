//! What shares are billed by: what was read through mounts, when they were there, and what it cost then. Read by the room `cost`, for either side.

mod store;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use store::{prices, times, uses};

use crate::resources::share::model::SharePrice;
use crate::resources::usage::TimeRange;

/// Between whom, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parties {
    /// The share.
    pub share: Uuid,
    /// Who shares.
    pub provider: Uuid,
    /// Its parent, where the caller sees it.
    pub provider_organization: Option<Uuid>,
    /// Who reads.
    pub consumer: Uuid,
    /// Its parent, where the caller sees it.
    pub consumer_organization: Option<Uuid>,
    /// Where it is shared.
    pub shown_cluster: Uuid,
    /// Where it is read.
    pub cluster: Uuid,
}

/// What one principal read through one mount in one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareUse {
    /// Between whom.
    pub parties: Parties,
    /// Beginning of the hour.
    pub hour: DateTime<Utc>,
    /// The reader's.
    pub environment: Uuid,
    /// The mount.
    pub topic: Uuid,
    /// What it shows.
    pub shown_topic: Uuid,
    /// By whom.
    pub principal: Uuid,
    /// Certain bytes.
    pub bytes: i64,
}

/// A time in which a share was mounted, in whole hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MountedTime {
    /// Between whom.
    pub parties: Parties,
    /// From the hour in which it began to the end of that in which it ended, within what was asked for.
    pub range: TimeRange,
}

/// What a share costs from an hour on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceFrom {
    /// The share.
    pub share: Uuid,
    /// From when on.
    pub effective_from: DateTime<Utc>,
    /// Nothing, when it is none.
    pub price: Option<SharePrice>,
}
