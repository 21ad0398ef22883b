//! The workers of one job: children of the agent, what they are handed, and what they write.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use weir_proto::agent::v1::{ApiKey, Job};

use super::Identity;
use super::scaling::Scaler;
use super::sleep::{Asleep, Drowsy};
use crate::disk;
use crate::platform::child::{Child, Step};
use crate::platform::process::{Processes, Program};
use crate::processor::halt::HaltCode;
use crate::processor::progress::Progress;
use crate::processor::spec::{Position, WorkerSpec};

/// How long a worker may take to finish its transaction and leave its group.
const PATIENCE: Duration = Duration::from_secs(25);
/// A worker that wrote nothing for so long is not counted on.
pub(super) const STALE_MS: u64 = 15_000;
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// More than any job has.
const SLOTS_MAX: u32 = 1000;

/// What workers are started with.
pub struct Hand<'a> {
    /// Of slot 0; others differ in their slot only.
    pub spec: &'a WorkerSpec,
    /// Of everything that a worker has to be started anew for.
    pub fingerprint: &'a str,
    /// The agent's own program.
    pub executable: &'a Path,
    /// The OS user of the job's pool.
    pub user: Option<u32>,
    /// Where logs go.
    pub logs: &'a Path,
}

/// How many workers do what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Workers {
    /// Running processes.
    pub alive: u32,
    /// Those that have joined the job's group.
    pub joined: u32,
    /// Those that ended unasked and are started again after a pause.
    pub resting: u32,
    /// Why the newest one ended by itself.
    pub halted: Option<HaltCode>,
}

/// What is kept of a job beside its identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    pub(super) restarts: u64,
    /// The topic that positions are of.
    pub(super) source: String,
    /// Where the job stands, by partition.
    pub(super) positions: BTreeMap<i32, Position>,
    pub(super) asleep: Option<Asleep>,
}

pub(super) struct Worker {
    pub(super) child: Child,
    /// It ran when it was last looked at.
    ran: bool,
    ending: bool,
    resting: bool,
}

/// One job on this machine.
pub struct Room {
    pub(super) id: String,
    pub(super) folder: PathBuf,
    run: PathBuf,
    identity: Identity,
    pub(super) kept: Kept,
    /// What the disk has of it.
    pub(super) written: Kept,
    /// How many workers it should have.
    pub scaler: Scaler,
    /// Since when it has had nothing to do.
    pub drowsy: Drowsy,
    /// Records that wait while it sleeps.
    pub(super) waiting: Option<u64>,
    pub(super) workers: BTreeMap<u32, Worker>,
    pub(super) progress: BTreeMap<u32, Progress>,
}

impl Room {
    /// Opens the job's room with what the disk remembers of it. `id` is safe to name a folder.
    ///
    /// # Errors
    /// As the file system says.
    pub fn open(id: &str, jobs: &Path, run: &Path, now: Instant) -> io::Result<Self> {
        let folder = jobs.join(id);
        let identity = Identity::open_or_make(&folder)?;
        let kept: Kept = disk::read_json(&folder.join("room.json"), FILE_BYTES_MAX)
            .unwrap_or(None)
            .unwrap_or_default();
        let scaled = disk::read_json(&folder.join("scaling.json"), FILE_BYTES_MAX);
        let mut room = Self {
            identity,
            written: kept.clone(),
            kept,
            scaler: Scaler::of(scaled.unwrap_or(None).unwrap_or_default()),
            drowsy: Drowsy::default(),
            waiting: None,
            workers: BTreeMap::new(),
            progress: BTreeMap::new(),
            id: id.to_owned(),
            folder,
            run: run.to_owned(),
        };
        disk::private_folder(run)?;
        let before = format!("{id}-worker-");
        for slot in slots(run, &before, ".pid")? {
            let worker = room.worker(slot, now)?;
            room.workers.insert(slot, worker);
        }
        for slot in slots(&room.folder, "worker-", ".progress")? {
            room.progress.insert(slot, Progress::default());
        }
        Ok(room)
    }

    /// The key that gateways are told.
    #[must_use]
    pub fn key(&self, job: &Job) -> ApiKey {
        self.identity.key(job)
    }

