//! The driver's part for jobs in SQL: which pools have a Flink, what is wished of it, and what to say of its jobs.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use weir_proto::agent::v1::{Job, JobFailure, JobProgress, JobState, Phase, Reason};
use weir_sql::Relay;
use weir_sql::table::Login;

use super::Driver;
use super::sql_user::{by_others, let_through};
use crate::flink::beginning::Beginner;
use crate::flink::keeper::{Handle, Wish};
use crate::flink::launch::task_managers;
use crate::flink::session::Site;
use crate::flink::sizes::size_of;
use crate::flink::sql_job::{Ready, Wished};
use crate::flink::store::Store;
use crate::flink::told::{Standing, Told};
use crate::models::Models;
use crate::policy::Policy;
use crate::preview::{Desk, Seat};
use crate::resources::compute_pool::Share;
use crate::resources::is_plain_id;
use crate::resources::job::scaling::units;
use crate::resources::job::sql::program;
use crate::resources::job::sql_status::{Waits, code, stage};
use crate::resources::job::{Place, Refused, Stage};

/// What a pool's JobManager and SQL gateway take together.
pub(super) const SESSION_UNITS: u32 = 1;

/// Where a job stands for the rest of a month.
const SPENT: Stage = Stage {
    phase: Phase::Pending,
    reason: Reason::BudgetExhausted,
};

/// All jobs in SQL of this data plane.
#[derive(Default)]
pub(super) struct SqlSide {
    keepers: BTreeMap<String, Handle>,
    pub(super) programs: BTreeMap<String, Made>,
    wished: BTreeMap<String, Wished>,
    pub(super) models: Option<Models>,
    /// The size of each pool's TaskManagers.
    pub(super) sizes: BTreeMap<String, usize>,
    /// Why the customer's bucket cannot be used, as it was told last.
    no_bucket: Option<String>,
    stop: CancellationToken,
}

pub(super) struct Made {
    of: [u8; 32],
    pub(super) program: Result<Arc<Ready>, Refused>,
}

impl Drop for SqlSide {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl SqlSide {
    /// Has a program that Flink can run.
    pub(super) fn is_runnable(&self, job: &str) -> bool {
        self.programs.get(job).is_some_and(|it| it.program.is_ok())
    }

    /// See [`Ready::settles_after_ms`].
    pub(super) fn settles_after_ms(&self, job: &str) -> Option<u64> {
        let made = self.programs.get(job)?;
        made.program.as_ref().ok()?.settles_after_ms()
    }

    /// Units that a pool's Flink holds now.
    pub(super) fn units(&self, pool: &str) -> u32 {
        // JobManager and SQL gateway share a unit; the others are TaskManagers.
        let processes = self.keepers.get(pool).map_or(0, Handle::processes);
        let task_managers = u32::try_from(processes.saturating_sub(2)).unwrap_or(u32::MAX);
        let each = size_of(self.size(pool)).units;
        u32::from(processes > 0) + task_managers.saturating_mul(each)
    }

    /// The size of a pool's TaskManagers.
    pub(super) fn size(&self, pool: &str) -> usize {
        self.sizes.get(pool).copied().unwrap_or(0)
    }

    /// Processes that a pool's Flink has now.
    pub(super) fn processes(&self, pool: &str) -> usize {
        self.keepers.get(pool).map_or(0, Handle::processes)
    }

    /// Is the job with its pool's Flink, or on its way out?
    pub(super) fn holds(&self, job: &Job) -> bool {
        let keeper = self.keepers.get(&job.compute_pool_id);
        job.sql.is_some() && keeper.is_some_and(|it| it.told(&job.id).standing != Standing::Gone)
    }

    /// Asks every Flink to end; says whether all are gone. Never waits.
    pub(super) fn end(&self) -> bool {
        for keeper in self.keepers.values() {
            keeper.end();
        }
        self.keepers.values().all(|it| it.processes() == 0)
    }

    pub(super) fn told(&self, job: &Job) -> Told {
        let keeper = self.keepers.get(&job.compute_pool_id);
        keeper.map(|it| it.told(&job.id)).unwrap_or_default()
    }
}

impl Driver {
    /// Makes programs of what changed.
    pub(super) fn make_sql_programs(&mut self, policy: &Policy, changed: bool) -> io::Result<()> {
        self.open_models()?;
        let place = Place {
            admitted: &self.admitted,
            hosts: policy.job_hosts(),
        };
        let jobs: Vec<Job> = self.sql_jobs().filter(|it| !it.deleted).cloned().collect();
        for job in jobs {
            let Some(sql) = &job.sql else { continue };
            let mut said = prost::Message::encode_to_vec(sql);
            said.extend(place.hosts.join("\n").into_bytes());
            let of = weir_credentials::sha256(&said);
            let held = self.sql.programs.get(&job.id);
            if !changed && held.is_some_and(|it| it.of == of) {
                continue;
            }
            let login = self.login(&job);
            let made = login.and_then(|it| program(&job, sql, &place, it).map(Arc::new));
            if let Err(refused) = &made {
                let news = held.is_none_or(|it| it.program.as_ref().err() != Some(refused));
                if news {
                    tracing::warn!(job = job.id, reason = ?refused.reason, "a job cannot run: {}", refused.text);
                }
            }
            self.sql
                .programs
                .insert(job.id.clone(), Made { of, program: made });
        }
        self.tell_models(policy);
        Ok(())
    }

