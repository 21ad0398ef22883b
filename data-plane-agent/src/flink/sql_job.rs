//! One SQL job at a pool's Flink: what is kept of it, and what to do next. Pure, but for its file.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use weir_sql::table::{self, Ddl, Login, Sink, Source};
use weir_sql::{Model, Relay};

use super::beginning::Origin;
use super::job_manager::{Listed, Run};
use super::store::Store;
use crate::disk;
use crate::models::Schemas;

const FILE_BYTES_MAX: u64 = 64 * 1024;
/// State is written so often; a sink's records are seen by readers of committed records as often.
const CHECKPOINT_MS: u32 = 2_000;
/// Event time goes on without a partition that is silent so long. What comes there afterwards may be too late: longer than
/// brokers, gateways and the job itself take to come back from trouble.
const IDLE: &str = "60 s";
const IDLE_KEY: &str = "table.exec.source.idle-timeout";

/// A program that Flink can run.
#[derive(Debug, Clone)]
pub struct Ready {
    /// Settings of its session.
    pub settings: Vec<(String, String)>,
    /// The cluster of its topics.
    pub cluster_id: String,
    /// What it reads, and from where.
    pub sources: Vec<(Source, Origin)>,
    /// What it writes.
    pub sinks: Vec<Sink>,
    /// How it reaches Kafka.
    pub login: Login,
    /// The models that it asks.
    pub models: Vec<Model>,
    /// Where it asks them.
    pub relay: Relay,
    /// Schemas that its records may be of.
    pub schemas: Schemas,
    /// Its views.
    pub views: Vec<String>,
    /// The statement that becomes the job.
    pub statement: String,
    /// Time passes for it also while no record comes.
    pub uses_processing_time: bool,
    /// It reads its sources up to where they end when it begins.
    pub is_bounded: bool,
}

impl Ready {
    /// How long nothing must have come before all that time does to it is done; `None`: never.
    #[must_use]
    pub fn settles_after_ms(&self) -> Option<u64> {
        if self.uses_processing_time {
            return None;
        }
        if self.sources.iter().all(|(it, _origin)| it.event_time.is_none()) {
            return Some(0);
        }
        // A silent partition lets event time go on after so long.
        let own = self.settings.iter().rev().find(|(key, _value)| key == IDLE_KEY);
        weir_sql::settings::duration_ms(own.map_or(IDLE, |(_key, value)| value))
    }

    /// Is the agent asked for anything while it runs?
    #[must_use]
    pub fn asks_the_agent(&self) -> bool {
        !self.models.is_empty() || !self.schemas.is_empty()
    }

    /// Its tables and models.
    ///
    /// # Errors
    /// A sentence, where a table cannot be.
    pub fn tables(&self) -> Result<Vec<Ddl>, String> {
        let sources = self
            .sources
            .iter()
            .map(|(it, _origin)| Ok(table::source(it, &self.login)?.bounded(self.is_bounded)));
        let sinks = self.sinks.iter().map(|it| table::sink(it, &self.login));
        let models = self.models.iter().map(|it| Ok(it.ddl(&self.relay)));
        sources.chain(sinks).chain(models).collect()
    }

    /// Words of Flink's, which repeat statements, without what is secret in these.
    #[must_use]
    pub fn redacted(&self, words: &str) -> String {
        let secrets = [&self.login.secret, &self.relay.token];
        let known = secrets.into_iter().filter(|it| !it.is_empty());
        known.fold(words.to_owned(), |words, it| words.replace(it, "***"))
    }
}

