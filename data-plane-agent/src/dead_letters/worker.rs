//! One pool's copier: reads every topic under DLQ there, on one connection to each broker, and copies what it finds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use weir_proto::lane::v1::Snapshot;

use super::routes::{self, Route};
use super::scan::{Scanned, scan};
use super::session::Way;
use super::status::DeadLetters;
use super::track::{Track, found_again};
use crate::backoff::Backoff;
use crate::driver::Directory;
use crate::platform::kafka::{KafkaError, PoolAddress};
use crate::platform::logs::{Helping, Logs, Part, Read};

/// Bytes of one answer, of one partition in it, and of all letters of a round.
const READ_BYTES: usize = 8 << 20;
const PARTITION_BYTES: usize = 1 << 20;
const LETTERS_BYTES: usize = 16 << 20;
/// Brokers that are read from at once: memory follows it.
const BROKERS_AT_ONCE: usize = 4;
/// For how long brokers wait for records, when there were none before, and when there were.
const WAIT_IDLE_MS: i32 = 1_000;
const WAIT_BUSY_MS: i32 = 20;
/// Who leads what is asked again after this time, and when somebody turned out not to.
const LEADERS: Duration = Duration::from_secs(30);
/// Positions are kept so often where there are no letters.
const KEEP: Duration = Duration::from_secs(10);
/// And so often where nothing is written: Kafka forgets those that are old.
const REFRESH: Duration = Duration::from_secs(3600);
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_LONGEST: Duration = Duration::from_secs(60);
const OFFSET_OUT_OF_RANGE: i16 = 1;
/// CORRUPT_MESSAGE.
const CORRUPT: i16 = 2;

/// The copier of one pool.
pub struct Worker {
    pool_id: String,
    logs: Arc<dyn Logs>,
    snapshot: watch::Receiver<Arc<Snapshot>>,
    directory: Arc<ArcSwap<Directory>>,
    status: Arc<DeadLetters>,
    tracks: BTreeMap<String, Track>,
    leaders: BTreeMap<Part, i32>,
    leaders_at: Option<Instant>,
    wait_ms: i32,
    turn: usize,
}

impl Worker {
    /// Has nothing to do yet.
    #[must_use]
    pub fn new(
        pool_id: String,
        logs: Arc<dyn Logs>,
        snapshot: watch::Receiver<Arc<Snapshot>>,
        directory: Arc<ArcSwap<Directory>>,
        status: Arc<DeadLetters>,
    ) -> Self {
        Self {
            pool_id,
            logs,
            snapshot,
            directory,
            status,
            tracks: BTreeMap::new(),
            leaders: BTreeMap::new(),
            leaders_at: None,
            wait_ms: WAIT_IDLE_MS,
            turn: 0,
        }
    }

    /// Copies for ever.
    pub async fn run(mut self) {
        let mut backoff = Backoff::new(PAUSE_FIRST, PAUSE_LONGEST);
        self.snapshot.mark_changed();
        loop {
            if self.snapshot.has_changed().unwrap_or(false) {
                let snapshot = Arc::clone(&self.snapshot.borrow_and_update());
                self.follow(routes::of(&snapshot));
            }
            if self.tracks.is_empty() {
                if self.snapshot.changed().await.is_err() {
                    return;
                }
                self.snapshot.mark_changed();
                continue;
            }
            let Some(at) = self.address() else {
                sleep(PAUSE_FIRST).await;
                continue;
            };
            match self.round(&at).await {
                Ok(()) => backoff.succeed(),
                Err(error) => {
                    tracing::debug!(%error, pool = self.pool_id, "dead letters cannot be copied now");
                    self.leaders_at = None;
                    for track in self.tracks.values() {
                        self.status.waits(&track.route, &error);
                    }
                    sleep(backoff.next_pause()).await;
                }
            }
        }
    }

