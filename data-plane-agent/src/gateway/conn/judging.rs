//! What takes long with records: judging requests and taking dead letters out of answers, beside the clients, while
//! nothing else of the same connection goes in that direction.

use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use kafka_protocol::messages::ApiKey;
use tokio::io::AsyncWrite;
use tokio::sync::oneshot;
use weir_kafka_wire::header::RequestHeader;

use super::End;
use super::intake::Intake;
use super::serve::Line;
use super::stream::{PutError, Source, put_held};
use crate::gateway::aside;
use crate::gateway::contract::Pace;
use crate::gateway::rewrite::{Judging, Reply, Screening};
use crate::gateway::slow::{Answered, Timed};

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

    /// Takes one request; those before it do not wait for the verdict on its records.
    pub(super) async fn take_or_judge<S: Source, W: AsyncWrite + Unpin>(
        &self,
        frame: Bytes,
        read: &mut Intake<S>,
        write: &mut W,
        out: &mut Vec<Bytes>,
    ) -> Result<(), End> {
        let Some(waiting) = self.take(frame, out)? else {
            return Ok(());
        };
        let judged = async {
            if !out.is_empty() {
                self.forward(read, write, out).await?;
            }
            self.judge(waiting, out).await
        };
        // Apart: few connections need the room.
        Box::pin(judged).await
    }

    /// Waits for a verdict, then queues the request. Dropped meanwhile, the judging stops.
    async fn judge(&self, waiting: Waiting, out: &mut Vec<Bytes>) -> Result<(), End> {
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
        let plan = self.within(|tenant, _memory| judged.finish(tenant))?;
        self.forwarding.store(false, Ordering::Relaxed);
        self.heard();
        self.enqueue(plan, &header, timed, out)
    }

    /// Takes dead letters out of an answer, beside the clients. Dropped meanwhile, it stops.
    pub(super) async fn screen(
        &self,
        mut screening: Box<Screening>,
        answered: &mut Option<Answered>,
    ) -> Result<Reply, End> {
        let version = screening.version();
        // It is never closed.
        let room = self.gateway.shared.contracts.room().acquire_owned().await;
        let (alive, watched) = oneshot::channel::<()>();
        let screened = aside::run(move || {
            let done = screening.run(&Pace::aside(&|| alive.is_closed()));
            drop(room);
            done.then_some(screening)
        });
        let screened = screened.await.map_err(End::Unjudged)?.ok_or(End::Lost)?;
        drop(watched);
        let mut reply = self.within(|tenant, _memory| {
            let reply = screened.finish(tenant)?;
            self.pay_answer(tenant, &reply);
            Ok(reply)
        })?;
        self.tell(&mut reply.frame, ApiKey::Fetch as i16, version);
        if let Some(answered) = answered {
            answered.ready = Instant::now();
            answered.response_bytes = reply.frame.iter().map(Bytes::len).sum();
        }
        Ok(reply)
    }
}
