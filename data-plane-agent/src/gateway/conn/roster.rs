//! Who is connected: for questions about one tenant's cluster, answered with enumerated words, ids and counts.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use weir_proto::agent::v1::{
    AddressClass, Connection, ConnectionGrant, ConnectionsAnswer, ConnectionsQuestion,
};

use super::acquaintance::Acquaintance;
use crate::gateway::view::{Key, View};

/// Connections of one answer.
const PAGE_MAX: usize = 1000;
/// Grants that are told of one connection.
const GRANTS_MAX: usize = 100;

/// Every connection that is logged in.
#[derive(Debug, Default)]
pub struct Roster {
    next: AtomicU64,
    present: Mutex<BTreeMap<u64, Arc<Present>>>,
}

/// One of them.
#[derive(Debug)]
pub struct Present {
    /// Whose it is.
    pub key: Arc<Key>,
    known: Acquaintance,
    address: AddressClass,
    since_unix_ms: i64,
    /// Requests of any kind.
    pub requests: AtomicU64,
    /// Bytes of record batches that were produced.
    pub ingress: AtomicU64,
    /// Bytes of record batches that were fetched.
    pub egress: AtomicU64,
    /// Nanoseconds for which it was not read from.
    pub throttled: AtomicU64,
}

/// Keeps a connection on the roster until it is dropped.
#[derive(Debug)]
pub struct Place<'a> {
    roster: &'a Roster,
    number: u64,
    /// What it counts into.
    pub present: Arc<Present>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.roster.present().remove(&self.number);
    }
}

impl Roster {
    fn present(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Present>>> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a connection.
    pub fn enter(&self, key: &Arc<Key>, known: Acquaintance, address: IpAddr) -> Place<'_> {
        let number = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        let present = Arc::new(Present {
            key: Arc::clone(key),
            known,
            address: class_of(address),
            since_unix_ms: chrono::Utc::now().timestamp_millis(),
            requests: AtomicU64::new(0),
            ingress: AtomicU64::new(0),
            egress: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
        });
        self.present().insert(number, Arc::clone(&present));
        Place {
            roster: self,
            number,
            present,
        }
    }

    /// Answers about the connections of one cluster; nobody else's are looked at. Ids are `<start>.<number>`: unlike
    /// for ever, and in the order in which connections began.
    pub fn answer(&self, start: &str, view: &View, question: &ConnectionsQuestion) -> ConnectionsAnswer {
        let ConnectionsQuestion {
            cluster_id,
            connection_id,
            after,
            limit,
        } = question;
        let wanted = usize::try_from(*limit).unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
        let held: Vec<(u64, Arc<Present>)> = {
            let present = self.present();
            let own = present
                .iter()
                .filter(|(_number, it)| it.key.cluster == *cluster_id);
            own.map(|(number, it)| (*number, Arc::clone(it))).collect()
        };
        let named = held.into_iter().map(|(number, it)| (id(start, number), it));
        let mut found: Vec<Connection> = named
            .filter(|(id, _it)| connection_id.is_empty() || id == connection_id)
            .filter(|(id, _it)| id > after)
            .take(wanted + 1)
            .map(|(id, it)| tell(id, &it))
            .collect();
        let more = found.len() > wanted;
        found.truncate(wanted);
        if !connection_id.is_empty() {
            for connection in &mut found {
                detail(connection, view, cluster_id);
            }
        }
        ConnectionsAnswer {
            connections: found,
            more,
        }
    }
}

fn id(start: &str, number: u64) -> String {
    format!("{start}.{number:012}")
}

fn tell(id: String, present: &Present) -> Connection {
    let Present {
        key,
        known,
        address,
        since_unix_ms,
        requests,
        ingress,
        egress,
        throttled,
    } = present;
    let [version_major, version_minor, version_patch] = known.version;
    let count = |it: &AtomicU64| it.load(Ordering::Relaxed);
    Connection {
        id,
        principal_id: key.principal.to_string(),
        key_id: key.id.clone(),
        mechanism: known.mechanism.into(),
        software: known.software.into(),
        version_major,
        version_minor,
        version_patch,
        address: (*address).into(),
        since_unix_ms: *since_unix_ms,
        requests: count(requests),
        ingress_bytes: count(ingress),
        egress_bytes: count(egress),
        throttled_ms: count(throttled) / 1_000_000,
        grants: Vec::new(),
        quota_ids: Vec::new(),
    }
}

