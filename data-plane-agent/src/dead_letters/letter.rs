//! A dead letter: the record as its producer sent it, and why it is one. Pure.
//!
//! The headers that say why are those of the field's clients (`DlqAction` of Confluent's serializers), so that what reads
//! their dead letters reads these.

use crate::gateway::contract::mark;
use crate::gateway::contract::records::Record;
use crate::gateway::contract::unpack::Codec;
use crate::gateway::contract::write::{put, put_bytes, put_nullable};

use super::headers::{
    ORIGIN_OFFSET, ORIGIN_PARTITION, ORIGIN_TIMESTAMP, RULE_EXCEPTION, RULE_MODE, RULE_NAME, RULE_SUBJECT,
    RULE_TOPIC, TOO_LARGE,
};
use super::routes::Route;

/// Headers of ours begin so; a letter has none of those that the gateway wrote.
const OURS: &str = "__weir.";
/// Of a sentence that somebody else wrote, so many bytes.
const REASON_BYTES_MAX: usize = 1000;

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Partition of the topic.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its time, in milliseconds since 1970.
    pub timestamp: i64,
}

/// A record on its way to the dead-letter topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Where it stands.
    pub origin: Origin,
    /// How its batch was packed.
    pub codec: Codec,
    /// Key, value and headers, as a batch has them.
    pub body: Vec<u8>,
    /// The same without what its producer wrote, for a topic that does not take it.
    pub stand_in: Vec<u8>,
}

impl Letter {
    /// Of a record that is withheld.
    #[must_use]
    pub fn of(route: &Route, origin: Origin, codec: Codec, record: &Record<'_>) -> Self {
        let why = why(route, origin, record);
        let own = || {
            let mut headers = record.headers();
            let left = headers.left();
            // As many as there are, even if one could not be read: the record was checked.
            (0..left).filter_map(move |_at| {
                headers
                    .next()
                    .filter(|(name, _value)| !name.starts_with(OURS.as_bytes()))
            })
        };
        let mut body = Vec::with_capacity(record.raw.len() + 512);
        put_nullable(&mut body, record.key);
        put_nullable(&mut body, record.value);
        put(&mut body, own().count() as i64 + why.len() as i64);
        for (name, value) in own() {
            put_bytes(&mut body, name);
            put_nullable(&mut body, value);
        }
        let mut stand_in = Vec::with_capacity(512);
        put_nullable(&mut stand_in, None);
        put_nullable(&mut stand_in, None);
        put(&mut stand_in, why.len() as i64 + 1);
        for (name, value) in &why {
            for out in [&mut body, &mut stand_in] {
                put_bytes(out, name.as_bytes());
                put_bytes(out, value);
            }
        }
        put_bytes(&mut stand_in, TOO_LARGE.as_bytes());
        put_bytes(&mut stand_in, record.raw.len().to_string().as_bytes());
        Self {
            origin,
            codec,
            body,
            stand_in,
        }
    }
}

fn why(route: &Route, origin: Origin, record: &Record<'_>) -> Vec<(&'static str, Vec<u8>)> {
    let marked = |name| record.last_header(name).map(cut);
    let name = marked(mark::RULE).or_else(|| marked(mark::KIND));
    let subject = match record.last_header(mark::PART) {
        Some(b"KEY") => &route.key_subject,
        _value => &route.value_subject,
    };
    // A producer may write the header by which records are withheld.
    let reason = marked(mark::REASON).unwrap_or_else(|| b"withheld by its producer".to_vec());
    let mut why = vec![
        (RULE_NAME, name.unwrap_or_else(|| b"WITHHELD".to_vec())),
        (RULE_MODE, b"WRITE".to_vec()),
    ];
    if !subject.is_empty() {
        why.push((RULE_SUBJECT, subject.clone().into_bytes()));
    }
    why.extend([
        (RULE_TOPIC, route.name.clone().into_bytes()),
        (RULE_EXCEPTION, reason),
        (ORIGIN_PARTITION, origin.partition.to_string().into_bytes()),
        (ORIGIN_OFFSET, origin.offset.to_string().into_bytes()),
        (ORIGIN_TIMESTAMP, origin.timestamp.to_string().into_bytes()),
    ]);
    why
}

fn cut(text: &[u8]) -> Vec<u8> {
    text[..text.len().min(REASON_BYTES_MAX)].to_vec()
}
