//! A link from when its producer is opened until something fails or somebody stops it: reads, copies, keeps its places.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use weir_proto::agent::v1::{Phase, Reason};

use super::begun::Begun;
use super::copy::{Copied, Unreadable, copy};
use super::plan::{self, Plan};
use super::session::{Here, Session};
use super::track::Track;
use crate::platform::kafka::{KafkaError, PoolAddress};
use crate::platform::logs::{Helping, Logs, Part, Position, Read, Sight, Stand};

/// Bytes of one answer, and of one partition in it.
const READ_BYTES: usize = 8 << 20;
const PARTITION_BYTES: usize = 2 << 20;
/// Brokers that are read from at once: memory follows it.
const BROKERS_AT_ONCE: usize = 4;
/// For how long brokers wait for records, when there were none before, and when there were.
const WAIT_IDLE_MS: i32 = 1_000;
const WAIT_BUSY_MS: i32 = 20;
/// Who leads what, and how many partitions there are, is asked again after this time.
const LOOK: Duration = Duration::from_secs(30);
/// And where nobody leads something, after this one.
const LOOK_SOON: Duration = Duration::from_secs(2);
/// Places are kept so often where no records came.
const KEEP: Duration = Duration::from_secs(10);
/// And so often where nothing moved: Kafka forgets those that are old.
const REFRESH: Duration = Duration::from_secs(3600);
const PAUSE: Duration = Duration::from_secs(1);

/// Why a life ends.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The brokers here.
    #[error("the brokers that the copy is on: {0}")]
    Here(KafkaError),
    /// The gateways there.
    #[error("the gateways of the source: {0}")]
    There(KafkaError),
    /// A topic here does not take what is written.
    #[error("a copy does not take what is written to it: {1}")]
    Copy(usize, KafkaError),
    /// The agent's own disk.
    #[error("the agent's disk")]
    Disk(#[source] std::io::Error),
}

/// From where partitions of the source were asked for.
type Asked = BTreeMap<Part, i64>;
/// That, and what the source answered.
type Answers = (Asked, Vec<Result<Vec<Read>, KafkaError>>);
/// What was read, and from where it was asked for.
pub(super) type Harvest = Vec<(i64, Read)>;

/// What was found of a partition: track, partition, what.
pub(super) type Found = Vec<(usize, i32, Copied)>;

/// One life.
pub struct Life {
    pub(super) plan: Arc<Plan>,
    pub(super) here: Arc<dyn Logs>,
    pub(super) there: Arc<dyn Logs>,
    /// Its brokers, as they were last seen.
    pub(super) at_there: Arc<PoolAddress>,
    pub(super) session: Session,
    /// What Kafka keeps of our places.
    pub(super) stand: Stand,
    pub(super) begun: Begun,
    ahead: JoinSet<Answers>,
    kept_at: Instant,
    refreshed_at: Instant,
    looked_at: Instant,
    wait_ms: i32,
}

impl Life {
    /// Shuts out whoever was before, and then looks where it was.
    ///
    /// # Errors
    /// As Kafka and the disk say.
    pub async fn begin(plan: &Arc<Plan>, logs: &dyn Logs, folder: &Path) -> Result<Self, Trouble> {
        let (here, there) = (logs.apart(), logs.apart());
        let at = Here {
            logs: here.as_ref(),
            at: &plan.here,
        };
        let session = Session::open(at, &plan.owner).await.map_err(Trouble::Here)?;
        let stand = here.stand(&plan.here, &plan.owner).await.map_err(Trouble::Here)?;
        Ok(Self {
            begun: Begun::open(folder, &plan.link_id).map_err(Trouble::Disk)?,
            at_there: Arc::new(plan.there.clone()),
            plan: Arc::clone(plan),
            session,
            stand,
            ahead: JoinSet::new(),
            kept_at: Instant::now(),
            refreshed_at: Instant::now(),
            looked_at: Instant::now(),
            wait_ms: WAIT_BUSY_MS,
            here,
            there,
        })
    }

    /// Who the brokers of the source are, and what they show of topics.
    pub(super) async fn look(&mut self, topics: &[String]) -> Result<Sight, Trouble> {
        let sight = self.there.sight(&self.plan.there, topics).await;
        let sight = sight.map_err(Trouble::There)?;
        self.at_there = Arc::new(plan::brokers(&self.plan.there, sight.nodes.iter().copied()));
        Ok(sight)
    }