/// What it may do and what limits it, by the snapshot in force.
fn detail(connection: &mut Connection, view: &View, cluster: &str) {
    let principal = connection.principal_id.clone();
    let granted = view.grants(cluster);
    let own = granted.iter().filter(|it| it.principal_id == principal);
    connection.grants = own
        .take(GRANTS_MAX)
        .map(|it| ConnectionGrant {
            pattern: it.pattern.clone(),
            role: it.role,
        })
        .collect();
    let quotas = view.quotas.of(cluster, &principal);
    connection.quota_ids = quotas.iter().map(|it| it.id.to_string()).collect();
}

/// Where an address is, without saying which it is (RFC 1918, RFC 4193, RFC 6598, RFC 3927, RFC 4291).
fn class_of(address: IpAddr) -> AddressClass {
    let address = address.to_canonical();
    let shared = |octets: [u8; 4]| octets[0] == 100 && (64..128).contains(&octets[1]);
    match address {
        it if it.is_loopback() => AddressClass::Loopback,
        IpAddr::V4(it) if it.is_private() || it.is_link_local() || shared(it.octets()) => {
            AddressClass::Private
        }
        IpAddr::V6(it) if it.is_unique_local() || it.is_unicast_link_local() => AddressClass::Private,
        _elsewhere => AddressClass::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::view::tests as sample;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn question(cluster: &str) -> ConnectionsQuestion {
        ConnectionsQuestion {
            cluster_id: format!("cluster_{cluster}"),
            ..ConnectionsQuestion::default()
        }
    }

    #[test]
    fn a_cluster_sees_its_own_connections_and_nobody_elses() {
        let view = View::build(&sample::snapshot());
        let roster = Roster::default();
        let enter = |key: &str| roster.enter(&view.keys[key], Acquaintance::default(), HOME);
        let (reader, other) = (enter("key_reader"), enter("key_other"));
        reader.present.ingress.fetch_add(7, Ordering::Relaxed);
        let seen = roster.answer("gateway_1.4", &view, &question(sample::A));
        let [one] = &seen.connections[..] else {
            panic!("one connection: {seen:?}")
        };
        assert_eq!(
            (one.principal_id.as_str(), one.key_id.as_str()),
            ("reader", "key_reader")
        );
        assert_eq!((one.ingress_bytes, one.address()), (7, AddressClass::Loopback));
        assert_eq!(one.grants, [], "only where one is asked for");
        let theirs = roster.answer("gateway_1.4", &view, &question(sample::B));
        assert_eq!(theirs.connections[0].principal_id, "other");
        // By its id alone, under another cluster, it is not there.
        let stolen = ConnectionsQuestion {
            connection_id: theirs.connections[0].id.clone(),
            ..question(sample::A)
        };
        assert_eq!(roster.answer("gateway_1.4", &view, &stolen).connections, []);
        drop((reader, other));
        assert_eq!(
            roster
                .answer("gateway_1.4", &view, &question(sample::A))
                .connections,
            []
        );
    }

    #[test]
    fn pages_follow_each_other_and_one_tells_what_it_may() {
        let view = View::build(&sample::snapshot());
        let roster = Roster::default();
        let _held: Vec<_> = (0..5)
            .map(|_nth| roster.enter(&view.keys["key_reader"], Acquaintance::default(), HOME))
            .collect();
        let (mut after, mut seen) = (String::new(), 0);
        loop {
            let page = ConnectionsQuestion {
                after: after.clone(),
                limit: 2,
                ..question(sample::A)
            };
            let page = roster.answer("g.1", &view, &page);
            assert!(page.connections.len() <= 2);
            seen += page.connections.len();
            after = page.connections.last().unwrap().id.clone();
            if !page.more {
                break;
            }
        }
        assert_eq!(seen, 5);
        let one = ConnectionsQuestion {
            connection_id: after,
            ..question(sample::A)
        };
        let told = roster.answer("g.1", &view, &one);
        let patterns: Vec<_> = told.connections[0]
            .grants
            .iter()
            .map(|it| it.pattern.as_str())
            .collect();
        assert_eq!(patterns, ["orders", "g*"]);
    }

    #[test]
    fn addresses_are_told_by_their_kind() {
        for (address, class) in [
            ("127.0.0.1", AddressClass::Loopback),
            ("::1", AddressClass::Loopback),
            ("10.1.2.3", AddressClass::Private),
            ("::ffff:192.168.0.1", AddressClass::Private),
            ("100.64.0.1", AddressClass::Private),
            ("fd00::1", AddressClass::Private),
            ("203.0.113.7", AddressClass::Public),
            ("2001:db8::1", AddressClass::Public),
        ] {
            assert_eq!(class_of(address.parse().unwrap()), class, "{address}");
        }
    }
}
