//! How far those consumer groups are behind that alert rules watch: measured on the brokers every few seconds, through the
//! customer's policy, and told home as numbers. Groups that nobody watches are not looked at.

mod measure;
mod told;

pub use told::Lags;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use weir_proto::agent::v1::{LagLevel, LagOutcome, LagWatch};

use crate::answers::is_tellable;
use crate::desired::Accepted;
use crate::driver::{Directory, Place, Shared};
use crate::platform::Platform;
use crate::platform::kafka::Kafka;
use crate::policy::{Kind, Policy, PolicyFile};

/// How often brokers are asked, while somebody watches a group.
const MEASURE: Duration = Duration::from_secs(10);
/// One pool's brokers answer within this time, or did not.
const POOL_MAX: Duration = Duration::from_secs(20);
/// Rules of one data plane that are watched, the oldest first.
const WATCHES_MAX: usize = 5_000;

/// What was found out for one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Lag(i64),
    Not(LagOutcome),
}

/// What measuring needs of the rest of the agent.
pub struct LagGauge {
    /// The brokers.
    pub kafka: Arc<dyn Kafka>,
    /// What is wished, the watches among it.
    pub accepted: Arc<Accepted>,
    /// Where clusters are.
    pub directory: Arc<ArcSwap<Directory>>,
    /// The customer's word, asked at each measurement.
    pub policy: Arc<PolicyFile>,
    /// On their way home.
    pub lags: Arc<Lags>,
}

impl LagGauge {
    /// Of an agent.
    pub fn of(platform: &Platform, shared: &Shared, policy: &Arc<PolicyFile>, lags: &Arc<Lags>) -> Self {
        Self {
            kafka: Arc::clone(&platform.kafka),
            accepted: Arc::clone(&shared.accepted),
            directory: Arc::clone(&shared.directory),
            policy: Arc::clone(policy),
            lags: Arc::clone(lags),
        }
    }

    /// Measures for ever.
    pub async fn run(self) {
        let mut again = interval(MEASURE);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            again.tick().await;
            let held = self.accepted.held();
            let watches = held.as_ref().map_or(&[][..], |it| &it.state.lag_watches);
            let found = if watches.is_empty() {
                BTreeMap::new()
            } else {
                let (policy, directory) = (self.policy.current(), self.directory.load_full());
                round(self.kafka.as_ref(), watches, &directory, &policy).await
            };
            let levels = found.into_iter().map(|(rule, it)| level(rule, it));
            self.lags.measured(levels, Instant::now());
        }
    }
}

fn level(rule: &str, found: Found) -> LagLevel {
    let (outcome, lag_records) = match found {
        Found::Lag(records) => (LagOutcome::Measured, records),
        Found::Not(outcome) => (outcome, 0),
    };
    LagLevel {
        rule_id: rule.to_owned(),
        outcome: outcome.into(),
        lag_records,
    }
}

/// Every watch once. What the policy withholds is not even asked, so that the answer says nothing of it; pools do not
/// wait for each other.
async fn round<'a>(
    kafka: &dyn Kafka,
    watches: &'a [LagWatch],
    directory: &Directory,
    policy: &Policy,
) -> BTreeMap<&'a str, Found> {
    let mut found = BTreeMap::new();
    let mut pools: BTreeMap<&str, BTreeMap<&str, (&Place, Vec<&LagWatch>)>> = BTreeMap::new();
    for (at, watch) in watches.iter().enumerate() {
        let place = directory.clusters.get(&watch.cluster_id);
        let not = match place {
            _any if at >= WATCHES_MAX => LagOutcome::TooMany,
            _any if !is_tellable(&watch.group_id) => LagOutcome::Withheld,
            _any if !policy.allows(Kind::GroupRead, &watch.group_id) => LagOutcome::Withheld,
            None => LagOutcome::Unreachable,
            Some(place) => {
                let clusters = pools.entry(&place.pool.pool_id).or_default();
                let cluster = clusters.entry(&watch.cluster_id);
                cluster.or_insert_with(|| (place, Vec::new())).1.push(watch);
                // Until its brokers have answered.
                LagOutcome::Unreachable
            }
        };
        found.insert(watch.rule_id.as_str(), Found::Not(not));
    }
    let pools = pools.into_values().map(|clusters| async move {
        let mut measured = Vec::new();
        let all = async {
            for (place, watches) in clusters.into_values() {
                measured.extend(measure::cluster(kafka, place, &watches).await);
            }
        };
        let in_time = timeout(POOL_MAX, all).await.is_ok();
        if !in_time {
            tracing::debug!("the brokers of a pool did not answer in time; lag was not measured");
        }
        measured
    });
    found.extend(join_all(pools).await.into_iter().flatten());
    found
}

#[cfg(test)]
mod tests;
