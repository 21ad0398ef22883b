//! What one connection owes: its principal's budgets by one snapshot.

use std::sync::Arc;

use super::bucket::{Nanos, SECOND};
use super::budget::{Budget, Tally};
use super::rules::{Dimension, Reach};
use super::storage::Stored;

/// A connection is muted for no longer than this at a time: clients give up requests that wait for thirty seconds, and
/// may have some under way. Debt beyond stays, and mutes again.
pub const MUTE_MAX: Nanos = 10 * SECOND;
/// A fetch may ask for what its budget gives in this part of a second, so that no answer mutes for long.
const FETCH_PARTS: f64 = 10.0;
/// But for so much always.
const FETCH_LEAST: f64 = 16_384.0;

/// A principal has one quota of its own or the default, one that it shares, and the tenant's; room for more than there are.
const CLAIMS_MAX: usize = 8;
/// A topic with many partitions owes for as long as its quota says, but not for ever.
const MUTATIONS_DEBT_MAX: Nanos = 3600 * SECOND;

/// One quota as it applies to a connection.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Whose it is.
    pub reach: Reach,
    /// Its level.
    pub budget: Arc<Budget>,
    /// What the principal used of it.
    pub tally: Arc<Tally>,
    /// What the cluster holds and may hold, where that is limited.
    pub stored: Option<(Arc<Stored>, u64)>,
}

/// What a request or an answer takes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Requests.
    pub requests: u64,
    /// Bytes of record batches that are produced.
    pub ingress: u64,
    /// Bytes of records that are fetched.
    pub egress: u64,
    /// Partitions that are created or deleted.
    pub mutations: u64,
}

/// All claims on a connection, the narrowest first.
#[derive(Debug, Default, Clone)]
pub struct Toll {
    claims: Vec<Claim>,
}

/// Until when to wait, and for which claim.
#[derive(Debug, Default, Clone)]
pub struct Wait {
    /// The moment; 0: no wait.
    pub until: Nanos,
    tally: Option<Arc<Tally>>,
}

impl Wait {
    /// Notes for how much longer the connection is muted because of it.
    pub fn mutes(&self, time: Nanos) {
        if let Some(tally) = &self.tally {
            tally.waits(time);
        }
    }
}

impl Toll {
    /// The toll of these claims.
    #[must_use]
    pub fn new(mut claims: Vec<Claim>) -> Self {
        claims.sort_by_key(|claim| claim.reach);
        claims.truncate(CLAIMS_MAX);
        Self { claims }
    }

    /// Nothing limits this connection.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.claims.is_empty()
    }

    /// Takes what it costs from every budget. Returns until when the connection is to be muted: the tightest wins.
    #[must_use]
    pub fn pay(&self, now: Nanos, cost: Cost) -> Wait {
        let mut longest = Wait::default();
        for (dimension, amount) in [
            (Dimension::Requests, cost.requests),
            (Dimension::Ingress, cost.ingress),
            (Dimension::Egress, cost.egress),
            (Dimension::Mutations, cost.mutations),
        ] {
            if amount > 0 {
                self.take(now, dimension, amount, &mut longest);
            }
        }
        longest.until = longest.until.min(now + MUTE_MAX);
        longest
    }

    fn take(&self, now: Nanos, dimension: Dimension, amount: u64, longest: &mut Wait) {
        let mut until = [0; CLAIMS_MAX];
        for (claim, until) in self.claims.iter().zip(&mut until) {
            claim.tally.note(dimension, amount);
            claim.budget.note(dimension, amount);
            let Some(rate) = claim.budget.rate(dimension) else {
                continue;
            };
            let line = claim.budget.line(dimension);
            if claim.budget.shadow() {
                claim.tally.would_wait(line.bucket.pretend(now, amount, rate));
            } else {
                *until = line.take(now, amount, rate);
            }
        }
        // From the narrowest on: a floor opens the wider budgets, not its own.
        let mut open_at = Nanos::MAX;
        for (at, claim) in self.claims.iter().enumerate() {
            let until_here = until[at].min(open_at);
            if until_here > now && until_here > longest.until {
                longest.until = until_here;
                longest.tally = Some(Arc::clone(&claim.tally));
            }
            let wider = until.iter().skip(at + 1).copied().max().unwrap_or(0);
            if let Some((line, rate)) = claim.budget.floor(dimension)
                && !claim.budget.shadow()
                && at + 1 < self.claims.len()
            {
                // What wider budgets let pass anyway is not held against the floor.
                open_at = open_at.min(line.bucket.take_up_to(now, amount, rate, wider));
                if open_at <= now {
                    for wide in &self.claims[at + 1..] {
                        wide.budget.line(dimension).floored(amount);
                    }
                }
            }
        }
    }

    /// Lets a topic be created, grown or deleted (KIP-599): whoever owes nothing may take more than there is, and owes
    /// then. Else the topic is refused, and the wait says for how long.
    ///
    /// # Errors
    /// For how long the budget has to recover.
    pub fn mutate(&self, now: Nanos, partitions: u64) -> Result<(), Wait> {
        let dimension = Dimension::Mutations;
        let owing =
            |claim: &&Claim| claim.budget.rate(dimension).is_some() && claim.budget.line(dimension).owes(now);
        let enforced = self.claims.iter().filter(|claim| !claim.budget.shadow());
        let tightest = enforced
            .filter(owing)
            .max_by_key(|claim| claim.budget.line(dimension).bucket.empty_at());
        if let Some(claim) = tightest {
            let line = claim.budget.line(dimension);
            line.waited();
            claim.tally.refuses_mutation();
            return Err(Wait {
                until: line.bucket.empty_at().min(now + MUTE_MAX),
                tally: Some(Arc::clone(&claim.tally)),
            });
        }
        for claim in &self.claims {
            let line = claim.budget.line(dimension);
            if claim.budget.shadow() && owing(&claim) {
                claim.tally.refuses_mutation();
                claim.tally.would_wait(line.bucket.empty_at().saturating_sub(now));
                continue;
            }
            claim.tally.note(dimension, partitions);
            claim.budget.note(dimension, partitions);
            if let Some(rate) = claim.budget.rate(dimension) {
                let latest = now.saturating_add(MUTATIONS_DEBT_MAX);
                line.bucket.take_up_to(now, partitions, rate, latest);
            }
        }
        Ok(())
    }

    /// Lets bytes be produced while the cluster holds less than it may.
    ///
    /// # Errors
    /// The limit in bytes, when it is used up.
    pub fn store(&self, now: Nanos, bytes: u64) -> Result<(), u64> {
        for claim in &self.claims {
            let Some((stored, limit)) = &claim.stored else {
                continue;
            };
            if stored.level(now).is_some_and(|held| held >= *limit) {
                claim.tally.refuses_storage();
                if !claim.budget.shadow() {
                    return Err(*limit);
                }
            }
        }
        for (stored, _limit) in self.claims.iter().filter_map(|it| it.stored.as_ref()) {
            stored.add(bytes);
        }
        Ok(())
    }

    /// What a fetch may ask for at most, in bytes; `None`: no limit.
    #[must_use]
    pub fn fetch_bytes_max(&self) -> Option<i32> {
        let enforced = self.claims.iter().filter(|claim| !claim.budget.shadow());
        let rates = enforced.filter_map(|claim| claim.budget.rate(Dimension::Egress));
        let least = rates.map(|rate| rate.per_second).reduce(f64::min)?;
        // Saturates where it does not fit.
        Some((least / FETCH_PARTS).max(FETCH_LEAST) as i32)
    }
}

#[cfg(test)]
#[path = "toll_tests.rs"]
mod tests;
