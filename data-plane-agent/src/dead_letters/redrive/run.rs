//! One redrive: from where its group stands to the end as it was when it began, a piece at a time. What is written, and the
//! position behind it, are one transaction, so that whatever ends at any step loses nothing and delivers nothing twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::account::{Account, Phase, Tally};
use super::judge::{Chunk, Fate, chunk};
use super::origins::Origins;
use super::{Kept, Wish};
use crate::backoff::Backoff;
use crate::dead_letters::letter::Letter;
use crate::dead_letters::session::{Session, TOO_LARGE, Taken, UNKNOWN_TOPIC, Way};
use crate::dead_letters::track::{Offsets, begin, edges, found_again, stand};
use crate::dead_letters::{Post, routes};
use crate::platform::groups::Mark;
use crate::platform::kafka::{KafkaError, PoolAddress};
use crate::platform::logs::{Helping, Part, Read};

/// Bytes of one answer, and of all forms of the letters of one transaction.
const READ_BYTES: usize = 1 << 20;
const LETTERS_BYTES: usize = 8 << 20;
/// For how long a broker waits for what is not committed yet.
const WAIT_MS: i32 = 500;
/// Who leads what is asked again after this time, and when the snapshot changes.
const LEADERS: Duration = Duration::from_secs(30);
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_LONGEST: Duration = Duration::from_secs(30);
const PAUSE_EMPTY: Duration = Duration::from_millis(100);
/// After so long without a step it has failed.
const PATIENCE: Duration = Duration::from_secs(600);
const OFFSET_OUT_OF_RANGE: i16 = 1;
/// CORRUPT_MESSAGE.
const CORRUPT: i16 = 2;
const LEADER_NOT_AVAILABLE: i16 = 5;
/// The agent's login may not: on topics, groups, transactional ids.
const FORBIDDEN: [i16; 3] = [29, 30, 53];

/// What stands in the way.
enum Trouble {
    /// It may go away.
    Passes(String),
    /// It does not.
    Stays(String),
}

impl From<KafkaError> for Trouble {
    fn from(error: KafkaError) -> Self {
        match error {
            KafkaError::Refused(code) if FORBIDDEN.contains(&code) => {
                Self::Stays(format!("Kafka does not let the agent do it (code {code})"))
            }
            other => Self::Passes(other.to_string()),
        }
    }
}

/// What a redrive stands on, until the snapshot changes.
struct Ground {
    at: PoolAddress,
    owner: String,
    leaders: BTreeMap<Part, i32>,
    origins: Arc<Origins>,
    since: Instant,
}

/// One redrive.
pub struct Run {
    post: Post,
    id: String,
    wish: Wish,
    kept: Kept,
    account: Arc<Account>,
    stop: CancellationToken,
    origins: Option<Arc<Origins>>,
    /// What is read next.
    positions: Offsets,
    /// What Kafka keeps of that.
    held: Offsets,
    /// Up to where.
    ends: Option<Offsets>,
    /// Of a transaction that nobody knows the end of: where it stands if it holds, and what it did.
    unheard: Option<(Offsets, Tally)>,
    moved_at: Instant,
}

