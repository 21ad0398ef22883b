//! The ports: bootstrap at the base, broker node n at base + n, opened when the snapshot names the node.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::client_certificate::Presented;
use super::conn::{Arrival, Gateway};
use super::crew::{Crew, Place};
use super::proxy::{self, Carried, ProxyError};
use super::sni::{Domain, Named};
use super::tls::Tls;
use super::view::Pool;
use crate::network::Network;

/// Nodes that have a port.
pub const NODES: std::ops::RangeInclusive<i32> = 1..=9;

/// Where and how clients are awaited.
#[derive(Clone)]
pub struct Doors {
    /// The address to listen on.
    pub host: String,
    /// The bootstrap port.
    pub port_base: u16,
    /// Client TLS, if any.
    pub tls: Option<Tls>,
    /// Balancers, whose connections begin with a PROXY header.
    pub proxy_from: Arc<[Network]>,
    /// Below which names are clusters.
    pub domain: Option<Arc<Domain>>,
    /// Who serves.
    pub crew: Arc<Crew>,
}

/// What each connection needs to know of [`Doors`].
#[derive(Clone)]
struct Door {
    node: Option<i32>,
    tls: Option<Tls>,
    proxy_from: Arc<[Network]>,
    domain: Option<Arc<Domain>>,
    crew: Arc<Crew>,
}

impl Door {
    /// The cluster that a name means here.
    fn meant(&self, name: &str) -> Option<Named> {
        self.domain.as_ref()?.meant(name)
    }
}

impl Doors {
    fn door(&self, node: Option<i32>) -> Door {
        Door {
            node,
            tls: self.tls.clone(),
            proxy_from: Arc::clone(&self.proxy_from),
            domain: self.domain.clone(),
            crew: Arc::clone(&self.crew),
        }
    }

    async fn bind(&self, node: Option<i32>) -> std::io::Result<TcpListener> {
        let offset = u16::try_from(node.unwrap_or(0)).unwrap_or(0);
        TcpListener::bind((self.host.as_str(), self.port_base.saturating_add(offset))).await
    }

    /// Opens the bootstrap port, then the ports of nodes as snapshots name them, until the gateway stops.
    ///
    /// # Errors
    /// When the bootstrap port cannot be opened.
    pub async fn run(self, gateway: Arc<Gateway>) -> std::io::Result<()> {
        let bootstrap = self.bind(None).await?;
        tracing::info!(address = %bootstrap.local_addr()?, "the gateway listens");
        let mut open: BTreeMap<i32, JoinHandle<()>> = BTreeMap::new();
        let first = tokio::spawn(accept(Arc::clone(&gateway), bootstrap, self.door(None)));
        let mut changed = gateway.changed.subscribe();
        changed.mark_changed();
        let mut draining = gateway.draining.subscribe();
        loop {
            tokio::select! {
                moved = changed.changed() => if moved.is_err() { break },
                // A port that somebody else held may be free by now.
                () = sleep(Duration::from_secs(5)) => {}
                _stop = draining.wait_for(|it| *it) => break,
            }
            let view = gateway.view.load_full();
            let of_pool = |pool: &Pool| -> Vec<i32> {
                pool.brokers.iter().map(|(node, ..)| pool.place(*node)).collect()
            };
            let places: BTreeSet<i32> = view.pools.values().flat_map(of_pool).collect();
            for node in places.iter().filter(|node| NODES.contains(node)) {
                if open.contains_key(node) {
                    continue;
                }
                match self.bind(Some(*node)).await {
                    Ok(listener) => {
                        let accepting = accept(Arc::clone(&gateway), listener, self.door(Some(*node)));
                        open.insert(*node, tokio::spawn(accepting));
                    }
                    Err(error) => tracing::error!(node, %error, "a broker's port cannot be opened"),
                }
            }
        }
        first.abort();
        open.into_values().for_each(|it| it.abort());
        Ok(())
    }
}

async fn accept(gateway: Arc<Gateway>, listener: TcpListener, door: Door) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                let Ok(permit) = Arc::clone(&gateway.room).try_acquire_owned() else {
                    tracing::warn!(%address, "no room for another connection");
                    continue;
                };
                // Given away here, and taken up by the thread that serves it.
                let Ok(stream) = stream.into_std() else { continue };
                let (gateway, door) = (Arc::clone(&gateway), door.clone());
                let crew = Arc::clone(&door.crew);
                crew.serve(|place| serve(gateway, stream, address.ip(), door, (permit, place)));
            }
            Err(error) => {
                // Out of descriptors, most likely: they come back.
                tracing::error!(%error, "a connection cannot be accepted");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Whose connection it is, then its limits, then TLS: what is cheap comes first.
async fn serve(
    gateway: Arc<Gateway>,
    stream: std::net::TcpStream,
    peer: IpAddr,
    door: Door,
    _room: (OwnedSemaphorePermit, Place),
) {
    let Ok(mut stream) = TcpStream::from_std(stream) else {
        return;
    };
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let address = match carried(&mut stream, peer, &door, gateway.limits.login).await {
        Ok(address) => address,
        Err(error) => {
            return tracing::warn!(%peer, error = &error as &dyn std::error::Error, "a connection was closed");
        }
    };
    let waiting = match gateway.guard.admit(address) {
        Ok(waiting) => waiting,
        Err(reason) => return tracing::warn!(%address, %reason, "a connection was closed"),
    };
    let mut arrival = Arrival {
        address,
        node: door.node,
        named: None,
        presented: None,
    };
    match &door.tls {
        None => gateway.serve(stream, waiting, arrival).await,
        Some(tls) => {
            let asks = |name: &str| {
                let cluster = door.meant(name).map(|it| it.cluster);
                cluster.is_some_and(|it| gateway.view.load().asks_for_certificates(&it))
            };
            match Box::pin(timeout(gateway.limits.login, tls.accept(stream, asks))).await {
                Ok(Ok(stream)) => {
                    let (_socket, session) = stream.get_ref();
                    arrival.named = session.server_name().and_then(|it| door.meant(it));
                    let certificate = session.peer_certificates().and_then(<[_]>::first);
                    arrival.presented = certificate.and_then(Presented::read);
                    // Apart: a TLS session is larger than all the rest, and plain connections need no room for one.
                    Box::pin(gateway.serve(stream, waiting, arrival)).await;
                }
                Ok(Err(error)) => tracing::debug!(%address, %error, "a TLS handshake failed"),
                Err(_elapsed) => tracing::debug!(%address, "a TLS handshake took too long"),
            }
        }
    }
}

/// The client's address: the peer's own, or as a trusted balancer says.
async fn carried(
    stream: &mut TcpStream,
    peer: IpAddr,
    door: &Door,
    patience: Duration,
) -> Result<IpAddr, ProxyError> {
    if !door.proxy_from.iter().any(|it| it.holds(peer)) {
        return Ok(peer);
    }
    let read = timeout(patience, proxy::read(stream)).await;
    match read.unwrap_or(Err(ProxyError::Absent))? {
        Carried::Client(address) => Ok(address),
        Carried::Nobody => Ok(peer),
    }
}

/// Resolves once no connection is live, or after `patience`.
pub async fn quiet(gateway: &Gateway, patience: Duration) {
    let (_sender, mut never) = watch::channel(());
    let until_quiet = async {
        while gateway.live.count() > 0 {
            let _elapsed = timeout(Duration::from_millis(20), never.changed()).await;
        }
    };
    let _late = timeout(patience, until_quiet).await;
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod certificate_tests;
#[cfg(test)]
#[path = "listen_tests.rs"]
mod tests;
