//! One client's connection: login, then two streams of frames, one each way, in one task.

mod acquaintance;
mod again;
mod buffers;
mod certificate;
mod end;
mod farewell;
mod guard;
mod intake;
mod inwards;
mod judging;
mod live;
mod login;
mod pay;
mod roster;
mod serve;
mod stream;
mod timing;
mod upstream;
mod wishing;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;

use super::client_certificate::Presented;
use super::quota::Seat;
use super::rewrite::Shared;
use super::sasl::Pepper;
use super::slow::Slow;
use super::sni::Named;
use super::view::{Key, View};
use super::wishes::Wishes;

pub use buffers::Buffers;
pub use end::End;
pub use guard::{Guard, Waiting};
pub use live::Live;
#[cfg(any(test, feature = "fuzzing"))]
pub use login::knock;
pub use roster::Roster;
pub use stream::Client;
pub use upstream::Brokers;

/// One connection too many is closed after this time, so that its client does not come back at once, again and again.
const TURNED_AWAY: Duration = Duration::from_secs(1);

/// What a connection may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of one frame once logged in.
    pub frame: usize,
    /// Bytes of one frame before.
    pub stranger_frame: usize,
    /// Bytes in the buffers of all connections together, beside a little for each.
    pub buffers: usize,
    /// Connections in all.
    pub connections: usize,
    /// Requests whose answers are not written yet; no more are read meanwhile.
    pub in_flight: usize,
    /// Connections that one address may begin in a second, on average.
    pub connections_per_second: u32,
    /// From accept to login.
    pub login: Duration,
    /// Without a frame either way.
    pub idle: Duration,
    /// How long answers to produce requests are awaited after their client went.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame: 100 * 1024 * 1024,
            stranger_frame: 16 * 1024,
            buffers: 1024 * 1024 * 1024,
            connections: 10_000,
            in_flight: 512,
            connections_per_second: 500,
            login: Duration::from_secs(10),
            idle: Duration::from_secs(600),
            farewell: Duration::from_secs(30),
        }
    }
}

/// Where a connection comes from, and what it says before its first request.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The client's address.
    pub address: IpAddr,
    /// The broker that its port stands for, `None` for the bootstrap port.
    pub node: Option<i32>,
    /// The cluster that it named by SNI.
    pub named: Option<Named>,
    /// The certificate whose key it proved to hold.
    pub presented: Option<Presented>,
}

impl Arrival {
    /// The broker that it wants: by name, else by port.
    fn node(&self) -> Option<i32> {
        let named = self.named.as_ref().and_then(|it| it.node);
        named.or(self.node)
    }

    /// A client that names one cluster and shows the key of another means neither.
    fn agrees(&self, key: &Key) -> bool {
        self.named.as_ref().is_none_or(|it| it.cluster == key.cluster)
    }
}

/// What all connections share.
#[derive(Debug)]
pub struct Gateway {
    /// The snapshot in force.
    pub view: ArcSwap<View>,
    /// Its version, when it changes.
    pub changed: watch::Sender<u64>,
    /// True once the gateway stops.
    pub draining: watch::Sender<bool>,
    /// Connections that are logged in.
    pub live: Live,
    /// Who they are.
    pub roster: Roster,
    /// Connections that are not, by address.
    pub guard: Guard,
    /// Memory for what is on its way.
    pub buffers: Arc<Buffers>,
    /// Room for connections.
    pub room: Arc<Semaphore>,
    /// The brokers.
    pub brokers: Brokers,
    /// For unknown users.
    pub pepper: Pepper,
    /// What tenants share.
    pub shared: Shared,
    /// Clients' administrative wishes.
    pub wishes: Arc<Wishes>,
    /// Where slow requests are told, if anywhere.
    pub slow: Option<Slow>,
    /// What a connection may take.
    pub limits: Limits,
}

impl Gateway {
    /// Puts a snapshot in force. Whatever begins from now on obeys it. Returns the one before.
    pub fn install(&self, view: View) -> Arc<View> {
        let version = view.version;
        self.shared.quotas.install(version, &view.quotas);
        let before = self.view.swap(Arc::new(view));
        self.changed.send_replace(version);
        before
    }

    /// A place among the connections that the principal's quotas allow.
    fn seat(&self, key: &Key) -> Option<Seat> {
        let view = self.view.load();
        let quotas = &self.shared.quotas;
        quotas.seat(view.version, &view.quotas, &key.cluster, &key.principal)
    }

    /// Serves one client that was let in.
    pub async fn serve<C: Client>(&self, client: C, waiting: Waiting<'_>, arrival: Arrival) {
        let address = arrival.address;
        // Apart, so that its room is given back.
        let login = Box::pin(login::login(self, client, &waiting, &arrival));
        let mut session = match login.await {
            Ok(session) => session,
            Err(end) => return end.log(address, None),
        };
        drop(waiting);
        let key = Arc::clone(&session.login.key);
        let Some(_seat) = self.seat(&key) else {
            sleep(TURNED_AWAY).await;
            return End::NoSeat.log(address, Some(&key));
        };
        let end = match upstream::dial(self, &key, arrival.node()).await {
            Ok(broker) => {
                let place = self.roster.enter(&key, session.known, address);
                serve::serve(self, &mut session, broker, arrival, &place.present).await
            }
            Err(end) => end,
        };
        end.log(address, Some(&key));
    }
}

#[cfg(test)]
mod again_tests;
#[cfg(test)]
mod judging_tests;
#[cfg(test)]
mod pressure_tests;
#[cfg(test)]
pub(super) mod quota_tests;
#[cfg(test)]
mod shares_tests;
#[cfg(test)]
mod slow_tests;
