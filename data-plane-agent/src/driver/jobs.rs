//! The driver's part for jobs: who gets room in the compute pools, and workers for those who do.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use prost::Message as _;
use tokio::time::Instant;
use weir_proto::agent::v1::{ApiKey, ComputePool, Job, JobState, Reason};

use super::Driver;
use super::job_specs::fingerprint;
use crate::config::AgentConfig;
use crate::disk;
use crate::job_reports::JobReports;
use crate::link::ledger::unix_ms;
use crate::policy::Policy;
use crate::preview::Ground;
use crate::resources::compute_pool::{Meter, Share, Users};
use crate::resources::job::{Hand, Place, Refused, Room, Runnable, Seen, Stage, program, stage};
use crate::resources::{Served, is_plain_id};

/// How often jobs are looked at while there are any.
const LOOK: Duration = Duration::from_secs(2);
/// The same while workers come or go.
const SOON: Duration = Duration::from_millis(400);

/// All jobs of this data plane.
pub(super) struct JobSide {
    folder: PathBuf,
    users: Users,
    pub(super) meter: Meter,
    pub(super) rooms: BTreeMap<String, Room>,
    pub(super) programs: BTreeMap<String, Made>,
    stages: BTreeMap<String, Stage>,
    pub(super) waiting: BTreeMap<String, u32>,
    /// Units that jobs were given, and since when those wait that were not.
    pub(super) given: BTreeMap<String, u32>,
    pub(super) queued: BTreeMap<String, u64>,
    ran: BTreeSet<String>,
    /// Why the control group of a pool could not be made, when that was tried last.
    pub(super) unfenced: Option<String>,
    pub(super) reports: Arc<JobReports>,
}

/// A program, and what it was made of.
pub(super) struct Made {
    of: [u8; 32],
    pub(super) program: Result<Runnable, Refused>,
}

impl JobSide {
    /// Opens what the disk remembers.
    pub(super) fn open(config: &AgentConfig, reports: Arc<JobReports>) -> io::Result<Self> {
        let folder = config.state_dir.join("jobs");
        disk::private_folder(&folder)?;
        Ok(Self {
            users: Users::open(&folder, config.gateway_program.as_deref())?,
            meter: Meter::open(&folder)?,
            folder,
            rooms: BTreeMap::new(),
            programs: BTreeMap::new(),
            stages: BTreeMap::new(),
            waiting: BTreeMap::new(),
            given: BTreeMap::new(),
            queued: BTreeMap::new(),
            ran: BTreeSet::new(),
            unfenced: None,
            reports,
        })
    }

    /// The OS user of a pool.
    pub(super) fn user_of(&mut self, pool: &str) -> io::Result<Option<u32>> {
        self.users.of(pool)
    }

    /// Where an admitted job stands.
    pub(super) fn stage(&self, id: &str) -> Option<Stage> {
        self.stages.get(id).copied()
    }
}

impl Driver {
    /// Opens the rooms of new jobs, and makes programs of what changed. Says the keys that gateways are told.
    pub(super) fn prepare_jobs(&mut self, policy: &Policy, changed: bool) -> io::Result<Vec<ApiKey>> {
        let run = self.config.state_dir.join("run");
        let mut keys = Vec::new();
        for job in &self.admitted.jobs {
            let living = is_plain_id(&job.id) && !self.is_buried(job);
            if living && !self.jobs.rooms.contains_key(&job.id) {
                let room = Room::open(&job.id, &self.jobs.folder, &run, Instant::now())?;
                // Whether they were told before is not known.
                self.jobs.reports.decided(room.decisions());
                self.jobs.rooms.insert(job.id.clone(), room);
            }
            if let Some(room) = self.jobs.rooms.get(&job.id).filter(|_room| !job.deleted) {
                keys.push(room.key(job));
            }
        }
        self.make_programs(policy, changed);
        self.make_sql_programs(policy, changed)?;
        self.tell_previews(policy, changed);
        Ok(keys)
    }

    /// Previews are made of what jobs are made of.
    fn tell_previews(&self, policy: &Policy, changed: bool) {
        let ground = self.shared.ground.load();
        let told =
            ground.admitted.jobs.len() == self.admitted.jobs.len() && ground.hosts == policy.job_hosts();
        if changed || !told {
            self.shared.ground.store(Arc::new(Ground {
                admitted: self.admitted.clone(),
                hosts: policy.job_hosts().to_vec(),
            }));
        }
    }

    /// Was the tombstone carried out?
    fn is_buried(&self, job: &Job) -> bool {
        job.deleted && !self.jobs.folder.join(&job.id).exists()
    }

