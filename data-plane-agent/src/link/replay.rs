//! Reading the ledger back: checks the chain and decodes every message against the published descriptor. Needs no network.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use prost_reflect::{DescriptorPool, DynamicMessage, Kind, Value};
use serde::Serialize;
use serde_json::{Map, json};

use super::ledger::{Entry, Form, Head, files, link_hash};
use crate::disk;

/// Why a ledger is not what was sent.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// It cannot be read.
    #[error("read the ledger")]
    File(#[from] io::Error),
    /// A line is no entry.
    #[error("entry {after_seq} is followed by a line that is no entry")]
    Line {
        /// The last good entry.
        after_seq: u64,
    },
    /// An entry is missing, doubled or out of its place.
    #[error("entry {expected} should stand where entry {found} stands")]
    Order {
        /// The number that should come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// An entry was altered, or the one before it was.
    #[error("entry {seq} does not continue the chain: it or the entry before it was altered")]
    Chain {
        /// The entry.
        seq: u64,
    },
    /// The end was cut off.
    #[error("the ledger ends at entry {found}, but entry {expected} was written")]
    Shortened {
        /// The last number known to have been written.
        expected: u64,
        /// The last number found.
        found: u64,
    },
    /// An entry does not decode, or holds fields that are not published.
    #[error("entry {seq} does not decode against the published descriptor")]
    Unpublished {
        /// The entry.
        seq: u64,
    },
    /// The published descriptor of this program cannot be read.
    #[error("read the published descriptor")]
    Descriptor,
}

/// What a whole, sound ledger holds.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Number of entries.
    pub entries: u64,
    /// Bytes of all encoded messages.
    pub bytes: u64,
    /// Entries and bytes per kind of frame.
    pub kinds: BTreeMap<String, KindTotal>,
    /// Hash of the last entry.
    pub head: String,
}

/// The sum over one kind of frame.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct KindTotal {
    /// Entries of this kind.
    pub entries: u64,
    /// Bytes of their messages.
    pub bytes: u64,
}

/// Decodes messages against the published descriptor.
pub struct Decoder {
    pool: DescriptorPool,
}

impl Decoder {
    /// A decoder over the descriptor compiled into this program.
    ///
    /// # Errors
    /// [`Broken::Descriptor`] when it cannot be read.
    pub fn new() -> Result<Self, Broken> {
        DescriptorPool::decode(weir_proto::PUBLISHED_DESCRIPTOR)
            .map(|pool| Self { pool })
            .map_err(|_unreadable| Broken::Descriptor)
    }

    /// Decodes one entry; refuses a field that the descriptor does not have, at any depth.
    ///
    /// # Errors
    /// [`Broken::Unpublished`] when it does not decode.
    pub fn decode(&self, entry: &Entry) -> Result<DynamicMessage, Broken> {
        let unpublished = |()| Broken::Unpublished { seq: entry.seq };
        let form = self
            .pool
            .get_message_by_name(entry.form.full_name())
            .ok_or(Broken::Descriptor)?;
        let bytes = entry.bytes().map_err(|_not_base64| unpublished(()))?;
        let message =
            DynamicMessage::decode(form, bytes.as_slice()).map_err(|_undecodable| unpublished(()))?;
        if has_unknown(&message) {
            return Err(unpublished(()));
        }
        Ok(message)
    }
}

/// The kind of a decoded entry: the frame's own name, or the message's.
#[must_use]
pub fn kind(form: Form, message: &DynamicMessage) -> String {
    let frame = match form {
        Form::AgentFrame => message
            .fields()
            .next()
            .map(|(field, _value)| field.name().to_owned()),
        Form::Enroll => Some("enroll".to_owned()),
        Form::Renew => Some("renew".to_owned()),
    };
    frame.unwrap_or_else(|| "empty".to_owned())
}

fn has_unknown(message: &DynamicMessage) -> bool {
    fn inside(value: &Value) -> bool {
        match value {
            Value::Message(inner) => has_unknown(inner),
            Value::List(items) => items.iter().any(inside),
            Value::Map(items) => items.values().any(inside),
            _scalar => false,
        }
    }
    message.unknown_fields().next().is_some() || message.fields().any(|(_field, value)| inside(value))
}

/// A decoded message as JSON, field names and enum words as published.
#[must_use]
pub fn to_json(message: &DynamicMessage) -> serde_json::Value {
    let mut out = Map::new();
    for (field, value) in message.fields() {
        out.insert(field.name().to_owned(), value_json(&field.kind(), value));
    }
    serde_json::Value::Object(out)
}