    pub(super) fn sql_jobs(&self) -> impl Iterator<Item = &Job> {
        self.admitted.jobs.iter().filter(|it| it.sql.is_some())
    }

    /// How a job reaches Kafka, and its models.
    fn login(&self, job: &Job) -> Result<(Login, Relay), Refused> {
        let refused = |text: &str| Refused {
            reason: Reason::Unsupported,
            text: text.to_owned(),
        };
        if self.config.flink.is_none() {
            return Err(refused(
                "this agent was not told where Flink's jars are (--flink-libs)",
            ));
        }
        let room = self
            .jobs
            .rooms
            .get(&job.id)
            .ok_or_else(|| refused("its secret is not there"))?;
        let gateway = self
            .gateway_of(&job.cluster_id, room.secret())
            .map_err(|_error| refused("the authorities of the gateway's certificate cannot be read"))?;
        let relay = self.relay(job, &gateway.secret.0);
        let login = Login {
            bootstrap: gateway.address,
            tls: gateway.tls,
            job: job.id.clone(),
            secret: gateway.secret.0,
            registry: Models::registry(&relay),
        };
        Ok((login, relay))
    }

    /// Notes what is wished of one job, and says where it stands and whether it is on its way.
    pub(super) fn one_sql_job(&mut self, job: &Job, share: Share) -> (Stage, bool) {
        let served = self.shared.gateways.served(self.publisher.since(&job.id));
        let told = self.sql.told(job);
        let asleep = self.jobs.rooms.get(&job.id).and_then(|it| it.asleep());
        let suspended = asleep.map(|it| match it.expired {
            true => Reason::DataExpired,
            false => Reason::Idle,
        });
        let wishes = matches!(job.state(), JobState::Running | JobState::AutoSuspend);
        let completed = self.has_completed(job);
        let wants = !job.deleted && wishes && suspended.is_none() && !completed;
        let program = self.sql.programs.get(&job.id).map(|it| &it.program);
        let known = served.verdict(false).phase == Phase::Ready;
        let runs = wants && matches!(share, Share::Given(_));
        let stuck = match program {
            Some(Err(refused)) => Some(refused.reason),
            _runnable => None,
        };
        let (parallelism, vertices) = self.subtasks(job, share);
        let wished = Wished {
            id: job.id.clone(),
            runs: runs && stuck.is_none(),
            begins: known,
            deleted: job.deleted,
            version: job.version,
            keeps_state: job.keeps_state,
            nonce: job.restart_nonce.wrapping_add(self.models_nonce(job)),
            restart: job.restart_nonce,
            parallelism,
            vertices,
            program: program.and_then(|it| it.as_ref().ok()).cloned(),
        };
        self.sql.wished.insert(job.id.clone(), wished);
        let waiting = served.verdict(told.standing == Standing::Running);
        let starts = (waiting.phase != Phase::Ready).then_some((waiting.phase, waiting.reason));
        let waits = Waits {
            share,
            stuck,
            suspended,
            completed,
            starts,
        };
        let stage = stage(job, &told, waits);
        let rests = matches!(
            stage.phase,
            Phase::Running
                | Phase::Completed
                | Phase::Stopped
                | Phase::Suspended
                | Phase::Failed
                | Phase::Deleted
        ) || stage == SPENT;
        (stage, !rests)
    }

    /// Has it come to its end by itself, as it is wished now?
    pub(super) fn has_completed(&self, job: &Job) -> bool {
        self.sql.told(job).completed == Some((job.version, job.restart_nonce))
    }

