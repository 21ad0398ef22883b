//! The ports: bootstrap at the base, broker node n at base + n, opened when the snapshot names the node.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::conn::Gateway;
use super::view::Pool;

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
    pub tls: Option<TlsAcceptor>,
}

impl Doors {
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
        let first = tokio::spawn(accept(Arc::clone(&gateway), bootstrap, None, self.tls.clone()));
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
                        let accepting = accept(Arc::clone(&gateway), listener, Some(*node), self.tls.clone());
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

async fn accept(gateway: Arc<Gateway>, listener: TcpListener, node: Option<i32>, tls: Option<TlsAcceptor>) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                let Ok(permit) = Arc::clone(&gateway.room).try_acquire_owned() else {
                    tracing::warn!(%address, "no room for another connection");
                    continue;
                };
                let serving = serve(Arc::clone(&gateway), stream, node, tls.clone(), permit);
                tokio::spawn(serving);
            }
            Err(error) => {
                // Out of descriptors, most likely: they come back.
                tracing::error!(%error, "a connection cannot be accepted");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve(
    gateway: Arc<Gateway>,
    stream: TcpStream,
    node: Option<i32>,
    tls: Option<TlsAcceptor>,
    _room: OwnedSemaphorePermit,
) {
    let Ok(address) = stream.peer_addr() else {
        return;
    };
    if stream.set_nodelay(true).is_err() {
        return;
    }
    match tls {
        None => gateway.serve(stream, address.ip(), node).await,
        Some(acceptor) => {
            let handshake = timeout(gateway.limits.login, acceptor.accept(stream));
            match handshake.await {
                Ok(Ok(stream)) => gateway.serve(stream, address.ip(), node).await,
                Ok(Err(error)) => tracing::debug!(%address, %error, "a TLS handshake failed"),
                Err(_elapsed) => tracing::debug!(%address, "a TLS handshake took too long"),
            }
        }
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
