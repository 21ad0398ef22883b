//! One pool on this machine: its seat, its processes, and one turn of work on it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;
use weir_proto::agent::v1::{AttachedPool, BrokerPool, Reason};

use super::attached::Attachment;
use super::diff::{Action, Seen, diff};
use super::launch::{Folders, broker, format};
use super::properties::NativeListener;
use super::seat::Seat;
use crate::config::{KafkaInstall, Ports};
use crate::platform::Platform;
use crate::platform::child::{Child, Step};
use crate::platform::kafka::PoolAddress;
use crate::policy::{Kind, Policy};

const FORMAT_MAX: Duration = Duration::from_secs(120);
/// How long a broker may take to end in order.
pub const STOP_PATIENCE: Duration = Duration::from_secs(40);

/// What a room works with.
pub struct Workshop<'a> {
    /// Kafka and processes.
    pub platform: &'a Platform,
    /// Where Kafka comes from.
    pub install: &'a KafkaInstall,
    /// The agent's ports.
    pub ports: Ports,
    /// Folder of log files.
    pub logs: &'a Path,
    /// Folder of process records.
    pub run: &'a Path,
    /// The customer's word.
    pub policy: &'a Policy,
    /// Folder of the customer's credentials for attached Kafka.
    pub credentials: &'a Path,
    /// Pools whose brokers take clients themselves, and how.
    pub native: (&'a BTreeSet<String>, &'a NativeListener),
}

/// One pool.
pub struct Room {
    id: String,
    folder: PathBuf,
    seat: Option<Seat>,
    children: BTreeMap<u16, Child>,
    /// What is known of it, when it is somebody's Kafka.
    attached: Option<Attachment>,
    ready: BTreeSet<i32>,
    /// A process is on its way up or down.
    pub restless: bool,
    /// All of them answered at some time.
    pub was_ready: bool,
    /// Why it is not as wished.
    pub stuck: Option<Reason>,
    /// The policy stopped an action.
    pub refused: bool,
}

impl Room {
    /// The room of a pool, with what the disk remembers.
    ///
    /// # Errors
    /// As the file system says.
    pub fn open(id: &str, pools: &Path, run: &Path) -> io::Result<Self> {
        let folder = pools.join(id);
        let seat = Seat::read(&folder)?;
        let mut room = Self {
            id: id.to_owned(),
            folder,
            seat,
            children: BTreeMap::new(),
            attached: None,
            ready: BTreeSet::new(),
            restless: false,
            was_ready: false,
            stuck: None,
            refused: false,
        };
        if let Some(seat) = &room.seat {
            for node in 1..=seat.brokers {
                let name = room.folders(Path::new(""), None).child(node);
                room.children
                    .insert(node, Child::remembered(run, &name, Instant::now())?);
            }
        }
        Ok(room)
    }