    /// Reads once what there is; nothing after a while.
    ///
    /// # Errors
    /// As the source says.
    pub async fn read(&mut self, tracks: &[Track]) -> Result<Harvest, Trouble> {
        if self.ahead.is_empty() {
            self.read_ahead(tracks);
        }
        let Some(answers) = self.ahead.join_next().await else {
            // Nothing is open: until something is to be opened again.
            let due = tracks.iter().filter_map(Track::rests_until).min();
            let longest = Instant::now() + PAUSE;
            sleep_until(due.map_or(longest, |it| it.min(longest))).await;
            return Ok(Vec::new());
        };
        let (mut asked, answers) = answers.unwrap_or_default();
        let mut all = Vec::new();
        for answer in answers {
            let read = answer.map_err(Trouble::There)?;
            // Each partition once, whatever comes.
            all.extend(
                read.into_iter()
                    .filter_map(|it| Some((asked.remove(&it.part)?, it))),
            );
        }
        Ok(all)
    }

    /// Begins to read while what was read before is written.
    fn read_ahead(&mut self, tracks: &[Track]) {
        let mut wanted: BTreeMap<i32, Vec<(Part, i64)>> = BTreeMap::new();
        for track in tracks {
            for (partition, place) in &track.places {
                let leader = track.leads.get(partition).map_or(-1, |it| it.0);
                if leader >= 0 {
                    let part = (track.route.source.clone(), *partition);
                    wanted.entry(leader).or_default().push((part, place.next));
                }
            }
        }
        if wanted.is_empty() {
            return;
        }
        let helping = Helping {
            bytes: READ_BYTES,
            partition_bytes: PARTITION_BYTES,
            wait_ms: self.wait_ms,
        };
        let asked: Asked = wanted.values().flatten().cloned().collect();
        let (there, at) = (Arc::clone(&self.there), Arc::clone(&self.at_there));
        self.ahead.spawn(async move {
            let (there, at) = (&there, &at);
            let answers = stream::iter(wanted)
                .map(|(node, from)| async move { there.read(at, node, &from, helping).await })
                .buffer_unordered(BROKERS_AT_ONCE)
                .collect()
                .await;
            (asked, answers)
        });
    }

    /// Finds what is to be copied of it, beside the rest of the agent: unpacking takes time. Goes on to read behind it.
    pub async fn find(&mut self, tracks: &mut [Track], read: Harvest) -> Found {
        let mut work = Vec::new();
        for (from, it) in read {
            let (source, partition) = &it.part;
            let Some(at) = tracks.iter().position(|track| track.route.source == *source) else {
                continue;
            };
            // What was asked for before it was opened anew is asked for again.
            let place = tracks[at].places.get_mut(partition);
            let Some(place) = place.filter(|it| it.next == from) else {
                continue;
            };
            if it.code == 0 {
                place.stable = it.stable;
                work.push((at, *partition, from, it));
            } else {
                tracks[at].refused(it.code);
            }
        }
        let busy = work.iter().any(|(.., read)| !read.records.is_empty());
        self.wait_ms = if busy { WAIT_BUSY_MS } else { WAIT_IDLE_MS };
        let copied = tokio::task::spawn_blocking(move || {
            let each = work.into_iter();
            let each = each.map(|(at, partition, from, read)| (at, partition, copy(&read, from)));
            each.collect::<Found>()
        });
        let mut found = copied.await.unwrap_or_default();
        // What has been closed meanwhile goes on from what was kept.
        found.retain(|(at, partition, _copied)| tracks[*at].places.contains_key(partition));
        for (at, partition, copied) in &found {
            if let Some(place) = tracks[*at].places.get_mut(partition) {
                place.next = copied.next;
            }
        }
        self.read_ahead(tracks);
        found
    }

    /// Writes what was found, with the places behind it.
    ///
    /// # Errors
    /// As Kafka says; then nothing of it is written.
    pub async fn write(&mut self, tracks: &mut [Track], found: Found) -> Result<(), Trouble> {
        let stopped: Vec<_> = found
            .iter()
            .filter_map(|(at, _partition, copied)| Some((*at, copied.stopped?)))
            .collect();
        let any = found.iter().any(|(.., copied)| !copied.batches.is_empty());
        let due = self.kept_at.elapsed() >= KEEP;
        let old = self.refreshed_at.elapsed() >= REFRESH;
        if any || due || old {
            let written = self.transact(tracks, found, any, old).await;
            if let Err(Trouble::Here(KafkaError::Refused(_)) | Trouble::Copy(..)) = &written {
                self.session.give_up(self.at_here()).await;
            }
            written?;
            self.kept_at = Instant::now();
            if old {
                self.refreshed_at = Instant::now();
            }
        }
        for track in tracks.iter_mut().filter(|it| it.is_open()) {
            if track.places.values().all(|it| it.stable >= 0) {
                track.goes();
            }
        }
        for (at, why) in stopped {
            tracing::warn!(
                link = self.plan.link_id,
                topic = tracks[at].route.topic_id,
                ?why,
                "records cannot be read"
            );
            match why {
                Unreadable::Corrupt => tracks[at].rest(Phase::Degraded, Reason::KafkaRefused),
                Unreadable::Unknown => tracks[at].rest(Phase::Failed, Reason::Unsupported),
            }
        }
        self.look_again(tracks);
        Ok(())
    }

