//! What outlives a snapshot: the level of each budget, and what was used of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use weir_proto::agent::v1::QuotaUse;

use super::bucket::{Bucket, Nanos, Rate, SECOND};
use super::lease::Share;
use super::rules::{Dimension, Rule};
use crate::lane::leases::WHOLE;

/// Within this time a small part has grown: it is asked for in rounds of a quarter of a second, and of those who begin
/// at once the first is lent nearly all, which is given back in the rounds that follow.
const GROWN: Nanos = 5 * SECOND / 4;

/// One budget: of a quota, and of a principal when each has its own. It begins at its fullest.
#[derive(Debug, Default)]
pub struct Budget {
    shadow: AtomicBool,
    burst: AtomicU64,
    lines: [Line; 5],
    floors: [Line; 2],
}

/// One dimension of a budget.
#[derive(Debug, Default)]
pub struct Line {
    /// Its level.
    pub bucket: Bucket,
    /// The limit times this gateway's share, as the bits of an f64; 0: no limit.
    rate: AtomicU64,
    used: AtomicU64,
    /// Used of it by those to whom it is left by a floor.
    floored: AtomicU64,
    waited: AtomicBool,
    /// This gateway holds far less than an equal part, and only because it did not need more yet.
    meagre: AtomicBool,
    /// When the first debt under a meagre part was made.
    meagre_since: AtomicU64,
}

/// What happened on a line since it was last looked at.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Happened {
    /// What was used.
    pub used: u64,
    /// What of it floors promise.
    pub floored: u64,
    /// Did anybody wait?
    pub waited: bool,
}

impl Line {
    /// This gateway's part of the limit; 0: no limit.
    pub fn rate(&self) -> f64 {
        f64::from_bits(self.rate.load(Ordering::Relaxed))
    }

    /// Takes tokens; until when to wait.
    ///
    /// Under a part that is about to grow nobody waits for the whole debt at its rate: he would be silent for seconds
    /// although his turn comes in one. The debt stays, and shrinks when the part grows.
    pub fn take(&self, now: Nanos, amount: u64, rate: Rate) -> Nanos {
        let owing = self.owes(now);
        let until = self.bucket.take(now, amount, rate);
        if until <= now {
            return until;
        }
        self.waited();
        if !self.meagre.load(Ordering::Relaxed) {
            return until;
        }
        if !owing {
            self.meagre_since.store(now, Ordering::Relaxed);
        }
        let grown = self.meagre_since.load(Ordering::Relaxed).saturating_add(GROWN);
        if grown > now { until.min(grown) } else { until }
    }

    /// Is there debt?
    pub fn owes(&self, now: Nanos) -> bool {
        self.bucket.empty_at() > now
    }

    fn set_rate(&self, now: Nanos, rate: f64) {
        let before = f64::from_bits(self.rate.swap(rate.to_bits(), Ordering::Relaxed));
        if before.to_bits() != rate.to_bits() {
            self.bucket.retune(now, before, rate);
        }
    }

    /// Somebody has to wait for it.
    pub fn waited(&self) {
        self.waited.store(true, Ordering::Relaxed);
    }

    /// A floor promises what was just used.
    pub fn floored(&self, amount: u64) {
        self.floored.fetch_add(amount, Ordering::Relaxed);
    }

    /// What happened since the last call.
    pub fn drain(&self) -> Happened {
        Happened {
            used: self.used.swap(0, Ordering::Relaxed),
            floored: self.floored.swap(0, Ordering::Relaxed),
            waited: self.waited.swap(false, Ordering::Relaxed),
        }
    }
}

impl Budget {
    /// Takes the rule's word; `shares` are this gateway's parts by dimension.
    pub fn obey(&self, now: Nanos, rule: &Rule, shares: &[Share; 5]) {
        self.shadow.store(rule.shadow, Ordering::Relaxed);
        self.burst.store(rule.burst, Ordering::Relaxed);
        for dimension in Dimension::ALL {
            let at = dimension.index();
            // A part of nothing would read as no limit.
            let part = f64::from(shares[at].ppm.max(1)) / f64::from(WHOLE);
            self.lines[at].meagre.store(shares[at].meagre, Ordering::Relaxed);
            self.lines[at].set_rate(now, rule.limits[at] as f64 * part);
            if let (Some(floor), Some(wish)) = (self.floors.get(at), rule.floors.get(at)) {
                floor.set_rate(now, *wish as f64 * part);
            }
        }
    }

    /// Does it only count?
    pub fn shadow(&self) -> bool {
        self.shadow.load(Ordering::Relaxed)
    }

