//! One topic under DLQ, and how far its dead letters are copied.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::letter::Letter;
use super::routes::Route;
use super::session::{Session, UNKNOWN_TOPIC, Way};
use super::status::{Copied, DeadLetters};
use crate::backoff::Backoff;
use crate::platform::groups::Mark;
use crate::platform::kafka::KafkaError;
use crate::platform::logs::{Part, Position, Stand};

const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_LONGEST: Duration = Duration::from_secs(60);

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
        let (kept, positions) = begin(way, &self.route.owner, &self.route.source, there).await?;
        self.positions = positions;
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
        let stand = stand(&self.route.source, &next);
        let taken = session.copy(way, &self.route.owner, letters, &stand).await?;
        status.copied(&self.route, Copied::of(&taken));
        self.kept.clone_from(&next);
        self.kept_at = Instant::now();
        self.positions = next;
        self.session = Some(session);
        Ok(())
    }
}

/// Offsets of a topic's partitions.
pub type Offsets = BTreeMap<i32, i64>;

/// Where a group goes on, after what Kafka kept of it: partitions that were never read from their beginning on, so that
/// nothing is missing.
///
/// # Errors
/// As Kafka says.
pub async fn begin(
    way: Way<'_>,
    group: &str,
    topic: &str,
    there: &BTreeSet<i32>,
) -> Result<(Offsets, Offsets), KafkaError> {
    let stand = way.logs.stand(way.at, group).await?;
    let kept: Offsets = stand
        .into_iter()
        .filter(|((name, partition), _position)| name == topic && there.contains(partition))
        .map(|((_name, partition), position)| (partition, position.offset))
        .collect();
    let fresh = there.iter().filter(|it| !kept.contains_key(it)).copied();
    let mut positions = edges(way, topic, fresh, Mark::Earliest).await?;
    positions.extend(&kept);
    Ok((kept, positions))
}

/// Where partitions of a topic begin or end.
///
/// # Errors
/// As Kafka says.
pub async fn edges(
    way: Way<'_>,
    topic: &str,
    partitions: impl Iterator<Item = i32>,
    mark: Mark,
) -> Result<Offsets, KafkaError> {
    let parts: BTreeSet<Part> = partitions.map(|it| (topic.to_owned(), it)).collect();
    if parts.is_empty() {
        return Ok(Offsets::new());
    }
    let edges = way.logs.edges(way.at, &parts, mark).await?.into_iter();
    Ok(edges
        .map(|((_name, partition), offset)| (partition, offset))
        .collect())
}

/// Positions in a topic, as a group has them.
#[must_use]
pub fn stand(topic: &str, positions: &Offsets) -> Stand {
    let positions = positions.iter().map(|(partition, offset)| {
        let position = Position {
            offset: *offset,
            note: String::new(),
        };
        ((topic.to_owned(), *partition), position)
    });
    positions.collect()
}

/// A position that the log does not have (any more): where it begins, if that is later, else where it ends. What is
/// below the end was read before.
pub async fn found_again(way: Way<'_>, (topic, partition): Part, before: Option<&i64>) -> Option<i64> {
    let before = before.copied().unwrap_or(0);
    let one = || std::iter::once(partition);
    let edge = |edges: Offsets| edges.get(&partition).copied();
    let first = edge(edges(way, &topic, one(), Mark::Earliest).await.ok()?)?;
    let last = edge(edges(way, &topic, one(), Mark::Latest).await.ok()?)?;
    tracing::warn!(
        partition,
        before,
        first,
        last,
        "records are gone before they were read"
    );
    Some(if before < first { first } else { last })
}
