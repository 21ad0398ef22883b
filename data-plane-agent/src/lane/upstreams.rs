//! A broker pool as gateways are told to reach it.

use weir_proto::agent::v1::SaslMechanism;
use weir_proto::lane::v1::{Broker, Upstream};

use crate::platform::kafka::PoolAddress;
use crate::upstream::Mechanism;

pub(super) fn upstream(pool: &PoolAddress, attached: bool) -> Upstream {
    Upstream {
        broker_pool_id: pool.pool_id.clone(),
        brokers: pool
            .brokers
            .iter()
            .map(|(node_id, host, port)| Broker {
                node_id: *node_id,
                host: host.clone(),
                port: u32::from(*port),
                place: pool.places.get(node_id).copied().map_or(0, u32::from),
            })
            .collect(),
        sasl_username: pool.username.clone(),
        sasl_password: pool.password.clone(),
        attached,
        mechanism: match pool.security.mechanism {
            Mechanism::Anonymous => SaslMechanism::Unspecified,
            Mechanism::Plain => SaslMechanism::Plain,
            Mechanism::ScramSha256 => SaslMechanism::ScramSha256,
            Mechanism::ScramSha512 => SaslMechanism::ScramSha512,
        }
        .into(),
        ca_pem: pool
            .security
            .trust
            .as_ref()
            .map_or_else(String::new, |trust| trust.pem().to_owned()),
    }
}