    fn folders<'a>(&'a self, logs: &'a Path, native: Option<&'a NativeListener>) -> Folders<'a> {
        Folders {
            pool_id: &self.id,
            pool: self.folder.clone(),
            logs,
            native,
        }
    }

    fn folders_of<'a>(&'a self, shop: &'a Workshop<'_>) -> Folders<'a> {
        let (pools, listener) = shop.native;
        self.folders(shop.logs, pools.contains(&self.id).then_some(listener))
    }

    /// Which range of ports it holds.
    #[must_use]
    pub fn slot(&self) -> Option<u16> {
        self.seat.as_ref().map(|seat| seat.slot)
    }

    /// Where its brokers are, once it is seated.
    #[must_use]
    pub fn address(&self, ports: Ports) -> Option<PoolAddress> {
        match &self.attached {
            Some(attached) => attached.address().cloned(),
            None => self.seat.as_ref().map(|seat| seat.address(&self.id, ports)),
        }
    }

    /// Where its first broker takes clients of a cluster in native mode: of an attached Kafka, where that Kafka says it is.
    #[must_use]
    pub fn native_address(&self, ports: Ports, advertised_host: &str) -> Option<(String, u16)> {
        match &self.attached {
            Some(attached) => {
                let (_node, host, port) = attached.address()?.brokers.first()?;
                Some((host.clone(), *port))
            }
            None => {
                let slot = self.slot()?;
                Some((advertised_host.to_owned(), ports.native(slot, 1)))
            }
        }
    }

    /// How many brokers answer now.
    #[must_use]
    pub fn brokers_ready(&self) -> u32 {
        u32::try_from(self.ready.len()).unwrap_or(u32::MAX)
    }

    /// Nothing is left of it.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.seat.is_none() && self.attached.is_none()
    }

    /// One turn: observe, compare, act. Never waits for a broker to start or stop.
    pub async fn turn(
        &mut self,
        wish: &BrokerPool,
        free_slot: Option<u16>,
        clusters: usize,
        shop: &Workshop<'_>,
    ) {
        self.stuck = None;
        self.refused = false;
        self.restless = false;
        if let Some(attached) = &wish.attached {
            return self.turn_attached(wish, attached, clusters, shop).await;
        }
        let unformatted: Vec<u16> = match &self.seat {
            None => Vec::new(),
            Some(seat) => (1..=seat.brokers)
                .filter(|node| !self.folders_of(shop).is_formatted(*node))
                .collect(),
        };
        let processes = shop.platform.processes.as_ref();
        let running = self
            .children
            .values()
            .filter(|child| child.running(processes).is_some())
            .count();
        let actions = diff(
            wish,
            &Seen {
                seat: self.seat.as_ref(),
                free_slot,
                unformatted: &unformatted,
                running,
                clusters,
            },
        );
        for action in actions {
            match self.act(action, wish, shop).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::error!(%error, pool = self.id, ?action, "a pool could not be served");
                    self.stuck = Some(Reason::Disk);
                    break;
                }
            }
        }
        self.observe_brokers(shop).await;
    }

    /// Somebody's Kafka: looked at, and let go when its tombstone says so and no cluster is on it.
    async fn turn_attached(
        &mut self,
        wish: &BrokerPool,
        attached: &AttachedPool,
        clusters: usize,
        shop: &Workshop<'_>,
    ) {
        if wish.deleted && clusters == 0 {
            self.attached = None;
            self.ready.clear();
            return;
        }
        let attachment = match self.attached.take() {
            Some(attachment) => Ok(attachment),
            None => Attachment::open(&self.folder),
        };
        match attachment {
            Ok(mut attachment) => {
                self.stuck = attachment
                    .look(&self.id, attached, shop.credentials, shop.platform)
                    .await;
                self.ready.clone_from(&attachment.brokers);
                self.was_ready |= !self.ready.is_empty();
                self.attached = Some(attachment);
            }
            Err(error) => {
                tracing::error!(%error, pool = self.id, "what was kept of an attached pool cannot be read");
                self.stuck = Some(Reason::Disk);
            }
        }
    }

    async fn observe_brokers(&mut self, shop: &Workshop<'_>) {
        self.ready = match self.address(shop.ports) {
            None => BTreeSet::new(),
            Some(at) => shop.platform.kafka.brokers_ready(&at).await.unwrap_or_default(),
        };
        let wished = self.seat.as_ref().map_or(0, |seat| u32::from(seat.brokers));
        if wished > 0 && self.brokers_ready() >= wished {
            self.was_ready = true;
        }
    }

    /// Says whether the next action may follow.
    async fn act(&mut self, action: Action, wish: &BrokerPool, shop: &Workshop<'_>) -> io::Result<bool> {
        match action {
            Action::Sit { slot, brokers } => {
                let seat = Seat::choose(slot, brokers)?;
                seat.write(&self.folder)?;
                self.seat = Some(seat);
                for node in 1..=brokers {
                    let name = self.folders_of(shop).child(node);
                    let child = Child::remembered(shop.run, &name, Instant::now())?;
                    self.children.insert(node, child);
                }
                Ok(true)
            }
            Action::Format(node) => self.format(node, shop).await,
            Action::Run(node) => self.run(node, wish, shop),
            Action::Stop => self.stop(shop.platform, Instant::now()).map(|_all_gone| false),
            Action::Destroy if !shop.policy.allows(Kind::PoolDelete, &wish.name) => {
                self.refused = true;
                Ok(false)
            }
            Action::Destroy => {
                std::fs::remove_dir_all(&self.folder)?;
                self.seat = None;
                self.children.clear();
                tracing::info!(
                    pool = self.id,
                    "a pool was destroyed with its data, as its tombstone asked"
                );
                Ok(true)
            }
            Action::Wait => Ok(false),
            Action::Refuse(reason) => {
                self.stuck = Some(reason);
                Ok(true)
            }
        }
    }

    async fn format(&mut self, node: u16, shop: &Workshop<'_>) -> io::Result<bool> {
        let Some(seat) = &self.seat else { return Ok(false) };
        let folders = self.folders_of(shop);
        let program = format(shop.install, shop.ports, seat, &folders, node)?;
        if shop.platform.processes.run(&program, FORMAT_MAX).await? {
            return Ok(true);
        }
        tracing::error!(pool = self.id, node, log = %program.log.display(), "a broker's storage could not be formatted");
        self.stuck = Some(Reason::Disk);
        Ok(false)
    }

    fn run(&mut self, node: u16, wish: &BrokerPool, shop: &Workshop<'_>) -> io::Result<bool> {
        let Some(seat) = &self.seat else { return Ok(false) };
        let folders = self.folders_of(shop);
        let (program, fingerprint) =
            broker(shop.install, shop.ports, seat, &folders, node, wish.restart_nonce)?;
        let Some(child) = self.children.get_mut(&node) else {
            return Ok(false);
        };
        let processes = shop.platform.processes.as_ref();
        let id = i32::from(node);
        if child.is_outdated(processes, &fingerprint) {
            // One broker at a time: the next when all others answer again.
            let others_ready =
                (1..=i32::from(seat.brokers)).all(|other| other == id || self.ready.contains(&other));
            if self.ready.contains(&id) && !others_ready {
                self.restless = true;
                return Ok(true);
            }
            self.ready.remove(&id);
        }
        let step = child.ensure(processes, &program, &fingerprint, Instant::now())?;
        self.restless |= step != Step::Running;
        Ok(true)
    }

    /// Asks all brokers to end; says whether all are gone. Never waits.
    ///
    /// # Errors
    /// When a process cannot be signalled.
    pub fn stop(&mut self, platform: &Platform, now: Instant) -> io::Result<bool> {
        let mut all_gone = true;
        for child in self.children.values_mut() {
            all_gone &= child.end(platform.processes.as_ref(), STOP_PATIENCE, now)?;
        }
        Ok(all_gone)
    }
}

#[cfg(test)]
#[path = "room_tests.rs"]
mod tests;
