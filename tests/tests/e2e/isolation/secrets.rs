//! What no answer to a tenant may contain.

use std::collections::HashSet;

use prost::Message as _;
use uuid::Uuid;
use weir_kafka_wire::Connection;
use weir_kafka_wire::kafka_protocol::messages::MetadataRequest;
use weir_proto::lane::v1::{LogicalCluster, Snapshot};

use crate::stack;

/// Bytes that must stay hidden, and what they are.
pub struct Secrets(Vec<(String, Vec<u8>)>);

/// What the gateway serves by: the copy that it keeps beside itself.
pub fn snapshot() -> Snapshot {
    let path = format!("{}/agent/gateway/snapshot.pb", stack::text("/state_dir"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("read {path}: {error}"));
    Snapshot::decode(&bytes[..]).expect("the gateway's snapshot")
}

/// The virtual id of a topic: the UUID inside its `TypeID`.
pub fn virtual_id(id: &str) -> Uuid {
    let digits = b"0123456789abcdefghjkmnpqrstvwxyz";
    let text = id.rsplit('_').next().unwrap_or_default();
    let value = text.bytes().fold(0_u128, |value, letter| {
        let digit = digits.iter().position(|it| *it == letter).expect("a TypeID");
        value << 5 | digit as u128
    });
    Uuid::from_u128(value)
}

/// The service accounts that a cluster knows.
pub fn principals_of<'a>(snapshot: &'a Snapshot, cluster: &str) -> HashSet<&'a str> {
    let keys = snapshot.api_keys.iter();
    let keys = keys
        .filter(|it| it.cluster_id == cluster)
        .map(|it| &it.principal_id);
    let grants = snapshot.grants.iter();
    let grants = grants
        .filter(|it| it.cluster_id == cluster)
        .map(|it| &it.principal_id);
    keys.chain(grants).map(String::as_str).collect()
}

impl Secrets {
    /// Everything that is not the cluster `own`'s to see, and `names` that only others use.
    pub async fn of(snapshot: &Snapshot, own: &LogicalCluster, names: &[String]) -> Self {
        let mut all = Self(Vec::new());
        for name in names {
            all.hide("another tenant's name", name.as_bytes());
        }
        for cluster in &snapshot.clusters {
            all.hide("a prefix on the brokers", cluster.physical_prefix.as_bytes());
            for topic in &cluster.topics {
                all.hide("a topic's id on the brokers", &topic.physical_id);
                if cluster.id != own.id {
                    all.hide("another tenant's topic id", virtual_id(&topic.id).as_bytes());
                }
            }
            if cluster.id != own.id {
                all.hide("another tenant's cluster id", cluster.kafka_cluster_id.as_bytes());
                all.hide("another tenant's cluster", cluster.id.as_bytes());
            }
        }
        let principals = principals_of(snapshot, &own.id);
        for key in snapshot.api_keys.iter().filter(|it| it.cluster_id != own.id) {
            all.hide("another tenant's key", key.id.as_bytes());
            if !principals.contains(key.principal_id.as_str()) {
                all.hide("another tenant's service account", key.principal_id.as_bytes());
            }
        }
        for quota in snapshot.quotas.iter().filter(|it| it.cluster_id != own.id) {
            all.hide("another tenant's quota", quota.id.as_bytes());
        }
        all.hide(
            "a path on the brokers' disks",
            stack::text("/state_dir").as_bytes(),
        );
        for upstream in &snapshot.upstreams {
            all.hide("the internal user", upstream.sasl_username.as_bytes());
            all.hide("the internal password", upstream.sasl_password.as_bytes());
            for broker in &upstream.brokers {
                all.hide("a broker's port", &broker.port.to_be_bytes());
                all.hide("a broker's port as text", format!(":{}", broker.port).as_bytes());
                // Another test may have attached a Kafka meanwhile, which asks for another login.
                if upstream.broker_pool_id != own.broker_pool_id {
                    continue;
                }
                let port = u16::try_from(broker.port).expect("a port");
                let mut direct = Connection::connect(&broker.host, port).await.expect("the broker");
                direct
                    .login_plain(&upstream.sasl_username, &upstream.sasl_password)
                    .await
                    .expect("the internal login");
                let metadata = direct
                    .call(&MetadataRequest::default(), 12)
                    .await
                    .expect("metadata");
                let id = metadata.cluster_id.expect("a broker's cluster id");
                all.hide("the brokers' cluster id", id.as_bytes());
            }
        }
        all
    }

    fn hide(&mut self, what: &str, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.0.push((what.to_owned(), bytes.to_owned()));
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// What of it stands in `answer` although the question does not have it.
    pub fn shown_in(&self, answer: &[u8], question: &[u8]) -> Vec<String> {
        let within = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|it| it == part);
        self.0
            .iter()
            .filter(|(_what, bytes)| within(answer, bytes) && !within(question, bytes))
            .map(|(what, bytes)| format!("{what}: {}", String::from_utf8_lossy(bytes)))
            .collect()
    }
}
