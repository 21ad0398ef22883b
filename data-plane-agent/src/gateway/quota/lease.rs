//! This gateway's parts of budgets: leased from the agent, or taken by itself. Pure; the clock is the caller's.

use std::collections::HashMap;

use weir_proto::lane::v1::{BudgetNeed, LeaseRequest, Leases};

use super::Key;
use super::bucket::{Nanos, SECOND};
use super::rules::Dimension;
use crate::lane::leases::{WHOLE, by_itself};

/// Without an answer to a request of this age, the agent is away.
const CONTACT: Nanos = 2 * SECOND;
/// Requests whose answer may still come.
const UNANSWERED_MAX: usize = 64;

/// This gateway's part of one dimension of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Millionths.
    pub ppm: u32,
    /// Less than half of an equal part: the agent lends more to who asks.
    pub meagre: bool,
}

/// What this gateway holds.
#[derive(Debug, Default)]
pub struct Lessee {
    sequence: u64,
    seen: u64,
    gateways: u32,
    /// When the newest request that was answered was sent.
    contact: Option<Nanos>,
    sent: Vec<(u64, Nanos)>,
    /// (part, end) by budget and dimension.
    leases: HashMap<Key, [(u32, Nanos); 5]>,
}

impl Lessee {
    /// One that remembers how many gateways there were when the agent was last heard; 0: never.
    #[must_use]
    pub fn remembering(gateways: u32) -> Self {
        Self {
            gateways,
            ..Self::default()
        }
    }

    /// How many gateways share the budgets, as last heard.
    #[must_use]
    pub fn gateways(&self) -> u32 {
        self.gateways
    }

    /// The next request.
    pub fn request(&mut self, now: Nanos, needs: Vec<BudgetNeed>) -> LeaseRequest {
        self.sequence += 1;
        if self.sent.len() == UNANSWERED_MAX {
            self.sent.remove(0);
        }
        self.sent.push((self.sequence, now));
        self.leases
            .retain(|_budget, parts| parts.iter().any(|(_part, end)| *end > now));
        LeaseRequest {
            sequence: self.sequence,
            seen: self.seen,
            gateways: if self.seen > 0 { self.gateways } else { 0 },
            needs,
        }
    }

    /// Takes an answer. It counts from when its request was sent, so that no lease outlives the agent's own count.
    pub fn answer(&mut self, answer: &Leases) {
        let Leases {
            sequence,
            term_ms,
            gateways,
            leases,
        } = answer;
        let Some(at) = self.sent.iter().position(|(sent, _at)| sent == sequence) else {
            return;
        };
        let (_sequence, sent_at) = self.sent[at];
        self.sent.drain(..=at);
        self.seen = *sequence;
        self.gateways = *gateways;
        self.contact = Some(sent_at);
        let end = sent_at.saturating_add(Nanos::from(*term_ms) * 1_000_000);
        for lease in leases {
            let dimension = Dimension::ALL
                .into_iter()
                .find(|it| it.on_the_lane() == lease.dimension());
            if let Some(dimension) = dimension {
                let budget = (lease.quota_id.as_str().into(), lease.principal_id.as_str().into());
                let parts = self.leases.entry(budget).or_default();
                parts[dimension.index()] = (lease.share_ppm, end);
            }
        }
    }

    /// The agent's stream ended: what it said of sequences is of that stream.
    pub fn detached(&mut self) {
        self.sent.clear();
        self.seen = 0;
    }

    /// Does the agent answer?
    #[must_use]
    pub fn in_contact(&self, now: Nanos) -> bool {
        self.contact.is_some_and(|at| now < at.saturating_add(CONTACT))
    }

    /// What this gateway may use of a budget, by dimension.
    #[must_use]
    pub fn shares(&self, now: Nanos, budget: &Key) -> [Share; 5] {
        let in_contact = self.in_contact(now);
        let by_itself = by_itself(self.gateways, in_contact);
        let share = |ppm| Share {
            ppm,
            meagre: in_contact && self.gateways > 1 && ppm < WHOLE / self.gateways / 2,
        };
        match self.leases.get(budget) {
            Some(parts) => parts.map(|(part, end)| share(if end > now { part } else { by_itself })),
            None => [share(by_itself); 5],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::leases::STARTER;
    use weir_proto::lane::v1::{BudgetDimension, Lease};

    fn leases(sequence: u64, gateways: u32, share_ppm: u32) -> Leases {
        Leases {
            sequence,
            term_ms: 2000,
            gateways,
            leases: vec![Lease {
                quota_id: "q".to_owned(),
                principal_id: String::new(),
                dimension: BudgetDimension::Ingress.into(),
                share_ppm,
            }],
        }
    }

    #[test]
    fn a_lease_counts_from_its_request_and_an_equal_part_is_left_without_one() {
        let mut lessee = Lessee::default();
        let (shared, other): (Key, Key) = (("q".into(), "".into()), ("other".into(), "".into()));
        let now = 100 * SECOND;
        let part =
            |lessee: &Lessee, budget: &Key, now| lessee.shares(now, budget)[Dimension::Ingress.index()].ppm;
        assert_eq!(part(&lessee, &shared, now), WHOLE, "alone, as far as it knows");
        let request = lessee.request(now, Vec::new());
        assert_eq!((request.sequence, request.seen, request.gateways), (1, 0, 0));
        lessee.answer(&leases(9, 4, 1));
        assert_eq!(part(&lessee, &shared, now), WHOLE, "an answer to nothing is none");
        lessee.answer(&leases(1, 4, 700_000));
        assert_eq!(part(&lessee, &shared, now + SECOND), 700_000);
        assert_eq!(part(&lessee, &other, now + SECOND), STARTER / 4);
        assert_eq!(
            lessee.shares(now, &shared)[Dimension::Egress.index()],
            Share {
                ppm: STARTER / 4,
                meagre: true
            }
        );
        let meagre = |part: u32, now| {
            let mut lessee = Lessee::default();
            lessee.request(now, Vec::new());
            lessee.answer(&leases(1, 4, part));
            lessee.shares(now, &shared)[Dimension::Ingress.index()].meagre
        };
        assert!(meagre(WHOLE / 8 - 1, now), "whoever asks is lent more than that");
        assert!(!meagre(WHOLE / 8, now), "others need the rest");
        let late = now + 2 * SECOND;
        assert_eq!(part(&lessee, &shared, late), WHOLE / 4, "the agent is away");
        let request = lessee.request(late, Vec::new());
        assert_eq!((request.seen, request.gateways), (1, 4));
        assert_eq!(Lessee::remembering(3).shares(now, &other)[0].ppm, WHOLE / 3);
    }
}
