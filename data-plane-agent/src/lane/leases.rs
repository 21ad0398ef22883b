//! Parts of budgets for gateways: one budget over all of them together. Pure; the clock is the caller's.
//!
//! A gateway asks again and again, and each answer lends it a part of each budget for one term. A part is at most what
//! is left of the budget beside what every other gateway may believe to hold: its leases that have not ended, or without
//! one what it takes by itself (a small part while it hears from us, an equal part once it does not). So the parts never
//! exceed the budget, whatever order words arrive in. Within that, parts follow use: who needs little keeps little, the
//! rest is divided evenly among those who want more.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::Instant;
use weir_proto::lane::v1::{BudgetNeed, DimensionNeed, Lease, LeaseRequest, Leases};

/// A lease's length.
pub const TERM: Duration = Duration::from_secs(2);
/// All of a budget, in millionths.
pub const WHOLE: u32 = 1_000_000;
/// What gateways without a lease may take while they hear from the agent, together. It is lost to those who are busy
/// (docs/benchmarks.md says what less of it cost).
pub const STARTER: u32 = 10_000;
/// A gateway that is silent for so long is taken for gone.
const FORGOTTEN: Duration = Duration::from_secs(60);
/// A need that was not repeated for so long is none.
const NEED_AGE: Duration = Duration::from_secs(3);
/// A gateway that was not heard for so long may have taken its equal part.
const SILENT: Duration = Duration::from_secs(1);
/// Budgets that are kept in mind.
const BUDGETS_MAX: usize = 100_000;

/// What a gateway without a lease takes of each budget by itself, of so many that it knows of.
#[must_use]
pub fn by_itself(gateways: u32, in_contact: bool) -> u32 {
    match gateways {
        0 | 1 => WHOLE,
        many if in_contact => STARTER / many,
        many => WHOLE / many,
    }
}

/// (quota, principal, dimension).
type Budget = (String, String, i32);

/// Lends out budgets.
#[derive(Debug)]
pub struct Lessor {
    opens_at: Instant,
    gateways: BTreeMap<String, Gateway>,
    budgets: HashMap<Budget, BTreeMap<String, Holder>>,
}

#[derive(Debug)]
struct Gateway {
    heard_at: Instant,
    /// How many gateways it knows of; the fewer, the more it takes by itself.
    knows_of: u32,
}

#[derive(Debug, Default)]
struct Holder {
    /// (sequence, part, end): those that may still be in use.
    lent: Vec<(u64, u32, Instant)>,
    need: Option<(Need, Instant)>,
}

#[derive(Debug, Clone, Copy)]
struct Need {
    wanted: u32,
    floor: u32,
}

impl Lessor {
    /// Begins after a start of the agent: what was lent before it runs out first. `known`: gateways of before.
    #[must_use]
    pub fn new(now: Instant, known: impl IntoIterator<Item = String>) -> Self {
        let gateway = Gateway {
            heard_at: now,
            knows_of: 0,
        };
        let mut lessor = Self {
            opens_at: now + TERM,
            gateways: known
                .into_iter()
                .map(|id| {
                    (
                        id,
                        Gateway {
                            heard_at: gateway.heard_at,
                            knows_of: gateway.knows_of,
                        },
                    )
                })
                .collect(),
            budgets: HashMap::new(),
        };
        let count = lessor.count();
        for known in lessor.gateways.values_mut() {
            known.knows_of = count;
        }
        lessor
    }

    /// The gateways among which budgets are divided.
    #[must_use]
    pub fn known(&self) -> Vec<String> {
        self.gateways.keys().cloned().collect()
    }

    fn count(&self) -> u32 {
        u32::try_from(self.gateways.len()).unwrap_or(u32::MAX)
    }

    /// A gateway ended in order: it uses nothing any more.
    pub fn leave(&mut self, gateway: &str) {
        self.gateways.remove(gateway);
        for holders in self.budgets.values_mut() {
            holders.remove(gateway);
        }
    }

    /// Answers a gateway; `None` in the first term, in which nothing is lent.
    pub fn answer(&mut self, now: Instant, gateway: &str, request: &LeaseRequest) -> Option<Leases> {
        self.forget(now);
        self.hear(now, gateway, request);
        if now < self.opens_at {
            return None;
        }
        let mut leases = Vec::new();
        for BudgetNeed {
            quota_id,
            principal_id,
            dimensions,
        } in &request.needs
        {
            for dimension in dimensions {
                let budget = (quota_id.clone(), principal_id.clone(), dimension.dimension);
                if self.budgets.len() >= BUDGETS_MAX && !self.budgets.contains_key(&budget) {
                    continue;
                }
                let share_ppm = self.lend(now, gateway, request.sequence, &budget, dimension);
                leases.push(Lease {
                    quota_id: budget.0,
                    principal_id: budget.1,
                    dimension: budget.2,
                    share_ppm,
                });
            }
        }
        Some(Leases {
            sequence: request.sequence,
            term_ms: u32::try_from(TERM.as_millis()).unwrap_or(u32::MAX),
            gateways: self.count(),
            leases,
        })
    }

    fn hear(&mut self, now: Instant, gateway: &str, request: &LeaseRequest) {
        // One that begins knows nothing yet, and takes nothing by itself until it was told.
        let known = self.gateways.entry(gateway.to_owned()).or_insert(Gateway {
            heard_at: now,
            knows_of: u32::MAX,
        });
        known.heard_at = now;
        if request.gateways > 0 {
            known.knows_of = request.gateways;
        }
        if request.seen > 0 {
            for holder in self.budgets.values_mut().filter_map(|it| it.get_mut(gateway)) {
                holder.lent.retain(|(sequence, ..)| *sequence >= request.seen);
            }
        }
    }

