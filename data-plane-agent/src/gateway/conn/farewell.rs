//! After the client: answers to its produce requests are still read, for they count.

use bytes::Bytes;
use std::sync::PoisonError;
use tokio::time::timeout;
use weir_kafka_wire::header::split_response;

use super::intake::Intake;
use super::serve::{Line, Pending, Turn, Within};
use crate::gateway::rewrite::Answer;
use crate::upstream::ReadSide;

impl Line<'_> {
    /// The client is gone; what it produced may still be acknowledged, and then counts.
    pub(super) async fn farewell(&self, read: &mut Intake<ReadSide>) {
        let produces = |it: &Turn| matches!(it.pending, Pending::Remote { api_key: 0, .. });
        let rest = async {
            while self.queue().iter().any(produces) {
                match read.next() {
                    Ok(Some(frame)) => {
                        let turn = loop {
                            match self.queue().pop_front().map(|it| it.pending) {
                                Some(Pending::Local(_) | Pending::Later { .. }) => {}
                                other => break other,
                            }
                        };
                        let Some(Pending::Remote {
                            answer,
                            api_key,
                            version,
                            correlation_id,
                        }) = turn
                        else {
                            return;
                        };
                        self.last_answer(answer, frame, (api_key, version, correlation_id));
                    }
                    Ok(None) => {
                        if read.fill().await.is_err() {
                            return;
                        }
                    }
                    Err(_unreadable) => return,
                }
            }
        };
        let _late = timeout(self.gateway.limits.farewell, rest).await;
    }

    /// Lets a produce request's answer settle its count, by the tenant as it was.
    fn last_answer(&self, answer: Answer, frame: Bytes, (api_key, version, correlation_id): (i16, i16, i32)) {
        if api_key != 0 {
            return;
        }
        let mut within = self.within.lock().unwrap_or_else(PoisonError::into_inner);
        let Within { tenant, memory, .. } = &mut *within;
        if let (Some(tenant), Ok((answered, body))) = (tenant, split_response(frame, api_key, version))
            && answered == correlation_id
        {
            let _gone = answer(tenant, memory, body);
        }
    }
}
