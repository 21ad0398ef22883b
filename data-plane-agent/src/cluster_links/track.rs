//! One topic of a link: how far its partitions are copied, and how that goes.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use weir_proto::agent::v1::{LinkedTopicStatus, Phase, Reason};

use super::plan::Route;
use super::syncs::Syncs;
use crate::backoff::Backoff;
use crate::link::ledger::unix_ms;

const PAUSE_FIRST: Duration = Duration::from_secs(2);
const PAUSE_LONGEST: Duration = Duration::from_secs(60);
/// Who leads what is on its way from one broker to another.
const MOMENT: Duration = Duration::from_millis(300);

/// Kafka's error codes that a topic of the source is answered with.
const OFFSET_OUT_OF_RANGE: i16 = 1;
const UNKNOWN_TOPIC: i16 = 3;
const TOPIC_AUTHORIZATION_FAILED: i16 = 29;
/// Leadership that moves, and epochs that follow it.
const PASSING: [i16; 8] = [5, 6, 7, 9, 13, 74, 75, 76];

/// How far one partition is.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// What is read next in the source.
    pub next: i64,
    /// Before which offset of the source every transaction is over; -1: not known.
    pub stable: i64,
    /// Which offsets stand for which.
    pub syncs: Syncs,
}

/// One topic.
#[derive(Debug)]
pub struct Track {
    /// From where to where.
    pub route: Route,
    /// How far; empty: it is not open.
    pub places: BTreeMap<i32, Place>,
    /// Who leads the partitions of the source, and those of the copy.
    pub leads: BTreeMap<i32, (i32, i32)>,
    /// Of the source; 0: unknown.
    pub partitions: u32,
    /// Copied since the agent began: records and bytes.
    pub copied: (u64, u64),
    phase: Phase,
    reason: Reason,
    /// -1: not known.
    lag: i64,
    caught_up_at_unix_ms: i64,
    rests_until: Option<Instant>,
    backoff: Backoff,
}

impl Track {
    /// Nothing is known of it yet.
    #[must_use]
    pub fn new(route: Route) -> Self {
        Self {
            route,
            places: BTreeMap::new(),
            leads: BTreeMap::new(),
            partitions: 0,
            copied: (0, 0),
            phase: Phase::Provisioning,
            reason: Reason::Unspecified,
            lag: -1,
            caught_up_at_unix_ms: 0,
            rests_until: None,
            backoff: Backoff::new(PAUSE_FIRST, PAUSE_LONGEST),
        }
    }

    /// Whether it is read.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.places.is_empty()
    }

    /// Whether it is to be opened now.
    #[must_use]
    pub fn is_due(&self) -> bool {
        !self.is_open() && self.rests_until.is_none_or(|it| Instant::now() >= it)
    }

    /// Until when it rests.
    #[must_use]
    pub const fn rests_until(&self) -> Option<Instant> {
        self.rests_until
    }

    /// To be opened anew, from what Kafka keeps of it.
    pub fn close(&mut self) {
        self.places.clear();
        self.leads.clear();
    }

    /// Something stands in the way of this topic alone: it rests, the others go on.
    pub fn rest(&mut self, phase: Phase, reason: Reason) {
        self.close();
        (self.phase, self.reason) = (phase, reason);
        self.rests_until = Some(Instant::now() + self.backoff.next_pause());
    }

    /// The source answered with an error.
    pub fn refused(&mut self, code: i16) {
        match code {
            _code if PASSING.contains(&code) => {
                self.close();
                self.rests_until = Some(Instant::now() + MOMENT);
            }
            // Gone before it was copied: nobody but a person can say what is to become of the copy.
            OFFSET_OUT_OF_RANGE => self.rest(Phase::Failed, Reason::DataExpired),
            UNKNOWN_TOPIC => self.rest(Phase::Degraded, Reason::SourceMissing),
            TOPIC_AUTHORIZATION_FAILED => self.rest(Phase::Degraded, Reason::Unauthorized),
            _other => self.rest(Phase::Degraded, Reason::KafkaRefused),
        }
    }

    /// It was read.
    pub fn goes(&mut self) {
        self.backoff.succeed();
        self.rests_until = None;
        let narrower = usize::try_from(self.partitions).is_ok_and(|it| it > self.places.len());
        (self.phase, self.reason) = if narrower {
            // The copy has fewer partitions: what is in the others is not copied.
            (Phase::Degraded, Reason::ConfigDrift)
        } else {
            (Phase::Ready, Reason::Unspecified)
        };
        let behind = self.places.values().map(|it| (it.stable - it.next).max(0));
        self.lag = behind.fold(0, i64::saturating_add);
        if self.lag == 0 {
            self.caught_up_at_unix_ms = i64::try_from(unix_ms()).unwrap_or(i64::MAX);
        }
    }

    /// As it is told home.
    #[must_use]
    pub fn status(&self) -> LinkedTopicStatus {
        LinkedTopicStatus {
            topic_id: self.route.topic_id.clone(),
            phase: self.phase.into(),
            reason: self.reason.into(),
            lag_records: self.lag,
            records: self.copied.0,
            bytes: self.copied.1,
            caught_up_at_unix_ms: self.caught_up_at_unix_ms,
            partitions: self.partitions,
        }
    }
}
