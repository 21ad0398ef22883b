//! One job under its keeper: what is known of it beside its file, and the steps that it takes with Flink.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use weir_sql::table::Ddl;

use super::counts::Counts;
use super::fitting::Fitting;
use super::job_manager::{JobManager, Listed, Run, Stop};
use super::shape::{Looked, Vertex};
use super::sql_gateway::{SqlError, SqlGateway};
use super::sql_job::{Kept, Ready, Wished};
use super::told::{Standing, Told};
use crate::backoff::Backoff;
use crate::link::ledger::unix_ms;

/// How often a job's records are counted.
const COUNT: Duration = Duration::from_secs(2);
/// How often its vertices are read.
const READ: Duration = Duration::from_secs(4);
/// Stops with a savepoint that may fail before a job is ended without one.
const STOPS_MAX: u32 = 5;
/// How long a job rests that Flink did not take.
const REFUSED_AGAIN: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));

/// What is known of a job beside its file.
pub(super) struct Room {
    pub(super) kept: Kept,
    pub(super) told: Told,
    /// The stop with a savepoint that is under way: the run and by what to ask.
    pub(super) stopping: Option<(String, String)>,
    /// How often that failed since it ran last.
    failed_stops: u32,
    retry: Backoff,
    /// Of the present run, and of all before.
    counted: Counts,
    counted_at: Option<Instant>,
    before: (u64, u64),
    read_at: Option<Instant>,
    fitting: Fitting,
    pub(super) rests_until: Option<Instant>,
}

impl Room {
    pub(super) fn open(kept: Kept) -> Self {
        Self {
            told: Told {
                restarts: kept.restarts,
                version: kept.version,
                settled: kept.settled,
                completed: kept.completed(),
                ..Told::default()
            },
            kept,
            stopping: None,
            failed_stops: 0,
            counted: Counts::default(),
            counted_at: None,
            before: (0, 0),
            read_at: None,
            fitting: Fitting::default(),
            retry: Backoff::new(REFUSED_AGAIN.0, REFUSED_AGAIN.1),
            rests_until: None,
        }
    }

    /// Looks at a job that is as it should be.
    pub(super) async fn look(&mut self, wished: &Wished, found: Option<&Listed>, job_manager: &JobManager) {
        self.stopping = None;
        self.failed_stops = 0;
        let Some(found) = found.filter(|it| !it.run.is_over()) else {
            // A stop with a savepoint ends as finished, and so does a job that has nothing more to read.
            self.kept.settled |= found.is_some_and(|it| it.run == Run::Finished);
            self.told.settled = self.kept.settled;
            self.told.completed = self.kept.completed();
            self.told.standing = Standing::Gone;
            self.told.workers = 0;
            (self.told.pending, self.told.reading) = (None, None);
            return;
        };
        let (Ok(job), Ok(checkpoints)) = (
            job_manager.job(&found.id).await,
            job_manager.checkpoints(&found.id).await,
        ) else {
            return;
        };
        let runs = job.run == Run::Running && job.all_run();
        self.told.workers = job.vertices.iter().map(|it| it.running).max().unwrap_or(0);
        self.count(&found.id, &job.vertices, job_manager).await;
        // To begin from a savepoint is to be restored, too, and a change of its subtasks is one or several.
        let told = self.told.restarts.saturating_sub(self.kept.restarts) + u64::from(self.kept.resumed);
        if self.fitting.is_settling() {
            self.kept.rescales = checkpoints.restored.saturating_sub(told);
        }
        let asked = u64::from(self.kept.resumed) + self.kept.rescales;
        let again = self.kept.restarts + checkpoints.restored.saturating_sub(asked);
        if again > self.told.restarts {
            tracing::warn!(
                run = found.id,
                restored = checkpoints.restored,
                asked,
                "Flink began a job again by itself"
            );
            self.told.restarts = again;
        }
        self.told.checkpoint_ms = checkpoints.newest_ms.unwrap_or(self.told.checkpoint_ms);
        self.kept.had_state |= checkpoints.newest_ms.is_some();
        self.told.version = self.kept.version;
        self.told.standing = match job.run {
            Run::Running if runs => Standing::Running,
            Run::Ending => Standing::Ending,
            // It stands still for a second, as it was asked to.
            _coming if self.fitting.is_under_way() => Standing::Running,
            Run::Restarting => Standing::Restarting,
            _coming => Standing::Starting,
        };
        if runs {
            self.retry.succeed();
            self.rests_until = None;
            self.read(&found.id, &job, job_manager).await;
            let wanted = job.fitted(&wished.vertices, wished.parallelism);
            self.fitting
                .fit((found.id.as_str(), &job), &wanted, job_manager)
                .await;
            return;
        }
        // What it did before says nothing of what it will do.
        self.told.reading = None;
        if self.told.standing != Standing::Running
            && let Ok(failures) = job_manager.failures(&found.id).await
        {
            self.told.failures = failures;
        }
    }