    /// One dimension.
    pub fn line(&self, dimension: Dimension) -> &Line {
        &self.lines[dimension.index()]
    }

    /// The floor of a dimension, if it has one.
    pub fn floor(&self, dimension: Dimension) -> Option<(&Line, Rate)> {
        let line = self.floors.get(dimension.index())?;
        self.paced(line).map(|rate| (line, rate))
    }

    /// How fast a dimension comes back; `None` without a limit.
    pub fn rate(&self, dimension: Dimension) -> Option<Rate> {
        self.paced(self.line(dimension))
    }

    /// Notes use.
    pub fn note(&self, dimension: Dimension, amount: u64) {
        self.line(dimension).used.fetch_add(amount, Ordering::Relaxed);
    }

    fn paced(&self, line: &Line) -> Option<Rate> {
        let per_second = line.rate();
        (per_second > 0.0).then(|| Rate {
            per_second,
            burst: self.burst.load(Ordering::Relaxed),
        })
    }

    /// Nothing is owed and all that can be saved up is: one made anew would be the same.
    pub fn at_rest(&self, now: Nanos) -> bool {
        let since = now.saturating_sub(self.burst.load(Ordering::Relaxed));
        let mut all = self.lines.iter().chain(&self.floors);
        all.all(|line| line.bucket.empty_at() <= since)
    }
}

/// What one principal used of one quota, for people.
#[derive(Debug, Default)]
pub struct Tally {
    used: [AtomicU64; 5],
    waited: AtomicU64,
    would_wait: AtomicU64,
    mutations_refused: AtomicU64,
    storage_refused: AtomicU64,
}

/// What a tally held.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tallied {
    /// By dimension; of connections, those that were refused.
    pub used: [u64; 5],
    /// Milliseconds that its connections were muted.
    pub waited_ms: u64,
    /// Milliseconds that they would have been.
    pub would_wait_ms: u64,
    /// Topics whose mutation was refused, or would have been.
    pub mutations_refused: u64,
    /// Produce requests that were refused for storage, or would have been.
    pub storage_refused: u64,
}

impl Tallied {
    /// As it is reported.
    #[must_use]
    pub fn on_the_lane(&self, quota: &str, principal: &str, connections: u64) -> QuotaUse {
        let used = |dimension: Dimension| self.used[dimension.index()];
        QuotaUse {
            quota_id: quota.to_owned(),
            principal_id: principal.to_owned(),
            ingress_bytes: used(Dimension::Ingress),
            egress_bytes: used(Dimension::Egress),
            requests: used(Dimension::Requests),
            throttled_ms: self.waited_ms,
            would_throttle_ms: self.would_wait_ms,
            connections,
            connections_refused: used(Dimension::Connections),
            partition_mutations: used(Dimension::Mutations),
            mutations_refused: self.mutations_refused,
            storage_refused: self.storage_refused,
        }
    }
}

impl Tally {
    /// Notes use.
    pub fn note(&self, dimension: Dimension, amount: u64) {
        self.used[dimension.index()].fetch_add(amount, Ordering::Relaxed);
    }

    /// A connection is muted.
    pub fn waits(&self, time: Nanos) {
        self.waited.fetch_add(time, Ordering::Relaxed);
    }

    /// A connection would be.
    pub fn would_wait(&self, time: Nanos) {
        self.would_wait.fetch_add(time, Ordering::Relaxed);
    }

    /// A topic is not created, grown or deleted now, or in SHADOW would not be.
    pub fn refuses_mutation(&self) {
        self.mutations_refused.fetch_add(1, Ordering::Relaxed);
    }

    /// A produce request is refused for storage, or in SHADOW would be.
    pub fn refuses_storage(&self) {
        self.storage_refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes what it holds. Parts of milliseconds stay.
    pub fn drain(&self) -> Tallied {
        Tallied {
            used: std::array::from_fn(|at| self.used[at].swap(0, Ordering::Relaxed)),
            waited_ms: whole_ms(&self.waited),
            would_wait_ms: whole_ms(&self.would_wait),
            mutations_refused: self.mutations_refused.swap(0, Ordering::Relaxed),
            storage_refused: self.storage_refused.swap(0, Ordering::Relaxed),
        }
    }
}

fn whole_ms(nanos: &AtomicU64) -> u64 {
    let whole = nanos.load(Ordering::Relaxed) / (SECOND / 1000);
    nanos.fetch_sub(whole * (SECOND / 1000), Ordering::Relaxed);
    whole
}
