//! What a letter says of itself. Pure. Whoever may write to a dead-letter topic may have written it: nothing is believed.

use super::headers::{
    NOT_REDRIVEN, ORIGIN_OFFSET, ORIGIN_PARTITION, ORIGIN_TIMESTAMP, REDRIVEN, RULE_EXCEPTION, RULE_MODE,
    RULE_NAME, RULE_SUBJECT, RULE_TOPIC, TOO_LARGE,
};
use crate::gateway::contract::records::Record;

/// Its headers; of several with one name the last.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Told<'a> {
    /// The rule, or the kind of the violation.
    pub rule: Option<&'a [u8]>,
    /// When it was judged.
    pub mode: Option<&'a [u8]>,
    /// The subject.
    pub subject: Option<&'a [u8]>,
    /// The topic that it was sent to, as the tenant knows it.
    pub topic: Option<&'a [u8]>,
    /// What was wrong.
    pub exception: Option<&'a [u8]>,
    /// Where it stood there.
    pub partition: Option<i32>,
    /// Its offset.
    pub offset: Option<i64>,
    /// Its time, in milliseconds since 1970.
    pub timestamp: Option<i64>,
    /// How often it was redriven.
    pub redriven: u32,
    /// Why the last redrive passed it over.
    pub not_redriven: Option<&'a [u8]>,
    /// It is a stand-in, of a record of this length.
    pub too_large: Option<u64>,
}

impl<'a> Told<'a> {
    /// Of a record.
    #[must_use]
    pub fn of(record: &Record<'a>) -> Self {
        let mut told = Self::default();
        for (name, value) in record.headers() {
            let Ok(name) = std::str::from_utf8(name) else {
                continue;
            };
            match name {
                RULE_NAME => told.rule = value,
                RULE_MODE => told.mode = value,
                RULE_SUBJECT => told.subject = value,
                RULE_TOPIC => told.topic = value,
                RULE_EXCEPTION => told.exception = value,
                ORIGIN_PARTITION => told.partition = number(value).filter(|it| *it >= 0),
                ORIGIN_OFFSET => told.offset = number(value),
                ORIGIN_TIMESTAMP => told.timestamp = number(value),
                REDRIVEN => told.redriven = number(value).unwrap_or(0),
                NOT_REDRIVEN => told.not_redriven = value,
                TOO_LARGE => told.too_large = Some(number(value).unwrap_or(0)),
                _other => {}
            }
        }
        told
    }
}

fn number<T: std::str::FromStr>(value: Option<&[u8]>) -> Option<T> {
    std::str::from_utf8(value?).ok()?.parse().ok()
}