/// What is wished of a job.
#[derive(Debug, Clone)]
pub struct Wished {
    /// The job's id.
    pub id: String,
    /// It should run, and may.
    pub runs: bool,
    /// Gateways know it, so it may be given to Flink. One that Flink has goes on also while they do not: after a start of the agent,
    /// or of a gateway.
    pub begins: bool,
    /// It goes for good: its state goes with it.
    pub deleted: bool,
    /// Of its program.
    pub version: u32,
    /// Is what the version before remembered taken over?
    pub keeps_state: bool,
    /// Another one begins it anew.
    pub nonce: u64,
    /// How often somebody asked for a new beginning: of a job that came to its end nothing else is one.
    pub restart: u64,
    /// Subtasks of its widest vertex.
    pub parallelism: u32,
    /// Of each vertex, as far as that was decided; others get as many as the widest.
    pub vertices: BTreeMap<String, u32>,
    /// What to run; absent while it cannot run.
    pub program: Option<Arc<Ready>>,
}

/// What is kept of a job on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// Rises with each submission; part of the name that Flink knows a run by.
    pub attempt: u64,
    /// Which program was submitted last.
    pub version: u32,
    /// And which beginning of it.
    pub nonce: u64,
    /// And which that somebody asked for.
    pub restart: u64,
    /// Rises whenever the job begins without what it remembered.
    pub line: u32,
    /// Runs that Flink lost or that were begun again unasked.
    pub restarts: u64,
    /// When the present line began, Unix time: where sources that begin at the end begin.
    pub began_ms: i64,
    /// It did run in this line.
    pub ran: bool,
    /// Its newest run began from a checkpoint or a savepoint.
    pub resumed: bool,
    /// Times that its newest run was given another number of subtasks.
    pub rescales: u64,
    /// A checkpoint or a savepoint of this line was there.
    pub had_state: bool,
    /// Its newest run was asked to end.
    pub stop_asked: bool,
    /// Its newest run came to its end by itself.
    pub completed: bool,
    /// Its newest run ended with a savepoint, or by itself: nothing that it wrote stands open at brokers.
    pub settled: bool,
}

impl Kept {
    /// What the disk remembers.
    ///
    /// # Errors
    /// As the file system says, and when it cannot be read: then nobody knows where the job is.
    pub fn read(folder: &Path) -> io::Result<Self> {
        Ok(disk::read_json(&file(folder), FILE_BYTES_MAX)?.unwrap_or_default())
    }

    /// Keeps it.
    ///
    /// # Errors
    /// As the file system says.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        disk::private_folder(folder)?;
        disk::write_json(&file(folder), self)
    }

    /// Is it the program, and the restart of it, that was submitted last?
    #[must_use]
    pub const fn is_of(&self, wished: &Wished) -> bool {
        self.version == wished.version && self.nonce == wished.nonce
    }

    /// Did what is wished come to its end by itself, as `listed` says? An end that was asked for is none.
    #[must_use]
    pub fn is_complete(&self, wished: &Wished, listed: Option<&Listed>) -> bool {
        let ended = listed.is_some_and(|it| it.run == Run::Finished);
        let same = self.version == wished.version && self.restart == wished.restart;
        same && (self.completed || (ended && !self.stop_asked))
    }

    /// The program and the restart that came to their end.
    #[must_use]
    pub fn completed(&self) -> Option<(u32, u64)> {
        self.completed.then_some((self.version, self.restart))
    }

    /// As Flink knows its newest run.
    #[must_use]
    pub fn name(&self, job: &str) -> String {
        format!("{job}-{}", self.attempt)
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("sql.json")
}

/// What to do with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Nothing: it is as it should be, or on its way.
    Rest,
    /// Give it to Flink.
    Submit {
        /// It was there before, and nobody asked for its end.
        again: bool,
    },
    /// End it with a savepoint.
    Stop,
    /// End it as it stands: nobody wants its state.
    Cancel,
}

