//! Broker to client: answers in the order of their requests, counted once they are written.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use tokio::sync::oneshot;
use weir_kafka_wire::header::split_response;

use super::End;
use super::intake::{Intake, IntakeError};
use super::serve::{Line, Pending, Turn};
use super::stream::{PutError, TOGETHER, put_held};
use crate::gateway::rewrite::{Reply, Screening};
use crate::gateway::slow::{Answered, By};
use crate::upstream::ReadSide;

/// What is to be noted of answers once they are written.
struct Written<'a> {
    sent: &'a mut Vec<(Arc<str>, u64, u64)>,
    timed: &'a mut Vec<Answered>,
    turns: &'a mut usize,
}

impl Written<'_> {
    /// One more is about to be written.
    fn note(self, out: &mut Vec<Bytes>, reply: Reply, answered: Option<Answered>) {
        *self.turns += 1;
        self.timed.extend(answered);
        out.extend(reply.frame);
        self.sent.extend(reply.sent);
    }

    fn again(&mut self) -> Written<'_> {
        Written {
            sent: self.sent,
            timed: self.timed,
            turns: self.turns,
        }
    }
}

impl Line<'_> {
    /// Broker to client.
    pub(super) async fn inwards<W: AsyncWrite + Unpin>(
        &self,
        read: &mut Intake<ReadSide>,
        write: &mut W,
    ) -> End {
        let mut out = Vec::new();
        let mut sent = Vec::new();
        let mut timed = Vec::new();
        let mut turns = 0;
        loop {
            match self.ready(read) {
                Ok(Some((mut reply, answered))) => {
                    if let Some(screening) = reply.screening.take() {
                        let written = Written {
                            sent: &mut sent,
                            timed: &mut timed,
                            turns: &mut turns,
                        };
                        // Apart: few connections need the room.
                        let screened = Box::pin(
                            self.write_and_screen(read, write, &mut out, written, screening, answered),
                        );
                        if let Err(end) = screened.await {
                            return end;
                        }
                    } else {
                        Written {
                            sent: &mut sent,
                            timed: &mut timed,
                            turns: &mut turns,
                        }
                        .note(&mut out, reply, answered);
                    }
                    if out.iter().map(Bytes::len).sum::<usize>() < TOGETHER {
                        continue;
                    }
                }
                Ok(None) => {}
                Err(end) => return end,
            }
            if out.is_empty() {
                // Answers that have to wait for a wish stay with the broker.
                let behind = matches!(
                    self.queue().front(),
                    Some(Turn {
                        pending: Pending::Later { .. },
                        ..
                    })
                );
                tokio::select! {
                    () = self.queued.notified() => {}
                    filled = read.fill(), if !behind => match filled {
                        Ok(()) => {}
                        Err(IntakeError::Frame(error)) => return error.into(),
                        Err(IntakeError::Short(short)) => return short.into(),
                        Err(_ended) => return End::Broker,
                    }
                }
                continue;
            }
            let written = Written {
                sent: &mut sent,
                timed: &mut timed,
                turns: &mut turns,
            };
            if let Err(end) = self.write(read, write, &mut out, written).await {
                return end;
            }
        }
    }

    /// Writes what is ready, then takes dead letters out of an answer, which is the next one.
    async fn write_and_screen<W: AsyncWrite + Unpin>(
        &self,
        read: &mut Intake<ReadSide>,
        write: &mut W,
        out: &mut Vec<Bytes>,
        mut written: Written<'_>,
        screening: Box<Screening>,
        mut answered: Option<Answered>,
    ) -> Result<(), End> {
        if !out.is_empty() {
            self.write(read, write, out, written.again()).await?;
        }
        let reply = self.screen(screening, &mut answered).await?;
        written.note(out, reply, answered);
        Ok(())
    }

    /// Writes answers to the client, and counts them.
    async fn write<W: AsyncWrite + Unpin>(
        &self,
        read: &mut Intake<ReadSide>,
        write: &mut W,
        out: &mut Vec<Bytes>,
        written: Written<'_>,
    ) -> Result<(), End> {
        let Written { sent, timed, turns } = written;
        self.gateway.shared.meter.flush();
        match put_held(read.charge(), write, out).await {
            Ok(()) => {}
            Err(PutError::Socket(error)) => return Err(End::ClientSocket(error)),
            Err(PutError::Short(short)) => return Err(short.into()),
        }
        self.heard();
        // Counted first: nothing may end the connection between the two.
        if !sent.is_empty() {
            self.count(sent);
        }
        if !timed.is_empty() {
            self.look_at(timed);
        }
        self.in_flight.fetch_sub(std::mem::take(turns), Ordering::Relaxed);
        self.answered.notify_one();
        Ok(())
    }

    fn count(&self, sent: &mut Vec<(Arc<str>, u64, u64)>) {
        let within = self.within.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tenant) = &within.tenant {
            tenant.meter.fetched(&tenant.payer, sent);
        }
        sent.clear();
    }

    /// The next answer in turn, if it is there.
    fn ready(&self, read: &mut Intake<ReadSide>) -> Result<Option<(Reply, Option<Answered>)>, End> {
        let mut queue = self.queue();
        let frame = match queue.front_mut().map(|it| &mut it.pending) {
            Some(Pending::Local(_)) => None,
            Some(Pending::Later { answer, .. }) => match answer.try_recv() {
                Ok(answer) => Some(answer?),
                Err(oneshot::error::TryRecvError::Empty) => return Ok(None),
                Err(oneshot::error::TryRecvError::Closed) => return Err(End::Lost),
            },
            waiting => match (read.next()?, waiting) {
                (Some(frame), Some(_remote)) => Some(frame),
                (Some(_unasked), None) => return Err(End::OutOfTurn),
                (None, _any) => return Ok(None),
            },
        };
        let Some(Turn { pending, timed }) = queue.pop_front() else {
            return Ok(None);
        };
        drop(queue);
        let by = match pending {
            Pending::Local(_) => By::Gateway,
            Pending::Later { .. } => By::ControlPlane,
            Pending::Remote { .. } => By::Broker,
        };
        let reply = self.reply(pending, frame)?;
        Ok(reply.map(|reply| {
            let answered = timed.map(|timed| self.answered(timed, by, &reply));
            (reply, answered)
        }))
    }

    fn reply(&self, pending: Pending, frame: Option<Bytes>) -> Result<Option<Reply>, End> {
        match (pending, frame) {
            (Pending::Local(answer), _none) => Ok(Some(answer.into())),
            (Pending::Later { api_key, version, .. }, Some(answer)) => {
                let mut reply = Reply::from(answer);
                self.tell(&mut reply.frame, api_key, version);
                Ok(Some(reply))
            }
            (remote, Some(frame)) => self.answer(remote, frame).map(Some),
            (_remote, None) => Ok(None),
        }
    }

    fn answer(&self, pending: Pending, frame: Bytes) -> Result<Reply, End> {
        let Pending::Remote {
            api_key,
            version,
            correlation_id,
            answer,
        } = pending
        else {
            return Err(End::OutOfTurn);
        };
        let (answered, body) = split_response(frame, api_key, version)?;
        if answered != correlation_id {
            return Err(End::OutOfTurn);
        }
        let mut reply = self.within(|tenant, memory| {
            let reply = answer(tenant, memory, body)?;
            self.pay_answer(tenant, &reply);
            Ok(reply)
        })?;
        self.tell(&mut reply.frame, api_key, version);
        Ok(reply)
    }
}
