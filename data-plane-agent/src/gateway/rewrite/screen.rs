//! Fetches from topics with dead letters: what is withheld is taken out before anybody is sent it.

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::FetchResponse;
use kafka_protocol::messages::fetch_response::FetchableTopicResponse;
use weir_kafka_wire::pieces::fetch_response;

use super::fetch::{bytes_of, carried, now, refuse};
use super::{Refusal, Reply, Tenant};
use crate::gateway::contract::{Pace, withhold};
use crate::gateway::view::Topic;

/// An answer whose dead letters are not taken out yet.
#[derive(Debug)]
pub struct Screening {
    version: i16,
    correlation_id: i32,
    response: FetchResponse,
    /// Topics that may have dead letters, by their places in the answer.
    hidden: Vec<(usize, Arc<Topic>)>,
    /// What is counted of the others.
    sent: Vec<(Arc<str>, u64, u64)>,
}

impl Screening {
    pub(super) const fn new(
        (version, correlation_id): (i16, i32),
        response: FetchResponse,
        hidden: Vec<(usize, Arc<Topic>)>,
        sent: Vec<(Arc<str>, u64, u64)>,
    ) -> Self {
        Self {
            version,
            correlation_id,
            response,
            hidden,
            sent,
        }
    }

    /// The version of the answer.
    #[must_use]
    pub const fn version(&self) -> i16 {
        self.version
    }

    /// Takes dead letters out; false when that would take longer than it may now: what is done stays done.
    pub fn run(&mut self, pace: &Pace<'_>) -> bool {
        for (at, _topic) in &self.hidden {
            let Some(answered) = self.response.responses.get_mut(*at) else {
                continue;
            };
            for partition in &mut answered.partitions {
                let Some(records) = &partition.records else {
                    continue;
                };
                match withhold(records, pace) {
                    Ok(None) => {}
                    Ok(Some(less)) => partition.records = Some(less),
                    Err(_pause) => return false,
                }
            }
        }
        true
    }

    /// The answer. What was revoked meanwhile is not in it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self, tenant: &Tenant) -> Result<Reply, Refusal> {
        let by_id = self.version >= super::fetch::BY_ID;
        for (at, topic) in &self.hidden {
            let Some(answered) = self.response.responses.get_mut(*at) else {
                continue;
            };
            match now(tenant, topic) {
                Ok(_current) => self.sent.extend(carried(topic, &answered.partitions)),
                Err(code) => refuse(answered, code, by_id),
            }
        }
        Ok(Reply {
            records_bytes: bytes_of(&self.response),
            frame: fetch_response(self.version, self.correlation_id, &self.response)?,
            sent: self.sent,
            screening: None,
        })
    }

    /// The answer, at once or after more than may be done at once.
    pub(super) fn at_once(mut self, tenant: &Tenant) -> Result<Reply, Refusal> {
        if self.run(&Pace::at_once()) {
            return self.finish(tenant);
        }
        Ok(Reply {
            screening: Some(Box::new(self)),
            ..Reply::from(Bytes::new())
        })
    }
}

/// Whether an answer about a topic has something to look through.
pub(super) fn has_records(answered: &FetchableTopicResponse) -> bool {
    let mut partitions = answered.partitions.iter();
    partitions.any(|it| it.records.as_ref().is_some_and(|records| !records.is_empty()))
}
