//! A dead letter: the record as its producer sent it, and why it is one. Pure.
//!
//! The headers that say why are those of the field's clients (`DlqAction` of Confluent's serializers), so that what reads
//! their dead letters reads these.

use std::sync::Arc;

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
/// And those that the field's clients write so.
const RULES: &str = "__rule.";
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

/// A record as it may be written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Kafka's name of the topic.
    pub topic: Arc<str>,
    /// Its partition; that modulo their count, where there are fewer.
    pub partition: i32,
    /// Key, value and headers, as a batch has them.
    pub body: Vec<u8>,
}

/// A record on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// How its batch was packed.
    pub codec: Codec,
    /// As it should be written.
    pub first: Form,
    /// As it is written instead, where a topic does not take it so large: the first that is taken.
    pub others: Vec<Form>,
    /// Where nothing is taken, it may be passed over: it stays where it is.
    pub may_stay: bool,
}

/// Headers that are added.
pub type Added = Vec<(&'static str, Vec<u8>)>;

impl Letter {
    /// Of a record that is withheld; else a stand-in without what its producer wrote.
    #[must_use]
    pub fn of(route: &Route, origin: Origin, codec: Codec, record: &Record<'_>) -> Self {
        let mut added = why(route, origin, record).headers();
        let form = |body| Form {
            topic: Arc::clone(&route.target),
            partition: origin.partition,
            body,
        };
        let first = form(body(record, is_not_ours, &added));
        added.push((TOO_LARGE, record.raw.len().to_string().into_bytes()));
        Self {
            codec,
            first,
            others: vec![form(written(None, None, std::iter::empty, &added))],
            may_stay: true,
        }
    }

    /// Of all its forms.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.others
            .iter()
            .fold(self.first.body.len(), |sum, it| sum + it.body.len())
    }
}

fn is_not_ours(name: &[u8]) -> bool {
    !name.starts_with(OURS.as_bytes())
}

/// Whether its producer wrote the header, as far as that can be told from its name.
#[must_use]
pub fn is_its_own(name: &[u8]) -> bool {
    is_not_ours(name) && !name.starts_with(RULES.as_bytes())
}

/// A record with those headers that are kept, and others behind them.
#[must_use]
pub fn body(record: &Record<'_>, keep: fn(&[u8]) -> bool, added: &[(&'static str, Vec<u8>)]) -> Vec<u8> {
    let kept = || record.headers().filter(move |(name, _value)| keep(name));
    written(record.key, record.value, kept, added)
}

fn written<'a, H: Iterator<Item = (&'a [u8], Option<&'a [u8]>)>>(
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    kept: impl Fn() -> H,
    added: &[(&'static str, Vec<u8>)],
) -> Vec<u8> {
    let length = |it: Option<&[u8]>| it.map_or(0, <[u8]>::len);
    let mut out = Vec::with_capacity(length(key) + length(value) + 512);
    put_nullable(&mut out, key);
    put_nullable(&mut out, value);
    put(&mut out, kept().count() as i64 + added.len() as i64);
    for (name, value) in kept() {
        put_bytes(&mut out, name);
        put_nullable(&mut out, value);
    }
    for (name, value) in added {
        put_bytes(&mut out, name.as_bytes());
        put_bytes(&mut out, value);
    }
    out
}

/// Why a record is a dead letter.
#[derive(Debug)]
pub struct Why<'a> {
    /// The rule, or the kind.
    pub rule: Vec<u8>,
    /// Empty: none.
    pub subject: &'a str,
    /// As the tenant knows it.
    pub topic: &'a str,
    /// A sentence.
    pub exception: Vec<u8>,
    /// Where it stands there.
    pub partition: i32,
    /// Not known of letters that others wrote.
    pub offset: Option<i64>,
    /// The same.
    pub timestamp: Option<i64>,
}

impl Why<'_> {
    /// In headers.
    #[must_use]
    pub fn headers(self) -> Added {
        let mut headers = vec![(RULE_NAME, self.rule), (RULE_MODE, b"WRITE".to_vec())];
        if !self.subject.is_empty() {
            headers.push((RULE_SUBJECT, self.subject.as_bytes().to_vec()));
        }
        headers.push((RULE_TOPIC, self.topic.as_bytes().to_vec()));
        headers.push((RULE_EXCEPTION, self.exception));
        headers.push((ORIGIN_PARTITION, self.partition.to_string().into_bytes()));
        for (name, number) in [(ORIGIN_OFFSET, self.offset), (ORIGIN_TIMESTAMP, self.timestamp)] {
            if let Some(number) = number {
                headers.push((name, number.to_string().into_bytes()));
            }
        }
        headers
    }
}

fn why<'a>(route: &'a Route, origin: Origin, record: &Record<'_>) -> Why<'a> {
    let marked = |name| record.last_header(name).map(cut);
    let name = marked(mark::RULE).or_else(|| marked(mark::KIND));
    let subject = match record.last_header(mark::PART) {
        Some(b"KEY") => &route.key_subject,
        _value => &route.value_subject,
    };
    // A producer may write the header by which records are withheld.
    let reason = marked(mark::REASON).unwrap_or_else(|| b"withheld by its producer".to_vec());
    Why {
        rule: name.unwrap_or_else(|| b"WITHHELD".to_vec()),
        subject,
        topic: &route.name,
        exception: reason,
        partition: origin.partition,
        offset: Some(origin.offset),
        timestamp: Some(origin.timestamp),
    }
}

fn cut(text: &[u8]) -> Vec<u8> {
    text[..text.len().min(REASON_BYTES_MAX)].to_vec()
}
