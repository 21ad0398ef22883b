//! The driver's part for how many workers jobs have: who sleeps, who wakes, who grows or shrinks, and what pools have room for.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use weir_autoscaler::Decision;
use weir_proto::agent::v1::{Job, JobDecisionOutcome, JobDecisionReason, JobState};

use super::Driver;
use super::sql_jobs::SESSION_UNITS;
use crate::log_ends::Asked;
use crate::resources::compute_pool::{Demand, Share, arbitrate, is_spent, living, room_for};
use crate::resources::job::scaling::{Bounds, own_policy};
use crate::resources::job::{decided, dozed, sleep};

impl Driver {
    /// Looks at every job, and says what each gets of its pool.
    pub(super) fn weigh_jobs(&mut self, now_ms: u64) -> io::Result<BTreeMap<String, Share>> {
        let jobs = self.admitted.jobs.clone();
        let mut asked = BTreeMap::new();
        for job in jobs.iter().filter(|it| it.sql.is_none()) {
            self.doze(job, now_ms)?;
            if let Some(source) = self.sleeper(job) {
                asked.insert(job.id.clone(), source);
            }
        }
        for job in jobs.iter().filter(|it| it.sql.is_some()) {
            self.doze_sql(job, now_ms)?;
            asked.extend(self.watched(job));
        }
        self.shared.log_ends.ask(asked);
        let mut shares = BTreeMap::new();
        let pools = living(&self.admitted.compute_pools);
        let pools: Vec<(String, u32, bool)> = self
            .admitted
            .compute_pools
            .iter()
            .filter(|it| pools.contains(it.id.as_str()))
            .map(|it| (it.id.clone(), it.max_units, is_spent(it, now_ms)))
            .collect();
        for (pool, units_max, spent) in pools {
            let own: Vec<&Job> = jobs
                .iter()
                .filter(|it| it.compute_pool_id == pool && self.would_run(it))
                .collect();
            if spent {
                shares.extend(own.iter().map(|it| (it.id.clone(), Share::Spent)));
                continue;
            }
            // A pool with a Flink has less for jobs.
            let session = own.iter().any(|it| it.sql.is_some()).then_some(SESSION_UNITS);
            let units_max = units_max.saturating_sub(session.unwrap_or(0));
            let size = self.sized(&pool, &own, units_max);
            let mut demands: Vec<Demand> = own.iter().map(|it| self.demand(it, size, now_ms)).collect();
            let larger = self.would_take(&own, &demands, size + 1);
            for (at, job) in own.into_iter().enumerate() {
                if job.sql.is_none() {
                    self.scale(job, units_max, &mut demands, at, now_ms)?;
                } else {
                    let can_be_larger = larger <= units_max;
                    self.scale_sql(job, (units_max, size, can_be_larger), &mut demands, at, now_ms)?;
                }
            }
            shares.extend(arbitrate(units_max, &demands, now_ms));
        }
        self.remember(&shares, now_ms);
        Ok(shares)
    }

    /// What a job wants of its pool before it is looked at anew.
    fn demand(&self, job: &Job, size: usize, now_ms: u64) -> Demand {
        if job.sql.is_some() {
            return self.demand_of_sql(job, size, now_ms);
        }
        let bounds = self.bounds(job);
        let room = self.jobs.rooms.get(&job.id);
        let alive = room.map_or(0, |it| it.alive(self.platform.processes.as_ref()));
        Demand {
            job: job.id.clone(),
            priority: job.priority,
            least: bounds.least,
            units: room.map_or(bounds.least, |it| it.scaler.target(&bounds)),
            // After a start of the agent, what is found running.
            held: self.jobs.given.get(&job.id).copied().unwrap_or(alive),
            waiting_since_ms: self.jobs.queued.get(&job.id).copied().unwrap_or(now_ms),
        }
    }

    /// Decides how many workers a job should have, if it is time.
    fn scale(
        &mut self,
        job: &Job,
        units_max: u32,
        demands: &mut [Demand],
        at: usize,
        now_ms: u64,
    ) -> io::Result<()> {
        let bounds = self.bounds(job);
        let processes = Arc::clone(&self.platform.processes);
        let Some(room) = self.jobs.rooms.get_mut(&job.id) else {
            return Ok(());
        };
        let held = demands[at].held;
        let reading = room.reading(held, bounds.partitions, processes.as_ref(), now_ms);
        let could_have = || room_for(units_max, demands, &job.id, bounds.most, now_ms);
        let told = room
            .scaler
            .turn(held, reading.as_ref(), &bounds, could_have, now_ms);
        demands[at].units = room.scaler.target(&bounds);
        self.weighed(job, told.as_ref(), now_ms)
    }

