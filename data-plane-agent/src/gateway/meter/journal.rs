//! What the meter writes down as it goes, so that a killed gateway loses no count.
//!
//! One file per open window: `open-<boot>-<sequence>.log`, length-delimited [`Entry`]s. A write reaches the system, not
//! the disk: it outlives the process, which is what kills; a closed window is synchronised to disk. Notes that are due
//! together are written together.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use prost::Message;
use weir_proto::agent::v1::{UsageRow, UsageWindow};

use super::Outgoing;

/// One note.
#[derive(Clone, PartialEq, Message)]
pub struct Entry {
    /// Exactly one of them.
    #[prost(oneof = "Note", tags = "1, 2, 3, 4")]
    pub note: Option<Note>,
}

/// What is noted.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Note {
    /// About to be forwarded.
    #[prost(message, tag = "1")]
    Intent(Intent),
    /// The fate of an intent is known.
    #[prost(message, tag = "2")]
    Settled(Settled),
    /// Counted outright.
    #[prost(message, tag = "3")]
    Row(UsageRow),
    /// When the window opened, milliseconds since 1970.
    #[prost(int64, tag = "4")]
    Opened(i64),
}

/// Batches on their way to a broker.
#[derive(Clone, PartialEq, Message)]
pub struct Intent {
    /// Unique within a boot.
    #[prost(uint64, tag = "1")]
    pub id: u64,
    /// Whose cluster.
    #[prost(string, tag = "2")]
    pub cluster_id: String,
    /// Who produces.
    #[prost(string, tag = "3")]
    pub principal_id: String,
    /// What.
    #[prost(message, repeated, tag = "4")]
    pub batches: Vec<IntentBatch>,
}

/// One batch of one partition.
#[derive(Clone, PartialEq, Message)]
pub struct IntentBatch {
    /// The topic's `TypeID`.
    #[prost(string, tag = "1")]
    pub topic_id: String,
    /// Its partition.
    #[prost(int32, tag = "2")]
    pub partition: i32,
    /// Bytes as sent.
    #[prost(uint64, tag = "3")]
    pub bytes: u64,
    /// Records.
    #[prost(uint64, tag = "4")]
    pub records: u64,
    /// Set for an idempotent producer.
    #[prost(message, optional, tag = "5")]
    pub producer: Option<IntentProducer>,
}

/// See [`super::Producer`].
#[derive(Clone, PartialEq, Message)]
pub struct IntentProducer {
    /// Its id.
    #[prost(int64, tag = "1")]
    pub id: i64,
    /// Its epoch.
    #[prost(int32, tag = "2")]
    pub epoch: i32,
    /// First sequence number.
    #[prost(int32, tag = "3")]
    pub sequence: i32,
}

/// What a retry of a batch has in common with it: topic id, partition, producer id, epoch, sequence.
pub type Identity = (String, i32, i64, i32, i32);

impl IntentBatch {
    /// What is noted of a batch on its way.
    pub fn new(it: &Outgoing) -> Self {
        Self {
            topic_id: it.topic.to_string(),
            partition: it.partition,
            bytes: it.batch.bytes,
            records: it.batch.records,
            producer: it.batch.producer.map(|producer| IntentProducer {
                id: producer.id,
                epoch: i32::from(producer.epoch),
                sequence: producer.sequence,
            }),
        }
    }

    /// By what its retry is known.
    pub fn identity(&self, producer: &IntentProducer) -> Identity {
        (
            self.topic_id.clone(),
            self.partition,
            producer.id,
            producer.epoch,
            producer.sequence,
        )
    }
}

/// Which batches of an intent count: positions in its list. The others do not (refused, or counted before).
#[derive(Clone, PartialEq, Message)]
pub struct Settled {
    /// Of which intent.
    #[prost(uint64, tag = "1")]
    pub id: u64,
    /// These.
    #[prost(uint32, repeated, tag = "2")]
    pub counted: Vec<u32>,
}

/// Key of a window: boot and sequence.
pub type WindowKey = (u64, u64);

/// Notes are written at the latest when so much of them waits.
const WAITING_MAX: usize = 64 * 1024;

/// The folder of windows and of the open one's log.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    open: (File, PathBuf),
    /// Notes that are not written yet.
    waiting: Vec<u8>,
}

impl Journal {
    /// Begins the log of a window.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn begin(folder: &Path, key: WindowKey, notes: &[Note]) -> io::Result<Self> {
        Ok(Self {
            folder: folder.to_owned(),
            open: create_log(folder, key, notes)?,
            waiting: Vec::new(),
        })
    }

    /// Takes a note, to be written by [`Self::flush`].
    ///
    /// # Errors
    /// When too much waits and the file cannot be written.
    pub fn note(&mut self, entry: &Entry) -> io::Result<()> {
        entry
            .encode_length_delimited(&mut self.waiting)
            .map_err(io::Error::other)?;
        if self.waiting.len() < WAITING_MAX {
            return Ok(());
        }
        self.flush()
    }

    /// Writes down what was noted.
    ///
    /// # Errors
    /// When the file cannot be written; these notes are lost then.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let written = self.open.0.write_all(&self.waiting);
        self.waiting.clear();
        written
    }

    /// Begins the log of the next window, keeps the closed one on disk, drops the closed one's log.
    ///
    /// # Errors
    /// When the folder cannot be written; the log in use stays.
    pub fn rotate(&mut self, closed: &UsageWindow, next: WindowKey, notes: &[Note]) -> io::Result<()> {
        let log = create_log(&self.folder, next, notes)?;
        keep_window(&self.folder, closed)?;
        let (_file, path) = std::mem::replace(&mut self.open, log);
        // What was noted is in the closed window or in the head of the next one's log.
        self.waiting.clear();
        fs::remove_file(path)
    }
}

