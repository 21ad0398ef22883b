//! How much: counts what producers had acknowledged and what fetchers were sent, exactly once.
//!
//! A produce request is noted before it is forwarded ([`Meter::intend`]) and counted when the broker's answer is read
//! ([`Ticket::settle`]). Notes reach the system by [`Meter::flush`]: before requests go to a broker, before answers go to
//! a client, and five times a second for what was fetched. Whatever ends in between leaves an intent without a fate: an idempotent producer's retry tells
//! it; else it becomes an UNCERTAIN row, never a guess.

pub mod batch;
mod journal;
mod orphans;
mod seen;
mod window;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use weir_proto::agent::v1::{Direction, UsageWindow};

pub use batch::{Batch, Producer};
pub use journal::WindowKey;
use journal::{Entry, Identity, Intent, IntentBatch, Journal, Note, Settled};
use seen::Seen;
use window::{Rows, now_unix_ms};

/// How long an idempotent producer may take to retry: Kafka's `delivery.timeout.ms` and some more.
const RETRY_WAIT: Duration = Duration::from_secs(150);

/// Who is metered.
#[derive(Debug, Clone)]
pub struct Payer {
    /// The logical cluster.
    pub cluster: Arc<str>,
    /// The service account.
    pub principal: Arc<str>,
}

/// A batch on its way.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The topic's `TypeID`.
    pub topic: Arc<str>,
    /// Its partition.
    pub partition: i32,
    /// What its header says.
    pub batch: Batch,
}

/// What a broker did with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is in the log, by this attempt or an earlier one.
    Acknowledged,
    /// It is not.
    Refused,
}

/// All counts of this gateway.
#[derive(Debug)]
pub struct Meter {
    folder: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    gateway_id: String,
    key: WindowKey,
    opened_unix_ms: i64,
    rows: Rows,
    intents: HashMap<u64, Intent>,
    next_intent: u64,
    /// Batches whose connection ended before their answer: where a retry finds them.
    orphans: BTreeMap<Identity, (u64, Instant)>,
    seen: Seen,
    journal: Journal,
}

