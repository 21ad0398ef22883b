//! The processes of one pool's Flink: started, found again by the next agent, ended in order.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::configuration::{FlinkPorts, Folders};
use super::job_manager::JobManager;
use super::keys::{Keys, Shop};
use super::launch::{FlinkInstall, Part, program, write_configuration};
use super::rest::Rest;
use super::sizes::Size;
use super::sql_gateway::SqlGateway;
use super::store::{Settings, Store};
use crate::disk;
use crate::platform::child::{Child, Step};
use crate::platform::process::Processes;

/// How long a process may take to end. None of them has something to finish: state is in checkpoints.
const PATIENCE: Duration = Duration::from_secs(10);
const FILE_BYTES_MAX: u64 = 4 * 1024;
/// So many failed starts in a row, and other ports are tried.
const STARTS_MAX: u32 = 3;

/// What a pool's Flink is made of and where it lies.
#[derive(Clone)]
pub struct Site {
    /// The compute pool's id: safe to name a folder.
    pub pool: String,
    /// The state folder's part for Flink.
    pub root: PathBuf,
    /// Where pid files lie.
    pub run: PathBuf,
    /// Where the agent's logs lie.
    pub logs: PathBuf,
    /// Jars and Java.
    pub install: FlinkInstall,
    /// The OS user of the pool.
    pub user: Option<u32>,
    /// Where jobs keep what they remember, if not on this machine: and what Flink is told of it, a secret among it.
    pub bucket: Option<(Store, Settings)>,
}

/// One pool's Flink.
pub struct Session {
    site: Site,
    folders: Folders,
    store: Store,
    ports: FlinkPorts,
    keys: Option<Keys>,
    children: BTreeMap<Part, Child>,
    failed_starts: u32,
    ever_ready: bool,
}

/// The two ends that are talked to.
#[derive(Clone)]
pub struct Clients {
    /// For jobs that run.
    pub job_manager: JobManager,
    /// For statements.
    pub gateway: SqlGateway,
}

impl Session {
    /// Opens what the disk remembers.
    ///
    /// # Errors
    /// As the file system says.
    pub fn open(site: Site, now: Instant) -> io::Result<Self> {
        let folders = Folders::below(&site.root.join(&site.pool));
        disk::private_folder(folders.root())?;
        let remembered = disk::read_json(&ports_file(&site), FILE_BYTES_MAX).unwrap_or(None);
        let ports = match remembered {
            Some(ports) => ports,
            None => new_ports(&site)?,
        };
        let local = || Store::Local(folders.clone());
        let store = site
            .bucket
            .as_ref()
            .map_or_else(local, |(store, _told)| store.clone());
        let mut session = Self {
            folders,
            store,
            ports,
            keys: None,
            children: BTreeMap::new(),
            failed_starts: 0,
            ever_ready: false,
            site,
        };
        for part in session.remembered_parts()? {
            session.child(part, now)?;
        }
        Ok(session)
    }

    /// Where its jobs keep what they remember.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Running processes.
    #[must_use]
    pub fn alive(&self, processes: &dyn Processes) -> usize {
        let alive = self
            .children
            .values()
            .filter(|it| it.running(processes).is_some());
        alive.count()
    }

    /// The JobManager's process, by which one is told from the next.
    #[must_use]
    pub fn epoch(&self, processes: &dyn Processes) -> Option<(i32, i32)> {
        let pid = |part| self.children.get(&part)?.running(processes);
        Some((pid(Part::JobManager)?, pid(Part::SqlGateway)?))
    }

    /// Its TaskManagers, those too that are ending.
    #[must_use]
    pub fn task_managers(&self) -> BTreeSet<u32> {
        let numbers = self.children.keys().filter_map(|it| match it {
            Part::TaskManager(number) => Some(*number),
            Part::JobManager | Part::SqlGateway => None,
        });
        numbers.collect()
    }

    /// It answered: the next failures count anew.
    pub const fn is_ready(&mut self) {
        self.ever_ready = true;
        self.failed_starts = 0;
    }

    /// Takes one step towards: everything runs, with these TaskManagers, of this size.
    ///
    /// # Errors
    /// As the operating system says.
    pub async fn ensure(
        &mut self,
        (crew, size): (&BTreeSet<u32>, Size),
        processes: &dyn Processes,
        now: Instant,
    ) -> io::Result<Clients> {
        if self.failed_starts >= STARTS_MAX && !self.ever_ready {
            tracing::warn!(
                pool = self.site.pool,
                "Flink does not come up: it gets other ports"
            );
            self.ports = new_ports(&self.site)?;
            self.failed_starts = 0;
        }
        let configured = self.prepare(processes).await?;
        self.one((Part::JobManager, size), &configured, processes, now)?;
        // A JobManager that was started anew knows nobody: the others start anew, too.
        let manager = self
            .children
            .get(&Part::JobManager)
            .and_then(|it| it.running(processes));
        if let Some(pid) = manager {
            let with = format!("{configured}-{pid}");
            for number in crew {
                self.one((Part::TaskManager(*number), size), &with, processes, now)?;
            }
            self.one((Part::SqlGateway, size), &configured, processes, now)?;
        }
        let surplus = |part: &Part| matches!(part, Part::TaskManager(number) if !crew.contains(number));
        for part in self.parts(surplus) {
            self.end_one(part, processes, now)?;
        }
        self.clients()
    }

