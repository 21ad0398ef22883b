//! What is in a dead-letter topic, a page at a time.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::Post;
use super::letter::Origin;
use super::office::Refusal;
use super::routes;
use super::scan::walk;
use super::session::Way;
use super::told::Told;
use super::track::edges;
use crate::gateway::contract::records::Record;
use crate::platform::groups::Mark;
use crate::platform::kafka::{KafkaError, PoolAddress};
use crate::platform::logs::{Helping, Part, Read};

/// Letters of a page, and bytes of it before the one letter that is too much.
pub const LETTERS_MAX: usize = 100;
const PAGE_BYTES: usize = 4 << 20;
/// Requests to brokers for one page: with many empty partitions a page may have nothing but the place to go on from.
const READS_MAX: usize = 64;
const READ_BYTES: usize = 1 << 20;
/// Of a key or a value, so many bytes are shown.
const PAYLOAD_BYTES: usize = 64 * 1024;
/// Of a header.
const TEXT_BYTES: usize = 1000;
const OFFSET_OUT_OF_RANGE: i16 = 1;
const LEADER_NOT_AVAILABLE: i16 = 5;

/// A place in a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The partition.
    pub partition: i32,
    /// The offset there.
    pub offset: i64,
}

/// What is wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// From which partition on; else from the first.
    pub partition: Option<i32>,
    /// From where on in it; else from its beginning.
    pub offset: Option<i64>,
    /// How many; at most [`LETTERS_MAX`].
    pub limit: Option<usize>,
    /// With keys and values.
    pub payload: bool,
}

/// Letters in the order of partitions and offsets.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Page {
    /// They.
    pub letters: Vec<Shown>,
    /// Where to go on; nothing: these were the last.
    pub next: Option<Place>,
}

/// One letter.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    #[serde(flatten)]
    at: Place,
    timestamp_unix_ms: i64,
    origin: Whence,
    rule: Option<String>,
    mode: Option<String>,
    subject: Option<String>,
    exception: Option<String>,
    redriven: u32,
    not_redriven: Option<String>,
    /// Bytes of the whole record.
    size: usize,
    /// It stands for a record of so many bytes.
    too_large: Option<u64>,
    #[serde(flatten)]
    payload: Option<Payload>,
}

/// Where it came from, as it says.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Whence {
    topic: Option<String>,
    partition: Option<i32>,
    offset: Option<i64>,
    timestamp_unix_ms: Option<i64>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Payload {
    key: Option<Content>,
    value: Option<Content>,
}

/// A key or a value.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Content {
    #[serde(flatten)]
    content: Text,
    bytes: usize,
    cut: bool,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Text {
    Text(String),
    Base64(String),
}

impl Content {
    /// Of bytes.
    pub fn of(payload: &[u8]) -> Self {
        let most = payload.len().min(PAYLOAD_BYTES);
        let content = match std::str::from_utf8(payload) {
            Ok(text) => Text::Text(text[..text.floor_char_boundary(most)].to_owned()),
            Err(_bytes) => Text::Base64(STANDARD.encode(&payload[..most])),
        };
        Self {
            content,
            bytes: payload.len(),
            cut: most < payload.len(),
        }
    }

    /// Bytes of it that are shown.
    pub fn shown(&self) -> usize {
        match &self.content {
            Text::Text(text) | Text::Base64(text) => text.len(),
        }
    }
}

impl Shown {
    fn of(at: Origin, record: &Record<'_>, payload: bool) -> Self {
        let told = Told::of(record);
        let text = |it: Option<&[u8]>| {
            it.map(|it| String::from_utf8_lossy(&it[..it.len().min(TEXT_BYTES)]).into_owned())
        };
        Self {
            at: Place {
                partition: at.partition,
                offset: at.offset,
            },
            timestamp_unix_ms: at.timestamp,
            origin: Whence {
                topic: text(told.topic),
                partition: told.partition,
                offset: told.offset,
                timestamp_unix_ms: told.timestamp,
            },
            rule: text(told.rule),
            mode: text(told.mode),
            subject: text(told.subject),
            exception: text(told.exception),
            redriven: told.redriven,
            not_redriven: text(told.not_redriven),
            size: record.raw.len(),
            too_large: told.too_large,
            payload: payload.then(|| Payload {
                key: record.key.map(Content::of),
                value: record.value.map(Content::of),
            }),
        }
    }

    /// What it adds to a page, about.
    fn bytes(&self) -> usize {
        let payload = self.payload.iter().flat_map(|it| it.key.iter().chain(&it.value));
        // Its headers are cut; names and numbers around them.
        7 * TEXT_BYTES + payload.map(Content::shown).sum::<usize>()
    }
}