fn create_log(folder: &Path, (boot, sequence): WindowKey, notes: &[Note]) -> io::Result<(File, PathBuf)> {
    let path = folder.join(format!("open-{boot:020}-{sequence:020}.log"));
    let mut file = private().append(true).create(true).open(&path)?;
    let mut head = Vec::new();
    for note in notes {
        let entry = Entry {
            note: Some(note.clone()),
        };
        head.extend(entry.encode_length_delimited_to_vec());
    }
    file.write_all(&head)?;
    Ok((file, path))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

fn window_path(folder: &Path, (boot, sequence): WindowKey) -> PathBuf {
    folder.join(format!("window-{boot:020}-{sequence:020}.pb"))
}

/// Writes a closed window so that it is there whole or not at all.
///
/// # Errors
/// When the folder cannot be written.
pub fn keep_window(folder: &Path, window: &UsageWindow) -> io::Result<()> {
    let path = window_path(folder, (window.boot, window.sequence));
    crate::disk::write_atomic(&path, &window.encode_to_vec())
}

/// Forgets a window that was acknowledged. One that is not there was forgotten before.
///
/// # Errors
/// When the file cannot be removed.
pub fn forget_window(folder: &Path, key: WindowKey) -> io::Result<()> {
    match fs::remove_file(window_path(folder, key)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _gone => Ok(()),
    }
}

/// Reads the closed windows that nobody acknowledged, oldest first, up to `limit`.
///
/// # Errors
/// When the folder cannot be read.
pub fn windows(folder: &Path, limit: usize) -> io::Result<Vec<UsageWindow>> {
    let mut out = Vec::new();
    for (_key, path) in listed(folder, "window-", ".pb")?.into_iter().take(limit) {
        match UsageWindow::decode(&fs::read(&path)?[..]) {
            Ok(window) => out.push(window),
            Err(_broken) => tracing::error!(file = %path.display(), "a kept usage window cannot be read"),
        }
    }
    Ok(out)
}

fn listed(folder: &Path, prefix: &str, suffix: &str) -> io::Result<BTreeMap<WindowKey, PathBuf>> {
    let mut out = BTreeMap::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        let key = path
            .file_name()
            .and_then(|it| it.to_str())
            .and_then(|it| it.strip_prefix(prefix)?.strip_suffix(suffix)?.split_once('-'))
            .and_then(|(boot, sequence)| Some((boot.parse().ok()?, sequence.parse().ok()?)));
        if let Some(key) = key {
            out.insert(key, path);
        }
    }
    Ok(out)
}

/// What earlier runs left behind.
#[derive(Debug, Default)]
pub struct Leftover {
    /// Logs of windows that were open, oldest first.
    pub logs: Vec<Log>,
    /// Intents whose fate nobody noted.
    pub unresolved: Vec<Intent>,
}

/// The log of one window that was open when its process ended.
#[derive(Debug)]
pub struct Log {
    /// Which window.
    pub key: WindowKey,
    /// The window was closed and kept; only its log was not removed yet.
    pub kept: bool,
    /// When it opened.
    pub opened_unix_ms: i64,
    /// Counted outright.
    pub rows: Vec<UsageRow>,
    /// Settled batches that count, each with the intent that holds them.
    pub settled: Vec<Intent>,
    path: PathBuf,
}

impl Log {
    /// Removes the file: its content is elsewhere now.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

/// Reads every log in the folder. A note that was cut short by a kill ends its file.
///
/// # Errors
/// When the folder cannot be read.
pub fn replay(folder: &Path) -> io::Result<Leftover> {
    let kept = listed(folder, "window-", ".pb")?;
    let mut unresolved: HashMap<(u64, u64), Intent> = HashMap::new();
    let mut logs = Vec::new();
    for (key, path) in listed(folder, "open-", ".log")? {
        let mut log = Log {
            key,
            kept: kept.contains_key(&key),
            opened_unix_ms: 0,
            rows: Vec::new(),
            settled: Vec::new(),
            path,
        };
        let mut bytes = Bytes::from(fs::read(&log.path)?);
        while let Ok(Entry { note: Some(note) }) = Entry::decode_length_delimited(&mut bytes) {
            match note {
                Note::Opened(at) => log.opened_unix_ms = at,
                Note::Row(row) => log.rows.push(row),
                Note::Intent(intent) => drop(unresolved.insert((key.0, intent.id), intent)),
                Note::Settled(Settled { id, counted }) => {
                    if let Some(mut intent) = unresolved.remove(&(key.0, id)) {
                        intent.batches = counted
                            .iter()
                            .filter_map(|at| intent.batches.get(*at as usize).cloned())
                            .collect();
                        log.settled.push(intent);
                    }
                }
            }
        }
        logs.push(log);
    }
    let mut unresolved: Vec<_> = unresolved.into_iter().collect();
    unresolved.sort_by_key(|(key, _intent)| *key);
    Ok(Leftover {
        logs,
        unresolved: unresolved.into_iter().map(|(_key, intent)| intent).collect(),
    })
}