    /// Asks all processes to end, one kind after the other; says whether they are gone. Never waits.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn end(&mut self, processes: &dyn Processes, now: Instant) -> io::Result<bool> {
        // Who has no other to talk to goes first.
        for kind in [Part::SqlGateway, Part::TaskManager(0), Part::JobManager] {
            let same = |part: &Part| std::mem::discriminant(part) == std::mem::discriminant(&kind);
            for part in self.parts(same) {
                self.end_one(part, processes, now)?;
            }
            if !self.parts(same).is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Both ends.
    ///
    /// # Errors
    /// When the keys were not made yet.
    pub fn clients(&self) -> io::Result<Clients> {
        let keys = self.keys.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let rest = |port| Rest::local(port, keys.tls.clone());
        Ok(Clients {
            job_manager: JobManager::new(rest(self.ports.rest)),
            gateway: SqlGateway::new(rest(self.ports.gateway)),
        })
    }

    fn parts(&self, which: impl Fn(&Part) -> bool) -> Vec<Part> {
        self.children.keys().filter(|it| which(it)).copied().collect()
    }

    /// Folders, keys and configuration; says by what a change of them is seen.
    async fn prepare(&mut self, processes: &dyn Processes) -> io::Result<String> {
        for folder in self.folders.all() {
            disk::private_folder(&folder)?;
        }
        if self.keys.is_none() {
            let own = self.site.root.join("agent").join(&self.site.pool);
            disk::private_folder(&own)?;
            let shop = Shop {
                folders: &self.folders,
                own: &own,
                java: &self.site.install.java,
                processes,
            };
            self.keys = Some(shop.open_or_make().await?);
        }
        let keys = self.keys.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let told = self.site.bucket.as_ref().map(|(_store, told)| told.as_slice());
        let files = write_configuration(self.ports, &self.folders, &keys.stores, told.unwrap_or_default())?;
        let mut said = String::new();
        for file in &files {
            said.push_str(&std::fs::read_to_string(file)?);
        }
        if let Some(user) = self.site.user {
            let keys = [keys.stores.key.clone(), keys.stores.trust.clone()];
            for path in self.folders.all().iter().chain(&files).chain(&keys) {
                std::os::unix::fs::chown(path, Some(user), Some(user))?;
            }
        }
        Ok(weir_credentials::hex(&weir_credentials::sha256(said.as_bytes())))
    }

    fn one(
        &mut self,
        (part, size): (Part, Size),
        configured: &str,
        processes: &dyn Processes,
        now: Instant,
    ) -> io::Result<()> {
        let Site {
            pool,
            install,
            user,
            logs,
            ..
        } = &self.site;
        let log = logs.join(format!("{pool}-{}.log", part.name()));
        let program = program((part, size), pool, install, &self.folders, *user, log);
        let fingerprint = format!("{configured}-{:?}", program.arguments);
        let fingerprint = weir_credentials::hex(&weir_credentials::sha256(fingerprint.as_bytes()));
        let child = self.child(part, now)?;
        // One that is outdated has nothing to finish either.
        if child.is_outdated(processes, &fingerprint) {
            child.end(processes, PATIENCE, now)?;
            return Ok(());
        }
        match child.ensure(processes, &program, &fingerprint, now) {
            Ok(Step::Started) if part == Part::JobManager => self.failed_starts += 1,
            Ok(_step) => {}
            Err(error) => {
                tracing::error!(%error, child = program.name, "a process of Flink could not be started")
            }
        }
        Ok(())
    }

    fn child(&mut self, part: Part, now: Instant) -> io::Result<&mut Child> {
        use std::collections::btree_map::Entry;
        Ok(match self.children.entry(part) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(place) => {
                let name = format!("{}-{}", self.site.pool, part.name());
                place.insert(Child::remembered(&self.site.run, &name, now)?)
            }
        })
    }

    fn end_one(&mut self, part: Part, processes: &dyn Processes, now: Instant) -> io::Result<()> {
        let Some(child) = self.children.get_mut(&part) else {
            return Ok(());
        };
        if child.end(processes, PATIENCE, now)? {
            self.children.remove(&part);
        }
        Ok(())
    }

    /// Parts that have a pid file.
    fn remembered_parts(&self) -> io::Result<Vec<Part>> {
        disk::private_folder(&self.site.run)?;
        let before = format!("{}-", self.site.pool);
        let mut parts = Vec::new();
        for item in std::fs::read_dir(&self.site.run)? {
            let name = item?.file_name();
            let part = name
                .to_str()
                .and_then(|it| it.strip_prefix(&before)?.strip_suffix(".pid"));
            parts.extend(match part {
                Some("jobmanager") => Some(Part::JobManager),
                Some("sqlgateway") => Some(Part::SqlGateway),
                Some(other) => other
                    .strip_prefix("taskmanager-")
                    .and_then(|it| it.parse().ok())
                    .map(Part::TaskManager),
                None => None,
            });
        }
        Ok(parts)
    }
}

fn ports_file(site: &Site) -> PathBuf {
    site.root.join("agent").join(format!("{}.ports", site.pool))
}

fn new_ports(site: &Site) -> io::Result<FlinkPorts> {
    let ports = FlinkPorts::free()?;
    let path = ports_file(site);
    disk::private_folder(path.parent().unwrap_or_else(|| Path::new(".")))?;
    disk::write_json(&path, &ports)?;
    Ok(ports)
}
