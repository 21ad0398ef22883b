//! The name map of one logical cluster: logical and virtual on the client's side, physical on the broker's.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;
use weir_proto::agent::v1::Enforcement;
use weir_proto::lane::v1::{LogicalCluster, LogicalTopic};

use super::{Operation, now_unix_seconds};
use crate::gateway::cipher::{Ring, Writes};
use crate::gateway::contract::{Schemas, TopicContract};
use crate::gateway::share::{Lens, Lenses, Mount};
use crate::names::Naming;

/// A topic under both its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its `TypeID`: what usage is counted under.
    pub id: Arc<str>,
    /// What clients call it.
    pub name: StrBytes,
    /// What the broker calls it.
    pub physical_name: StrBytes,
    /// The topic id that clients see.
    pub virtual_id: Uuid,
    /// The broker's topic id; nil while unknown.
    pub physical_id: Uuid,
    /// How many partitions; 0: unknown.
    pub partitions: u32,
    /// What it promises; `None`: nothing is enforced.
    pub contract: Option<Arc<TopicContract>>,
    /// It is another tenant's, shared.
    pub mount: Option<Mount>,
    /// A cluster link writes it, and nobody else.
    pub mirror: bool,
    /// Its values are encrypted, or were.
    pub ring: Option<Arc<Ring>>,
    /// What the owner's records are looked at through, since some of them are encrypted.
    pub own_lens: Option<Arc<Lens>>,
}

impl Topic {
    /// Whether anybody may do this to it, whatever was granted: what is shared is only read, and only until the share ends; so is what a
    /// cluster link writes.
    #[must_use]
    pub fn is_open_to(&self, operation: Operation) -> bool {
        let reads = matches!(operation, Operation::Describe | Operation::Read);
        if self.mirror && !reads {
            return false;
        }
        let mount = self.mount.as_ref();
        mount.is_none_or(|it| reads && it.stands(now_unix_seconds()))
    }

    /// What its records are looked at through before they are sent; `None`: they are sent as they are.
    #[must_use]
    pub fn lens(&self) -> Option<&Arc<Lens>> {
        match &self.mount {
            Some(mount) => mount.lens(),
            None => self.own_lens.as_ref(),
        }
    }

    /// Whether what is produced to it passes encrypted or not at all.
    #[must_use]
    pub fn encrypts(&self) -> bool {
        self.ring.as_ref().is_some_and(|it| it.writes() != Writes::Clear)
    }

    /// Whether the keys of its values are still to come.
    #[must_use]
    pub fn waits_for_keys(&self) -> bool {
        self.ring.as_ref().is_some_and(|it| it.waits())
    }

    /// Whether it may hold records that consumers are not sent.
    #[must_use]
    pub fn has_dead_letters(&self) -> bool {
        let contract = self.contract.as_ref();
        contract.is_some_and(|it| it.enforcement == Enforcement::Dlq)
    }
}

/// A logical cluster.
#[derive(Debug, Default)]
pub struct Cluster {
    /// Its `TypeID`.
    pub id: Arc<str>,
    /// The cluster id that clients see.
    pub kafka_id: StrBytes,
    /// The pool that carries it.
    pub pool: String,
    naming: Naming,
    topics: Vec<Arc<Topic>>,
    by_name: HashMap<StrBytes, Arc<Topic>>,
    by_physical_name: HashMap<StrBytes, Arc<Topic>>,
    by_virtual_id: HashMap<Uuid, Arc<Topic>>,
    by_physical_id: HashMap<Uuid, Arc<Topic>>,
    /// Those that are other tenants'.
    mounts: Vec<Arc<Topic>>,
    ended: Ended,
}

/// Shares that ended while this gateway ran: whoever still asks is told that it may not, rather than to wait for a topic.
#[derive(Debug, Default)]
struct Ended {
    names: HashSet<StrBytes>,
    ids: HashSet<Uuid>,
}

/// Shares that ended are remembered of a cluster.
const ENDED_MAX: usize = 10_000;