/// What to do with a job that Flink has as `listed`.
#[must_use]
pub fn act(wished: &Wished, kept: &Kept, listed: Option<&Listed>) -> Act {
    let alive = listed.filter(|it| !it.run.is_over());
    let is_newest = kept.is_of(wished);
    match alive {
        Some(job) if job.run == Run::Ending => Act::Rest,
        Some(_job) if wished.deleted => Act::Cancel,
        Some(_job) if !wished.runs => Act::Stop,
        Some(_job) if is_newest => Act::Rest,
        Some(_job) if !wished.keeps_state && kept.version != wished.version => Act::Cancel,
        Some(_job) => Act::Stop,
        None if kept.completed && kept.is_complete(wished, None) => Act::Rest,
        // Of a pool that has no process while its jobs sleep Flink knows nothing: what ended as it was asked to is settled.
        None if wished.runs && wished.begins && wished.program.is_some() => Act::Submit {
            again: is_newest
                && kept.attempt > 0
                && !kept.settled
                && listed.is_none_or(|it| it.run != Run::Finished),
        },
        None => Act::Rest,
    }
}

/// Where a run takes its state from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// It has none: it begins where its sources say.
    Nothing,
    /// A checkpoint or a savepoint, as Flink is told of it.
    State(String),
    /// There was one, and there is none now: it begins nowhere.
    Gone,
}

/// Does it begin without what it remembered, whatever there is?
#[must_use]
pub const fn begins_anew(wished: &Wished, kept: &Kept) -> bool {
    let is_other = kept.attempt > 0 && kept.version != wished.version;
    // One that came to its end left nothing to go on from.
    kept.attempt == 0 || (is_other && !wished.keeps_state) || kept.completed
}

/// The kept part of a next submission, and where it takes its state from: the newest of what was written, whoever asked for it.
#[must_use]
pub fn next(wished: &Wished, kept: &Kept, again: bool, newest: Option<String>, now_ms: i64) -> (Kept, From) {
    let mut next = Kept {
        attempt: kept.attempt + 1,
        version: wished.version,
        nonce: wished.nonce,
        restart: wished.restart,
        restarts: kept.restarts + u64::from(again),
        resumed: false,
        rescales: 0,
        stop_asked: false,
        completed: false,
        settled: false,
        ..kept.clone()
    };
    if begins_anew(wished, kept) {
        next.line = kept.line + 1;
        next.began_ms = now_ms;
        (next.ran, next.had_state) = (false, false);
        return (next, From::Nothing);
    }
    let from = match newest {
        Some(url) => From::State(url),
        None if kept.had_state => From::Gone,
        None => From::Nothing,
    };
    next.resumed = matches!(from, From::State(_));
    next.had_state |= next.resumed;
    (next, from)
}

/// Settings of the session in which a job is submitted.
#[must_use]
pub fn properties(
    wished: &Wished,
    kept: &Kept,
    from: &From,
    program: &Ready,
    store: &Store,
) -> BTreeMap<String, String> {
    let (checkpoints, savepoints) = store.places(&wished.id, kept.line);
    // What the program may set comes first: it takes nothing of ours away.
    let defaults = [("table.local-time-zone", "UTC"), (IDLE_KEY, IDLE)];
    let mut properties = BTreeMap::from(defaults.map(|(key, value)| (key.to_owned(), value.to_owned())));
    properties.extend(program.settings.iter().cloned());
    let ours = [
        ("pipeline.name", kept.name(&wished.id)),
        ("parallelism.default", wished.parallelism.max(1).to_string()),
        ("execution.checkpointing.dir", checkpoints),
        ("execution.checkpointing.savepoint-dir", savepoints),
        ("execution.checkpointing.interval", format!("{CHECKPOINT_MS}ms")),
        ("execution.checkpointing.min-pause", "500ms".to_owned()),
        ("execution.checkpointing.num-retained", "2".to_owned()),
        (
            "execution.checkpointing.externalized-checkpoint-retention",
            "RETAIN_ON_CANCELLATION".to_owned(),
        ),
    ];
    properties.extend(ours.map(|(key, value)| (key.to_owned(), value)));
    if let From::State(url) = from {
        properties.insert("execution.state-recovery.path".to_owned(), url.clone());
    }
    properties
}

#[cfg(test)]
#[path = "sql_job_tests.rs"]
mod tests;
