//! How much: each principal's budgets, kept by muting connections as Kafka does (KIP-13, KIP-219).
//!
//! A request is answered at once, with the time for which no more is read from that connection in its
//! `throttle_time_ms`. Levels live here, beside the snapshot: a new snapshot changes limits, not what was used.

mod bucket;
mod budget;
mod described;
mod lease;
mod mute;
mod need;
mod rules;
mod seats;
mod storage;
pub mod throttle;
mod toll;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use weir_proto::agent::v1::QuotaReport;
use weir_proto::lane::v1::{BudgetNeed, LeaseRequest, Leases, StorageUse};

pub use bucket::Nanos;
use budget::{Budget, Tallied, Tally};
pub use described::{ClientQuota, described};
use lease::Lessee;
pub use mute::Mute;
pub use rules::Rules;
use rules::{Dimension, Reach, Rule};
pub use seats::Seat;
use seats::Seats;
use storage::Stores;
use toll::Claim;
pub use toll::{Cost, Toll, Wait};

/// (quota, principal): the principal is empty where the budget is shared.
type Key = (Arc<str>, Arc<str>);

/// A budget that nobody used in so many rounds needs no part of it leased.
const QUIET_ROUNDS: u32 = 12;

/// Every budget that is in use on this gateway.
#[derive(Debug)]
pub struct Quotas {
    began: Instant,
    /// Looked at when connections begin, snapshots change and leases come; never by requests.
    held: Mutex<Held>,
    seats: Arc<Seats>,
    stores: Stores,
}

#[derive(Debug, Default)]
struct Held {
    version: u64,
    budgets: HashMap<Key, Kept>,
    tallies: HashMap<Key, (Arc<Tally>, Arc<Rule>)>,
    lessee: Lessee,
    needed_at: Nanos,
    reported_at_unix_ms: i64,
}

#[derive(Debug)]
struct Kept {
    budget: Arc<Budget>,
    rule: Arc<Rule>,
    quiet: u32,
}

impl Default for Quotas {
    fn default() -> Self {
        Self::remembering(0)
    }
}

impl Quotas {
    /// Those of a gateway that last heard of so many gateways; 0: of none.
    #[must_use]
    pub fn remembering(gateways: u32) -> Self {
        let held = Held {
            lessee: Lessee::remembering(gateways),
            reported_at_unix_ms: now_unix_ms(),
            ..Held::default()
        };
        Self {
            began: Instant::now(),
            held: Mutex::new(held),
            seats: Arc::default(),
            stores: Stores::default(),
        }
    }

