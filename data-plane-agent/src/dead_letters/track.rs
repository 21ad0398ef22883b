//! One topic under DLQ, and how far its dead letters are copied.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::letter::Letter;
use super::routes::Route;
use super::session::{Session, Way};
use super::status::DeadLetters;
use crate::backoff::Backoff;
use crate::platform::groups::Mark;
use crate::platform::kafka::KafkaError;
use crate::platform::logs::{Part, Position, Stand};

const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_LONGEST: Duration = Duration::from_secs(60);
const UNKNOWN_TOPIC: i16 = 3;

/// One topic, and how far its dead letters are copied.
pub struct Track {
    /// Where its letters go.
    pub route: Arc<Route>,
    /// None: to be opened.
    pub session: Option<Session>,
    /// What is read next, of each partition.
    pub positions: BTreeMap<i32, i64>,
    /// What Kafka keeps of that.
    pub kept: BTreeMap<i32, i64>,
    /// Since when.
    pub kept_at: Instant,
    /// How long it rests.
    pub backoff: Backoff,
    /// Something stood in the way.
    pub rests_until: Option<Instant>,
}

impl Track {
    /// Nothing is known of it yet.
    #[must_use]
    pub fn new(route: Route) -> Self {
        Self {
            route: Arc::new(route),
            session: None,
            positions: BTreeMap::new(),
            kept: BTreeMap::new(),
            kept_at: Instant::now(),
            backoff: Backoff::new(PAUSE_FIRST, PAUSE_LONGEST),
            rests_until: None,
        }
    }

    /// Whether it rests now.
    #[must_use]
    pub fn rests(&self) -> bool {
        self.rests_until.is_some_and(|it| Instant::now() < it)
    }

    /// Something stands in the way: the next attempt begins with a new producer, and with what Kafka kept.
    pub fn rest(&mut self, status: &DeadLetters, error: KafkaError) {
        status.waits(&self.route, &error);
        self.session = None;
        self.rests_until = Some(Instant::now() + self.backoff.next_pause());
    }

    /// From where Kafka kept us; partitions that were never read from their beginning on, so that nothing is missing.
    ///
    /// # Errors
    /// As Kafka says.
    pub async fn open(&mut self, way: Way<'_>, there: &BTreeSet<i32>) -> Result<(), KafkaError> {
        if there.is_empty() {
            return Err(KafkaError::Refused(UNKNOWN_TOPIC));
        }
        self.session = None;
        let session = Session::open(way, &self.route.owner).await?;
        let stand = way.logs.stand(way.at, &self.route.owner).await?;
        let kept: BTreeMap<i32, i64> = stand
            .into_iter()
            .filter(|((topic, partition), _position)| {
                *topic == self.route.source && there.contains(partition)
            })
            .map(|((_topic, partition), position)| (partition, position.offset))
            .collect();
        let fresh: BTreeSet<Part> = there
            .iter()
            .filter(|it| !kept.contains_key(it))
            .map(|it| (self.route.source.clone(), *it))
            .collect();
        self.positions = kept.clone();
        if !fresh.is_empty() {
            let edges = way.logs.edges(way.at, &fresh, Mark::Earliest).await?;
            let edges = edges
                .into_iter()
                .map(|((_topic, partition), offset)| (partition, offset));
            self.positions.extend(edges);
        }
        self.kept = kept;
        self.kept_at = Instant::now();
        self.session = Some(session);
        Ok(())
    }

    /// Copies letters, and keeps the positions behind them.
    ///
    /// # Errors
    /// As Kafka says; the topic is then opened anew.
    pub async fn copy(
        &mut self,
        way: Way<'_>,
        letters: &[Letter],
        next: BTreeMap<i32, i64>,
        status: &DeadLetters,
    ) -> Result<(), KafkaError> {
        let Some(mut session) = self.session.take() else {
            return Ok(());
        };
        let positions = next.iter().map(|(partition, offset)| {
            let position = Position {
                offset: *offset,
                note: String::new(),
            };
            ((self.route.source.clone(), *partition), position)
        });
        let stand: Stand = positions.collect();
        let copied = session.copy(way, &self.route, letters, &stand).await?;
        status.copied(&self.route, copied);
        self.kept.clone_from(&next);
        self.kept_at = Instant::now();
        self.positions = next;
        self.session = Some(session);
        Ok(())
    }
}

/// A position that the log does not have (any more): where it begins, if that is later, else where it ends. What is
/// below the end was read before.
pub async fn found_again(way: Way<'_>, part: Part, before: Option<&i64>) -> Option<i64> {
    let before = before.copied().unwrap_or(0);
    let parts = BTreeSet::from([part.clone()]);
    let first = *way
        .logs
        .edges(way.at, &parts, Mark::Earliest)
        .await
        .ok()?
        .get(&part)?;
    let last = *way
        .logs
        .edges(way.at, &parts, Mark::Latest)
        .await
        .ok()?
        .get(&part)?;
    tracing::warn!(
        partition = part.1,
        before,
        first,
        last,
        "records of a topic under DLQ are gone before they were read"
    );
    Some(if before < first { first } else { last })
}
