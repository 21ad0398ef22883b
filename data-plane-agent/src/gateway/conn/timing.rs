//! How long requests take, where slow ones are told of.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::serve::{Line, Pending};
use crate::gateway::rewrite::Reply;
use crate::gateway::slow::{Answered, By, Timed};

impl Line<'_> {
    /// Now, if anybody wants to know.
    pub(super) fn clock(&self) -> Option<Instant> {
        self.gateway.slow.as_ref().map(|_slow| Instant::now())
    }

    /// What was queued for the broker is with its socket.
    pub(super) fn note_forwarded(&self) {
        let Some(now) = self.clock() else { return };
        // The newest are at the end; before them, those of earlier writes.
        for turn in self.queue().iter_mut().rev() {
            match (&turn.pending, &mut turn.timed) {
                (Pending::Remote { .. }, Some(timed)) if timed.forwarded.is_none() => {
                    timed.forwarded = Some(now)
                }
                (Pending::Remote { .. }, _noted) => break,
                (Pending::Local(_) | Pending::Later { .. }, _any) => {}
            }
        }
    }

    /// An answer that is ready to be written.
    pub(super) fn answered(&self, timed: Timed, by: By, reply: &Reply) -> Answered {
        let left_ms = if self.mute.never() {
            0
        } else {
            self.mute.left_ms(self.gateway.shared.quotas.now())
        };
        Answered {
            timed,
            by,
            ready: Instant::now(),
            response_bytes: reply.frame.iter().map(Bytes::len).sum(),
            throttled: Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)),
        }
    }

    /// These answers were written.
    pub(super) fn look_at(&self, answered: &mut Vec<Answered>) {
        if let Some(slow) = &self.gateway.slow {
            let now = Instant::now();
            for it in answered.iter() {
                slow.look(it, now, &self.present.key.cluster, self.node);
            }
        }
        answered.clear();
    }
}
