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
mod topics;
mod transactions;
mod upkeep;
mod wish;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::messages::ApiKey;
use kafka_protocol::protocol::{Request, StrBytes};
use uuid::Uuid;
use weir_kafka_wire::bounds::Budget;
use weir_kafka_wire::header::RequestHeader;
use weir_kafka_wire::message::{
    MessageError, decode_request, decode_response, frame_request, frame_response,
};
use weir_proto::agent::v1::Grant;

use lists::{split_topics, topics_in};

pub use consumer_group::Members;
pub use enforce::Judging;
pub use screen::Screening;
pub use wish::{Finish, Wish, too_many};

use super::contract::Counts;
use super::meter::{Meter, Payer};
use super::quota::{ClientQuota, Quotas, Toll, Wait};
use super::table;
use super::view::{Access, Bans, Cluster, Key, Operation, Topic, View};

/// Where clients find the gateway.
#[derive(Debug, Clone)]
pub struct Front {
    /// The host that clients are told.
    pub host: StrBytes,
    /// Broker node n is at this port + n, unless it has another place.
    pub port_base: u16,
    /// Of a client that named its cluster by SNI: `<label>.<domain>`. Broker node n is then `b<n>-<label>.<domain>` at the base.
    pub named: Option<StrBytes>,
    /// The places of brokers that have others, by node id.
    pub places: Arc<HashMap<i32, i32>>,
}

impl Front {
    fn address(&self, node_id: i32) -> (StrBytes, i32) {
        // Unknown leaders have node -1 and no address.
        if node_id < 0 {
            return (StrBytes::default(), -1);
        }
        if let Some(named) = &self.named {
            let host = StrBytes::from_string(format!("b{node_id}-{named}"));
            return (host, i32::from(self.port_base));
        }
        (
            self.host.clone(),
            i32::from(self.port_base).saturating_add(self.places.get(&node_id).copied().unwrap_or(node_id)),
        )
    }
}

/// Where the clients of a cluster find its brokers.
fn front(view: &View, cluster: &Cluster, shared: &Shared) -> Arc<Front> {
    match view.pools.get(&cluster.pool) {
        Some(pool) if !pool.places.is_empty() => Arc::new(Front {
            places: Arc::clone(&pool.places),
            ..Front::clone(&shared.front)
        }),
        _own => Arc::clone(&shared.front),
    }
}

/// What every tenant shares.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Where clients find us.
    pub front: Arc<Front>,
    /// What counts.
    pub meter: Arc<Meter>,
    /// What members of consumer groups subscribe to.
    pub members: Arc<Members>,
    /// What limits.
    pub quotas: Arc<Quotas>,
    /// What was judged.
    pub contracts: Arc<Counts>,
}

/// The tenant behind a connection, by one snapshot.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Its cluster.
    pub cluster: Arc<Cluster>,
    /// What its principal may do.
    pub access: Arc<Access>,
    /// The job that it is; `None`: a client of the tenant's.
    pub job: Option<Arc<str>>,
    /// What everybody may do on its cluster.
    pub grants: Arc<Vec<Grant>>,
    /// What the customer's policy refuses.
    pub bans: Arc<Bans>,
    /// Who pays.
    pub payer: Payer,
    /// Where it finds us.
    pub front: Arc<Front>,
    /// What counts.
    pub meter: Arc<Meter>,
    /// What members of consumer groups subscribe to; of all tenants.
    pub members: Arc<Members>,
    /// What its requests are taken from.
    pub toll: Toll,
    /// The quotas of its cluster as Kafka's tools know them.
    pub client_quotas: Arc<Vec<ClientQuota>>,
    /// The clock of that.
    pub quotas: Arc<Quotas>,
    /// What was judged; of all tenants.
    pub contracts: Arc<Counts>,
}

