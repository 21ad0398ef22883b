//! Spans of slow requests, to a collector of one's own over OTLP (gRPC).
//!
//! Whoever measures decides after the end whether a request was slow; only then a [`Span`] is built and put into a bounded queue.
//! A collector that is away costs spans, nothing else: nobody waits for it.

mod collector;
pub mod fake;
mod worker;

pub use collector::OtlpArgs;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The part of OTLP 1 that is sent.
#[expect(
    missing_docs,
    clippy::allow_attributes,
    reason = "generated; the comments stand in the .proto file"
)]
pub mod otlp {
    tonic::include_proto!("opentelemetry.proto.collector.trace.v1");
}

/// Spans that wait to be sent; those beyond it are lost.
pub const QUEUE: usize = 1024;

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A word from a closed list, or an id.
    Word(Cow<'static, str>),
    /// A number.
    Number(i64),
}

impl From<&'static str> for Value {
    fn from(word: &'static str) -> Self {
        Self::Word(Cow::Borrowed(word))
    }
}
impl From<String> for Value {
    fn from(id: String) -> Self {
        Self::Word(Cow::Owned(id))
    }
}
impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}
impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}
/// Whole milliseconds.
impl From<Duration> for Value {
    fn from(time: Duration) -> Self {
        Self::Number(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
    }
}

/// What a span says: names of attributes are the program's own.
pub type Attributes = Vec<(&'static str, Value)>;

/// A request that took long.
#[derive(Debug, Clone)]
pub struct Span {
    /// What was asked for: a word from a closed list.
    pub name: Cow<'static, str>,
    /// When it began.
    pub began: Instant,
    /// When it was answered.
    pub ended: Instant,
    /// What there is to say of it.
    pub attributes: Attributes,
}

/// Where spans go.
#[derive(Debug, Clone)]
pub struct Spans {
    queue: mpsc::Sender<otlp::Span>,
    lost: Arc<AtomicU64>,
}

impl Spans {
    /// Begins to send what is told, as `resource`. The task ends when nobody can tell any more.
    #[must_use]
    pub fn start(collector: collector::Collector, resource: Attributes) -> (Self, JoinHandle<()>) {
        let (queue, told) = mpsc::channel(QUEUE);
        let lost = Arc::<AtomicU64>::default();
        let worker = worker::Worker {
            told,
            collector,
            resource: attributes(resource),
            lost: Arc::clone(&lost),
        };
        (Self { queue, lost }, tokio::spawn(worker.run()))
    }

    /// Puts a span into the queue. Never waits.
    pub fn tell(&self, span: Span) {
        let Some(span) = finished(span) else { return };
        if self.queue.try_send(span).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many were lost since the start: the queue was full, or the collector did not take them.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

fn finished(span: Span) -> Option<otlp::Span> {
    let Span {
        name,
        began,
        ended,
        attributes: said,
    } = span;
    let mut ids = [0_u8; 24];
    SystemRandom::new().fill(&mut ids).ok()?;
    let (trace_id, span_id) = ids.split_at(16);
    let end = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()?
        .saturating_sub(ended.elapsed());
    let start = end.saturating_sub(ended.duration_since(began));
    Some(otlp::Span {
        trace_id: trace_id.to_vec(),
        span_id: span_id.to_vec(),
        name: name.into_owned(),
        kind: otlp::SpanKind::Server.into(),
        start_time_unix_nano: nanos(start),
        end_time_unix_nano: nanos(end),
        attributes: attributes(said),
    })
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn attributes(said: Attributes) -> Vec<otlp::KeyValue> {
    use otlp::any_value::Value as Any;
    let said = said.into_iter().map(|(key, value)| {
        let value = match value {
            Value::Word(word) => Any::StringValue(word.into_owned()),
            Value::Number(number) => Any::IntValue(number),
        };
        otlp::KeyValue {
            key: key.to_owned(),
            value: Some(otlp::AnyValue { value: Some(value) }),
        }
    });
    said.collect()
}

#[cfg(test)]
mod tests;
