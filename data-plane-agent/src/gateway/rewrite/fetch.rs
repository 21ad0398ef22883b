//! Fetch: by name up to version 12, by topic id from 13, with sessions.
//!
//! A session lives in the broker and is known by a number alone, so a connection may only use those it was given. A
//! session never holds a topic that was refused: such a fetch goes without one, and the client starts over.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::fetch_request::{FetchTopic, ForgottenTopic};
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::{FetchRequest, FetchResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;
use weir_kafka_wire::bounds::Budget;
use weir_kafka_wire::message::{decode_response, frame_request};
use weir_kafka_wire::pieces::fetch_response;

use super::screen::{Screening, has_records};
use super::{Answer, Call, Memory, Operation, Plan, Refusal, Reply, Tenant, code};
use crate::gateway::meter::batch;
use crate::gateway::quota::Toll;
use crate::gateway::share::Mount;
use crate::gateway::view::{Access, Cluster, Topic};

/// From this version on topics go by id.
pub(super) const BY_ID: i16 = 13;
/// Sessions remembered per connection; clients have one per broker.
const SESSIONS: usize = 8;
/// Topics remembered per connection.
const TOPICS: usize = 20_000;
const NO_REPLICA: i32 = -1;
/// A full fetch that opens no session.
const WITHOUT_SESSION: i32 = -1;
/// A fetch of something shared is parked for no longer, so that the end of a share is heard of within a second.
const SHARED_WAIT_MS: i32 = 500;

/// The fetch sessions of a connection, and the topics in them.
#[derive(Debug, Default)]
pub struct Sessions {
    ids: Vec<i32>,
    by_id: HashMap<Uuid, Arc<Topic>>,
    by_name: HashMap<StrBytes, Arc<Topic>>,
    /// Some of them are other tenants', shared.
    mounts: bool,
    /// By which snapshot's words the topics were last checked.
    checked: Option<(Arc<Cluster>, Arc<Access>)>,
}

impl Sessions {
    fn owns(&self, id: i32) -> bool {
        self.ids.contains(&id)
    }

    fn forget(&mut self, id: i32) {
        self.ids.retain(|it| *it != id);
    }

    fn granted(&mut self, id: i32) {
        if id != 0 && !self.owns(id) {
            if self.ids.len() == SESSIONS {
                self.ids.remove(0);
            }
            self.ids.push(id);
        }
    }

    fn remember(&mut self, topic: &Arc<Topic>) {
        if self.by_name.len() >= TOPICS {
            self.clear();
        }
        self.mounts |= topic.mount.is_some();
        if !topic.physical_id.is_nil() {
            self.by_id.insert(topic.physical_id, Arc::clone(topic));
        }
        self.by_name
            .insert(topic.physical_name.clone(), Arc::clone(topic));
    }

    fn clear(&mut self) {
        self.by_id.clear();
        self.by_name.clear();
        self.mounts = false;
    }

    /// The shares among the topics.
    fn shares(&self) -> impl Iterator<Item = &Mount> {
        let topics = self.mounts.then(|| self.by_name.values());
        topics.into_iter().flatten().filter_map(|it| it.mount.as_ref())
    }

    /// Is every topic in the sessions still there and still allowed? Looked at anew when the snapshot changed.
    fn stand(&mut self, tenant: &Tenant) -> bool {
        let same = self.checked.as_ref().is_some_and(|(cluster, access)| {
            Arc::ptr_eq(cluster, &tenant.cluster) && Arc::ptr_eq(access, &tenant.access)
        });
        if same {
            // Shares begin and end by the clock.
            return !self.mounts
                || self
                    .by_name
                    .values()
                    .all(|it| it.mount.is_none() || now(tenant, it).is_ok());
        }
        self.checked = Some((Arc::clone(&tenant.cluster), Arc::clone(&tenant.access)));
        self.by_name.values().all(|topic| now(tenant, topic).is_ok())
    }

    /// The topic of an answer, and what the client may have of it now. `None`: never asked for here.
    fn answered(&self, tenant: &Tenant, topic: &FetchableTopicResponse, by_id: bool) -> Option<Arc<Topic>> {
        let found = if by_id {
            let known = self.by_id.get(&topic.topic_id);
            known.or_else(|| tenant.shown_by_id(topic.topic_id))
        } else {
            let known = self.by_name.get(topic.topic.as_bytes());
            known.or_else(|| tenant.shown(&topic.topic))
        };
        found.cloned()
    }
}

/// May the client have records of this topic by the snapshot in force?
pub(super) fn now<'t>(tenant: &'t Tenant, topic: &Topic) -> Result<&'t Arc<Topic>, i16> {
    let current = tenant.topic_by_id(Operation::Read, topic.virtual_id)?;
    if current.physical_name == topic.physical_name {
        Ok(current)
    } else {
        Err(code::UNKNOWN_TOPIC_ID)
    }
}

