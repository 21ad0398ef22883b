//! The broker's side: connections to it, and what versions it speaks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use weir_kafka_wire::{CallError, Connection, Options};

use super::intake::Intake;
use super::{End, Gateway};
use crate::gateway::table::BrokerVersions;
use crate::gateway::view::{Key, Pool, View};
use crate::upstream::{self, ReadSide, Stream, WriteSide};

/// How long a broker may take to accept and to log us in.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a broker's versions are believed: an upgraded one shows what is new after that.
const VERSIONS_AGE: Duration = Duration::from_secs(60);
/// A pool that does not answer is not asked again for so long: clients of others would wait for it.
const AWAY: Duration = Duration::from_secs(10);

/// What is known of brokers.
#[derive(Debug, Default)]
pub struct Brokers {
    versions: Mutex<HashMap<String, (Instant, Arc<BrokerVersions>)>>,
    away: Mutex<HashMap<String, Instant>>,
    turn: AtomicUsize,
}

/// A connection to a broker, logged in.
pub struct Broker {
    /// Its answers.
    pub read: Intake<ReadSide>,
    /// Our requests.
    pub write: WriteSide,
    /// What it understands.
    pub versions: Arc<BrokerVersions>,
}

impl Brokers {
    fn held(&self, pool: &str) -> Option<(Instant, Arc<BrokerVersions>)> {
        let versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.get(pool).cloned()
    }

    /// Takes in what a pool's brokers said of themselves.
    pub fn hold(&self, pool: &str, found: Arc<BrokerVersions>) {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.insert(pool.to_owned(), (Instant::now(), found));
    }

    /// The pool's versions: fresh ones by a connection of its own, or those last seen while it is away.
    pub async fn versions(&self, id: &str, pool: &Pool) -> Result<Arc<BrokerVersions>, CallError> {
        let held = self.held(id);
        match held {
            Some((since, versions)) if since.elapsed() < VERSIONS_AGE => Ok(versions),
            stale => {
                let stale = stale.map(|(_since, versions)| versions);
                if self.is_away(id) {
                    return stale.ok_or(CallError::Timeout);
                }
                match self.any(pool).await {
                    Ok(mut connection) => self.ask(id, &mut connection).await,
                    Err(error) => {
                        // One that refuses says so at once, as brokers do that begin just now: nobody waited for it.
                        if matches!(error, CallError::Timeout) {
                            self.away().insert(id.to_owned(), Instant::now());
                        }
                        stale.ok_or(error)
                    }
                }
            }
        }
    }

    fn away(&self) -> std::sync::MutexGuard<'_, HashMap<String, Instant>> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_away(&self, id: &str) -> bool {
        self.away().get(id).is_some_and(|since| since.elapsed() < AWAY)
    }

    async fn ask(
        &self,
        id: &str,
        connection: &mut Connection<Stream>,
    ) -> Result<Arc<BrokerVersions>, CallError> {
        let versions = Arc::new(BrokerVersions::new(connection.api_versions().await?));
        self.hold(id, Arc::clone(&versions));
        Ok(versions)
    }

    /// A connection to any broker of the pool, each in its turn.
    async fn any(&self, pool: &Pool) -> Result<Connection<Stream>, CallError> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut failed = CallError::Broken;
        for step in 0..pool.brokers.len() {
            let (_node, host, port) = &pool.brokers[(first + step) % pool.brokers.len()];
            match connect(host, *port, pool).await {
                Ok(connection) => return Ok(connection),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }
}

/// What every broker behind the gateway understands, for clients that did not say yet whose they are.
pub async fn all_versions(gateway: &Gateway, view: &View) -> Result<Vec<Arc<BrokerVersions>>, End> {
    let mut found = Vec::new();
    let mut failed = None;
    for (id, pool) in &view.pools {
        match gateway.brokers.versions(id, pool).await {
            Ok(versions) => found.push(versions),
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error) if found.is_empty() => Err(End::NoBroker(error)),
        _some if found.is_empty() => Err(End::UnknownBroker),
        _some => Ok(found),
    }
}

/// Connects a client's upstream: to the broker that its port stands for, or to any at the bootstrap port.
pub async fn dial(gateway: &Gateway, key: &Key, node: Option<i32>) -> Result<Broker, End> {
    let view = gateway.view.load_full();
    let cluster = view.clusters.get(&key.cluster).ok_or(End::Revoked)?;
    let pool = view.pools.get(&cluster.pool).ok_or(End::UnknownBroker)?;
    let connection = match node {
        None => gateway.brokers.any(pool).await,
        Some(node) => {
            let broker = pool
                .brokers
                .iter()
                .find(|(id, _host, _port)| pool.place(*id) == node);
            let (_id, host, port) = broker.ok_or(End::UnknownBroker)?;
            connect(host, *port, pool).await
        }
    };
    let mut connection = connection.map_err(End::NoBroker)?;
    let versions = match gateway.brokers.held(&cluster.pool) {
        Some((since, versions)) if since.elapsed() < VERSIONS_AGE => versions,
        _stale => {
            let asked = gateway.brokers.ask(&cluster.pool, &mut connection).await;
            asked.map_err(End::NoBroker)?
        }
    };
    let (stream, buffer) = connection.into_parts();
    let (read, write) = stream.halves();
    // What a broker answers is as long as what its clients may ask for, and some more.
    let limit = gateway.limits.frame.saturating_mul(2);
    Ok(Broker {
        read: Intake::new(read, buffer, limit, &gateway.buffers),
        write,
        versions,
    })
}

async fn connect(host: &str, port: u16, pool: &Pool) -> Result<Connection<Stream>, CallError> {
    let options = Options {
        timeout: PATIENCE,
        client_id: "weir-gateway".to_owned(),
        ..Options::default()
    };
    let login = (pool.username.as_str(), pool.password.as_str());
    upstream::connect((host, port), &pool.security, login, options).await
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::gateway::view::tests as sample;

    fn pool(port: u16) -> Pool {
        let view = View::build(&sample::snapshot());
        let pool = view.pools.values().next().unwrap();
        Pool {
            brokers: vec![(1, "127.0.0.1".to_owned(), port)],
            ..Pool::clone(pool)
        }
    }

    #[tokio::test]
    async fn a_pool_that_refuses_is_asked_again_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let brokers = Brokers::default();
        let refused = brokers.versions("pool", &pool(port)).await.unwrap_err();
        assert!(matches!(refused, CallError::Io(_)), "{refused}");
        assert!(!brokers.is_away("pool"));
    }
}
