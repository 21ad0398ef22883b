//! The ledger of what left this network: every message is written here, and made durable, before it is sent.
//!
//! One line of JSON per message, each carrying the hash of the one before it. Files are named after their first number and
//! turn over by size; the chain runs on across files. `head.json` names the last line, so that a shortened ledger is noticed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::disk;

/// A file is closed and the next begun when it passes this size.
pub const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

const DOMAIN: &[u8] = b"weir.ledger.v1";

/// Which published message an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Form {
    /// A frame of the session.
    #[serde(rename = "weir.agent.v1.AgentFrame")]
    AgentFrame,
    /// An enrolment, its one-time token left out.
    #[serde(rename = "weir.agent.v1.EnrollRequest")]
    Enroll,
    /// A renewal of the certificate.
    #[serde(rename = "weir.agent.v1.RenewRequest")]
    Renew,
}

impl Form {
    /// The message's full name in the published descriptor.
    #[must_use]
    pub const fn full_name(self) -> &'static str {
        match self {
            Self::AgentFrame => "weir.agent.v1.AgentFrame",
            Self::Enroll => "weir.agent.v1.EnrollRequest",
            Self::Renew => "weir.agent.v1.RenewRequest",
        }
    }
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Counts from 1, without gaps, over all files.
    pub seq: u64,
    /// When it was about to be sent.
    pub at_unix_ms: u64,
    /// Which message it is.
    pub form: Form,
    /// The encoded message, base64.
    pub frame: String,
    /// Hash of the line before; zeros for the first.
    pub prev: String,
    /// SHA-256 over domain, number, time, form, `prev` and the message.
    pub hash: String,
}

impl Entry {
    fn chained(seq: u64, at_unix_ms: u64, form: Form, bytes: &[u8], prev: &[u8; 32]) -> (Self, [u8; 32]) {
        let hash = link_hash(seq, at_unix_ms, form, bytes, prev);
        let entry = Self {
            seq,
            at_unix_ms,
            form,
            frame: STANDARD.encode(bytes),
            prev: weir_credentials::hex(prev),
            hash: weir_credentials::hex(&hash),
        };
        (entry, hash)
    }

    /// The encoded message.
    ///
    /// # Errors
    /// When it is not base64.
    pub fn bytes(&self) -> Result<Vec<u8>, base64::DecodeError> {
        STANDARD.decode(&self.frame)
    }
}

/// The hash that ties an entry to the one before it.
pub(super) fn link_hash(seq: u64, at_unix_ms: u64, form: Form, bytes: &[u8], prev: &[u8; 32]) -> [u8; 32] {
    let name = form.full_name().as_bytes();
    let mut hashed = Vec::with_capacity(DOMAIN.len() + 24 + name.len() + prev.len() + bytes.len());
    hashed.extend_from_slice(DOMAIN);
    hashed.extend_from_slice(&seq.to_be_bytes());
    hashed.extend_from_slice(&at_unix_ms.to_be_bytes());
    hashed.extend_from_slice(&(name.len() as u64).to_be_bytes());
    hashed.extend_from_slice(name);
    hashed.extend_from_slice(prev);
    hashed.extend_from_slice(bytes);
    weir_credentials::sha256(&hashed)
}

/// The last line, written beside the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) seq: u64,
    pub(super) hash: String,
}

/// The open ledger. One per agent.
pub struct Ledger {
    folder: PathBuf,
    file_bytes_max: u64,
    writing: Mutex<Writing>,
}

struct Writing {
    file: Option<File>,
    length: u64,
    seq: u64,
    hash: [u8; 32],
}

impl Ledger {
    /// Opens the ledger of `folder` and continues its chain.
    ///
    /// # Errors
    /// As the file system says, and when the last file does not end in a whole entry of ours.
    pub fn open(folder: &Path) -> io::Result<Self> {
        Self::open_with(folder, FILE_BYTES_MAX)
    }

    pub(super) fn open_with(folder: &Path, file_bytes_max: u64) -> io::Result<Self> {
        disk::private_folder(folder)?;
        let mut writing = Writing {
            file: None,
            length: 0,
            seq: 0,
            hash: [0; 32],
        };
        if let Some((_first, path)) = files(folder)?.pop() {
            let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
            let text = fs::read(&path)?;
            // A line without its end was never made durable, so it was never sent either.
            let whole = text
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |at| at + 1);
            if whole < text.len() {
                tracing::warn!("the ledger ended in a torn line, which was never sent: cut");
                file.set_len(whole as u64)?;
            }
            file.seek(SeekFrom::End(0))?;
            if let Some(line) = text[..whole]
                .split(|byte| *byte == b'\n')
                .rfind(|line| !line.is_empty())
            {
                let entry: Entry = serde_json::from_slice(line)?;
                writing.seq = entry.seq;
                writing.hash = weir_credentials::unhex32(&entry.hash).ok_or(io::ErrorKind::InvalidData)?;
            } else if let Some(last) = disk::read_json::<Head>(&folder.join("head.json"), 4096)? {
                // The newest file is still empty: the chain goes on from the end of the one before.
                writing.seq = last.seq;
                writing.hash = weir_credentials::unhex32(&last.hash).ok_or(io::ErrorKind::InvalidData)?;
            }
            writing.length = whole as u64;
            writing.file = Some(file);
        }
        Ok(Self {
            folder: folder.to_owned(),
            file_bytes_max,
            writing: Mutex::new(writing),
        })
    }

    /// Writes one message and makes it durable. Only then may it be sent. Blocks: call it where blocking is allowed.
    ///
    /// # Errors
    /// As the file system says; the message must then not be sent.
    pub fn append(&self, form: Form, bytes: &[u8]) -> io::Result<u64> {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let seq = writing.seq + 1;
        let (entry, hash) = Entry::chained(seq, unix_ms(), form, bytes, &writing.hash);
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        if writing.file.is_none() || writing.length + line.len() as u64 > self.file_bytes_max {
            writing.file = Some(self.begin_file(seq)?);
            writing.length = 0;
        }
        let start = writing.length;
        let Some(file) = writing.file.as_mut() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if let Err(error) = file.write_all(&line).and_then(|()| file.sync_data()) {
            // Half a line must not stand before the next one.
            let _best_effort = file
                .set_len(start)
                .and_then(|()| file.seek(SeekFrom::Start(start)).map(drop));
            return Err(error);
        }
        writing.length += line.len() as u64;
        writing.seq = seq;
        writing.hash = hash;
        let head = Head {
            seq,
            hash: entry.hash,
        };
        // Written after every line; a crash in between leaves it one behind, which `verify` allows.
        fs::write(self.folder.join("head.json"), serde_json::to_vec(&head)?)?;
        Ok(seq)
    }

    fn begin_file(&self, first: u64) -> io::Result<File> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(self.folder.join(format!("{first:020}.jsonl")))?;
        disk::sync_folder(&self.folder)?;
        Ok(file)
    }

    /// The folder it lives in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The ledger's files, oldest first, each with its first number.
pub(super) fn files(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for item in fs::read_dir(folder)? {
        let path = item?.path();
        let is_ours = path.extension().is_some_and(|it| it == "jsonl");
        let number = path
            .file_stem()
            .and_then(|it| it.to_str())
            .and_then(|it| it.parse().ok());
        if let (true, Some(first)) = (is_ours, number) {
            found.push((first, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Milliseconds since 1970.
#[must_use]
pub fn unix_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