/// Reads a page.
///
/// # Errors
/// [`Refusal`]
pub async fn list(post: &Post, id: &str, asked: Asked) -> Result<Page, Refusal> {
    let name = {
        let snapshot = post.snapshot.borrow();
        let target = routes::target(&snapshot, id).ok_or(Refusal::Unknown)?;
        target.topic.physical_name.clone()
    };
    let at = post.directory.load().topics.get(id).map(|it| it.0.clone());
    let at = at.ok_or(Refusal::Unknown)?;
    let leaders = post.logs.leaders(&at, std::slice::from_ref(&name)).await?;
    let lister = Lister {
        post,
        at: &at,
        leaders: &leaders,
        name,
        payload: asked.payload,
        limit: asked.limit.unwrap_or(LETTERS_MAX).clamp(1, LETTERS_MAX),
    };
    Ok(lister.page(asked).await?)
}

struct Lister<'a> {
    post: &'a Post,
    at: &'a PoolAddress,
    leaders: &'a BTreeMap<Part, i32>,
    name: String,
    payload: bool,
    limit: usize,
}

impl Lister<'_> {
    async fn page(&self, asked: Asked) -> Result<Page, KafkaError> {
        let way = Way {
            logs: self.post.logs.as_ref(),
            at: self.at,
            leaders: self.leaders,
        };
        let begin = asked.partition.unwrap_or(0).max(0);
        let there = || begin..way.partitions(&self.name);
        let first = edges(way, &self.name, there(), Mark::Earliest).await?;
        let last = edges(way, &self.name, there(), Mark::Latest).await?;
        let (mut page, mut bytes, mut reads) = (Page::default(), 0, 0);
        for partition in there() {
            let mut offset = first.get(&partition).copied().unwrap_or(0);
            if partition == begin {
                offset = offset.max(asked.offset.unwrap_or(0));
            }
            while offset < last.get(&partition).copied().unwrap_or(0) {
                if page.letters.len() >= self.limit || bytes >= PAGE_BYTES || reads >= READS_MAX {
                    page.next = Some(Place { partition, offset });
                    return Ok(page);
                }
                reads += 1;
                let read = self.read(partition, offset).await?;
                let room = self.limit - page.letters.len();
                let (found, next) = self.scan(read, offset, room, bytes).await;
                bytes += found.iter().map(Shown::bytes).sum::<usize>();
                page.letters.extend(found);
                if next <= offset {
                    // What follows is not committed yet.
                    break;
                }
                offset = next;
            }
        }
        Ok(page)
    }

    async fn read(&self, partition: i32, offset: i64) -> Result<Read, KafkaError> {
        let part = (self.name.clone(), partition);
        let leader = self.leaders.get(&part).copied().filter(|it| *it >= 0);
        let leader = leader.ok_or(KafkaError::Refused(LEADER_NOT_AVAILABLE))?;
        let helping = Helping {
            bytes: READ_BYTES,
            partition_bytes: READ_BYTES,
            wait_ms: 0,
        };
        let from = [(part, offset)];
        let read = self.post.logs.read(self.at, leader, &from, helping).await?;
        let read = read.into_iter().next().ok_or(KafkaError::Unreachable)?;
        match read.code {
            // Retention was here meanwhile.
            0 | OFFSET_OUT_OF_RANGE => Ok(read),
            code => Err(KafkaError::Refused(code)),
        }
    }

    /// Beside the rest of the agent: unpacking takes time.
    async fn scan(&self, read: Read, from: i64, room: usize, held: usize) -> (Vec<Shown>, i64) {
        let payload = self.payload;
        let scanned = tokio::task::spawn_blocking(move || {
            let (mut found, mut bytes) = (Vec::new(), held);
            let walked = walk(&read, from, &mut |at, record, _codec| {
                if found.len() >= room || bytes >= PAGE_BYTES {
                    return false;
                }
                let shown = Shown::of(at, record, payload);
                bytes += shown.bytes();
                found.push(shown);
                true
            });
            (found, walked.next)
        });
        scanned.await.unwrap_or((Vec::new(), from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_text_is_shown_as_text_and_nothing_is_shown_without_end() {
        let shown = |payload: &[u8]| serde_json::to_value(Content::of(payload)).unwrap();
        assert_eq!(
            shown("é".as_bytes()),
            serde_json::json!({"text": "é", "bytes": 2, "cut": false})
        );
        assert_eq!(
            shown(&[0xff, 0]),
            serde_json::json!({"base64": "/wA=", "bytes": 2, "cut": false})
        );
        let long = Content::of("aé".repeat(30_000).as_bytes());
        assert!(long.cut && long.shown() <= PAYLOAD_BYTES && long.shown() > PAYLOAD_BYTES - 2);
        let bytes = Content::of(&vec![0xff; 90_000]);
        assert!(bytes.cut && bytes.bytes == 90_000 && bytes.shown() == PAYLOAD_BYTES.div_ceil(3) * 4);
    }
}