fn value_json(kind: &Kind, value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(it) => json!(it),
        Value::I32(it) => json!(it),
        Value::I64(it) => json!(it),
        Value::U32(it) => json!(it),
        Value::U64(it) => json!(it),
        Value::F32(it) => json!(it),
        Value::F64(it) => json!(it),
        Value::String(it) => json!(it),
        Value::Bytes(it) => json!(weir_credentials::hex(it)),
        Value::EnumNumber(number) => match kind {
            Kind::Enum(words) => words
                .get_value(*number)
                .map_or(json!(number), |it| json!(it.name())),
            _other => json!(number),
        },
        Value::Message(it) => to_json(it),
        Value::List(items) => items.iter().map(|it| value_json(kind, it)).collect(),
        Value::Map(items) => items.values().map(|it| value_json(kind, it)).collect(),
    }
}

/// One decoded entry, as `tail` and `export` print it.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Its number.
    pub seq: u64,
    /// When it was about to be sent.
    pub at_unix_ms: u64,
    /// What it is: `hello`, `heartbeat`, `status`, `usage`, `answer`, `intent`, `enroll`, `renew`.
    pub kind: String,
    /// Size of the encoded message.
    pub bytes: u64,
    /// Its hash in the chain.
    pub hash: String,
    /// All that it says.
    pub message: serde_json::Value,
}

/// Walks the whole ledger, checks it, and shows each entry to `each`.
///
/// # Errors
/// [`Broken`] at the first thing that is wrong.
pub fn replay(folder: &Path, mut each: impl FnMut(Line)) -> Result<Summary, Broken> {
    // Read before the entries: a living agent only appends, so what it says is already there.
    let head: Option<Head> = disk::read_json(&folder.join("head.json"), 4096)?;
    let decoder = Decoder::new()?;
    let mut summary = Summary::default();
    let mut prev = [0_u8; 32];
    for (first, path) in files(folder)? {
        let expected = summary.entries + 1;
        if first != expected {
            return Err(Broken::Order {
                expected,
                found: first,
            });
        }
        let mut lines = BufReader::new(File::open(path)?);
        let mut text = Vec::new();
        while lines.read_until(b'\n', &mut text)? > 0 {
            // A line without its end is being written, or was torn by a crash and never sent.
            if text.last() != Some(&b'\n') {
                break;
            }
            let line = check(&decoder, &text, summary.entries, &mut prev)?;
            if let Some(head) = head.as_ref().filter(|head| head.seq == line.seq)
                && head.hash != line.hash
            {
                return Err(Broken::Chain { seq: line.seq });
            }
            summary.entries = line.seq;
            summary.bytes += line.bytes;
            let total = summary.kinds.entry(line.kind.clone()).or_default();
            total.entries += 1;
            total.bytes += line.bytes;
            each(line);
            text.clear();
        }
    }
    summary.head = weir_credentials::hex(&prev);
    match head {
        Some(head) if head.seq > summary.entries => Err(Broken::Shortened {
            expected: head.seq,
            found: summary.entries,
        }),
        _whole => Ok(summary),
    }
}

fn check(decoder: &Decoder, text: &[u8], after_seq: u64, prev: &mut [u8; 32]) -> Result<Line, Broken> {
    let entry: Entry = serde_json::from_slice(text).map_err(|_no_entry| Broken::Line { after_seq })?;
    let expected = after_seq + 1;
    if entry.seq != expected {
        return Err(Broken::Order {
            expected,
            found: entry.seq,
        });
    }
    let broken = Broken::Chain { seq: entry.seq };
    let Ok(bytes) = entry.bytes() else {
        return Err(broken);
    };
    let hash = link_hash(entry.seq, entry.at_unix_ms, entry.form, &bytes, prev);
    if weir_credentials::unhex32(&entry.prev) != Some(*prev)
        || weir_credentials::unhex32(&entry.hash) != Some(hash)
    {
        return Err(broken);
    }
    let message = decoder.decode(&entry)?;
    *prev = hash;
    Ok(Line {
        seq: entry.seq,
        at_unix_ms: entry.at_unix_ms,
        kind: kind(entry.form, &message),
        bytes: bytes.len() as u64,
        message: to_json(&message),
        hash: entry.hash,
    })
}

#[cfg(test)]
#[path = "replay_tests.rs"]
mod tests;