pub(super) fn fetch(call: Call<'_>, memory: &mut Memory, mut request: FetchRequest) -> Result<Plan, Refusal> {
    if *request.replica_id != NO_REPLICA || *request.replica_state.replica_id != NO_REPLICA {
        return Err(Refusal::Replica);
    }
    request.cluster_id = None;
    if let Some(most) = memory.fetch_bytes_max {
        request.max_bytes = request.max_bytes.min(most);
    }
    let sessions = &mut memory.fetch;
    let incremental = request.session_epoch > 0;
    if incremental && !(sessions.owns(request.session_id) && sessions.stand(call.tenant)) {
        sessions.forget(request.session_id);
        return start_over(call);
    }
    if !sessions.owns(request.session_id) {
        request.session_id = 0;
    }
    if request.session_epoch == 0 {
        sessions.clear();
    }
    let refused = outwards(call, sessions, &mut request);
    if sessions.mounts {
        request.max_wait_ms = request.max_wait_ms.min(SHARED_WAIT_MS);
        let tolls = sessions
            .shares()
            .filter_map(|it| call.tenant.share_toll(&it.share));
        let least = tolls.filter_map(Toll::fetch_bytes_max).min();
        request.max_bytes = request.max_bytes.min(least.unwrap_or(i32::MAX));
    }
    memory.parks = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    if !refused.is_empty() {
        if incremental {
            sessions.forget(request.session_id);
            return start_over(call);
        }
        if request.topics.is_empty() {
            return call.answer::<FetchRequest>(&FetchResponse::default().with_responses(refused));
        }
        request.session_epoch = WITHOUT_SESSION;
    }
    let frame = vec![frame_request(call.header, &request)?];
    Ok(Plan::Forward(
        frame,
        answer(call.header.version, call.header.correlation_id, refused),
    ))
}

/// The client opens a new session with everything it wants.
fn start_over(call: Call<'_>) -> Result<Plan, Refusal> {
    let response = FetchResponse::default().with_error_code(code::FETCH_SESSION_ID_NOT_FOUND);
    if call.header.version >= 7 {
        return call.answer::<FetchRequest>(&response);
    }
    Err(Refusal::NotOffered(call.header.api_key, call.header.version))
}

/// Maps the topics that pass; returns answers for those that do not.
fn outwards(
    call: Call<'_>,
    sessions: &mut Sessions,
    request: &mut FetchRequest,
) -> Vec<FetchableTopicResponse> {
    let by_id = call.header.version >= BY_ID;
    let mut refused = Vec::new();
    request.topics.retain_mut(|asked| {
        let found = if by_id {
            call.tenant.topic_by_id(Operation::Read, asked.topic_id)
        } else {
            call.tenant.topic(Operation::Read, &asked.topic)
        };
        match found {
            Ok(topic) if by_id && topic.physical_id.is_nil() => {
                refused.push(refusal(asked, code::UNKNOWN_TOPIC_ID));
                false
            }
            Ok(topic) => {
                sessions.remember(topic);
                asked.topic_id = if by_id { topic.physical_id } else { Uuid::nil() };
                asked.topic = if by_id {
                    TopicName::default()
                } else {
                    topic.physical_name.clone().into()
                };
                true
            }
            Err(code) => {
                refused.push(refusal(asked, code));
                false
            }
        }
    });
    request
        .forgotten_topics_data
        .retain_mut(|it| forgotten(call.tenant, sessions, it, by_id));
    refused
}

/// Topics leave a session by the name or id that they entered it with, even when they are gone by now.
fn forgotten(tenant: &Tenant, sessions: &Sessions, it: &mut ForgottenTopic, by_id: bool) -> bool {
    let topic = if by_id {
        let known = sessions
            .by_id
            .values()
            .find(|topic| topic.virtual_id == it.topic_id);
        known.or_else(|| tenant.cluster.by_virtual_id(it.topic_id))
    } else {
        let known = sessions.by_name.values().find(|topic| topic.name == *it.topic);
        known.or_else(|| tenant.cluster.by_name(&it.topic))
    };
    let Some(topic) = topic else {
        return false;
    };
    if by_id {
        it.topic_id = topic.physical_id;
    } else {
        it.topic = topic.physical_name.clone().into();
    }
    true
}

fn refusal(asked: &FetchTopic, code: i16) -> FetchableTopicResponse {
    FetchableTopicResponse::default()
        .with_topic(asked.topic.clone())
        .with_topic_id(asked.topic_id)
        .with_partitions(
            asked
                .partitions
                .iter()
                .map(|it| refused(it.partition, code))
                .collect(),
        )
}