    fn make_programs(&mut self, policy: &Policy, changed: bool) {
        let place = Place {
            admitted: &self.admitted,
            hosts: policy.job_hosts(),
        };
        let jobs = self
            .admitted
            .jobs
            .iter()
            .filter(|it| !it.deleted && it.sql.is_none());
        for job in jobs {
            let mut said = job.action.clone().unwrap_or_default().encode_to_vec();
            said.extend(policy.job_hosts().join("\n").into_bytes());
            let of = weir_credentials::sha256(&said);
            let held = self.jobs.programs.get(&job.id);
            if !changed && held.is_some_and(|it| it.of == of) {
                continue;
            }
            let made = program(job, &place);
            let news = held.is_none_or(|it| it.program != made);
            if let (Err(refused), true) = (&made, news) {
                tracing::warn!(job = job.id, reason = ?refused.reason, "a job cannot run: {}", refused.text);
            }
            self.jobs
                .programs
                .insert(job.id.clone(), Made { of, program: made });
        }
    }

    /// Takes one step for every job. Says how long to rest, if there are any.
    pub(super) fn turn_jobs(&mut self) -> io::Result<Option<Duration>> {
        if self.jobs.rooms.is_empty() {
            self.forget_jobs()?;
            self.wish_of_flinks()?;
            self.meter_pools()?;
            self.jobs.reports.told(Vec::new(), Instant::now());
            return Ok(None);
        }
        let shares = self.weigh_jobs(unix_ms())?;
        let mut restless = false;
        let pools: Vec<ComputePool> = self.admitted.compute_pools.clone();
        let known: BTreeSet<&str> = pools.iter().map(|it| it.id.as_str()).collect();
        let jobs = self.admitted.jobs.clone();
        let (homeless, housed): (Vec<&Job>, Vec<&Job>) = jobs
            .iter()
            .partition(|it| !known.contains(it.compute_pool_id.as_str()));
        for job in homeless {
            restless |= self.one_job(job, Share::Waits(0), &mut 0)?;
        }
        for pool in &pools {
            let own: Vec<&&Job> = housed.iter().filter(|it| it.compute_pool_id == pool.id).collect();
            // What is ending still has its units.
            let mut free = pool.max_units.saturating_sub(self.units_held(&pool.id));
            for job in own {
                let share = shares.get(&job.id).copied().unwrap_or(Share::Waits(0));
                restless |= self.one_job(job, share, &mut free)?;
            }
            self.fence(pool);
        }
        self.wish_of_flinks()?;
        self.forget_jobs()?;
        self.meter_pools()?;
        self.report_jobs();
        Ok(Some(if restless { SOON } else { LOOK }))
    }

    /// Would it run if there were room?
    pub(super) fn would_run(&self, job: &Job) -> bool {
        let program = self.jobs.programs.get(&job.id);
        let asleep = self
            .jobs
            .rooms
            .get(&job.id)
            .is_some_and(|it| it.asleep().is_some());
        !job.deleted
            && !asleep
            && matches!(job.state(), JobState::Running | JobState::AutoSuspend)
            && !self.has_completed(job)
            && (program.is_some_and(|it| it.program.is_ok()) || self.sql.is_runnable(&job.id))
    }

    /// One step for one job; says whether it is on its way.
    fn one_job(&mut self, job: &Job, share: Share, free: &mut u32) -> io::Result<bool> {
        if job.sql.is_some() {
            let (stage, moves) = self.one_sql_job(job, share);
            self.note(job, stage, share);
            return Ok(moves);
        }
        let served = self.shared.gateways.served(self.publisher.since(&job.id));
        let given = match share {
            Share::Given(units) if self.would_run(job) => units,
            _waits => 0,
        };
        let runs = given > 0;
        let spec = if runs { self.worker_spec(job) } else { None };
        let user = match (&spec, self.config.gateway_program.is_some()) {
            (Some(_spec), true) => self.jobs.users.of(&job.compute_pool_id)?,
            _none => None,
        };
        let logs = self.config.state_dir.join("logs");
        let processes = Arc::clone(&self.platform.processes);
        let program = self.config.gateway_program.clone();
        let program = program.unwrap_or_else(|| PathBuf::from("weir-agent"));
        let Some(room) = self.jobs.rooms.get_mut(&job.id) else {
            return Ok(false);
        };
        let stuck = match self.jobs.programs.get(&job.id).map(|it| &it.program) {
            Some(Err(refused)) => Some(refused.reason),
            _runnable => None,
        };
        // Its first worker starts when every gateway knows its key; those that run go on whatever gateways say.
        let known = served.verdict(false).phase == weir_proto::agent::v1::Phase::Ready;
        let fingerprint = spec.as_ref().map(|it| fingerprint(it, job, user));
        let hand = match (&spec, &fingerprint) {
            (Some(spec), Some(fingerprint)) if known || room.alive(processes.as_ref()) > 0 => Some(Hand {
                spec,
                fingerprint,
                executable: &program,
                user,
                logs: &logs,
            }),
            _not_yet => None,
        };
        let starts = hand.is_some();
        if starts || !runs {
            room.turn(hand.as_ref(), given, free, processes.as_ref(), Instant::now())?;
        }
        let workers = room.workers(given, processes.as_ref(), unix_ms());
        let seen = Seen {
            stuck,
            share,
            served,
            workers,
            wanted: given,
            suspended: room.asleep().map(|it| {
                if it.expired {
                    Reason::DataExpired
                } else {
                    Reason::Idle
                }
            }),
        };
        let stage = stage(job, seen, self.jobs.ran.contains(&job.id));
        self.note(job, stage, share);
        // One that rests after a failure is no reason to look often.
        let moves = workers.alive != given || workers.joined != given;
        Ok(moves && workers.resting == 0 && (starts || workers.alive > 0))
    }