impl Meter {
    /// Opens the meter of this boot and closes the windows that earlier boots left open.
    ///
    /// # Errors
    /// When the folder cannot be read or written.
    pub fn open(folder: &Path, gateway_id: &str, boot: u64) -> anyhow::Result<Self> {
        crate::disk::private_folder(folder).context("create the folder of usage windows")?;
        let leftover = journal::replay(folder).context("read the usage journal")?;
        let opened_unix_ms = now_unix_ms();
        let key = (boot, 1);
        let journal = Journal::begin(folder, key, &[Note::Opened(opened_unix_ms)])
            .context("begin the usage journal")?;
        let mut inner = Inner {
            gateway_id: gateway_id.to_owned(),
            key,
            opened_unix_ms,
            rows: Rows::default(),
            intents: HashMap::new(),
            next_intent: 1,
            orphans: BTreeMap::new(),
            seen: Seen::default(),
            journal,
        };
        inner
            .take_over(folder, leftover)
            .context("close the windows of an earlier run")?;
        Ok(Self {
            folder: folder.to_owned(),
            inner: Mutex::new(inner),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it is held; counts are better kept than lost.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a produce request before it is forwarded.
    #[must_use]
    pub fn intend(self: &Arc<Self>, payer: &Payer, batches: &[Outgoing]) -> Ticket {
        let mut inner = self.lock();
        let batches = batches.iter().map(IntentBatch::new).collect();
        let id = inner.register(&payer.cluster, &payer.principal, batches);
        drop(inner);
        Ticket {
            meter: Arc::clone(self),
            id,
        }
    }

    /// Counts what is forwarded without an answer to come (acks=0): the best that can be known.
    pub fn forwarded(&self, payer: &Payer, batches: &[Outgoing]) {
        let mut rows = Rows::default();
        for it in batches {
            rows.add(
                payer,
                &it.topic,
                Direction::Produce,
                false,
                it.batch.bytes,
                it.batch.records,
            );
        }
        self.lock().count(rows);
    }

    /// Counts what a client was sent: (topic id, bytes, records).
    pub fn fetched(&self, payer: &Payer, sent: &[(Arc<str>, u64, u64)]) {
        let mut rows = Rows::default();
        for (topic, bytes, records) in sent {
            rows.add(payer, topic, Direction::Fetch, false, *bytes, *records);
        }
        self.lock().count(rows);
    }

    /// Writes down what was noted since the last time.
    pub fn flush(&self) {
        if let Err(error) = self.lock().journal.flush() {
            unwritten(&error);
        }
    }

    /// Closes the open window if it has rows: kept on disk until acknowledged.
    ///
    /// # Errors
    /// When it cannot be written; the window then stays open.
    pub fn close_window(&self) -> std::io::Result<bool> {
        let mut inner = self.lock();
        inner.give_up_orphans(RETRY_WAIT);
        if inner.rows.is_empty() {
            return Ok(false);
        }
        let now = now_unix_ms();
        let closed = UsageWindow {
            gateway_id: inner.gateway_id.clone(),
            boot: inner.key.0,
            sequence: inner.key.1,
            started_at_unix_ms: inner.opened_unix_ms,
            ended_at_unix_ms: now,
            rows: inner.rows.to_list(),
        };
        let next = (inner.key.0, inner.key.1 + 1);
        let mut notes = vec![Note::Opened(now)];
        notes.extend(inner.intents.values().cloned().map(Note::Intent));
        inner.journal.rotate(&closed, next, &notes)?;
        inner.key = next;
        inner.opened_unix_ms = now;
        inner.rows = Rows::default();
        Ok(true)
    }

    /// Closed windows that nobody acknowledged, oldest first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn unacknowledged(&self, limit: usize) -> std::io::Result<Vec<UsageWindow>> {
        journal::windows(&self.folder, limit)
    }

    /// A window was acknowledged: it is somebody else's to keep.
    ///
    /// # Errors
    /// When its file cannot be removed; it will be sent again, which the receiver ignores.
    pub fn acknowledged(&self, key: WindowKey) -> std::io::Result<()> {
        journal::forget_window(&self.folder, key)
    }
}

/// The meter's hold on one produce request. Dropped unsettled, its batches are unresolved.
#[derive(Debug)]
pub struct Ticket {
    meter: Arc<Meter>,
    id: u64,
}

impl Ticket {
    /// Counts the request: `fates` in the order of its batches; missing ones were refused.
    pub fn settle(self, fates: &[Fate]) {
        self.meter.lock().settle(self.id, fates);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // After `settle` the intent is gone and this finds nothing.
        self.meter.lock().abandon(self.id);
    }
}

fn unwritten(error: &std::io::Error) {
    tracing::error!(%error, "the usage journal cannot be written: a kill now would lose counts");
}

impl Inner {
    fn write(&mut self, note: Note) {
        self.write_entry(&Entry { note: Some(note) });
    }

    fn write_entry(&mut self, entry: &Entry) {
        if let Err(error) = self.journal.note(entry) {
            unwritten(&error);
        }
    }

    fn count(&mut self, rows: Rows) {
        for row in rows.to_list() {
            self.write(Note::Row(row));
        }
        self.rows.merge(rows);
    }

    fn register(&mut self, cluster: &str, principal: &str, batches: Vec<IntentBatch>) -> u64 {
        let id = self.next_intent;
        self.next_intent += 1;
        let intent = Intent {
            id,
            cluster_id: cluster.to_owned(),
            principal_id: principal.to_owned(),
            batches,
        };
        // Written and then kept: nothing is copied in between.
        let entry = Entry {
            note: Some(Note::Intent(intent)),
        };
        self.write_entry(&entry);
        if let Some(Note::Intent(intent)) = entry.note {
            self.intents.insert(id, intent);
        }
        id
    }

    fn settle(&mut self, id: u64, fates: &[Fate]) {
        let Some(intent) = self.intents.remove(&id) else {
            return;
        };
        let mut counted = Vec::new();
        for (at, batch) in intent.batches.iter().enumerate() {
            if fates.get(at) == Some(&Fate::Acknowledged) && self.is_new(batch) {
                counted.push(u32::try_from(at).unwrap_or(u32::MAX));
            }
        }
        self.rows.add_intent(&intent, &counted);
        self.write(Note::Settled(Settled { id, counted }));
    }

    /// False for a batch that was counted before: a retry of what the broker already had.
    fn is_new(&mut self, batch: &IntentBatch) -> bool {
        let Some(producer) = &batch.producer else {
            return true;
        };
        // The retry tells the fate of the attempt that was cut off.
        if !self.orphans.is_empty()
            && let Some((orphan, _since)) = self.orphans.remove(&batch.identity(producer))
        {
            self.settle(orphan, &[Fate::Refused]);
        }
        let topic = Arc::from(batch.topic_id.as_str());
        let identity = Producer {
            id: producer.id,
            epoch: i16::try_from(producer.epoch).unwrap_or(-1),
            sequence: producer.sequence,
        };
        self.seen.first_time(&topic, batch.partition, identity)
    }

    /// Closes what earlier boots left open, each under its own key, and waits for retries of what they left unresolved.
    fn take_over(&mut self, folder: &Path, leftover: journal::Leftover) -> std::io::Result<()> {
        for intent in leftover.unresolved {
            self.unresolved(intent);
        }
        // The old logs hold them until the new one does.
        self.journal.flush()?;
        for log in leftover.logs {
            let mut rows = Rows::default();
            log.rows.iter().for_each(|row| rows.add_row(row));
            for intent in &log.settled {
                let all: Vec<u32> = (0..).take(intent.batches.len()).collect();
                rows.add_intent(intent, &all);
                intent.batches.iter().for_each(|it| {
                    self.is_new(it);
                });
            }
            if !log.kept && !rows.is_empty() {
                let window = UsageWindow {
                    gateway_id: self.gateway_id.clone(),
                    boot: log.key.0,
                    sequence: log.key.1,
                    started_at_unix_ms: log.opened_unix_ms,
                    ended_at_unix_ms: now_unix_ms(),
                    rows: rows.to_list(),
                };
                journal::keep_window(folder, &window)?;
            }
            log.remove()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