pub(super) fn refused(partition: i32, code: i16) -> PartitionData {
    PartitionData::default()
        .with_partition_index(partition)
        .with_error_code(code)
        .with_high_watermark(-1)
        .with_aborted_transactions(None)
        .with_records(Some(Bytes::new()))
}

fn answer(version: i16, correlation_id: i32, mut refused: Vec<FetchableTopicResponse>) -> Answer {
    Box::new(move |tenant, memory, body| {
        let mut response = decode_response::<FetchRequest>(version, body, Budget::BROKER)?;
        let (sent, hidden) = inwards(tenant, &mut memory.fetch, &mut response, version >= BY_ID);
        response.responses.append(&mut refused);
        if !hidden.is_empty() {
            let screening = Screening::new((version, correlation_id), response, hidden, sent, &tenant.kept);
            return screening.at_once(tenant);
        }
        Ok(Reply {
            records_bytes: bytes_of(&response),
            shared: shared_of(tenant, &response, version >= BY_ID),
            frame: fetch_response(version, correlation_id, &response)?,
            sent,
            screening: None,
        })
    })
}

pub(super) fn bytes_of(response: &FetchResponse) -> u64 {
    let partitions = response.responses.iter().flat_map(|it| &it.partitions);
    partitions
        .map(|it| it.records.as_ref().map_or(0, |records| records.len() as u64))
        .sum()
}

/// Bytes of records of shares that have a bound of their own.
pub(super) fn shared_of(tenant: &Tenant, response: &FetchResponse, by_id: bool) -> Vec<(Arc<str>, u64)> {
    if tenant.share_tolls.is_empty() {
        return Vec::new();
    }
    let shared = response.responses.iter().filter_map(|answered| {
        let topic = if by_id {
            tenant.cluster.by_virtual_id(answered.topic_id)
        } else {
            tenant.cluster.by_name(&answered.topic)
        };
        let share = Arc::clone(&topic?.mount.as_ref()?.share);
        let records = answered.partitions.iter().filter_map(|it| it.records.as_ref());
        let bytes = records.map(|it| it.len() as u64).sum();
        (bytes > 0).then_some((share, bytes))
    });
    shared.collect()
}

/// What is counted of an answer: topic, bytes, records.
type Sent = Vec<(Arc<str>, u64, u64)>;

/// Whether records of a topic are looked through before they are sent.
fn is_screened(topic: &Topic) -> bool {
    topic.has_dead_letters() || topic.lens().is_some()
}

/// Maps an answer, takes out what the client may not have any more, and tells what is in it, but for topics whose records
/// are looked through: these it tells by their places.
fn inwards(
    tenant: &Tenant,
    sessions: &mut Sessions,
    response: &mut FetchResponse,
    by_id: bool,
) -> (Sent, Vec<(usize, Arc<Topic>)>) {
    sessions.granted(response.session_id);
    for node in &mut response.node_endpoints {
        (node.host, node.port) = tenant.front.address(*node.node_id);
        node.rack = None;
    }
    let (mut sent, mut hidden, mut place) = (Vec::new(), Vec::new(), 0);
    response.responses.retain_mut(|answered| {
        let Some(topic) = sessions.answered(tenant, answered, by_id) else {
            return false;
        };
        if by_id {
            answered.topic_id = topic.virtual_id;
        } else {
            answered.topic = topic.name.clone().into();
        }
        match now(tenant, &topic) {
            // To pass over what cannot be read yet would lose it for the group.
            Ok(current) if current.waits_for_keys() && has_records(answered) => {
                refuse(answered, code::KAFKA_STORAGE_ERROR, by_id);
            }
            Ok(current) if is_screened(current) && has_records(answered) => {
                hidden.push((place, Arc::clone(current)));
            }
            Ok(_current) => sent.extend(carried(&topic, &answered.partitions)),
            Err(code) => refuse(answered, code, by_id),
        }
        place += 1;
        true
    });
    (sent, hidden)
}

/// Nothing of a topic.
pub(super) fn refuse(answered: &mut FetchableTopicResponse, code: i16, by_id: bool) {
    // By name a topic that went is unknown by name.
    let code = match code {
        code::UNKNOWN_TOPIC_ID if !by_id => code::UNKNOWN_TOPIC_OR_PARTITION,
        other => other,
    };
    for partition in &mut answered.partitions {
        *partition = refused(partition.partition_index, code);
    }
}

pub(super) fn carried(topic: &Topic, partitions: &[PartitionData]) -> Option<(Arc<str>, u64, u64)> {
    let (mut bytes, mut records) = (0, 0);
    for partition in partitions {
        for batch in batch::whole(partition.records.as_deref().unwrap_or_default()) {
            bytes += batch.bytes;
            records += batch.records;
        }
    }
    (bytes > 0).then(|| (Arc::clone(&topic.id), bytes, records))
}
