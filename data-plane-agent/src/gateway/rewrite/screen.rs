//! Fetches from topics with dead letters, and from shared ones with a view: what is withheld is taken out before anybody is sent it.

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::FetchResponse;
use kafka_protocol::messages::fetch_response::FetchableTopicResponse;
use weir_kafka_wire::pieces::fetch_response;

use super::fetch::{bytes_of, carried, now, refuse, refused, shared_of};
use super::{Refusal, Reply, Tenant, code};
use crate::gateway::contract::{Pace, Pause, withhold};
use crate::gateway::share::{Kept, Look, through};
use crate::gateway::view::Topic;

/// An answer that is not looked through yet.
#[derive(Debug)]
pub struct Screening {
    version: i16,
    correlation_id: i32,
    response: FetchResponse,
    /// Topics of whose records something may be withheld, by their places in the answer.
    hidden: Vec<(usize, Arc<Topic>)>,
    /// How many of their partitions are done: what a view made of records must not go through it again.
    done: usize,
    /// What is counted of the others.
    sent: Vec<(Arc<str>, u64, u64)>,
    /// What came of batches of shared topics.
    kept: Arc<Kept>,
}

impl Screening {
    pub(super) fn new(
        (version, correlation_id): (i16, i32),
        response: FetchResponse,
        hidden: Vec<(usize, Arc<Topic>)>,
        sent: Vec<(Arc<str>, u64, u64)>,
        kept: &Arc<Kept>,
    ) -> Self {
        Self {
            version,
            correlation_id,
            response,
            hidden,
            done: 0,
            sent,
            kept: Arc::clone(kept),
        }
    }

    /// The version of the answer.
    #[must_use]
    pub const fn version(&self) -> i16 {
        self.version
    }

    /// Takes out what is withheld; false when that would take longer than it may now: what is done stays done.
    pub fn run(&mut self, pace: &Pace<'_>) -> bool {
        let mut place = 0;
        for (at, topic) in &self.hidden {
            let Some(answered) = self.response.responses.get_mut(*at) else {
                continue;
            };
            for partition in &mut answered.partitions {
                place += 1;
                if place <= self.done {
                    continue;
                }
                let Some(records) = &partition.records else {
                    self.done = place;
                    continue;
                };
                match left(topic, partition.partition_index, records, &self.kept, pace) {
                    Ok(Some(left)) => partition.records = Some(left),
                    // What comes next is under a key that is still to be heard of: the client asks again.
                    Ok(None) => *partition = refused(partition.partition_index, code::KAFKA_STORAGE_ERROR),
                    Err(_pause) => return false,
                }
                self.done = place;
            }
        }
        true
    }

    /// The answer. What was revoked meanwhile is not in it, and nothing that was looked at through another view than that which
    /// is in force: whoever asked asks again.
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
                Ok(current) if current.lens() == topic.lens() => {
                    self.sent.extend(carried(topic, &answered.partitions));
                }
                Ok(_changed) => {
                    for partition in &mut answered.partitions {
                        partition.records = Some(Bytes::new());
                    }
                }
                Err(code) => refuse(answered, code, by_id),
            }
        }
        Ok(Reply {
            records_bytes: bytes_of(&self.response),
            shared: shared_of(tenant, &self.response, by_id),
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

/// A partition's records without what is withheld; `None`: nothing of them can be told yet.
fn left(
    topic: &Topic,
    partition: i32,
    records: &Bytes,
    kept: &Kept,
    pace: &Pace<'_>,
) -> Result<Option<Bytes>, Pause> {
    let dead = topic.has_dead_letters();
    match topic.lens() {
        Some(lens) => {
            let look = Look {
                lens,
                dead,
                partition,
                kept,
            };
            through(records, look, pace)
        }
        None => Ok(Some(withhold(records, pace)?.unwrap_or_else(|| records.clone()))),
    }
}

/// Whether an answer about a topic has something to look through.
pub(super) fn has_records(answered: &FetchableTopicResponse) -> bool {
    let mut partitions = answered.partitions.iter();
    partitions.any(|it| it.records.as_ref().is_some_and(|records| !records.is_empty()))
}
