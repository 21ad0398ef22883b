//! Broker pools as their data plane knows them. Pure.

use sqlx::types::Json;
use uuid::Uuid;
use weir_proto::agent::v1::{AttachedPool, BrokerPool, SaslMechanism};

use super::build::{count, type_id};
use crate::kernel::kind;
use crate::resources::broker_pool::{AttachedKafka, AttachedMechanism};

#[derive(Debug)]
pub(in crate::link) struct PoolRow {
    pub(in crate::link) id: Uuid,
    pub(in crate::link) name: String,
    pub(in crate::link) brokers: i32,
    pub(in crate::link) attached: Option<Json<AttachedKafka>>,
    pub(in crate::link) restart_nonce: i64,
    pub(in crate::link) deleted: bool,
}

pub(super) fn pool(row: PoolRow) -> BrokerPool {
    let PoolRow {
        id,
        name,
        brokers,
        attached: kafka,
        restart_nonce,
        deleted,
    } = row;
    BrokerPool {
        id: type_id::<kind::BrokerPool>(id),
        name,
        brokers: count(brokers),
        deleted,
        restart_nonce: restart_nonce.unsigned_abs(),
        attached: kafka.map(|Json(it)| attached(it)),
    }
}

fn attached(kafka: AttachedKafka) -> AttachedPool {
    let AttachedKafka {
        bootstrap_servers,
        tls,
        sasl,
        credential,
    } = kafka;
    let mechanism = sasl
        .as_ref()
        .map_or(SaslMechanism::Unspecified, |it| match it.mechanism {
            AttachedMechanism::Plain => SaslMechanism::Plain,
            AttachedMechanism::ScramSha256 => SaslMechanism::ScramSha256,
            AttachedMechanism::ScramSha512 => SaslMechanism::ScramSha512,
        });
    AttachedPool {
        bootstrap_servers,
        ca_pem: tls.map_or_else(String::new, |it| it.ca_pem),
        mechanism: mechanism.into(),
        username: sasl.map_or_else(String::new, |it| it.username),
        credential,
    }
}
