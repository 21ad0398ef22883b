//! What came of records, as it is shown.

use serde::Serialize;

use super::sample::Came;
use crate::dead_letters::Content;
use crate::processor::engine::{Engine, Outcome, Part, Request};

/// Bytes of all that is shown of records.
const PAGE_BYTES: usize = 4 << 20;

/// What came of one record.
pub enum Reply {
    /// It is done.
    Done(Outcome),
    /// It would ask this.
    Calls(Box<Request>),
    /// There was no time for it.
    NotReached,
}

/// A word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Word {
    /// It goes to a sink as it came.
    Passed,
    /// It goes to a sink with another value.
    Changed,
    /// A step dropped it, or it has no value and nowhere to go.
    Filtered,
    /// A step cannot work on it.
    DeadLetter,
    /// A step would ask an endpoint.
    Calls,
    /// There was no time for it.
    NotReached,
}

/// All of them, in their order.
#[derive(Debug, Serialize)]
pub struct Page {
    /// They.
    pub records: Vec<Row>,
    /// Keys and values are left out of the last ones: the answer would be too large.
    pub cut: bool,
}

/// One record.
#[derive(Debug, Serialize)]
pub struct Row {
    partition: i32,
    offset: i64,
    /// What came of it.
    pub outcome: Word,
    /// The step, counted from 1, that dropped it, could not work on it, or asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentence: Option<String>,
    /// The job would end here: it has no dead-letter topic.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stops: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sink: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Asks>,
    /// As it came, if it was read from the topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Content>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Content>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Content>,
}

/// What an endpoint would be asked; of a secret no more than its name.
#[derive(Debug, Serialize)]
struct Asks {
    method: &'static str,
    url: String,
    headers: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Content>,
}

impl Page {
    /// Of records and what came of them.
    pub fn of(engine: &Engine, came: &[Came], replies: Vec<Reply>, show_records: bool) -> Self {
        let (mut page, mut bytes) = (
            Self {
                records: Vec::with_capacity(came.len()),
                cut: false,
            },
            0,
        );
        for (came, reply) in came.iter().zip(replies) {
            let mut row = Row::of(engine, came, reply);
            row.before = came
                .value
                .as_deref()
                .filter(|_value| show_records)
                .map(Content::of);
            bytes += row.contents().map(Content::shown).sum::<usize>();
            if bytes > PAGE_BYTES {
                (row.before, row.key, row.value, row.request) = (None, None, None, None);
                page.cut = true;
            }
            page.records.push(row);
        }
        page
    }
}

impl Row {
    fn of(engine: &Engine, came: &Came, reply: Reply) -> Self {
        let mut row = Self {
            partition: came.partition,
            offset: came.offset,
            outcome: Word::NotReached,
            step: None,
            code: None,
            sentence: None,
            stops: false,
            sink: None,
            topic: None,
            request: None,
            before: None,
            key: None,
            value: None,
        };
        match reply {
            Reply::NotReached => {}
            Reply::Calls(request) => {
                row.outcome = Word::Calls;
                row.step = Some(request.step);
                row.request = Some(Asks {
                    method: request.method,
                    url: request.url,
                    headers: request.headers,
                    secret: request.secret.map(|it| it.reference),
                    body: request.body.as_deref().map(Content::of),
                });
            }
            Reply::Done(Outcome::Dropped { step }) => {
                row.outcome = Word::Filtered;
                row.step = step;
            }
            Reply::Done(Outcome::DeadLetter { step, code, sentence }) => {
                row.outcome = Word::DeadLetter;
                row.step = step;
                (row.code, row.sentence) = (Some(code.as_str()), Some(sentence));
                row.topic = engine.dead_letter_topic().map(str::to_owned);
                row.stops = row.topic.is_none();
            }
            Reply::Done(Outcome::Emit {
                sink,
                key,
                value,
                headers: _,
            }) => {
                row.outcome = match &value {
                    Part::AsItCame => Word::Passed,
                    Part::New(_other) => Word::Changed,
                };
                row.topic = engine.topic(&sink).map(|it| it.to_string());
                row.sink = Some(sink.to_string());
                row.key = part(&key, came.key.as_deref());
                row.value = part(&value, came.value.as_deref());
            }
        }
        row
    }

    fn contents(&self) -> impl Iterator<Item = &Content> {
        let body = self.request.as_ref().and_then(|it| it.body.as_ref());
        [self.before.as_ref(), self.key.as_ref(), self.value.as_ref(), body]
            .into_iter()
            .flatten()
    }
}

fn part(part: &Part<Vec<u8>>, came: Option<&[u8]>) -> Option<Content> {
    match part {
        Part::AsItCame => came.map(Content::of),
        Part::New(bytes) => Some(Content::of(bytes)),
    }
}
