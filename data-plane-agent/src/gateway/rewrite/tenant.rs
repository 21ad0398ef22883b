//! The tenant behind a connection: what it may do, and where its clients find us.

use std::collections::HashMap;
use std::sync::Arc;

use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;
use weir_proto::agent::v1::Grant;

use super::code;
use super::consumer_group::Members;
use crate::gateway::contract::Counts;
use crate::gateway::meter::{Meter, Payer};
use crate::gateway::quota::{ClientQuota, Quotas, Toll};
use crate::gateway::share::Kept;
use crate::gateway::view::{Access, Bans, Cluster, Key, Operation, Topic, View};

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
    pub(super) fn address(&self, node_id: i32) -> (StrBytes, i32) {
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

/// What is owed for records of what the cluster is shown.
fn share_tolls(view: &View, cluster: &Cluster, quotas: &Quotas) -> Arc<HashMap<Arc<str>, Toll>> {
    let mut tolls = HashMap::new();
    let shares = cluster.mounts().iter().filter_map(|it| it.mount.as_ref());
    for mount in shares.filter(|it| it.fetch_bytes_per_second > 0) {
        if let Some(toll) = quotas.share_toll(view.version, &view.quotas, &mount.share) {
            tolls.insert(Arc::clone(&mount.share), toll);
        }
    }
    Arc::new(tolls)
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
    /// What came of batches of shared topics.
    pub kept: Arc<Kept>,
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
    /// What came of batches of shared topics; of all tenants.
    pub kept: Arc<Kept>,
    /// What answers with records of shares are taken from, by the shares that have a bound of their own.
    pub share_tolls: Arc<HashMap<Arc<str>, Toll>>,
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
            share_tolls: share_tolls(view, &cluster, &shared.quotas),
            front: front(view, &cluster, shared),
            cluster,
            meter: Arc::clone(&shared.meter),
            members: Arc::clone(&shared.members),
            quotas: Arc::clone(&shared.quotas),
            contracts: Arc::clone(&shared.contracts),
            kept: Arc::clone(&shared.kept),
        })
    }

    /// What is owed for records of a share; `None`: nothing beside what the principal owes.
    #[must_use]
    pub fn share_toll(&self, share: &str) -> Option<&Toll> {
        self.share_tolls.get(share)
    }

    /// May it use a consumer group or transactional id of this name so? A job may use those of its own, without a grant.
    pub(super) fn may_coordinate(&self, operation: Operation, id: &str) -> bool {
        let own = |job: &Arc<str>| {
            id.strip_prefix(&**job)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        self.access.may(operation, id) || self.job.as_ref().is_some_and(own)
    }

    /// The topic of this name if the principal may; else the error code to answer. What may not be seen does not even
    /// tell whether it exists.
    pub(super) fn topic(&self, operation: Operation, name: &str) -> Result<&Arc<Topic>, i16> {
        if !self.access.may(operation, name) {
            return Err(code::TOPIC_AUTHORIZATION_FAILED);
        }
        let topic = self.cluster.by_name(name).ok_or_else(|| {
            if self.cluster.has_ended(name) {
                code::TOPIC_AUTHORIZATION_FAILED
            } else {
                code::UNKNOWN_TOPIC_OR_PARTITION
            }
        })?;
        let open = topic.is_open_to(operation);
        open.then_some(topic).ok_or(code::TOPIC_AUTHORIZATION_FAILED)
    }

    /// The same by virtual id.
    pub(super) fn topic_by_id(&self, operation: Operation, id: Uuid) -> Result<&Arc<Topic>, i16> {
        let topic = self.cluster.by_virtual_id(id).ok_or_else(|| {
            if self.cluster.has_ended_by_id(id) {
                code::TOPIC_AUTHORIZATION_FAILED
            } else {
                code::UNKNOWN_TOPIC_ID
            }
        })?;
        let may = self.may(operation, topic);
        may.then_some(topic).ok_or(code::TOPIC_AUTHORIZATION_FAILED)
    }

    /// The topic behind a broker's name, if the principal may see it.
    pub(super) fn shown(&self, physical_name: &str) -> Option<&Arc<Topic>> {
        self.cluster
            .by_physical_name(physical_name)
            .filter(|it| self.sees(it))
    }

    /// The topic behind a broker's id, if the principal may see it.
    pub(super) fn shown_by_id(&self, physical_id: Uuid) -> Option<&Arc<Topic>> {
        self.cluster
            .by_physical_id(physical_id)
            .filter(|it| self.sees(it))
    }

    /// May the principal see this topic?
    pub(super) fn sees(&self, topic: &Topic) -> bool {
        self.may(Operation::Describe, topic)
    }

    /// What was granted, and of what is shared no more than that.
    fn may(&self, operation: Operation, topic: &Topic) -> bool {
        self.access.may(operation, &topic.name) && topic.is_open_to(operation)
    }

    pub(super) fn text_in(&self, text: &mut Option<StrBytes>) {
        if let Some(text) = text {
            *text = self.cluster.text_in(text);
        }
    }

    /// Where a member of a group comes from: for the brokers that is the gateway, whose address on their side is nobody's
    /// business. Written as Kafka writes addresses.
    pub(super) fn member_host(&self) -> StrBytes {
        StrBytes::from_string(format!("/{}", self.front.host))
    }

    /// Kafka's bit field of what the principal may do to a topic.
    pub(super) fn topic_operations(&self, topic: &Topic) -> i32 {
        let mut bits = 0;
        if self.may(Operation::Read, topic) {
            bits |= 1 << 3 | 1 << 8 | 1 << 10;
        }
        if self.may(Operation::Write, topic) {
            bits |= 1 << 4;
        }
        if self.may(Operation::Administer, topic) {
            bits |= 1 << 5 | 1 << 6 | 1 << 7 | 1 << 11;
        }
        bits
    }
}
