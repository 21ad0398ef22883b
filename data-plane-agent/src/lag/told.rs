//! Lags that wait for the link: the newest of each rule.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use weir_proto::agent::v1::{LagLevel, LagReport};

/// A lag that does not change is told again after so long: the control plane takes one that is twice as old for unknown.
const AGAIN: Duration = Duration::from_secs(30);

/// What is to be told, and what was.
#[derive(Debug, Default)]
pub struct Lags {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: BTreeMap<String, LagLevel>,
    told: BTreeMap<String, (LagLevel, Instant)>,
}

impl Lags {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one round: what changed is told, and now and then what did not. A rule that it does not name is none any more.
    pub fn measured(&self, round: impl Iterator<Item = LagLevel>, now: Instant) {
        let mut inner = self.inner();
        let mut named = BTreeSet::new();
        for level in round {
            named.insert(level.rule_id.clone());
            let told = inner.told.get(&level.rule_id);
            let old_news = told.is_some_and(|(told, at)| *told == level && now.duration_since(*at) < AGAIN);
            if !old_news {
                inner.told.insert(level.rule_id.clone(), (level.clone(), now));
                inner.waiting.insert(level.rule_id.clone(), level);
            }
        }
        inner.told.retain(|rule, _told| named.contains(rule));
        inner.waiting.retain(|rule, _level| named.contains(rule));
    }

    /// Takes what waits; `None` when nothing does.
    #[must_use]
    pub fn take(&self) -> Option<LagReport> {
        let waiting = std::mem::take(&mut self.inner().waiting);
        (!waiting.is_empty()).then(|| LagReport {
            levels: waiting.into_values().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(rule: &str, lag: i64) -> LagLevel {
        LagLevel {
            rule_id: rule.to_owned(),
            lag_records: lag,
            ..LagLevel::default()
        }
    }

    fn told(lags: &Lags) -> Vec<(String, i64)> {
        let levels = lags.take().map(|it| it.levels).unwrap_or_default();
        levels
            .into_iter()
            .map(|it| (it.rule_id, it.lag_records))
            .collect()
    }

    #[test]
    fn a_lag_is_told_when_it_changes_and_now_and_then() {
        let (lags, began) = (Lags::default(), Instant::now());
        let measure = |lag, seconds| {
            let at = began + Duration::from_secs(seconds);
            lags.measured([level("a", lag)].into_iter(), at);
        };
        measure(5, 0);
        measure(6, 10);
        assert_eq!(told(&lags), [("a".to_owned(), 6)], "the newest");
        measure(6, 39);
        assert_eq!(told(&lags), []);
        measure(6, 40);
        assert_eq!(told(&lags), [("a".to_owned(), 6)]);
    }

    #[test]
    fn a_rule_that_is_gone_is_not_told() {
        let (lags, now) = (Lags::default(), Instant::now());
        lags.measured([level("a", 5), level("b", 7)].into_iter(), now);
        lags.measured([level("b", 7)].into_iter(), now);
        assert_eq!(told(&lags), [("b".to_owned(), 7)]);
    }
}