impl Cluster {
    /// Compiles the map. A topic without a sound id is left out. A cluster without a prefix keeps its groups apart
    /// by its own id.
    #[must_use]
    pub fn build(
        cluster: &LogicalCluster,
        schemas: &Schemas,
        lenses: &Lenses,
        before: Option<&Self>,
    ) -> Self {
        let LogicalCluster {
            id,
            kafka_cluster_id,
            broker_pool_id,
            physical_prefix,
            topics,
            own_names,
        } = cluster;
        let prefix = if physical_prefix.is_empty() {
            format!("{id}-")
        } else {
            physical_prefix.clone()
        };
        let mut built = Self {
            id: id.as_str().into(),
            kafka_id: StrBytes::from_string(kafka_cluster_id.clone()),
            pool: broker_pool_id.clone(),
            naming: Naming::new(prefix, *own_names),
            ..Self::default()
        };
        for topic in topics {
            let Some(virtual_id) = uuid_of_type_id(&topic.id) else {
                tracing::error!(topic = %topic.id, "a topic without a sound id is not served");
                continue;
            };
            let physical_id = Uuid::from_slice(&topic.physical_id).unwrap_or_default();
            built.add(Topic {
                id: topic.id.as_str().into(),
                name: StrBytes::from_string(topic.name.clone()),
                physical_name: StrBytes::from_string(topic.physical_name.clone()),
                virtual_id,
                physical_id,
                partitions: topic.partitions,
                contract: contract(topic, schemas).map(Arc::new),
                ring: lenses.ring(&topic.id),
                own_lens: lenses.own(&topic.id),
                mount: topic.mount.as_ref().map(|it| Mount::of(&topic.id, it, lenses)),
                mirror: topic.mirror,
            });
        }
        if let Some(before) = before {
            built.remember(before);
        }
        built
            .topics
            .sort_by(|a, b| a.physical_name.as_str().cmp(b.physical_name.as_str()));
        built
    }

    fn add(&mut self, topic: Topic) {
        let topic = Arc::new(topic);
        self.by_name.insert(topic.name.clone(), Arc::clone(&topic));
        self.by_physical_name
            .insert(topic.physical_name.clone(), Arc::clone(&topic));
        self.by_virtual_id.insert(topic.virtual_id, Arc::clone(&topic));
        if !topic.physical_id.is_nil() {
            self.by_physical_id.insert(topic.physical_id, Arc::clone(&topic));
        }
        if topic.mount.is_some() {
            self.mounts.push(Arc::clone(&topic));
        }
        self.topics.push(topic);
    }

    /// What was shown before and is no longer.
    fn remember(&mut self, before: &Self) {
        let gone = before
            .mounts
            .iter()
            .filter(|it| !self.by_virtual_id.contains_key(&it.virtual_id));
        let gone = gone.map(|it| (it.name.clone(), it.virtual_id));
        self.ended = gone
            .take(ENDED_MAX)
            .fold(Ended::default(), |mut ended, (name, id)| {
                ended.names.insert(name);
                ended.ids.insert(id);
                ended
            });
        if self.ended.ids.len() + before.ended.ids.len() <= ENDED_MAX {
            self.ended.names.extend(before.ended.names.iter().cloned());
            self.ended.ids.extend(&before.ended.ids);
        }
    }

    /// Whether a topic that is not there by this name was another tenant's until its share ended.
    #[must_use]
    pub fn has_ended(&self, name: &str) -> bool {
        self.ended.names.contains(name.as_bytes())
    }

    /// The same by the id that clients use.
    #[must_use]
    pub fn has_ended_by_id(&self, id: Uuid) -> bool {
        self.ended.ids.contains(&id)
    }

    /// Those that are other tenants', shared.
    #[must_use]
    pub fn mounts(&self) -> &[Arc<Topic>] {
        &self.mounts
    }

    /// Every topic, in the order of the physical names.
    #[must_use]
    pub fn topics(&self) -> &[Arc<Topic>] {
        &self.topics
    }