    /// Lends a part of one budget.
    fn lend(
        &mut self,
        now: Instant,
        gateway: &str,
        sequence: u64,
        budget: &Budget,
        need: &DimensionNeed,
    ) -> u32 {
        let need = Need {
            wanted: need.wanted_ppm,
            floor: need.floor_ppm.min(WHOLE),
        };
        let holder = self
            .budgets
            .entry(budget.clone())
            .or_default()
            .entry(gateway.to_owned())
            .or_default();
        holder.need = Some((need, now));
        let Some(holders) = self.budgets.get(budget) else {
            return 0;
        };
        let others = self
            .gateways
            .iter()
            .filter(|(id, _known)| *id != gateway)
            .map(|(id, known)| known.holds(now, holders.get(id)));
        let left = others.fold(WHOLE, |left, held| left.saturating_sub(held));
        let part = self.fair(now, gateway, holders).min(left);
        if let Some(holder) = self.budgets.get_mut(budget).and_then(|it| it.get_mut(gateway)) {
            holder.lent.push((sequence, part, now + TERM));
        }
        part
    }

    /// The part that this gateway should have, by what all want now.
    fn fair(&self, now: Instant, gateway: &str, holders: &BTreeMap<String, Holder>) -> u32 {
        let mut wanting = Vec::new();
        let mut reserved = 0_u32;
        for (id, known) in &self.gateways {
            let need = holders.get(id).and_then(|it| it.need_at(now));
            match need {
                Some(need) if !known.silent(now) => wanting.push((id.as_str(), need)),
                _not_now => reserved = reserved.saturating_add(known.takes(now)),
            }
        }
        let parts = divide(
            WHOLE.saturating_sub(reserved),
            &wanting.iter().map(|(_id, need)| *need).collect::<Vec<_>>(),
        );
        wanting
            .iter()
            .zip(parts)
            .find(|((id, _need), _part)| *id == gateway)
            .map_or(0, |(_who, part)| part)
    }

    fn forget(&mut self, now: Instant) {
        let gone: Vec<String> = self
            .gateways
            .iter()
            .filter(|(_id, known)| now.duration_since(known.heard_at) > FORGOTTEN)
            .map(|(id, _known)| id.clone())
            .collect();
        for id in gone {
            tracing::warn!(
                gateway = id,
                "a gateway was silent for a minute: its part is lent to others"
            );
            self.leave(&id);
        }
        self.budgets.retain(|_budget, holders| {
            holders
                .values_mut()
                .for_each(|it| it.lent.retain(|(_sequence, _part, end)| *end > now));
            holders.retain(|_id, it| !it.lent.is_empty() || it.need_at(now).is_some());
            !holders.is_empty()
        });
    }
}

impl Gateway {
    fn silent(&self, now: Instant) -> bool {
        now.duration_since(self.heard_at) > SILENT
    }

    /// What it takes by itself.
    fn takes(&self, now: Instant) -> u32 {
        by_itself(self.knows_of, !self.silent(now))
    }

    /// The most that it may use now.
    fn holds(&self, now: Instant, holder: Option<&Holder>) -> u32 {
        let lent = holder.and_then(|it| it.most(now));
        match lent {
            Some(part) if self.silent(now) => part.max(self.takes(now)),
            Some(part) => part,
            None => self.takes(now),
        }
    }
}

impl Holder {
    fn most(&self, now: Instant) -> Option<u32> {
        let live = self.lent.iter().filter(|(_sequence, _part, end)| *end > now);
        live.map(|(_sequence, part, _end)| *part).max()
    }

    fn need_at(&self, now: Instant) -> Option<Need> {
        self.need
            .filter(|(_need, at)| now.duration_since(*at) <= NEED_AGE)
            .map(|(need, _at)| need)
    }
}

/// Divides `whole` by what each wants: floors and a little for everybody first, then evenly up to each one's wish; what
/// nobody wants is spread evenly.
fn divide(whole: u32, needs: &[Need]) -> Vec<u32> {
    let count = u64::try_from(needs.len()).unwrap_or(u64::MAX).max(1);
    let whole = u64::from(whole);
    let floors: u64 = needs.iter().map(|it| u64::from(it.floor)).sum();
    // More floors than there is: each its part of them.
    let floor = |need: &Need| match floors {
        sum if sum > whole => u64::from(need.floor) * whole / sum,
        _fits => u64::from(need.floor),
    };
    let little = (whole.saturating_sub(floors) / count).min(u64::from(STARTER) / count);
    let at_level = |need: &Need, level: u64| {
        let wish = u64::from(need.wanted).min(level);
        wish.max(floor(need)).max(little).min(whole)
    };
    let sum = |level: u64| needs.iter().map(|it| at_level(it, level)).sum::<u64>();
    let (mut low, mut high) = (0, u64::from(WHOLE) * 4);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if sum(middle) <= whole {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    let spare = whole.saturating_sub(sum(low)) / count;
    let mut left = whole;
    needs
        .iter()
        .map(|need| {
            let part = (at_level(need, low) + spare).min(left);
            left -= part;
            u32::try_from(part).unwrap_or(u32::MAX)
        })
        .collect()
}

#[cfg(test)]
#[path = "leases_tests.rs"]
mod tests;
