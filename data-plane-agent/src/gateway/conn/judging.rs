//! Requests whose records take long to judge: beside the clients, while nothing else of the same connection is taken.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use tokio::io::AsyncWrite;
use tokio::sync::oneshot;
use weir_kafka_wire::header::RequestHeader;

use super::End;
use super::intake::Intake;
use super::serve::Line;
use super::stream::{PutError, Source, put_held};
use crate::gateway::aside;
use crate::gateway::rewrite::Judging;
use crate::gateway::slow::Timed;

/// A request that waits for its verdict.
pub(super) struct Waiting {
    pub(super) header: RequestHeader,
    pub(super) judging: Box<Judging>,
    pub(super) timed: Option<Timed>,
}

impl Line<'_> {
    /// Writes to the broker what was planned.
    pub(super) async fn forward<S: Source, W: AsyncWrite + Unpin>(
        &self,
        read: &mut Intake<S>,
        write: &mut W,
        out: &mut Vec<Bytes>,
    ) -> Result<(), End> {
        // What expects no answer counts as under way, too.
        self.forwarding.store(true, Ordering::Relaxed);
        self.gateway.shared.meter.flush();
        match put_held(read.charge(), write, out).await {
            Ok(()) => {}
            Err(PutError::Socket(_error)) => return Err(End::Broker),
            Err(PutError::Short(short)) => return Err(short.into()),
        }
        self.note_forwarded();
        self.forwarding.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Waits for a verdict, then queues the request. Dropped meanwhile, the judging stops.
    pub(super) async fn judge(&self, waiting: Waiting, out: &mut Vec<Bytes>) -> Result<(), End> {
        let Waiting {
            header,
            mut judging,
            timed,
        } = waiting;
        self.forwarding.store(true, Ordering::Relaxed);
        // It is never closed.
        let room = self.gateway.shared.contracts.room().acquire_owned().await;
        let (alive, watched) = oneshot::channel::<()>();
        let judged = aside::run(move || {
            judging.run(&|| alive.is_closed());
            drop(room);
            judging
        });
        let judged = judged.await.map_err(End::Unjudged)?;
        drop(watched);
        let plan = self.within(|tenant, memory| judged.finish(tenant, memory))?;
        self.forwarding.store(false, Ordering::Relaxed);
        self.heard();
        self.enqueue(plan, &header, timed, out)
    }
}