impl Tenant {
    /// The tenant of a key; `None` when its cluster is not served.
    #[must_use]
    pub fn new(view: &View, key: &Key, shared: &Shared) -> Option<Self> {
        let cluster = Arc::clone(view.clusters.get(&key.cluster)?);
        Some(Self {
            access: view.access(&key.principal, &key.cluster),
            job: key.job.then(|| key.id.as_str().into()),
            grants: view.grants(&key.cluster),
            bans: Arc::clone(&view.bans),
            payer: Payer {
                cluster: Arc::clone(&cluster.id),
                principal: Arc::clone(&key.principal),
            },
            toll: shared
                .quotas
                .toll(view.version, &view.quotas, &cluster.id, &key.principal),
            client_quotas: view.client_quotas(&key.cluster),
            front: front(view, &cluster, shared),
            cluster,
            meter: Arc::clone(&shared.meter),
            members: Arc::clone(&shared.members),
            quotas: Arc::clone(&shared.quotas),
            contracts: Arc::clone(&shared.contracts),
        })
    }

    /// May it use a consumer group or transactional id of this name so? A job may use those of its own, without a grant.
    fn may_coordinate(&self, operation: Operation, id: &str) -> bool {
        let own = |job: &Arc<str>| {
            id.strip_prefix(&**job)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        self.access.may(operation, id) || self.job.as_ref().is_some_and(own)
    }

    /// The topic of this name if the principal may; else the error code to answer. What may not be seen does not even
    /// tell whether it exists.
    fn topic(&self, operation: Operation, name: &str) -> Result<&Arc<Topic>, i16> {
        if !self.access.may(operation, name) {
            return Err(code::TOPIC_AUTHORIZATION_FAILED);
        }
        self.cluster.by_name(name).ok_or(code::UNKNOWN_TOPIC_OR_PARTITION)
    }

    /// The same by virtual id.
    fn topic_by_id(&self, operation: Operation, id: Uuid) -> Result<&Arc<Topic>, i16> {
        let topic = self.cluster.by_virtual_id(id).ok_or(code::UNKNOWN_TOPIC_ID)?;
        if self.access.may(operation, &topic.name) {
            Ok(topic)
        } else {
            Err(code::TOPIC_AUTHORIZATION_FAILED)
        }
    }

    /// The topic behind a broker's name, if the principal may see it.
    fn shown(&self, physical_name: &str) -> Option<&Arc<Topic>> {
        self.cluster
            .by_physical_name(physical_name)
            .filter(|it| self.access.may(Operation::Describe, &it.name))
    }

    /// The topic behind a broker's id, if the principal may see it.
    fn shown_by_id(&self, physical_id: Uuid) -> Option<&Arc<Topic>> {
        self.cluster
            .by_physical_id(physical_id)
            .filter(|it| self.access.may(Operation::Describe, &it.name))
    }

    fn text_in(&self, text: &mut Option<StrBytes>) {
        if let Some(text) = text {
            *text = self.cluster.text_in(text);
        }
    }

    /// Where a member of a group comes from: for the brokers that is the gateway, whose address on their side is nobody's
    /// business. Written as Kafka writes addresses.
    fn member_host(&self) -> StrBytes {
        StrBytes::from_string(format!("/{}", self.front.host))
    }

    /// Kafka's bit field of what the principal may do to a topic.
    fn topic_operations(&self, name: &str) -> i32 {
        let mut bits = 0;
        if self.access.may(Operation::Read, name) {
            bits |= 1 << 3 | 1 << 8 | 1 << 10;
        }
        if self.access.may(Operation::Write, name) {
            bits |= 1 << 4;
        }
        if self.access.may(Operation::Administer, name) {
            bits |= 1 << 5 | 1 << 6 | 1 << 7 | 1 << 11;
        }
        bits
    }
}

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
    /// There is no frame yet: dead letters have to be taken out first, beside the clients.
    pub screening: Option<Box<Screening>>,
}

impl From<Bytes> for Reply {
    fn from(frame: Bytes) -> Self {
        Self {
            frame: vec![frame],
            sent: Vec::new(),
            records_bytes: 0,
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
mod tests;