    /// Takes the routes of this pool that there are now.
    fn follow(&mut self, mut routes: BTreeMap<String, Route>) {
        routes.retain(|_id, it| it.pool_id == self.pool_id);
        self.tracks
            .retain(|id, track| routes.get(id) == Some(&*track.route));
        for (id, route) in routes {
            self.tracks.entry(id).or_insert_with(|| {
                self.leaders_at = None;
                Track::new(route)
            });
        }
        self.status
            .follow(&self.pool_id, self.tracks.values().map(|it| &*it.route));
    }

    fn address(&self) -> Option<PoolAddress> {
        let directory = self.directory.load();
        let mut known = self.tracks.keys().filter_map(|id| directory.topics.get(id));
        Some(known.next()?.0.clone())
    }

    /// Reads everything once, and copies what was found.
    async fn round(&mut self, at: &PoolAddress) -> Result<(), KafkaError> {
        if self.leaders_at.is_none_or(|it| it.elapsed() >= LEADERS) {
            let names: BTreeSet<&str> = self
                .tracks
                .values()
                .flat_map(|it| [it.route.source.as_str(), &it.route.target])
                .collect();
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            self.leaders = self.logs.leaders(at, &names).await?;
            self.leaders_at = Some(Instant::now());
        }
        self.open(at).await?;
        let read = self.read(at).await?;
        let found = self.scan(read).await;
        for (id, batch) in found {
            self.take(at, &id, batch).await;
        }
        self.keep(at).await;
        Ok(())
    }

