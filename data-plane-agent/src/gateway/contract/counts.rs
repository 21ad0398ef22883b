//! What was judged, counted until the agent is told. For people, not for bills: a kill loses what was not told yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use weir_proto::agent::v1::{
    ContractReport, Enforcement, RecordPart, TopicJudged, ViolationCount, ViolationKind,
};
use weir_proto::lane::v1::{ContractWindow, ViolationExample};

use super::judge::Breach;
use crate::gateway::view::now_unix_ms;

/// Rows of either sort; beyond it the newest sorts of violations are not told apart any more, and lost.
const ROWS_MAX: usize = 10_000;
/// Sorts of violations of which examples are remembered.
const EXAMPLES_MAX: usize = 1_000;
/// Examples that wait to be told.
const WAITING_MAX: usize = 64;
/// One example of a sort is enough for so long.
const EXAMPLE_AGAIN: Duration = Duration::from_secs(60);
/// Requests judged at once beside the clients, at most: each may unpack a batch.
const ASIDE_MAX: usize = 4;

/// A sort of violation of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sort {
    /// The topic's id.
    pub topic: Arc<str>,
    /// Key or value.
    pub part: RecordPart,
    /// The schema's id; empty when it is unknown.
    pub schema: Arc<str>,
    /// What sort.
    pub kind: ViolationKind,
    /// The rule's place; 0: none.
    pub rule: u32,
}

impl Sort {
    /// Of a breach.
    #[must_use]
    pub fn of(topic: &Arc<str>, breach: &Breach) -> Self {
        Self {
            topic: Arc::clone(topic),
            part: breach.part,
            schema: breach
                .schema
                .as_ref()
                .map_or_else(|| "".into(), |it| Arc::clone(&it.id)),
            kind: breach.kind,
            rule: breach.rule_place(),
        }
    }
}

/// All counts of this gateway since the last window, and room for judging beside the clients.
#[derive(Debug)]
pub struct Counts {
    inner: Mutex<Inner>,
    room: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Inner {
    started_at_unix_ms: i64,
    topics: HashMap<Arc<str>, TopicJudged>,
    violations: HashMap<(Sort, Arc<str>, Enforcement), u64>,
    exemplified: HashMap<Sort, Instant>,
    examples: Vec<ViolationExample>,
}

impl Default for Counts {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            inner: Mutex::default(),
            room: Arc::new(Semaphore::new(cores.min(ASIDE_MAX))),
        }
    }
}

/// What came of one partition's batches.
#[derive(Debug)]
pub struct Tally<'a> {
    /// The topic's id.
    pub topic: &'a Arc<str>,
    /// Who sent them.
    pub principal: &'a Arc<str>,
    /// What was in force.
    pub enforcement: Enforcement,
    /// Records.
    pub judged: u64,
    /// Of these, with a violation.
    pub violating: u64,
    /// Of these, of each sort.
    pub sorts: &'a HashMap<Sort, u64>,
}

impl Counts {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for one more request that is judged beside the clients.
    #[must_use]
    pub fn room(&self) -> Arc<Semaphore> {
        Arc::clone(&self.room)
    }

    /// Adds what was judged.
    pub fn add(&self, tally: &Tally<'_>) {
        let now = now_unix_ms();
        let mut inner = self.lock();
        let inner = &mut *inner;
        if inner.topics.is_empty() && inner.violations.is_empty() {
            inner.started_at_unix_ms = now;
        }
        if inner.topics.len() < ROWS_MAX || inner.topics.contains_key(tally.topic) {
            let held = inner.topics.entry(Arc::clone(tally.topic)).or_default();
            held.records = held.records.saturating_add(tally.judged);
            held.violating = held.violating.saturating_add(tally.violating);
            held.last_record_at_unix_ms = now;
        }
        for (sort, records) in tally.sorts {
            let key = (sort.clone(), Arc::clone(tally.principal), tally.enforcement);
            if inner.violations.len() < ROWS_MAX || inner.violations.contains_key(&key) {
                let held = inner.violations.entry(key).or_default();
                *held = held.saturating_add(*records);
            }
        }
    }

    /// Whether an example of this sort is wanted; whoever is told so makes one.
    #[must_use]
    pub fn wants_example(&self, sort: &Sort) -> bool {
        let mut inner = self.lock();
        if inner.examples.len() >= WAITING_MAX {
            return false;
        }
        let now = Instant::now();
        if inner.exemplified.len() >= EXAMPLES_MAX && !inner.exemplified.contains_key(sort) {
            inner
                .exemplified
                .retain(|_sort, at| now.duration_since(*at) < EXAMPLE_AGAIN);
            if inner.exemplified.len() >= EXAMPLES_MAX {
                return false;
            }
        }
        match inner.exemplified.get(sort) {
            Some(at) if now.duration_since(*at) < EXAMPLE_AGAIN => false,
            _old => {
                inner.exemplified.insert(sort.clone(), now);
                true
            }
        }
    }