    /// By the name that clients use.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Arc<Topic>> {
        self.by_name.get(name.as_bytes())
    }

    /// By the id that clients use.
    #[must_use]
    pub fn by_virtual_id(&self, id: Uuid) -> Option<&Arc<Topic>> {
        self.by_virtual_id.get(&id)
    }

    /// By the broker's name. `None`: it is not this cluster's, and its clients must not hear of it.
    #[must_use]
    pub fn by_physical_name(&self, name: &str) -> Option<&Arc<Topic>> {
        self.by_physical_name.get(name.as_bytes())
    }

    /// By the broker's id.
    #[must_use]
    pub fn by_physical_id(&self, id: Uuid) -> Option<&Arc<Topic>> {
        self.by_physical_id.get(&id)
    }

    /// A group or transactional id as the broker knows it.
    #[must_use]
    pub fn id_out(&self, logical: &str) -> StrBytes {
        StrBytes::from_string(self.naming.out(logical))
    }

    /// A group or transactional id as clients know it; `None` when it is another cluster's.
    #[must_use]
    pub fn id_in(&self, physical: &str) -> Option<StrBytes> {
        self.naming
            .back(physical)
            .map(|logical| StrBytes::from_string(logical.to_owned()))
    }

    /// The name of a topic inside a group's metadata as the broker reads it. A topic that does not exist (yet) is
    /// named as it would be.
    #[must_use]
    pub fn subscription_out(&self, name: &str) -> StrBytes {
        match self.by_name(name) {
            Some(topic) => topic.physical_name.clone(),
            None => self.id_out(name),
        }
    }

    /// The reverse of [`Cluster::subscription_out`].
    #[must_use]
    pub fn subscription_in(&self, physical: &StrBytes) -> StrBytes {
        match self.by_physical_name(physical) {
            Some(topic) => topic.name.clone(),
            // Another cluster's: it was shown here, and is no longer.
            None => self.id_in(physical).unwrap_or_default(),
        }
    }

    /// A text from the broker, without physical names: this cluster's are shown as clients know them, and whatever
    /// else looks like a cluster's prefix is taken out.
    #[must_use]
    pub fn text_in(&self, text: &str) -> StrBytes {
        let mut own = text.to_owned();
        // What is shown here has the name that it has here, not that which its owner gave it.
        for mount in self
            .mounts
            .iter()
            .filter(|it| text.contains(it.physical_name.as_str()))
        {
            own = own.replace(mount.physical_name.as_str(), &mount.name);
        }
        let own = own.replace(self.naming.prefix(), "");
        StrBytes::from_string(without_prefixes(&own))
    }
}

/// What a topic promises. Dead letters would be copied as ciphertext, which nobody reads elsewhere: where values are encrypted,
/// what would become one is refused.
fn contract(topic: &LogicalTopic, schemas: &Schemas) -> Option<TopicContract> {
    let mut told = topic.contract.clone()?;
    let encrypts = topic.key_ring.as_ref().is_some_and(|it| it.required);
    if encrypts && told.enforcement() == Enforcement::Dlq {
        told.enforcement = Enforcement::Reject.into();
    }
    TopicContract::bind(&told, schemas)
}

/// Takes every `w<26 characters of a TypeID>-` out of a text.
fn without_prefixes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('w') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let bytes = from.as_bytes();
        let is_prefix =
            bytes.len() > 27 && bytes[27] == b'-' && bytes[1..27].iter().all(|byte| digit(*byte).is_some());
        if is_prefix {
            rest = &from[28..];
        } else {
            out.push('w');
            rest = &from[1..];
        }
    }
    out.push_str(rest);
    out
}

/// The UUID inside a `TypeID`: `prefix_` and 26 characters of Crockford's base 32.
#[must_use]
pub fn uuid_of_type_id(id: &str) -> Option<Uuid> {
    let (_prefix, suffix) = id.rsplit_once('_')?;
    let suffix = suffix.as_bytes();
    if suffix.len() != 26 || suffix[0] > b'7' {
        return None;
    }
    let value = suffix.iter().try_fold(0_u128, |value, byte| {
        Some((value << 5) | u128::from(digit(*byte)?))
    })?;
    Some(Uuid::from_u128(value))
}

fn digit(byte: u8) -> Option<u8> {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    ALPHABET
        .iter()
        .position(|it| *it == byte)
        .and_then(|at| u8::try_from(at).ok())
}
