//! From the queue to the collector: in batches, with back-off while it is away. What cannot be sent is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::collector::Collector;
use crate::otlp::{
    ExportTraceServiceRequest, InstrumentationScope, KeyValue, Resource, ResourceSpans, ScopeSpans, Span,
};

/// Spans of one call.
const BATCH: usize = 256;
/// How long a span waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// How long a call may take.
const CALL_MAX: Duration = Duration::from_secs(10);
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Sends until nobody can tell any more.
pub(crate) struct Worker {
    pub(crate) told: mpsc::Receiver<Span>,
    pub(crate) collector: Collector,
    pub(crate) resource: Vec<KeyValue>,
    pub(crate) lost: Arc<AtomicU64>,
}

impl Worker {
    pub(crate) async fn run(mut self) {
        let mut pause = BACKOFF.0;
        let mut away = false;
        while let Some(batch) = self.next().await {
            let count = batch.len();
            match self.send(batch).await {
                Ok(rejected) => {
                    self.lose(rejected);
                    if std::mem::take(&mut away) {
                        tracing::info!(
                            lost = self.lost.load(Ordering::Relaxed),
                            "the collector of spans is back"
                        );
                    }
                    pause = BACKOFF.0;
                }
                Err(code) => {
                    self.lose(count);
                    if !std::mem::replace(&mut away, true) {
                        tracing::warn!(
                            ?code,
                            "the collector does not take spans; they are lost until it does"
                        );
                    }
                    sleep(pause).await;
                    pause = (pause * 2).min(BACKOFF.1);
                }
            }
        }
    }

    /// The next spans, those of a moment together; `None` when there will be none.
    async fn next(&mut self) -> Option<Vec<Span>> {
        let mut batch = vec![self.told.recv().await?];
        let more = async {
            while batch.len() < BATCH {
                match self.told.recv().await {
                    Some(span) => batch.push(span),
                    None => break,
                }
            }
        };
        let _gathered = timeout(GATHER, more).await;
        Some(batch)
    }

    /// How many the collector rejected.
    async fn send(&self, spans: Vec<Span>) -> Result<usize, tonic::Code> {
        let request = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource {
                    attributes: self.resource.clone(),
                }),
                scope_spans: vec![ScopeSpans {
                    scope: Some(InstrumentationScope {
                        name: "weir".to_owned(),
                        version: env!("CARGO_PKG_VERSION").to_owned(),
                    }),
                    spans,
                }],
            }],
        };
        let answer = timeout(CALL_MAX, self.collector.export(request))
            .await
            .map_err(|_late| tonic::Code::DeadlineExceeded)?
            .map_err(|status| status.code())?;
        let rejected = answer.partial_success.map_or(0, |it| it.rejected_spans);
        Ok(usize::try_from(rejected).unwrap_or(0))
    }

    fn lose(&self, count: usize) {
        self.lost.fetch_add(count as u64, Ordering::Relaxed);
    }
}
