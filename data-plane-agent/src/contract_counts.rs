//! What gateways judged, of all of them together: counts until the link reports them, examples for people inside.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use weir_proto::agent::v1::{ContractReport, TopicJudged, ViolationCount};
use weir_proto::lane::v1::{ContractWindow, ViolationExample};

/// Rows of one report, of either sort; beyond it the least news is lost, which no bill depends on.
const ROWS_MAX: usize = 10_000;
/// Examples that are kept: one for each topic, part, schema, kind and rule; the oldest go first.
const EXAMPLES_MAX: usize = 1_000;
/// Texts of an example are cut after so many characters, whatever a gateway sends.
const TEXT_MAX: usize = 4_000;

/// Counts that wait for the link, and what they look like.
#[derive(Debug, Default)]
pub struct ContractCounts {
    waiting: Mutex<Waiting>,
    examples: Mutex<HashMap<Sort, ViolationExample>>,
}

/// Topic, part, schema, kind, rule.
type Sort = (String, i32, String, i32, u32);

#[derive(Debug, Default)]
struct Waiting {
    started_at_unix_ms: i64,
    ended_at_unix_ms: i64,
    topics: BTreeMap<String, TopicJudged>,
    violations: BTreeMap<(Sort, String, i32), ViolationCount>,
}

impl ContractCounts {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Sort, ViolationExample>> {
        self.examples.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what a gateway judged.
    pub fn add(&self, window: ContractWindow) {
        let ContractWindow { report, examples } = window;
        if let Some(report) = report {
            self.waiting().add(report);
        }
        for example in examples {
            self.keep(example);
        }
    }

    fn keep(&self, example: ViolationExample) {
        let example = cut(example);
        let sort = (
            example.topic_id.clone(),
            example.part,
            example.schema.clone(),
            example.kind,
            example.rule,
        );
        let mut kept = self.kept();
        if kept.len() >= EXAMPLES_MAX && !kept.contains_key(&sort) {
            let oldest = kept.iter().min_by_key(|(_sort, it)| it.at_unix_ms);
            if let Some(oldest) = oldest.map(|(sort, _example)| sort.clone()) {
                kept.remove(&oldest);
            }
        }
        kept.insert(sort, example);
    }

    /// Takes what waits; `None` when nothing does.
    #[must_use]
    pub fn take(&self) -> Option<ContractReport> {
        let Waiting {
            started_at_unix_ms,
            ended_at_unix_ms,
            topics,
            violations,
        } = std::mem::take(&mut *self.waiting());
        (!topics.is_empty() || !violations.is_empty()).then(|| ContractReport {
            started_at_unix_ms,
            ended_at_unix_ms,
            topics: topics.into_values().collect(),
            violations: violations.into_values().collect(),
        })
    }

