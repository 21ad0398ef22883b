//! Turns a client's requests into the broker's and the broker's answers into the client's, for one tenant.
//!
//! Every request goes through [`request`]; what has no arm there cannot pass. A handler checks what the principal may
//! do, maps names and ids outwards, and leaves an [`Answer`] that maps the broker's answer inwards and adds what was
//! refused here. Answers are mapped by the snapshot in force when they arrive: what was revoked meanwhile is not shown.

mod acls;
mod alter;
mod client_quotas;
pub mod code;
mod configs;
mod consumer_group;
mod enforce;
mod fetch;
mod groups;
mod lists;
mod metadata;
mod offsets;
mod produce;
mod screen;
mod standing;
mod subscription;
mod tenant;
mod topics;
mod transactions;
mod upkeep;
mod wish;

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::ApiKey;
use kafka_protocol::protocol::Request;
use weir_kafka_wire::bounds::Budget;
use weir_kafka_wire::header::RequestHeader;
use weir_kafka_wire::message::{
    MessageError, decode_request, decode_response, frame_request, frame_response,
};

use lists::{split_topics, topics_in};

pub use consumer_group::Members;
pub use enforce::Judging;
pub use screen::Screening;
pub use tenant::{Front, Shared, Tenant};
pub use wish::{Finish, Wish, too_many};

use super::quota::Wait;
use super::table;
use super::view::Operation;

/// What a connection remembers between requests.
#[derive(Debug, Default)]
pub struct Memory {
    /// Fetch sessions.
    pub fetch: fetch::Sessions,
    /// Bytes of record batches in the produce request that was just planned.
    pub produced_bytes: u64,
    /// What the fetch that is planned next may ask for at most; `None`: no limit.
    pub fetch_bytes_max: Option<i32>,
    /// For how long the request that was just planned may be parked by its own wish.
    pub parks: std::time::Duration,
    /// For how long something in the request that was just planned is refused.
    pub refused: Option<Wait>,
}

/// Why a connection ends because of what came over it.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Out of bounds, malformed, or of another version's fields.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Not in the table.
    #[error("request {0} of version {1} is not offered")]
    NotOffered(i16, i16),
    /// A client that claims to be a broker.
    #[error("a client asked as a replica")]
    Replica,
    /// Kafka too closes a producer's connection when acks=0 meets an error.
    #[error("a produce request without acknowledgement was refused with error {0}")]
    Unacknowledged(i16),
}

/// A client's answer and what it carries.
#[derive(Debug)]
pub struct Reply {
    /// The frame, in pieces.
    pub frame: Vec<Bytes>,
    /// Batches in it: (topic id, bytes, records); counted once they are written.
    pub sent: Vec<(Arc<str>, u64, u64)>,
    /// Bytes of records in it, of batches that are cut short too.
    pub records_bytes: u64,
    /// The same of shares that have a bound of their own.
    pub shared: Vec<(Arc<str>, u64)>,
    /// There is no frame yet: records have to be looked through, or dead letters have to be taken out first, beside the clients.
    pub screening: Option<Box<Screening>>,
}

impl From<Bytes> for Reply {
    fn from(frame: Bytes) -> Self {
        Self {
            frame: vec![frame],
            sent: Vec::new(),
            records_bytes: 0,
            shared: Vec::new(),
            screening: None,
        }
    }
}

/// Turns the body of the broker's answer into the client's answer.
pub type Answer = Box<dyn FnOnce(&Tenant, &mut Memory, Bytes) -> Result<Reply, Refusal> + Send>;

/// What to do with a request.
pub enum Plan {
    /// Send this to the broker, and its answer through this.
    Forward(Vec<Bytes>, Answer),
    /// Send this to the broker; no answer will come.
    Silent(Vec<Bytes>),
    /// Answer this.
    Local(Bytes),
    /// Judge these records, beside the clients, before this request is planned on.
    Judge(Box<Judging>),
    /// Send these wishes to the control plane, and answer what this makes of their results.
    Wish(Vec<Wish>, Finish),
}

/// Plans a request.
///
/// # Errors
/// [`Refusal`]: the connection must end.
pub fn request(
    tenant: &Tenant,
    memory: &mut Memory,
    header: &RequestHeader,
    body: Bytes,
) -> Result<Plan, Refusal> {
    let call = Call { tenant, header };
    let Some(key) = table::admitted(header.api_key, header.version) else {
        return Err(Refusal::NotOffered(header.api_key, header.version));
    };
    match key {
        ApiKey::Produce => produce::produce(call, memory, call.decode(body)?),
        ApiKey::Fetch => fetch::fetch(call, memory, call.decode(body)?),
        ApiKey::Metadata => metadata::metadata(call, call.decode(body)?),
        ApiKey::DescribeCluster => metadata::describe_cluster(call, &call.decode(body)?),
        ApiKey::DescribeTopicPartitions => metadata::describe_partitions(call, call.decode(body)?),
        ApiKey::DescribeConfigs => configs::describe(call, call.decode(body)?),
        ApiKey::ListOffsets => offsets::list(call, call.decode(body)?),
        ApiKey::OffsetForLeaderEpoch => offsets::for_leader_epoch(call, call.decode(body)?),
        ApiKey::OffsetCommit => offsets::commit(call, call.decode(body)?),
        ApiKey::OffsetFetch => offsets::fetch(call, call.decode(body)?),
        ApiKey::DescribeProducers => offsets::describe_producers(call, call.decode(body)?),
        ApiKey::FindCoordinator => groups::find_coordinator(call, call.decode(body)?),
        ApiKey::JoinGroup => subscription::join(call, call.decode(body)?),
        ApiKey::SyncGroup => subscription::sync(call, call.decode(body)?),
        ApiKey::Heartbeat => groups::heartbeat(call, call.decode(body)?),
        ApiKey::LeaveGroup => groups::leave(call, call.decode(body)?),
        ApiKey::DescribeGroups => groups::describe(call, call.decode(body)?),
        ApiKey::ListGroups => groups::list(call, &call.decode(body)?),
        ApiKey::ConsumerGroupHeartbeat => consumer_group::heartbeat(call, call.decode(body)?),
        ApiKey::ConsumerGroupDescribe => consumer_group::describe(call, call.decode(body)?),
        ApiKey::InitProducerId => transactions::init_producer_id(call, call.decode(body)?),
        ApiKey::AddPartitionsToTxn => transactions::add_partitions(call, call.decode(body)?),
        ApiKey::AddOffsetsToTxn => transactions::add_offsets(call, call.decode(body)?),
        ApiKey::EndTxn => transactions::end(call, call.decode(body)?),
        ApiKey::TxnOffsetCommit => transactions::offset_commit(call, call.decode(body)?),
        ApiKey::DescribeTransactions => transactions::describe(call, call.decode(body)?),
        ApiKey::ListTransactions => transactions::list(call, &call.decode(body)?),
        _administrative => administrative(call, memory, key, body),
    }
}