    /// The secret, for a worker's spec.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.identity.reveal()
    }

    /// Running processes.
    #[must_use]
    pub fn alive(&self, processes: &dyn Processes) -> u32 {
        let alive = self
            .workers
            .values()
            .filter(|it| it.child.running(processes).is_some());
        u32::try_from(alive.count()).unwrap_or(u32::MAX)
    }

    /// Their process ids.
    pub fn pids<'a>(&'a self, processes: &'a dyn Processes) -> impl Iterator<Item = i32> + 'a {
        let workers = self.workers.values();
        workers.filter_map(|it| it.child.running(processes))
    }

    /// Takes one step towards `wanted` workers with what they are handed; none when there is no hand. `free` is how many more
    /// may be started in the pool now. Never waits.
    ///
    /// # Errors
    /// As the file system says.
    pub fn turn(
        &mut self,
        hand: Option<&Hand<'_>>,
        wanted: u32,
        free: &mut u32,
        processes: &dyn Processes,
        now: Instant,
    ) -> io::Result<()> {
        let wanted = hand.map_or(0, |_hand| wanted.min(SLOTS_MAX));
        self.count_ends(processes)?;
        let leaving: Vec<u32> = self
            .workers
            .range(wanted..)
            .map(|(slot, _worker)| *slot)
            .collect();
        for slot in leaving {
            self.end_one(slot, processes, now)?;
        }
        let Some(hand) = hand.filter(|_hand| wanted > 0) else {
            return Ok(());
        };
        // Two versions of a program never run beside each other.
        let outdated: Vec<u32> = self
            .workers
            .iter()
            .filter(|(_slot, it)| it.child.is_outdated(processes, hand.fingerprint))
            .map(|(slot, _it)| *slot)
            .collect();
        if !outdated.is_empty() {
            for slot in outdated {
                self.end_one(slot, processes, now)?;
            }
            return Ok(());
        }
        for slot in 0..wanted {
            self.ensure(slot, hand, free, processes, now)?;
        }
        Ok(())
    }

    /// Asks all workers to end; says whether they are gone. Never waits.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn stop(&mut self, processes: &dyn Processes, now: Instant) -> io::Result<bool> {
        let slots: Vec<u32> = self.workers.keys().copied().collect();
        for slot in slots {
            self.end_one(slot, processes, now)?;
        }
        Ok(self.workers.is_empty())
    }

    /// Forgets the job: its secret and its counts. Only when no worker is left.
    ///
    /// # Errors
    /// As the file system says.
    pub fn bury(&self) -> io::Result<()> {
        match std::fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _gone => Ok(()),
        }
    }

    /// How its workers are, `wanted` of them.
    #[must_use]
    pub fn workers(&self, wanted: u32, processes: &dyn Processes, now_unix_ms: u64) -> Workers {
        let mut told = Workers::default();
        let mut newest = 0;
        for (slot, worker) in &self.workers {
            let progress = self.progress.get(slot);
            let pid = worker
                .child
                .running(processes)
                .and_then(|it| u32::try_from(it).ok());
            told.alive += u32::from(pid.is_some());
            told.resting += u32::from(worker.resting && pid.is_none() && *slot < wanted);
            let Some(progress) = progress else { continue };
            let fresh = now_unix_ms.saturating_sub(progress.at_unix_ms) < STALE_MS;
            told.joined += u32::from(progress.joined && fresh && pid == Some(progress.pid) && *slot < wanted);
            if progress.halt.is_some() && progress.at_unix_ms >= newest && *slot < wanted {
                (told.halted, newest) = (progress.halt, progress.at_unix_ms);
            }
        }
        told
    }

    fn worker(&self, slot: u32, now: Instant) -> io::Result<Worker> {
        let child = Child::remembered(&self.run, &format!("{}-worker-{slot}", self.id), now)?;
        Ok(Worker {
            child,
            ran: false,
            ending: false,
            resting: false,
        })
    }

    fn ensure(
        &mut self,
        slot: u32,
        hand: &Hand<'_>,
        free: &mut u32,
        processes: &dyn Processes,
        now: Instant,
    ) -> io::Result<()> {
        if !self.workers.contains_key(&slot) {
            let worker = self.worker(slot, now)?;
            self.workers.insert(slot, worker);
        }
        let known = self.workers.get(&slot).and_then(|it| it.child.running(processes));
        let runs = known.is_some() || processes.find(&self.tag(slot)).is_some();
        if !runs {
            // Before the file that says where the last one stood is written over.
            self.keep()?;
        }
        let program = self.hand_over(slot, hand, !runs)?;
        self.progress.entry(slot).or_default();
        let Some(worker) = self.workers.get_mut(&slot) else {
            return Ok(());
        };
        if !runs && *free == 0 {
            return Ok(());
        }
        match worker.child.ensure(processes, &program, hand.fingerprint, now) {
            Ok(step) => {
                *free = free.saturating_sub(u32::from(step == Step::Started));
                worker.resting = matches!(step, Step::Resting(_));
                worker.ran = matches!(step, Step::Running | Step::Started);
                worker.ending = step == Step::Ending;
            }
            Err(error) => {
                worker.resting = true;
                tracing::error!(%error, job = self.id, slot, "a worker could not be started");
            }
        }
        Ok(())
    }

    /// Writes what the worker is to be started with, if it is to be started and that differs from what is there.
    fn hand_over(&self, slot: u32, hand: &Hand<'_>, starts: bool) -> io::Result<Program> {
        let path = self.folder.join(format!("worker-{slot}.json"));
        if starts {
            let spec = WorkerSpec {
                slot,
                positions: self.kept.positions.clone(),
                ..hand.spec.clone()
            };
            let bytes = serde_json::to_vec(&spec)?;
            let same = std::fs::read(&path).is_ok_and(|it| it == bytes);
            if !same {
                disk::write_atomic(&path, &bytes)?;
            }
        }
        let name = format!("{}-worker-{slot}", self.id);
        Ok(Program {
            executable: hand.executable.to_owned(),
            arguments: vec!["processor".to_owned()],
            log: hand.logs.join(format!("{name}.log")),
            tag: self.tag(slot),
            input: Some(path),
            output: Some(progress_path(&self.folder, slot)),
            user: hand.user,
            environment: Vec::new(),
            name,
        })
    }

    /// What a worker's process is found again by.
    fn tag(&self, slot: u32) -> String {
        self.folder.join(format!("worker-{slot}")).display().to_string()
    }

    fn end_one(&mut self, slot: u32, processes: &dyn Processes, now: Instant) -> io::Result<()> {
        let Some(worker) = self.workers.get_mut(&slot) else {
            return Ok(());
        };
        worker.ending = true;
        worker.resting = false;
        if worker.child.end(processes, PATIENCE, now)? {
            self.workers.remove(&slot);
        }
        Ok(())
    }

    /// Workers that ended unasked since the last turn.
    fn count_ends(&mut self, processes: &dyn Processes) -> io::Result<()> {
        let before = self.kept.restarts;
        for worker in self.workers.values_mut() {
            if worker.ran && !worker.ending && worker.child.running(processes).is_none() {
                worker.ran = false;
                self.kept.restarts += 1;
            }
        }
        if self.kept.restarts != before {
            self.keep()?;
        }
        Ok(())
    }
}

pub(super) fn progress_path(folder: &Path, slot: u32) -> PathBuf {
    folder.join(format!("worker-{slot}.progress"))
}

/// The numbers between `before` and `after` in names of a folder's files.
fn slots(folder: &Path, before: &str, after: &str) -> io::Result<Vec<u32>> {
    let mut slots = Vec::new();
    for item in std::fs::read_dir(folder)? {
        let name = item?.file_name();
        let number = name
            .to_str()
            .and_then(|it| it.strip_prefix(before)?.strip_suffix(after));
        slots.extend(
            number
                .and_then(|it| it.parse::<u32>().ok())
                .filter(|it| *it < SLOTS_MAX),
        );
    }
    Ok(slots)
}

#[cfg(test)]
#[path = "room_tests.rs"]
mod tests;