    fn note(&mut self, job: &Job, stage: Stage, share: Share) {
        use weir_proto::agent::v1::Phase;
        if stage.phase == Phase::Running {
            self.jobs.ran.insert(job.id.clone());
        } else if matches!(stage.phase, Phase::Stopped | Phase::Suspended | Phase::Pending) {
            self.jobs.ran.remove(&job.id);
        }
        self.jobs.waiting.remove(&job.id);
        if let Share::Waits(place) = share {
            self.jobs.waiting.insert(job.id.clone(), place);
        }
        self.jobs.stages.insert(job.id.clone(), stage);
    }

    /// Rooms whose jobs are gone, and workers of jobs that are named no longer.
    fn forget_jobs(&mut self) -> io::Result<()> {
        let processes = Arc::clone(&self.platform.processes);
        let deleted: BTreeSet<&str> = self
            .admitted
            .jobs
            .iter()
            .filter(|it| it.deleted)
            .map(|it| it.id.as_str())
            .collect();
        let named: BTreeSet<&str> = self.admitted.jobs.iter().map(|it| it.id.as_str()).collect();
        let mut gone = Vec::new();
        for (id, room) in &mut self.jobs.rooms {
            if named.contains(id.as_str()) && !deleted.contains(id.as_str()) {
                continue;
            }
            if self
                .admitted
                .jobs
                .iter()
                .any(|it| it.id == *id && self.sql.holds(it))
            {
                continue;
            }
            if room.stop(processes.as_ref(), Instant::now())? {
                room.bury()?;
                gone.push(id.clone());
            }
        }
        for id in gone {
            self.jobs.rooms.remove(&id);
        }
        for id in deleted.iter().filter(|id| !self.jobs.rooms.contains_key(**id)) {
            let done = Stage {
                phase: weir_proto::agent::v1::Phase::Deleted,
                reason: Reason::Unspecified,
            };
            self.jobs.stages.insert((*id).to_owned(), done);
        }
        self.jobs.stages.retain(|id, _stage| named.contains(id.as_str()));
        self.jobs.programs.retain(|id, _made| named.contains(id.as_str()));
        self.jobs.waiting.retain(|id, _place| named.contains(id.as_str()));
        self.jobs.ran.retain(|id| named.contains(id.as_str()));
        self.jobs.queued.retain(|id, _since| named.contains(id.as_str()));
        Ok(())
    }

    fn report_jobs(&self) {
        let processes = self.platform.processes.as_ref();
        let told = self.jobs.rooms.iter().map(|(id, room)| {
            let place = self.jobs.waiting.get(id).copied().unwrap_or(0);
            if let Some(job) = self
                .admitted
                .jobs
                .iter()
                .find(|it| it.id == *id && it.sql.is_some())
            {
                return self.sql_progress(job, place);
            }
            room.progress(room.workers(u32::MAX, processes, unix_ms()), place, processes)
        });
        self.jobs.reports.told(told.collect(), Instant::now());
    }

    /// Workers of a pool that run, whatever their jobs.
    pub(super) fn workers_in(&self, pool: &str) -> usize {
        let own = self.admitted.jobs.iter().filter(|it| it.compute_pool_id == pool);
        let rooms = own.filter_map(|it| self.jobs.rooms.get(&it.id));
        let alive = rooms.map(|room| room.alive(self.platform.processes.as_ref()));
        let workers: usize = alive.map(|it| usize::try_from(it).unwrap_or(usize::MAX)).sum();
        workers + self.sql.processes(pool)
    }

    /// How gateways serve a job's key.
    pub(super) fn served_job(&self, id: &str) -> Served {
        self.shared.gateways.served(self.publisher.since(id))
    }

    /// Asks all workers to end; says whether they are gone. Never waits.
    pub(super) fn end_workers(&mut self) -> bool {
        let processes = Arc::clone(&self.platform.processes);
        self.keep_meter();
        let mut all_gone = self.sql.end();
        for (id, room) in &mut self.jobs.rooms {
            match room.stop(processes.as_ref(), Instant::now()) {
                Ok(gone) => all_gone &= gone,
                Err(error) => tracing::error!(%error, job = id, "a worker could not be ended"),
            }
        }
        all_gone
    }
}
