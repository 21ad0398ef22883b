//! How cluster links go, on its way home: what changed, at a bounded rate, and all of it when a session begins.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use weir_proto::agent::v1::{ClusterLinkReport, ClusterLinkStatus, Generation, Phase, Reason};

/// Where only counts changed, a link is told no more often.
const PACE: Duration = Duration::from_secs(10);
/// Ends of links in one report; the others follow with the next.
const ENDS_MAX: usize = 100;

/// Link and end.
type Key = (String, i32);

/// What is to be told, and what was.
#[derive(Debug, Default)]
pub struct LinkReports {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    observed: Option<Generation>,
    now: BTreeMap<Key, ClusterLinkStatus>,
    told: BTreeMap<Key, (ClusterLinkStatus, Instant)>,
}

impl LinkReports {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ends that there are by this generation of the wish. Of those that are not named nothing more is told.
    pub fn named(&self, observed: Option<Generation>, ends: &[Key]) {
        let mut inner = self.inner();
        inner.observed = observed;
        inner.now.retain(|key, _status| ends.contains(key));
        inner.told.retain(|key, _told| ends.contains(key));
    }

    /// What was said of an end is of a wish before this one: nothing is told of it until somebody says how it goes now.
    pub fn outdate(&self, link_id: &str, end: i32) {
        self.inner().now.remove(&(link_id.to_owned(), end));
    }

    /// How an end goes now.
    pub fn tell(&self, status: ClusterLinkStatus) {
        let key = (status.link_id.clone(), status.end);
        self.inner().now.insert(key, status);
    }

    /// How it goes, as it was last said.
    #[must_use]
    pub fn of(&self, link_id: &str, end: i32) -> Option<ClusterLinkStatus> {
        self.inner().now.get(&(link_id.to_owned(), end)).cloned()
    }

    /// Takes what is news; `None` when nothing is.
    #[must_use]
    pub fn take(&self, now: Instant) -> Option<ClusterLinkReport> {
        let mut inner = self.inner();
        let observed = inner.observed;
        let mut links = Vec::new();
        for (key, status) in &inner.now {
            let status = ClusterLinkStatus {
                observed,
                ..status.clone()
            };
            let news = inner.told.get(key).is_none_or(|(told, at)| {
                *told != status && (words(told) != words(&status) || now.duration_since(*at) >= PACE)
            });
            if news && links.len() < ENDS_MAX {
                links.push((key.clone(), status));
            }
        }
        for (key, status) in &links {
            inner.told.insert(key.clone(), (status.clone(), now));
        }
        let links: Vec<_> = links.into_iter().map(|(_key, status)| status).collect();
        (!links.is_empty()).then_some(ClusterLinkReport { links })
    }

    /// A session begins: what was told before may have been lost.
    pub fn again(&self) {
        self.inner().told.clear();
    }
}

type Words<'a> = (Phase, Reason, Option<Generation>, Vec<(&'a str, Phase, Reason)>);

/// Without the counts.
fn words(status: &ClusterLinkStatus) -> Words<'_> {
    let topics = status.topics.iter();
    let topics = topics.map(|it| (it.topic_id.as_str(), it.phase(), it.reason()));
    (status.phase(), status.reason(), status.observed, topics.collect())
}

#[cfg(test)]
mod tests {
    use weir_proto::agent::v1::{ClusterLinkEnd, LinkedTopicStatus};

    use super::*;

    fn status(phase: Phase, records: u64) -> ClusterLinkStatus {
        ClusterLinkStatus {
            link_id: "link_1".to_owned(),
            end: ClusterLinkEnd::Target.into(),
            phase: phase.into(),
            topics: vec![LinkedTopicStatus {
                topic_id: "topic_1".to_owned(),
                records,
                ..LinkedTopicStatus::default()
            }],
            ..ClusterLinkStatus::default()
        }
    }

    #[test]
    fn what_changed_is_told_counts_less_often_and_all_when_a_session_begins() {
        let (reports, began) = (LinkReports::default(), Instant::now());
        let key = ("link_1".to_owned(), i32::from(ClusterLinkEnd::Target));
        let generation = |n| Some(Generation { epoch: 1, n });
        reports.named(generation(1), std::slice::from_ref(&key));
        let told = |status: ClusterLinkStatus, seconds| {
            reports.tell(status);
            let report = reports.take(began + Duration::from_secs(seconds))?;
            Some((report.links[0].phase(), report.links[0].topics[0].records))
        };
        assert_eq!(told(status(Phase::Ready, 1), 0), Some((Phase::Ready, 1)));
        assert_eq!(told(status(Phase::Ready, 1), 1), None);
        assert_eq!(told(status(Phase::Ready, 2), 2), None, "a count");
        assert_eq!(told(status(Phase::Degraded, 2), 3), Some((Phase::Degraded, 2)));
        assert_eq!(told(status(Phase::Degraded, 3), 12), None);
        assert_eq!(told(status(Phase::Degraded, 3), 13), Some((Phase::Degraded, 3)));
        reports.named(generation(2), std::slice::from_ref(&key));
        assert_eq!(
            told(status(Phase::Degraded, 3), 14),
            Some((Phase::Degraded, 3)),
            "of a newer wish"
        );
        reports.again();
        assert_eq!(told(status(Phase::Degraded, 3), 15), Some((Phase::Degraded, 3)));
        reports.named(generation(3), &[]);
        reports.again();
        assert_eq!(
            reports.take(began + Duration::from_secs(60)),
            None,
            "there is no such link any more"
        );
    }
}