    /// Tells every Flink what is wished of it.
    pub(super) fn wish_of_flinks(&mut self) -> io::Result<()> {
        let named: BTreeSet<String> = self.sql_jobs().map(|it| it.id.clone()).collect();
        self.sql.programs.retain(|id, _made| named.contains(id));
        self.sql.wished.retain(|id, _wished| named.contains(id));
        let mut pools: BTreeMap<String, Vec<Wished>> = BTreeMap::new();
        for job in self.admitted.jobs.iter().filter(|it| it.sql.is_some()) {
            let wished = self.sql.wished.get(&job.id).cloned();
            pools
                .entry(job.compute_pool_id.clone())
                .or_default()
                .extend(wished);
        }
        for pool in pools.keys() {
            if is_plain_id(pool) && !self.sql.keepers.contains_key(pool) {
                let Some(keeper) = self.new_keeper(pool)? else {
                    continue;
                };
                self.sql.keepers.insert(pool.clone(), keeper);
            }
        }
        for (pool, keeper) in &self.sql.keepers {
            let jobs = pools.remove(pool).unwrap_or_default();
            let own = jobs
                .iter()
                .filter(|it| it.runs)
                .map(|it| task_managers(it.parallelism));
            let task_managers = own.fold(0, u32::saturating_add);
            keeper.wish(Wish {
                jobs,
                task_managers,
                size: self.sql.size(pool),
                ends: false,
            });
        }
        self.shared.desk.store(Arc::new(self.desk()));
        Ok(())
    }

    /// Where questions to jobs are asked that may have a Flink: a program that cannot run, and another tenant's pool, have none.
    fn desk(&self) -> Desk {
        let jobs = self.sql_jobs().filter(|it| !it.deleted);
        let seat = |job: &Job| {
            let program = Arc::clone(self.sql.programs.get(&job.id)?.program.as_ref().ok()?);
            let flink = self.sql.keepers.get(&job.compute_pool_id)?.window();
            Some((job.id.clone(), Seat { program, flink }))
        };
        jobs.filter_map(seat).collect()
    }

    fn new_keeper(&mut self, pool: &str) -> io::Result<Option<Handle>> {
        let Some(install) = self.config.flink.clone() else {
            return Ok(None);
        };
        let state = &self.config.state_dir;
        let bucket = match Store::of(&install, &state.join("credentials"), pool) {
            Ok(bucket) => bucket,
            // Nothing is begun elsewhere meanwhile.
            Err(text) => {
                let known = self.sql.no_bucket.replace(text.clone());
                if known.as_ref() != Some(&text) {
                    tracing::error!(
                        "jobs in SQL do not run: the bucket of what they remember cannot be used: {text}"
                    );
                }
                return Ok(None);
            }
        };
        let root = state.join("flink");
        crate::disk::private_folder(&root)?;
        // The pool's user must get to its folder, and to nothing else of ours.
        let reachable = by_others(&install.libs) && state.parent().is_some_and(by_others);
        let user = if reachable { self.jobs.user_of(pool)? } else { None };
        if user.is_some() {
            let_through(state)?;
            let_through(&root)?;
        } else if rustix::process::geteuid().is_root() {
            tracing::warn!(
                "other users cannot reach Flink's jars or the state folder: Flink runs as the agent's user"
            );
        }
        let site = Site {
            pool: pool.to_owned(),
            root,
            run: state.join("run"),
            logs: state.join("logs"),
            install,
            user,
            bucket,
        };
        let processes = Arc::clone(&self.platform.processes);
        let beginner = Beginner {
            kafka: Arc::clone(&self.platform.kafka),
            directory: Arc::clone(&self.shared.directory),
        };
        let stop = self.sql.stop.clone();
        Handle::start(site, state.join("jobs"), processes, beginner, stop).map(Some)
    }

    /// How a job in SQL goes, for its report.
    pub(super) fn sql_progress(&self, job: &Job, queue_place: u32) -> JobProgress {
        let told = self.sql.told(job);
        let runs = !matches!(
            told.standing,
            Standing::Gone | Standing::Unknown | Standing::Refused | Standing::Lost
        );
        let wished = self.sql.wished.get(&job.id).map_or(1, |it| it.parallelism);
        let units = units(wished, self.sql.size(&job.compute_pool_id));
        let mut failures: BTreeMap<i32, u64> = BTreeMap::new();
        for (class, count) in &told.failures {
            *failures.entry(code(class).into()).or_default() += count;
        }
        JobProgress {
            job_id: job.id.clone(),
            version: told.version,
            workers: told.workers,
            units: if runs { units } else { 0 },
            queue_place,
            restarts: told.restarts,
            records_in: told.records_in,
            records_out: told.records_out,
            lag_records: told
                .pending
                .map_or(-1, |it| i64::try_from(it).unwrap_or(i64::MAX)),
            watermark_unix_ms: told.watermark_ms,
            failures: failures
                .into_iter()
                .map(|(code, count)| JobFailure { code, step: 0, count })
                .collect(),
            ..JobProgress::default()
        }
    }
}