    fn at_here(&self) -> Here<'_> {
        Here {
            logs: self.here.as_ref(),
            at: &self.plan.here,
        }
    }

    async fn transact(
        &mut self,
        tracks: &mut [Track],
        found: Found,
        any: bool,
        all: bool,
    ) -> Result<(), Trouble> {
        let copied = if any {
            self.append(tracks, found).await?
        } else {
            Vec::new()
        };
        let mut stand = Stand::new();
        for track in tracks.iter() {
            for (partition, place) in &track.places {
                let part = (track.route.copy.clone(), *partition);
                if all || self.stand.get(&part).is_none_or(|it| it.offset != place.next) {
                    let position = Position {
                        offset: place.next,
                        note: place.syncs.note(),
                    };
                    stand.insert(part, position);
                }
            }
        }
        if !stand.is_empty() {
            self.commit(stand).await?;
        }
        for (at, records, bytes) in copied {
            tracks[at].copied.0 += records;
            tracks[at].copied.1 += bytes;
        }
        Ok(())
    }

    /// Says what it comes to: track, records, bytes.
    async fn append(
        &mut self,
        tracks: &mut [Track],
        found: Found,
    ) -> Result<Vec<(usize, u64, u64)>, Trouble> {
        let mut copied_now = Vec::new();
        let here = Here {
            logs: self.here.as_ref(),
            at: &self.plan.here,
        };
        let part = |at: usize, partition| (tracks[at].route.copy.clone(), partition);
        let parts: Vec<Part> = found
            .iter()
            .filter(|(.., copied)| !copied.batches.is_empty())
            .map(|(at, partition, _copied)| part(*at, *partition))
            .collect();
        self.session
            .begin(here, parts.iter())
            .await
            .map_err(Trouble::Here)?;
        for (at, partition, copied) in found {
            let track = &mut tracks[at];
            let part = (track.route.copy.clone(), partition);
            let leader = track.leads.get(&partition).map_or(-1, |it| it.1);
            let mut end = -1;
            for batch in copied.batches {
                let (count, bytes) = (batch.count, batch.size());
                let written = self.session.append(here, leader, &part, batch).await;
                let (pairs, behind) = written.map_err(|error| on_append(at, error))?;
                end = behind;
                copied_now.push((at, u64::try_from(count).unwrap_or(0), bytes as u64));
                if let Some(place) = track.places.get_mut(&partition) {
                    for (source, copy) in pairs {
                        place.syncs.add(source, copy);
                    }
                }
            }
            if let Some(place) = track.places.get_mut(&partition).filter(|_place| end >= 0) {
                place.syncs.add(copied.next, end);
            }
        }
        Ok(copied_now)
    }

    /// Ends the transaction with these places in it.
    pub(super) async fn commit(&mut self, stand: Stand) -> Result<(), Trouble> {
        let here = Here {
            logs: self.here.as_ref(),
            at: &self.plan.here,
        };
        let done = self.session.commit(here, &self.plan.owner, &stand).await;
        done.map_err(Trouble::Here)?;
        self.stand.extend(stand);
        Ok(())
    }

    /// Now and then everything is opened anew: partitions become more, and leaders others.
    fn look_again(&mut self, tracks: &mut [Track]) {
        let leaderless = tracks.iter().flat_map(|it| it.leads.values());
        let wait = if leaderless.clone().any(|(there, here)| *there < 0 || *here < 0) {
            LOOK_SOON
        } else {
            LOOK
        };
        if self.looked_at.elapsed() < wait {
            return;
        }
        self.looked_at = Instant::now();
        self.ahead.abort_all();
        self.ahead = JoinSet::new();
        tracks.iter_mut().filter(|it| it.is_open()).for_each(Track::close);
    }
}

/// Whether it is the one topic that is in the way. What passes by itself is the brokers'.
fn on_append(at: usize, error: KafkaError) -> Trouble {
    /// UNKNOWN_TOPIC_OR_PARTITION, MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, TOPIC_AUTHORIZATION_FAILED, INVALID_TIMESTAMP,
    /// POLICY_VIOLATION, INVALID_RECORD; CORRUPT_MESSAGE.
    const OF_THE_TOPIC: [i16; 8] = [2, 3, 10, 18, 29, 32, 44, 87];
    match error {
        KafkaError::Refused(code) if OF_THE_TOPIC.contains(&code) => Trouble::Copy(at, error),
        other => Trouble::Here(other),
    }
}