impl Run {
    /// Nothing is done yet.
    #[must_use]
    pub fn new(
        post: Post,
        id: String,
        wish: Wish,
        kept: Kept,
        account: Arc<Account>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            post,
            id,
            wish,
            kept,
            account,
            stop,
            origins: None,
            positions: Offsets::new(),
            held: Offsets::new(),
            ends: None,
            unheard: None,
            moved_at: Instant::now(),
        }
    }

    /// Goes on until it is over.
    pub async fn run(mut self) {
        let mut backoff = Backoff::new(PAUSE_FIRST, PAUSE_LONGEST);
        let (phase, reason) = loop {
            let moved_at = self.moved_at;
            match self.attempt().await {
                Ok(phase) => break (phase, None),
                Err(Trouble::Stays(reason)) => break (Phase::Failed, Some(reason)),
                Err(Trouble::Passes(reason)) if self.moved_at.elapsed() > PATIENCE => {
                    break (Phase::Failed, Some(reason));
                }
                Err(Trouble::Passes(reason)) => self.account.waits(&reason),
            }
            if self.moved_at > moved_at {
                backoff.succeed();
            }
            tokio::select! {
                () = self.stop.cancelled() => break (Phase::Cancelled, None),
                () = sleep(backoff.next_pause()) => {}
            }
        };
        tracing::info!(
            topic = self.id,
            ?phase,
            reason,
            "a redrive of dead letters is over"
        );
        self.account.end(phase, reason);
    }

    /// From what Kafka kept to the end, or until something stands in the way.
    async fn attempt(&mut self) -> Result<Phase, Trouble> {
        let mut ground = self.ground().await?;
        let mut session = self.open(&ground).await?;
        for (partition, end) in self.ends.clone().unwrap_or_default() {
            while self.position(partition) < end {
                if ground.since.elapsed() >= LEADERS || self.post.snapshot.has_changed().unwrap_or(false) {
                    ground = self.ground().await?;
                }
                let found = tokio::select! {
                    biased;
                    () = self.stop.cancelled() => return Ok(Phase::Cancelled),
                    found = self.find(&ground, partition, end) => found?,
                };
                self.write(&ground, session.as_mut(), partition, found).await?;
            }
        }
        if let Some(session) = &mut session
            && self.held != self.positions
        {
            // What is behind the last letter was passed, too.
            let next = self.positions.clone();
            self.commit(&ground, session, Vec::new(), next).await?;
        }
        Ok(Phase::Done)
    }

    fn position(&self, partition: i32) -> i64 {
        self.positions.get(&partition).copied().unwrap_or(0)
    }

    /// What is in force now.
    async fn ground(&mut self) -> Result<Ground, Trouble> {
        const GONE: &str = "no topic's contract names it as its dead-letter topic any more";
        let gone = || Trouble::Stays(GONE.to_owned());
        let snapshot = Arc::clone(&self.post.snapshot.borrow_and_update());
        let (names, owner) = {
            let target = routes::target(&snapshot, &self.id).ok_or_else(gone)?;
            let topics = std::iter::once(target.topic).chain(target.sources());
            let names: Vec<String> = topics.map(|it| it.physical_name.clone()).collect();
            (names, target.owner().ok_or_else(gone)?)
        };
        let at = self
            .post
            .directory
            .load()
            .topics
            .get(&self.id)
            .map(|it| it.0.clone());
        let at = at.ok_or_else(|| Trouble::Passes("its cluster is not served now".to_owned()))?;
        let leaders = self.post.logs.leaders(&at, &names).await?;
        let existing: BTreeSet<String> = leaders.keys().map(|(name, _partition)| name.clone()).collect();
        let (id, before) = (self.id.clone(), self.origins.take());
        // Beside the rest of the agent: schemas are compiled.
        let origins = tokio::task::spawn_blocking(move || {
            let target = routes::target(&snapshot, &id)?;
            Some(Origins::of(target, &snapshot, &existing, before.as_deref()))
        });
        let origins = origins.await.ok().flatten().map(Arc::new).ok_or_else(gone)?;
        self.origins = Some(Arc::clone(&origins));
        Ok(Ground {
            at,
            owner,
            leaders,
            origins,
            since: Instant::now(),
        })
    }

    fn way<'a>(&'a self, ground: &'a Ground) -> Way<'a> {
        Way {
            logs: self.post.logs.as_ref(),
            at: &ground.at,
            leaders: &ground.leaders,
        }
    }

    /// A producer, unless nothing is to be written, and where to begin. Whoever redrove before is shut out first.
    async fn open(&mut self, ground: &Ground) -> Result<Option<Session>, Trouble> {
        let (way, target) = (self.way(ground), &ground.origins.target);
        let there: BTreeSet<i32> = (0..way.partitions(target)).collect();
        if there.is_empty() {
            return Err(KafkaError::Refused(UNKNOWN_TOPIC).into());
        }
        let session = if self.wish.dry_run {
            None
        } else {
            Some(Session::open(way, &ground.owner).await?)
        };
        // Without transactions it goes on where it is: nothing else would count what was judged only once.
        if session.is_some() || self.positions.is_empty() {
            let (held, mut positions) = begin(way, &ground.owner, target, &there).await?;
            let kept = self.kept.read().await;
            let kept = kept.map_err(|error| {
                Trouble::Stays(format!(
                    "the agent's state folder does not say how far it was: {error}"
                ))
            })?;
            for (partition, offset) in kept.into_iter().filter(|(it, _offset)| there.contains(it)) {
                let position = positions.entry(partition).or_insert(offset);
                *position = offset.max(*position);
            }
            self.settle(&held);
            (self.held, self.positions) = (held, positions);
        }
        if self.ends.is_none() {
            let ends = edges(self.way(ground), target, there.iter().copied(), Mark::Latest).await?;
            if !ends.keys().eq(&there) {
                return Err(KafkaError::Refused(LEADER_NOT_AVAILABLE).into());
            }
            self.account.extends(&self.positions, &ends);
            self.ends = Some(ends);
        }
        Ok(session)
    }

    /// Whether the transaction holds that nobody heard of.
    fn settle(&mut self, held: &Offsets) {
        if let Some((stands, tally)) = self.unheard.take()
            && stands == *held
        {
            self.moved_at = Instant::now();
            self.account.goes_on(&stands, tally);
        }
    }

    /// What is next of a partition; letters of it judged.
    async fn find(&self, ground: &Ground, partition: i32, end: i64) -> Result<Chunk, Trouble> {
        let from = self.position(partition);
        let part = (ground.origins.target.to_string(), partition);
        let leader = ground.leaders.get(&part).copied().filter(|it| *it >= 0);
        let leader = leader.ok_or(KafkaError::Refused(LEADER_NOT_AVAILABLE))?;
        let helping = Helping {
            bytes: READ_BYTES,
            partition_bytes: READ_BYTES,
            wait_ms: WAIT_MS,
        };
        let asked = [(part.clone(), from)];
        let read = self.post.logs.read(&ground.at, leader, &asked, helping).await?;
        let read = read.into_iter().next().ok_or(KafkaError::Unreachable)?;
        match read.code {
            0 => {}
            OFFSET_OUT_OF_RANGE => {
                let next = found_again(self.way(ground), part, Some(&from)).await;
                return Ok(Chunk {
                    next: next.ok_or(KafkaError::Refused(OFFSET_OUT_OF_RANGE))?,
                    ..Chunk::default()
                });
            }
            code => return Err(KafkaError::Refused(code).into()),
        }
        let found = self.judge(ground, read, (from, end)).await?;
        if found.corrupt && found.judged.is_empty() {
            return Err(KafkaError::Refused(CORRUPT).into());
        }
        Ok(found)
    }

    /// Beside the rest of the agent: unpacking and judging take time.
    async fn judge(&self, ground: &Ground, read: Read, span: (i64, i64)) -> Result<Chunk, Trouble> {
        let (origins, rule) = (Arc::clone(&ground.origins), self.wish.rule.clone());
        let judged =
            tokio::task::spawn_blocking(move || chunk(&origins, &read, span, rule.as_deref(), LETTERS_BYTES));
        let panicked =
            |_error| Trouble::Stays("a letter could not be judged: see the agent's log".to_owned());
        judged.await.map_err(panicked)
    }

    /// Writes what was found, and the position behind it.
    async fn write(
        &mut self,
        ground: &Ground,
        session: Option<&mut Session>,
        partition: i32,
        found: Chunk,
    ) -> Result<(), Trouble> {
        if found.next <= self.position(partition) {
            self.account
                .waits("a transaction in the dead-letter topic is not over");
            // Brokers wait before they say that there is nothing; one that does not is not asked without end.
            sleep(PAUSE_EMPTY).await;
            return Ok(());
        }
        let mut next = self.positions.clone();
        next.insert(partition, found.next);
        match session {
            Some(session) if !found.judged.is_empty() => {
                self.commit(ground, session, found.judged, next).await?;
            }
            _dry_or_empty => self.moved(next, tally(found.judged.into_iter().map(|it| it.1), None)),
        }
        Ok(())
    }

    async fn commit(
        &mut self,
        ground: &Ground,
        session: &mut Session,
        judged: Vec<(Letter, Fate)>,
        next: Offsets,
    ) -> Result<(), Trouble> {
        let (letters, fates): (Vec<Letter>, Vec<Fate>) = judged.into_iter().unzip();
        let stand = stand(&ground.origins.target, &next);
        self.unheard = Some((next.clone(), tally(fates.iter().cloned(), None)));
        let copied = session
            .copy(self.way(ground), &ground.owner, &letters, &stand)
            .await;
        let taken = match copied {
            Err(KafkaError::Refused(code)) if TOO_LARGE.contains(&code) => {
                return Err(too_large(&self.positions));
            }
            other => other?,
        };
        self.unheard = None;
        self.held.clone_from(&next);
        if let Err(error) = self.kept.write(&next).await {
            tracing::warn!(%error, topic = self.id, "how far dead letters are redriven is kept by Kafka alone");
        }
        self.moved(next, tally(fates.into_iter(), Some(&taken)));
        Ok(())
    }

    fn moved(&mut self, next: Offsets, tally: Tally) {
        self.moved_at = Instant::now();
        self.account.goes_on(&next, tally);
        self.positions = next;
    }
}

fn tally(fates: impl Iterator<Item = Fate>, taken: Option<&[Taken]>) -> Tally {
    let mut tally = Tally::default();
    for (at, fate) in fates.enumerate() {
        let taken = taken.map_or(Some(0), |it| it.get(at).copied().flatten());
        tally.count(fate.after(taken));
    }
    tally
}

fn too_large(positions: &Offsets) -> Trouble {
    let at: Vec<String> = positions
        .iter()
        .map(|(partition, offset)| format!("{partition}:{offset}"))
        .collect();
    Trouble::Stays(format!(
        "behind {} (partition:offset) is a letter that no topic takes any more: raise max.message.bytes of the \
         dead-letter topic to what it was",
        at.join(", ")
    ))
}