    /// What violations look like, the newest first; nothing that a record holds is in it.
    #[must_use]
    pub fn examples(&self) -> Vec<ViolationExample> {
        let mut examples: Vec<_> = self.kept().values().cloned().collect();
        examples.sort_by(|a, b| (b.at_unix_ms, &b.topic_id).cmp(&(a.at_unix_ms, &a.topic_id)));
        examples
    }
}

impl Waiting {
    fn add(&mut self, report: ContractReport) {
        let ContractReport {
            started_at_unix_ms,
            ended_at_unix_ms,
            topics,
            violations,
        } = report;
        if self.topics.is_empty() && self.violations.is_empty() {
            (self.started_at_unix_ms, self.ended_at_unix_ms) = (started_at_unix_ms, ended_at_unix_ms);
        }
        self.started_at_unix_ms = self.started_at_unix_ms.min(started_at_unix_ms);
        self.ended_at_unix_ms = self.ended_at_unix_ms.max(ended_at_unix_ms);
        for told in topics {
            if self.topics.len() >= ROWS_MAX && !self.topics.contains_key(&told.topic_id) {
                continue;
            }
            let held = self
                .topics
                .entry(told.topic_id.clone())
                .or_insert_with(|| TopicJudged {
                    topic_id: told.topic_id,
                    ..TopicJudged::default()
                });
            held.records = held.records.saturating_add(told.records);
            held.violating = held.violating.saturating_add(told.violating);
            held.last_record_at_unix_ms = held.last_record_at_unix_ms.max(told.last_record_at_unix_ms);
        }
        for told in violations {
            let sort = (
                told.topic_id.clone(),
                told.part,
                told.schema.clone(),
                told.kind,
                told.rule,
            );
            let key = (sort, told.principal_id.clone(), told.enforcement);
            if self.violations.len() >= ROWS_MAX && !self.violations.contains_key(&key) {
                continue;
            }
            let held = self.violations.entry(key).or_insert_with(|| ViolationCount {
                records: 0,
                ..told.clone()
            });
            held.records = held.records.saturating_add(told.records);
        }
    }
}

fn cut(mut example: ViolationExample) -> ViolationExample {
    let ViolationExample {
        topic_id,
        part: _,
        schema,
        kind: _,
        rule: _,
        rule_name,
        path,
        reason,
        record,
        at_unix_ms: _,
    } = &mut example;
    for text in [topic_id, schema, rule_name, path, reason, record] {
        if let Some((end, _character)) = text.char_indices().nth(TEXT_MAX) {
            text.truncate(end);
        }
    }
    example
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(principal: &str, rule: u32, records: u64) -> ViolationCount {
        ViolationCount {
            topic_id: "t".to_owned(),
            principal_id: principal.to_owned(),
            schema: "s".to_owned(),
            kind: 5,
            rule,
            records,
            ..ViolationCount::default()
        }
    }

    fn window(from: i64, to: i64, records: u64, violations: Vec<ViolationCount>) -> ContractWindow {
        let judged = TopicJudged {
            topic_id: "t".to_owned(),
            records,
            violating: violations.iter().map(|it| it.records).sum(),
            last_record_at_unix_ms: to,
        };
        ContractWindow {
            report: Some(ContractReport {
                started_at_unix_ms: from,
                ended_at_unix_ms: to,
                topics: vec![judged],
                violations,
            }),
            examples: Vec::new(),
        }
    }

    #[test]
    fn gateways_are_added_up_and_told_once() {
        let counts = ContractCounts::default();
        assert_eq!(counts.take(), None);
        counts.add(window(1000, 3000, 10, vec![count("a", 1, 2)]));
        counts.add(window(
            500,
            2500,
            5,
            vec![count("a", 1, 1), count("a", 2, 1), count("b", 1, 1)],
        ));
        let told = counts.take().unwrap();
        assert_eq!((told.started_at_unix_ms, told.ended_at_unix_ms), (500, 3000));
        assert_eq!((told.topics[0].records, told.topics[0].violating), (15, 5));
        assert_eq!(told.topics[0].last_record_at_unix_ms, 3000);
        let rows: Vec<_> = told
            .violations
            .iter()
            .map(|it| (it.principal_id.as_str(), it.rule, it.records))
            .collect();
        assert_eq!(rows, [("a", 1, 3), ("b", 1, 1), ("a", 2, 1)]);
        assert_eq!(counts.take(), None);
    }

    #[test]
    fn neither_rows_nor_examples_grow_without_end() {
        let counts = ContractCounts::default();
        let many = (0..12_000).map(|rule| count("a", rule, 1)).collect();
        counts.add(window(1, 2, 12_000, many));
        assert_eq!(counts.take().unwrap().violations.len(), ROWS_MAX);
        let example = |rule| ViolationExample {
            rule,
            record: "é".repeat(10_000),
            at_unix_ms: i64::from(rule),
            ..ViolationExample::default()
        };
        for rule in 0..1_500 {
            counts.add(ContractWindow {
                report: None,
                examples: vec![example(rule), example(rule)],
            });
        }
        let kept = counts.examples();
        assert_eq!(
            (kept.len(), kept[0].rule, kept[999].rule),
            (EXAMPLES_MAX, 1_499, 500)
        );
        assert_eq!(kept[0].record.chars().count(), TEXT_MAX);
    }
}
