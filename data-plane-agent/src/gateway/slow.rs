//! Slow requests, told as spans to a collector of the customer's own.
//!
//! While nobody asks for spans nothing is measured. Otherwise two looks at the clock are remembered with each request that is
//! under way, and a span is built only of one that took long. It names the request's kind, times, sizes and ids of Weir's: no
//! topic, group, client or address (`crates/spans/fields.txt`, which a test compares).

use std::time::{Duration, Instant};

use kafka_protocol::messages::ApiKey;
use weir_kafka_wire::header::RequestHeader;
use weir_spans::{Attributes, Span, Spans, Value};

/// Wait for other members of their group, by the protocol: their time says nothing.
const PATIENT: [i16; 2] = [ApiKey::JoinGroup as i16, ApiKey::SyncGroup as i16];

/// Where slow requests are told, and from when on one is slow.
#[derive(Debug)]
pub struct Slow {
    threshold: Duration,
    spans: Spans,
}

/// Who answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A broker.
    Broker,
    /// The gateway by itself.
    Gateway,
    /// The control plane, which was asked to make it so.
    ControlPlane,
}

/// What is remembered of a request that is under way.
#[derive(Debug, Clone, Copy)]
pub struct Timed {
    api_key: i16,
    version: i16,
    request_bytes: usize,
    /// For how long its client lets it be parked: that is not slow.
    parks: Duration,
    taken: Instant,
    /// When it was handed to the broker's socket.
    pub forwarded: Option<Instant>,
}

/// A request whose answer is there.
#[derive(Debug, Clone, Copy)]
pub struct Answered {
    /// The request.
    pub timed: Timed,
    /// Who answered.
    pub by: By,
    /// When the answer was ready to be written.
    pub ready: Instant,
    /// The answer's frame.
    pub response_bytes: usize,
    /// For how long nothing more is read from the client.
    pub throttled: Duration,
}

impl Timed {
    /// A request as it is read.
    #[must_use]
    pub fn begin(header: &RequestHeader, request_bytes: usize, parks: Duration, taken: Instant) -> Self {
        Self {
            api_key: header.api_key,
            version: header.version,
            request_bytes,
            parks,
            taken,
            forwarded: None,
        }
    }
}

impl Slow {
    /// Tells from `threshold` on.
    #[must_use]
    pub const fn new(threshold: Duration, spans: Spans) -> Self {
        Self { threshold, spans }
    }

    /// Tells of a request if it took long. `written`: when its answer was with the client's socket.
    pub fn look(&self, answered: &Answered, written: Instant, cluster: &str, node: Option<i32>) {
        let Timed {
            api_key,
            parks,
            taken,
            ..
        } = answered.timed;
        let took = written.saturating_duration_since(taken);
        if took < self.threshold.saturating_add(parks) || PATIENT.contains(&api_key) {
            return;
        }
        self.spans.tell(Span {
            name: api_name(api_key).into(),
            began: taken,
            ended: written,
            attributes: attributes(answered, written, cluster, node),
        });
    }
}

fn api_name(api_key: i16) -> String {
    ApiKey::try_from(api_key).map_or_else(|()| "Unknown".to_owned(), |it| format!("{it:?}"))
}

fn attributes(answered: &Answered, written: Instant, cluster: &str, node: Option<i32>) -> Attributes {
    let Answered {
        timed:
            Timed {
                api_key,
                version,
                request_bytes,
                parks,
                taken,
                forwarded,
            },
        by,
        ready,
        response_bytes,
        throttled,
    } = *answered;
    let queued = forwarded.map_or(Duration::ZERO, |it| it.saturating_duration_since(taken));
    let answering = ready.saturating_duration_since(forwarded.unwrap_or(taken));
    let of = |who| if by == who { answering } else { Duration::ZERO };
    let by_name = match by {
        By::Broker => "BROKER",
        By::Gateway => "GATEWAY",
        By::ControlPlane => "CONTROL_PLANE",
    };
    vec![
        ("kafka.api_key", i64::from(api_key).into()),
        ("kafka.api_name", api_name(api_key).into()),
        ("kafka.api_version", i64::from(version).into()),
        ("weir.answered_by", by_name.into()),
        ("weir.broker_ms", of(By::Broker).into()),
        ("weir.client_ms", written.saturating_duration_since(ready).into()),
        ("weir.cluster_id", cluster.to_owned().into()),
        ("weir.control_plane_ms", of(By::ControlPlane).into()),
        // -1: whichever broker there was, by the bootstrap address.
        ("weir.node_id", Value::Number(i64::from(node.unwrap_or(-1)))),
        ("weir.parks_ms", parks.into()),
        ("weir.queued_ms", queued.into()),
        ("weir.request_bytes", request_bytes.into()),
        ("weir.response_bytes", response_bytes.into()),
        ("weir.throttled_ms", throttled.into()),
    ]
}