    /// The time since this was made, and some more: buckets begin with what can be saved up.
    #[must_use]
    pub fn now(&self) -> Nanos {
        const BEGINNING: Nanos = 3600 * bucket::SECOND;
        BEGINNING.saturating_add(u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The limits of a snapshot are in force from now on, for connections that are open too.
    pub fn install(&self, version: u64, rules: &Rules) {
        let now = self.now();
        let mut held = self.held();
        held.version = version;
        held.budgets
            .retain(|(quota, _principal), kept| match rules.get(quota) {
                Some(rule) => {
                    kept.rule = Arc::clone(rule);
                    true
                }
                None => false,
            });
        held.tallies
            .retain(|(quota, _principal), _tally| rules.get(quota).is_some());
        held.apply(now);
    }

    /// What a principal owes by the rules of a snapshot.
    #[must_use]
    pub fn toll(&self, version: u64, rules: &Rules, cluster: &str, principal: &Arc<str>) -> Toll {
        let found = rules.of(cluster, principal);
        if found.is_empty() {
            return Toll::default();
        }
        let now = self.now();
        let mut held = self.held();
        let claims = found.iter().map(|rule| {
            let claim = held.claim(now, version, rule, principal);
            let stored = (rule.storage > 0).then(|| (self.stores.of(&rule.cluster), rule.storage));
            Claim { stored, ..claim }
        });
        Toll::new(claims.collect())
    }

    /// What everybody who reads a share owes together; `None`: it has no bound of its own.
    #[must_use]
    pub fn share_toll(&self, version: u64, rules: &Rules, share: &str) -> Option<Toll> {
        let rule = rules.get(share)?;
        let now = self.now();
        let budget = self.held().budget(now, version, rule, "".into());
        // What is used of it is in the readers' own counts.
        Some(Toll::new(vec![Claim {
            reach: rule.reach,
            budget,
            tally: Arc::default(),
            stored: None,
        }]))
    }

    /// Counts a connection of a principal until the seat is dropped; `None` when a quota has no room for it.
    #[must_use]
    pub fn seat(&self, version: u64, rules: &Rules, cluster: &str, principal: &Arc<str>) -> Option<Seat> {
        let found = rules.of(cluster, principal);
        let now = self.now();
        let mut held = self.held();
        let mut refused = false;
        for rule in &found {
            let claim = held.claim(now, version, rule, principal);
            let line = claim.budget.line(Dimension::Connections);
            // A part of a place is a place: somebody has to be able to connect to each gateway.
            if line.rate() > 0.0 && self.taken(rule, principal) >= line.rate().ceil() as u64 {
                claim.tally.note(Dimension::Connections, 1);
                line.waited();
                refused |= !rule.shadow;
            }
        }
        (!refused).then(|| Seats::take(&self.seats, cluster, principal))
    }

    fn taken(&self, rule: &Rule, principal: &str) -> u64 {
        match rule.reach {
            Reach::Own => self.seats.of_one(&rule.cluster, principal),
            Reach::Shared => self.seats.of(&rule.cluster, |it| {
                rule.members.iter().any(|member| &**member == it)
            }),
            Reach::Tenant => self.seats.of(&rule.cluster, |_anybody| true),
        }
    }

    /// Asks the agent for parts of the budgets that are used here.
    #[must_use]
    pub fn request(&self) -> LeaseRequest {
        let now = self.now();
        let mut held = self.held();
        let held = &mut *held;
        let elapsed = now.saturating_sub(held.needed_at).max(1);
        held.needed_at = now;
        // What nobody is connected for, and would be the same if it were made anew, is forgotten.
        held.budgets
            .retain(|_key, kept| Arc::strong_count(&kept.budget) > 1 || !kept.budget.at_rest(now));
        let needs = held.budgets.iter_mut().filter_map(|((quota, principal), kept)| {
            let taken = || self.taken(&kept.rule, principal);
            let needs = need::of(&kept.budget, &kept.rule, now, elapsed, taken, &mut kept.quiet);
            needs.map(|dimensions| BudgetNeed {
                quota_id: quota.to_string(),
                principal_id: principal.to_string(),
                dimensions,
            })
        });
        let needs = needs.collect();
        held.lessee.request(now, needs)
    }

    /// Takes the agent's answer.
    pub fn leased(&self, leases: &Leases) {
        let now = self.now();
        let mut held = self.held();
        held.lessee.answer(leases);
        held.apply(now);
    }

    /// Takes what the agent measured on the brokers.
    pub fn stored(&self, told: &StorageUse) {
        self.stores.take(self.now(), told);
    }

    /// The agent is away.
    pub fn detached(&self) {
        self.held().lessee.detached();
    }

    /// Lets leases end that have; returns how many gateways there are, as last heard.
    pub fn look_at_the_clock(&self) -> u32 {
        let now = self.now();
        let mut held = self.held();
        held.apply(now);
        held.lessee.gateways()
    }

    /// What was used since the last report; `None` when nothing was.
    #[must_use]
    pub fn report(&self) -> Option<QuotaReport> {
        let mut held = self.held();
        let ended_at_unix_ms = now_unix_ms();
        let started_at_unix_ms = std::mem::replace(&mut held.reported_at_unix_ms, ended_at_unix_ms);
        let mut uses = Vec::new();
        held.tallies.retain(|(quota, principal), (tally, rule)| {
            let told = tally.drain();
            if told != Tallied::default() {
                let connections = self.seats.of_one(&rule.cluster, principal);
                uses.push(told.on_the_lane(quota, principal, connections));
                return true;
            }
            Arc::strong_count(tally) > 1
        });
        (!uses.is_empty()).then_some(QuotaReport {
            started_at_unix_ms,
            ended_at_unix_ms,
            uses,
            levels: Vec::new(),
        })
    }
}

impl Held {
    fn claim(&mut self, now: Nanos, version: u64, rule: &Arc<Rule>, principal: &Arc<str>) -> Claim {
        let owner = match rule.reach {
            Reach::Own => Arc::clone(principal),
            Reach::Shared | Reach::Tenant => Arc::from(""),
        };
        let budget = self.budget(now, version, rule, owner);
        let (tally, _rule) = self
            .tallies
            .entry((Arc::clone(&rule.id), Arc::clone(principal)))
            .or_insert_with(|| (Arc::default(), Arc::clone(rule)));
        Claim {
            reach: rule.reach,
            budget,
            tally: Arc::clone(tally),
            stored: None,
        }
    }

    /// The budget of a quota, for one principal or, of nobody's name, for all.
    fn budget(&mut self, now: Nanos, version: u64, rule: &Arc<Rule>, owner: Arc<str>) -> Arc<Budget> {
        let key = (Arc::clone(&rule.id), owner);
        let kept = self.budgets.entry(key.clone()).or_insert_with(|| Kept {
            budget: Arc::default(),
            rule: Arc::clone(rule),
            quiet: QUIET_ROUNDS,
        });
        // A connection that still looks at an earlier snapshot does not turn limits back.
        if version >= self.version {
            kept.rule = Arc::clone(rule);
        }
        kept.budget.obey(now, &kept.rule, &self.lessee.shares(now, &key));
        Arc::clone(&kept.budget)
    }

    fn apply(&mut self, now: Nanos) {
        for (key, kept) in &self.budgets {
            kept.budget.obey(now, &kept.rule, &self.lessee.shares(now, key));
        }
    }
}

fn now_unix_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

#[cfg(test)]
mod tests;