fn administrative(call: Call<'_>, memory: &mut Memory, key: ApiKey, body: Bytes) -> Result<Plan, Refusal> {
    match key {
        ApiKey::CreateTopics => topics::create(call, memory, call.decode(body)?),
        ApiKey::DeleteTopics => topics::delete(call, memory, call.decode(body)?),
        ApiKey::CreatePartitions => topics::create_partitions(call, memory, call.decode(body)?),
        ApiKey::AlterConfigs => alter::replace(call, call.decode(body)?),
        ApiKey::IncrementalAlterConfigs => alter::change(call, call.decode(body)?),
        ApiKey::DeleteRecords => upkeep::delete_records(call, call.decode(body)?),
        ApiKey::DeleteGroups => upkeep::delete_groups(call, call.decode(body)?),
        ApiKey::OffsetDelete => upkeep::delete_offsets(call, call.decode(body)?),
        ApiKey::DescribeLogDirs => upkeep::log_dirs(call, call.decode(body)?),
        ApiKey::DescribeAcls => acls::describe(call, &call.decode(body)?),
        ApiKey::CreateAcls => acls::create(call, &call.decode(body)?),
        ApiKey::DeleteAcls => acls::delete(call, &call.decode(body)?),
        ApiKey::ElectLeaders => standing::elect_leaders(call, call.decode(body)?),
        ApiKey::AlterPartitionReassignments => standing::alter_reassignments(call, &call.decode(body)?),
        ApiKey::ListPartitionReassignments => standing::list_reassignments(call, &call.decode(body)?),
        ApiKey::DescribeClientQuotas => client_quotas::describe(call, &call.decode(body)?),
        ApiKey::AlterClientQuotas => client_quotas::alter(call, call.decode(body)?),
        ApiKey::DescribeUserScramCredentials => standing::scram_credentials(call, call.decode(body)?),
        ApiKey::ListConfigResources => standing::config_resources(call, &call.decode(body)?),
        // ApiVersions and SASL are the connection's own; everything else is not offered.
        _other => Err(Refusal::NotOffered(call.header.api_key, call.header.version)),
    }
}

/// One request under way.
#[derive(Clone, Copy)]
struct Call<'a> {
    tenant: &'a Tenant,
    header: &'a RequestHeader,
}

impl Call<'_> {
    fn decode<R: Request>(self, body: Bytes) -> Result<R, Refusal> {
        Ok(decode_request(self.header.version, body, Budget::CLIENT)?)
    }

    fn answer<R: Request>(self, response: &R::Response) -> Result<Plan, Refusal> {
        let frame = frame_response::<R>(self.header.version, self.header.correlation_id, response)?;
        Ok(Plan::Local(frame))
    }

    /// Forwards the request; `inwards` maps the decoded answer.
    fn forward<R, F>(self, request: &R, inwards: F) -> Result<Plan, Refusal>
    where
        R: Request,
        F: FnOnce(&Tenant, &mut Memory, &mut R::Response) + Send + 'static,
    {
        let frame = vec![frame_request(self.header, request)?];
        Ok(self.send::<R, F>(self.header.version, frame, inwards))
    }

    /// The same in another version than the client's, whose headers are alike.
    fn forward_as<R, F>(self, upstream: i16, request: &R, inwards: F) -> Result<Plan, Refusal>
    where
        R: Request,
        F: FnOnce(&Tenant, &mut Memory, &mut R::Response) + Send + 'static,
    {
        let header = RequestHeader {
            version: upstream,
            ..self.header.clone()
        };
        let frame = vec![frame_request(&header, request)?];
        Ok(self.send::<R, F>(upstream, frame, inwards))
    }

    /// Forwards a frame that is written already.
    fn send<R, F>(self, upstream: i16, frame: Vec<Bytes>, inwards: F) -> Plan
    where
        R: Request,
        F: FnOnce(&Tenant, &mut Memory, &mut R::Response) + Send + 'static,
    {
        let (version, correlation_id) = (self.header.version, self.header.correlation_id);
        let answer: Answer = Box::new(move |tenant, memory, body| {
            let mut response = decode_response::<R>(upstream, body, Budget::BROKER)?;
            inwards(tenant, memory, &mut response);
            Ok(frame_response::<R>(version, correlation_id, &response)?.into())
        });
        Plan::Forward(frame, answer)
    }
}

#[cfg(test)]
pub mod tests;