    /// Opens what is not open and does not rest.
    async fn open(&mut self, at: &PoolAddress) -> Result<(), KafkaError> {
        let way = Way {
            logs: self.logs.as_ref(),
            at,
            leaders: &self.leaders,
        };
        for track in self.tracks.values_mut().filter(|it| !it.rests()) {
            let there: BTreeSet<i32> = (0..way.partitions(&track.route.source)).collect();
            if track.session.is_some() && track.positions.keys().eq(&there) {
                continue;
            }
            match track.open(way, &there).await {
                Ok(()) => {}
                Err(KafkaError::Refused(code)) => {
                    track.rest(&self.status, KafkaError::Refused(code));
                    self.leaders_at = None;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// One request to each broker that leads something; rests when there is nothing to ask.
    async fn read(&mut self, at: &PoolAddress) -> Result<Vec<Read>, KafkaError> {
        let mut wanted: BTreeMap<i32, Vec<(Part, i64)>> = BTreeMap::new();
        // Answers are filled in the order of the request: everybody is the first once.
        self.turn = self.turn.wrapping_add(1);
        let tracks: Vec<&Track> = self
            .tracks
            .values()
            .filter(|it| it.session.is_some() && !it.rests())
            .collect();
        let begin = self.turn % tracks.len().max(1);
        for track in tracks[begin..].iter().chain(&tracks[..begin]) {
            for (partition, offset) in &track.positions {
                let part = (track.route.source.clone(), *partition);
                match self.leaders.get(&part) {
                    Some(leader) if *leader >= 0 => wanted.entry(*leader).or_default().push((part, *offset)),
                    // Between two leaders.
                    _none => self.leaders_at = None,
                }
            }
        }
        if wanted.is_empty() {
            let due = self.tracks.values().filter_map(|it| it.rests_until).min();
            let longest = Instant::now() + PAUSE_FIRST;
            sleep_until(due.map_or(longest, |it| it.min(longest))).await;
            return Ok(Vec::new());
        }
        let helping = Helping {
            bytes: READ_BYTES,
            partition_bytes: PARTITION_BYTES,
            wait_ms: self.wait_ms,
        };
        let logs = &self.logs;
        let answers: Vec<_> = stream::iter(wanted)
            .map(|(node, from)| async move { logs.read(at, node, &from, helping).await })
            .buffer_unordered(BROKERS_AT_ONCE)
            .collect()
            .await;
        let (mut all, mut failed) = (Vec::new(), None);
        for answer in answers {
            match answer {
                Ok(read) => all.extend(read),
                Err(error) => {
                    self.leaders_at = None;
                    failed = Some(error);
                }
            }
        }
        // What another broker said is not lost for one that is down.
        match failed {
            Some(error) if all.is_empty() => Err(error),
            _some => Ok(all),
        }
    }

    /// Finds letters, beside the rest of the agent: unpacking takes time.
    async fn scan(&mut self, read: Vec<Read>) -> BTreeMap<String, Vec<(Read, Scanned)>> {
        let by_source: BTreeMap<&str, (&String, &Track)> = self
            .tracks
            .iter()
            .map(|(id, track)| (track.route.source.as_str(), (id, track)))
            .collect();
        let mut work = Vec::new();
        for it in read {
            if let Some((id, track)) = by_source.get(it.part.0.as_str())
                && let Some(from) = track.positions.get(&it.part.1)
            {
                work.push(((*id).clone(), Arc::clone(&track.route), *from, it));
            }
        }
        let busy = work.iter().any(|(.., read)| !read.records.is_empty());
        self.wait_ms = if busy { WAIT_BUSY_MS } else { WAIT_IDLE_MS };
        let scanned = tokio::task::spawn_blocking(move || {
            let mut room = LETTERS_BYTES;
            let mut found: BTreeMap<String, Vec<(Read, Scanned)>> = BTreeMap::new();
            for (id, route, from, mut read) in work {
                if room == 0 {
                    // It is read again.
                    continue;
                }
                let scanned = scan(&route, &read, from, &mut room);
                read.records.clear();
                found.entry(id).or_default().push((read, scanned));
            }
            found
        });
        scanned.await.unwrap_or_default()
    }

    /// What was found of one topic: copied, or it rests.
    async fn take(&mut self, at: &PoolAddress, id: &str, found: Vec<(Read, Scanned)>) {
        let Some(track) = self.tracks.get_mut(id) else {
            return;
        };
        let way = Way {
            logs: self.logs.as_ref(),
            at,
            leaders: &self.leaders,
        };
        let (mut letters, mut next, mut stable) = (Vec::new(), track.positions.clone(), BTreeMap::new());
        let mut trouble = None;
        for (read, scanned) in found {
            let partition = read.part.1;
            match read.code {
                0 => {
                    letters.extend(scanned.letters);
                    next.insert(partition, scanned.next);
                    stable.insert(partition, read.stable);
                    if scanned.corrupt {
                        trouble = Some(CORRUPT);
                    }
                }
                OFFSET_OUT_OF_RANGE => match found_again(way, read.part, next.get(&partition)).await {
                    Some(offset) => drop(next.insert(partition, offset)),
                    None => trouble = Some(OFFSET_OUT_OF_RANGE),
                },
                code => trouble = Some(code),
            }
        }
        let written = if letters.is_empty() {
            track.positions = next;
            Ok(())
        } else {
            track.copy(way, &letters, next, &self.status).await
        };
        self.status.seen(&track.route, &track.positions, &stable);
        let trouble = trouble.map(KafkaError::Refused);
        if let Some(error) = written.err().or(trouble) {
            track.rest(&self.status, error);
            self.leaders_at = None;
        } else {
            track.backoff.succeed();
            self.status.goes_on(&track.route);
        }
    }

    /// Keeps positions where there were no letters for a while.
    async fn keep(&mut self, at: &PoolAddress) {
        let way = Way {
            logs: self.logs.as_ref(),
            at,
            leaders: &self.leaders,
        };
        for track in self.tracks.values_mut().filter(|it| !it.rests()) {
            let age = track.kept_at.elapsed();
            if track.session.is_none() || age < KEEP || (track.kept == track.positions && age < REFRESH) {
                continue;
            }
            let positions = track.positions.clone();
            if let Err(error) = track.copy(way, &[], positions, &self.status).await {
                track.rest(&self.status, error);
                self.leaders_at = None;
            }
        }
    }
}