    /// A job was weighed: what is worth it is told, and what was learned is kept.
    pub(super) fn weighed(&mut self, job: &Job, decision: Option<&Decision>, now_ms: u64) -> io::Result<()> {
        let Some(room) = self.jobs.rooms.get_mut(&job.id) else {
            return Ok(());
        };
        if let Some(decision) = decision {
            let decided = decided(&job.id, decision);
            room.note(decided.clone())?;
            self.jobs.reports.decided([decided]);
            tracing::info!(
                job = job.id,
                reason = ?decision.reason,
                outcome = ?decision.outcome,
                "a job was weighed: {}",
                decision.sentence
            );
        }
        room.keep_scaling(now_ms)
    }

    fn remember(&mut self, shares: &BTreeMap<String, Share>, now_ms: u64) {
        self.jobs.given.clear();
        let mut queued = BTreeSet::new();
        for (id, share) in shares {
            match share {
                Share::Given(units) => drop(self.jobs.given.insert(id.clone(), *units)),
                Share::Waits(_place) => {
                    queued.insert(id.clone());
                    self.jobs.queued.entry(id.clone()).or_insert(now_ms);
                }
                Share::Spent => {}
            }
        }
        self.jobs.queued.retain(|id, _since| queued.contains(id));
    }

    /// Falls asleep or wakes, if the job wishes to and it is time.
    fn doze(&mut self, job: &Job, now_ms: u64) -> io::Result<()> {
        let partitions = self.bounds(job).partitions;
        let held = self.jobs.given.get(&job.id).copied().unwrap_or(0);
        let processes = Arc::clone(&self.platform.processes);
        let program = self.jobs.programs.get(&job.id).map(|it| &it.program);
        let source = program
            .and_then(|it| it.as_ref().ok())
            .map(|it| it.program.source.clone());
        let edges = self.shared.log_ends.seen(&job.id);
        let Some(room) = self.jobs.rooms.get_mut(&job.id) else {
            return Ok(());
        };
        if let Some(source) = &source {
            room.reads(source);
        }
        room.look();
        let settings = sleep::settings(job);
        let places: Vec<u32> = (0..partitions).collect();
        let of = format!("{}/{}", job.version, job.restart_nonce);
        let may = job.state() == JobState::AutoSuspend && !job.deleted;
        let (outcome, reason) = match room.asleep().map(|it| it.of == of) {
            Some(same) if !may || !same => (JobDecisionOutcome::Wake, JobDecisionReason::Wished),
            Some(_same) if room.look_asleep(&settings, &places, &edges, now_ms) => {
                (JobDecisionOutcome::Wake, JobDecisionReason::RecordsWait)
            }
            Some(_same) => return room.keep(),
            None if may && held > 0 => {
                let (waits, records) = room.waits(held, partitions, processes.as_ref(), now_ms);
                if !room.drowsy.look(&settings, waits, records, now_ms) {
                    return Ok(());
                }
                (JobDecisionOutcome::Suspend, JobDecisionReason::Idle)
            }
            None => {
                room.drowsy.forget();
                return Ok(());
            }
        };
        self.dozes(job, &of, (outcome, reason), now_ms)
    }

    /// A job falls asleep, `of` saying as what, or wakes; and it is told why.
    pub(super) fn dozes(
        &mut self,
        job: &Job,
        of: &str,
        (outcome, reason): (JobDecisionOutcome, JobDecisionReason),
        now_ms: u64,
    ) -> io::Result<()> {
        let held = self.jobs.given.get(&job.id).copied().unwrap_or(0);
        let Some(room) = self.jobs.rooms.get_mut(&job.id) else {
            return Ok(());
        };
        tracing::info!(job = job.id, ?outcome, ?reason, "a job falls asleep or wakes");
        let decision = dozed(&job.id, outcome, reason, held, room.waiting(), now_ms);
        if outcome == JobDecisionOutcome::Suspend {
            room.fall_asleep(of, now_ms)?;
        } else {
            room.wake()?;
        }
        room.note(decision.clone())?;
        self.jobs.reports.decided([decision]);
        Ok(())
    }

    /// The source of a sleeping job.
    fn sleeper(&self, job: &Job) -> Option<Asked> {
        self.jobs.rooms.get(&job.id)?.asleep()?;
        Some(Asked {
            topic_id: job.action.as_ref()?.source_topic_id.clone(),
            partitions: self.bounds(job).partitions,
        })
    }

    /// Workers at least and at most.
    pub(super) fn least_and_most(job: &Job) -> (u32, u32) {
        let scaling = job.scaling.as_ref();
        let (least, most) = scaling.map_or((1, 1), |it| (it.min_workers, it.max_workers));
        (least.max(1), most.max(least).max(1))
    }

    fn bounds(&self, job: &Job) -> Bounds {
        let (least, most) = Self::least_and_most(job);
        let source = job.action.as_ref().map(|it| it.source_topic_id.as_str());
        let topic = self
            .admitted
            .topics
            .iter()
            .find(|it| Some(it.id.as_str()) == source);
        Bounds {
            least,
            most,
            partitions: topic.map_or(0, |it| it.partitions),
            own: own_policy(job),
            scale_down_after_ms: self.policy.current().scale_down_after_ms(),
        }
    }
}