    /// Keeps an example for the endpoint inside of the customer's network.
    pub fn exemplify(&self, sort: &Sort, breach: &Breach, record: String) {
        let example = ViolationExample {
            topic_id: sort.topic.to_string(),
            part: sort.part.into(),
            schema: sort.schema.to_string(),
            kind: sort.kind.into(),
            rule: sort.rule,
            rule_name: breach.rule.as_deref().unwrap_or_default().to_owned(),
            path: breach.path.clone(),
            reason: breach.reason.clone(),
            record,
            at_unix_ms: now_unix_ms(),
        };
        let mut inner = self.lock();
        if inner.examples.len() < WAITING_MAX {
            inner.examples.push(example);
        }
    }

    /// Takes what was counted since the last time; `None` when nothing was judged.
    #[must_use]
    pub fn window(&self) -> Option<ContractWindow> {
        let mut inner = self.lock();
        if inner.topics.is_empty() && inner.violations.is_empty() && inner.examples.is_empty() {
            return None;
        }
        let (topics, violations) = (
            std::mem::take(&mut inner.topics),
            std::mem::take(&mut inner.violations),
        );
        let (started_at_unix_ms, examples) = (inner.started_at_unix_ms, std::mem::take(&mut inner.examples));
        drop(inner);
        let topics = topics.into_iter().map(|(id, judged)| TopicJudged {
            topic_id: id.to_string(),
            ..judged
        });
        let violations = violations
            .into_iter()
            .map(|((sort, principal, enforcement), records)| {
                let Sort {
                    topic,
                    part,
                    schema,
                    kind,
                    rule,
                } = sort;
                ViolationCount {
                    topic_id: topic.to_string(),
                    principal_id: principal.to_string(),
                    part: part.into(),
                    schema: schema.to_string(),
                    kind: kind.into(),
                    rule,
                    enforcement: enforcement.into(),
                    records,
                }
            });
        Some(ContractWindow {
            report: Some(ContractReport {
                started_at_unix_ms,
                ended_at_unix_ms: now_unix_ms(),
                topics: topics.collect(),
                violations: violations.collect(),
            }),
            examples,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sort(topic: &str, rule: u32) -> Sort {
        Sort {
            topic: topic.into(),
            part: RecordPart::Value,
            schema: "schema_1".into(),
            kind: ViolationKind::Condition,
            rule,
        }
    }

    fn add(counts: &Counts, topic: &str, principal: &str, sorts: &HashMap<Sort, u64>) {
        counts.add(&Tally {
            topic: &topic.into(),
            principal: &principal.into(),
            enforcement: Enforcement::Shadow,
            judged: 10,
            violating: sorts.values().sum(),
            sorts,
        });
    }

    #[test]
    fn records_add_up_per_topic_and_violations_per_sort_and_principal() {
        let counts = Counts::default();
        assert_eq!(counts.window(), None);
        add(&counts, "t", "a", &HashMap::from([(sort("t", 1), 2)]));
        add(
            &counts,
            "t",
            "a",
            &HashMap::from([(sort("t", 1), 3), (sort("t", 2), 1)]),
        );
        add(&counts, "t", "b", &HashMap::from([(sort("t", 1), 1)]));
        add(&counts, "u", "b", &HashMap::new());
        let report = counts.window().unwrap().report.unwrap();
        let mut topics: Vec<_> = report
            .topics
            .iter()
            .map(|it| (it.topic_id.as_str(), it.records, it.violating))
            .collect();
        topics.sort_unstable();
        assert_eq!(topics, [("t", 30, 7), ("u", 10, 0)]);
        let mut rows: Vec<_> = report
            .violations
            .iter()
            .map(|it| (it.principal_id.as_str(), it.rule, it.records))
            .collect();
        rows.sort_unstable();
        assert_eq!(rows, [("a", 1, 5), ("a", 2, 1), ("b", 1, 1)]);
        assert_eq!(counts.window(), None, "told once");
    }

    #[test]
    fn sorts_without_end_take_no_memory_without_end() {
        let counts = Counts::default();
        for rule in 0..12_000 {
            add(
                &counts,
                &format!("t{rule}"),
                "a",
                &HashMap::from([(sort("t", rule), 1)]),
            );
        }
        let report = counts.window().unwrap().report.unwrap();
        assert_eq!(
            (report.topics.len(), report.violations.len()),
            (ROWS_MAX, ROWS_MAX)
        );
    }

    #[test]
    fn one_example_of_a_sort_is_enough() {
        let counts = Counts::default();
        assert!(counts.wants_example(&sort("t", 1)));
        assert!(!counts.wants_example(&sort("t", 1)));
        let breach = Breach::of_batch(
            &super::super::tests::contract(Enforcement::Shadow),
            ViolationKind::TooLarge,
            "too large",
        );
        let wanted = (2..3000).filter(|rule| {
            let wanted = counts.wants_example(&sort("t", *rule));
            if wanted {
                counts.exemplify(&sort("t", *rule), &breach, "{a: int}".to_owned());
            }
            wanted
        });
        assert_eq!(wanted.count(), WAITING_MAX);
        assert_eq!(counts.window().unwrap().examples.len(), WAITING_MAX);
        let again = (100..3000).filter(|rule| counts.wants_example(&sort("t", *rule)));
        assert_eq!(again.count(), EXAMPLES_MAX - WAITING_MAX - 1);
    }
}