    /// What it did, over all its runs since the agent's start: Flink counts from a run's beginning.
    async fn count(&mut self, run: &str, vertices: &[Vertex], job_manager: &JobManager) {
        if self.counted_at.is_some_and(|it| it.elapsed() < COUNT) {
            return;
        }
        let Ok(now) = job_manager.counts(run, vertices).await else {
            return;
        };
        let (records_in, records_out) = (now.records_in, now.records_out);
        if now.records_in < self.counted.records_in || now.records_out < self.counted.records_out {
            self.before.0 += self.counted.records_in;
            self.before.1 += self.counted.records_out;
        }
        self.counted_at = Some(Instant::now());
        self.told.records_in = self.before.0 + records_in;
        self.told.records_out = self.before.1 + records_out;
        self.told.pending = now.pending;
        self.told.watermark_ms = self.told.watermark_ms.max(now.watermark_ms);
        self.counted = now;
    }

    /// What its vertices say of themselves, right after its records were counted.
    async fn read(&mut self, run: &str, job: &Looked, job_manager: &JobManager) {
        let soon = self.read_at.is_some_and(|it| it.elapsed() < READ);
        if soon || self.counted_at == self.read_at {
            return;
        }
        self.read_at = self.counted_at;
        let read = job_manager.reading(run, job, &self.counted, unix_ms()).await;
        // Numbers that could not be read are unknown.
        self.told.reading = read.ok().map(Arc::new);
    }

    /// A TaskManager ends that may have subtasks of it.
    pub(super) fn displaced(&mut self) {
        self.fitting.displaced();
    }

    /// It has another number of subtasks only if it begins again.
    pub(super) fn has_to_restart(&self) -> bool {
        self.fitting.has_to_restart
    }

    /// Takes one step of a stop with a savepoint. A job that goes on failing has none: it is ended as it stands, and goes on from its
    /// newest checkpoint.
    pub(super) async fn stop(&mut self, run: &str, folder: &str, job_manager: &JobManager) {
        if self.failed_stops >= STOPS_MAX {
            tracing::warn!(run, "a job ends without a savepoint: it has a checkpoint at most");
            let _again_later = job_manager.cancel(run).await;
            return;
        }
        let Some((stopping, request)) = self
            .stopping
            .clone()
            .filter(|(stopping, _request)| stopping == run)
        else {
            match job_manager.stop(run, folder).await {
                Ok(request) => self.stopping = Some((run.to_owned(), request)),
                Err(error) => {
                    self.failed_stops += 1;
                    tracing::warn!(%error, "a job could not be asked to stop; it is asked again");
                }
            }
            return;
        };
        match job_manager.stopped(&stopping, &request).await {
            Ok(Stop::UnderWay | Stop::Done(_)) => {}
            Ok(Stop::Failed) => {
                self.failed_stops += 1;
                tracing::warn!(run, "a savepoint was not whole; the job is asked again");
                self.stopping = None;
            }
            // A JobManager that was started anew knows nothing of it.
            Err(error) if error.is_missing() => self.stopping = None,
            Err(_silent) => {}
        }
    }

    /// It rests before it is tried again.
    pub(super) fn rest(&mut self) -> Duration {
        let pause = self.retry.next_pause();
        self.rests_until = Some(Instant::now() + pause);
        pause
    }

    /// Gives the job to Flink.
    pub(super) async fn submit(
        &mut self,
        wished: &Wished,
        program: &Ready,
        properties: &BTreeMap<String, String>,
        gateway: &SqlGateway,
    ) {
        self.told.failures.clear();
        self.told.reading = None;
        self.told.completed = None;
        self.fitting.submitted(wished.parallelism);
        (self.told.settled, self.told.pending) = (false, None);
        match submitted(program, properties, gateway).await {
            Ok(()) => {
                tracing::info!(
                    job = wished.id,
                    attempt = self.kept.attempt,
                    "a job was given to Flink"
                );
                self.told.standing = Standing::Starting;
            }
            Err(error) => {
                let pause = self.rest();
                let refused = matches!(&error, SqlError::Failed { .. });
                self.told.standing = if refused {
                    Standing::Refused
                } else {
                    Standing::Starting
                };
                // Flink's words repeat the statement: what is secret in it is taken out, and they stay on this machine.
                let words = program.redacted(error.text());
                tracing::warn!(job = wished.id, ?pause, %error, "Flink did not take a job: {}", cause(&words));
            }
        }
    }
}

async fn submitted(
    program: &Ready,
    properties: &BTreeMap<String, String>,
    gateway: &SqlGateway,
) -> Result<(), SqlError> {
    let tables = program.tables().map_err(|text| SqlError::Failed { text })?;
    let session = gateway.open(properties).await?;
    let statements = tables
        .iter()
        .map(Ddl::reveal)
        .chain(program.views.iter().cloned())
        .chain([program.statement.clone()]);
    let mut result = Ok(());
    for statement in statements {
        result = session.run(&statement).await.map(drop);
        if result.is_err() {
            break;
        }
    }
    session.close().await;
    result
}

/// The innermost sentence of a stack trace.
pub(super) fn cause(words: &str) -> String {
    let words = words.replace("\\n", "\n").replace("\\t", " ");
    let innermost = words
        .lines()
        .rev()
        .find_map(|it| it.trim().strip_prefix("Caused by: "));
    innermost.unwrap_or(&words).chars().take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_sentence_is_what_people_read() {
        let words = r#"{"errors":["Internal server error.","<Exception on server side:\norg.x.A: outer\n\tat y\nCaused by: org.x.B: no such column 'a'\n\tat z\n"]}"#;
        assert_eq!(cause(words), "org.x.B: no such column 'a'");
        assert_eq!(cause("plain"), "plain");
    }
}
