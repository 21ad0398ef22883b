//! The driver's part for pools, and the end of all children.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::Driver;
use crate::config::POOL_SLOTS;
use crate::policy::Policy;
use crate::resources::broker_pool::{NativeListener, Room, Workshop};
use crate::resources::is_plain_id;

/// How often ending children are looked at.
const LOOK: Duration = Duration::from_millis(50);

impl Driver {
    pub(super) async fn turn_pools(&mut self, policy: &Policy) -> io::Result<()> {
        let pools_folder = self.config.state_dir.join("pools");
        let run = self.config.state_dir.join("run");
        let logs = self.config.state_dir.join("logs");
        let credentials = self.config.state_dir.join("credentials");
        for wish in &self.admitted.broker_pools {
            if is_plain_id(&wish.id) && !self.rooms.contains_key(&wish.id) {
                let room = Room::open(&wish.id, &pools_folder, &run)?;
                self.rooms.insert(wish.id.clone(), room);
            }
        }
        let (native, listener) = (self.native_pools(), self.native_listener());
        let shop = Workshop {
            platform: &self.platform,
            install: &self.config.kafka,
            ports: self.config.ports,
            logs: &logs,
            run: &run,
            policy,
            credentials: &credentials,
            native: (&native, &listener),
        };
        let mut taken: BTreeSet<u16> = self.rooms.values().filter_map(Room::slot).collect();
        for wish in &self.admitted.broker_pools {
            let attached = wish.attached.is_some();
            let Some(room) = self.rooms.get_mut(&wish.id) else {
                continue;
            };
            let free = (0..POOL_SLOTS).find(|slot| !taken.contains(slot));
            let clusters = self
                .admitted
                .clusters
                .iter()
                .filter(|cluster| !cluster.deleted && cluster.broker_pool_id == wish.id);
            room.turn(wish, free, clusters.count(), &shop).await;
            taken.extend(room.slot());
            let waits = if wish.deleted {
                !room.is_gone()
            } else if attached {
                // Looked at again in its turn; nothing of ours is on its way.
                false
            } else {
                room.brokers_ready() < wish.brokers || room.restless
            };
            if waits && room.stuck.is_none() && !room.refused {
                self.unsettled = true;
            }
            self.obstructed |= room.stuck.is_some();
        }
        // A pool whose tombstone was carried out and forgotten.
        let named: BTreeSet<&str> = self
            .admitted
            .broker_pools
            .iter()
            .map(|it| it.id.as_str())
            .collect();
        self.rooms
            .retain(|id, room| named.contains(id.as_str()) || !room.is_gone());
        Ok(())
    }

    /// As the gateway: the same addresses, the same certificate.
    fn native_listener(&self) -> NativeListener {
        NativeListener {
            listen_host: self.config.listen_host.clone(),
            advertised_host: self.config.advertised_host.clone(),
            tls: self.config.gateway_listener.tls.clone(),
        }
    }

    /// Ends the workers of jobs, the gateway, then the brokers. Waits for each to be gone.
    pub(super) async fn end_children(mut self) {
        while !self.end_workers() {
            tokio::time::sleep(LOOK).await;
        }
        loop {
            match self.gateway.end(self.platform.processes.as_ref(), Instant::now()) {
                Ok(true) => break,
                Ok(false) => tokio::time::sleep(LOOK).await,
                Err(error) => {
                    tracing::error!(%error, "the gateway could not be ended");
                    break;
                }
            }
        }
        loop {
            let mut all_gone = true;
            for (id, room) in &mut self.rooms {
                match room.stop(&self.platform, Instant::now()) {
                    Ok(gone) => all_gone &= gone,
                    Err(error) => tracing::error!(%error, pool = id, "a broker could not be ended"),
                }
            }
            if all_gone {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
