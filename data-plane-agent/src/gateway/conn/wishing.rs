//! Administrative wishes of a connection: carried out in their order, answered in their turn.

use std::sync::{Arc, PoisonError};

use tokio::sync::oneshot;
use weir_kafka_wire::header::RequestHeader;

use super::End;
use super::serve::{Line, Pending};
use crate::gateway::rewrite::{self, Finish, Wish};

impl Line<'_> {
    /// Sends wishes on their way, after those of the request before.
    pub(super) fn wish(
        &self,
        header: &RequestHeader,
        wishes: Vec<Wish>,
        finish: Finish,
    ) -> Result<Pending, End> {
        let count = u32::try_from(wishes.len()).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&self.wishes).try_acquire_many_owned(count) else {
            let answer = finish(rewrite::too_many(&wishes))?;
            return Ok(Pending::Local(self.told(answer, header)));
        };
        let (reply, answer) = oneshot::channel();
        let (carrier, ready) = (Arc::clone(&self.gateway.wishes), Arc::clone(&self.queued));
        let mut last = self.last_wish.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.take();
        *last = Some(tokio::spawn(async move {
            if let Some(before) = before {
                let _ended = before.await;
            }
            let results = carrier.carry(wishes).await;
            drop(room);
            // The connection may be gone.
            let _nobody = reply.send(finish(results));
            ready.notify_one();
        }));
        Ok(Pending::Later {
            api_key: header.api_key,
            version: header.version,
            answer,
        })
    }
}
