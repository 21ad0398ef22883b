//! A person's question to the tables of a job: one query in the pool's Flink, bounded in rows, bytes and time, of which nothing is
//! left behind.
//!
//! It is a job of Flink's like any other, and none of anybody's: it has a name of its own, takes slots that are free, is never
//! begun again, and is ended when its answer is there or its time is over.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use weir_sql::table::Ddl;

use super::job_manager::{JobManager, Listed, Run};
use super::rest::RestError;
use super::room::cause;
use super::session::Clients;
use super::sql_gateway::{Session, SqlError};
use crate::link::ledger::unix_ms;

/// What the names of all of them begin with. No job of a tenant's is called so.
const PREFIX: &str = "weir-select-";
/// Bytes of all rows together.
const BYTES_MAX: usize = 1 << 20;
/// So long after its begin nobody waits for one any more: whoever asked is gone.
const STRAY_MS: i64 = 90_000;
const LOOK: Duration = Duration::from_millis(100);
/// How long its end is waited for.
const END: Duration = Duration::from_secs(10);
const ZONE: &str = "table.local-time-zone";

/// What is asked.
#[derive(Debug)]
pub struct Asked {
    /// The tables that it reads.
    pub tables: Vec<Ddl>,
    /// The query.
    pub statement: String,
    /// Rows that it wants at most.
    pub rows: usize,
    /// What the job's program sets.
    pub settings: Vec<(String, String)>,
}

/// Why there is less than all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Rows are large.
    Bytes,
    /// It took too long.
    Time,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Found {
    /// Names and types of the columns.
    pub columns: Vec<(String, String)>,
    /// Rows, each as its fields.
    pub rows: Vec<Vec<Value>>,
    /// Is there less than all?
    pub cut: Option<Cut>,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum SelectError {
    /// No slot is free.
    Exhausted,
    /// A job of the pool is on its way, and needs the slots first.
    Moving,
    /// Flink is not there.
    Silent,
    /// The query failed: the class of the failure, if it ran, and Flink's words, which may repeat the tables' secrets.
    Failed {
        /// Of the deepest cause.
        class: Option<String>,
        /// Its sentence.
        words: String,
    },
}

impl From<RestError> for SelectError {
    fn from(error: RestError) -> Self {
        tracing::warn!(%error, "Flink did not answer whoever wanted to ask");
        Self::Silent
    }
}

/// Asks, and leaves nothing behind.
///
/// # Errors
/// Why there is no answer.
pub async fn select(clients: &Clients, asked: &Asked, within: Duration) -> Result<Found, SelectError> {
    let deadline = Instant::now() + within;
    has_room(&clients.job_manager).await?;
    let name = name();
    let opened = clients.gateway.open(&properties(asked, &name)).await;
    let session = opened.map_err(|_error| SelectError::Silent)?;
    let mut found = Found::default();
    let answered = tokio::time::timeout_at(deadline, answer(&session, asked, &mut found)).await;
    let answered = match answered {
        Ok(Ok(())) => Ok(()),
        Ok(Err(SqlError::Rest(RestError::TooLarge))) => {
            found.cut = Some(Cut::Bytes);
            Ok(())
        }
        Ok(Err(SqlError::Late | SqlError::Rest(RestError::Unreachable | RestError::Late))) => {
            Err(SelectError::Silent)
        }
        Ok(Err(error)) => Err(match failure(&clients.job_manager, &name).await {
            Some((class, words)) => SelectError::Failed {
                class: Some(class),
                words,
            },
            None => SelectError::Failed {
                class: None,
                words: cause(error.text()),
            },
        }),
        Err(_late) => {
            found.cut = Some(Cut::Time);
            Ok(())
        }
    };
    // The session's end is the end of what runs in it; a job whose begin was under way is ended by its name.
    session.close().await;
    end(&clients.job_manager, &name).await;
    answered.map(|()| found)
}

/// One slot is wanted, and none that a job needs.
async fn has_room(job_manager: &JobManager) -> Result<(), SelectError> {
    let comes = |it: &Listed| matches!(it.run, Run::Starting | Run::Restarting);
    if job_manager.jobs().await?.iter().any(comes) {
        return Err(SelectError::Moving);
    }
    match job_manager.overview().await?.slots_free {
        0 => Err(SelectError::Exhausted),
        _some => Ok(()),
    }
}

fn name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{PREFIX}{}-{}", unix_ms(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Settings of its session.
fn properties(asked: &Asked, name: &str) -> BTreeMap<String, String> {
    let zone = asked.settings.iter().rev().find(|(key, _value)| key == ZONE);
    let ours = [
        (ZONE, zone.map_or("UTC", |(_key, value)| value)),
        ("pipeline.name", name),
        // Its sources end, so there is one answer and no sequence of changes.
        ("execution.runtime-mode", "batch"),
        ("parallelism.default", "1"),
        ("restart-strategy.type", "none"),
        // The SQL gateway keeps the rows of an answer in its memory: a hundred of these have room there.
        ("collect-sink.batch-size.max", "256kb"),
    ];
    BTreeMap::from(ours.map(|(key, value)| (key.to_owned(), value.to_owned())))
}

async fn answer(session: &Session, asked: &Asked, found: &mut Found) -> Result<(), SqlError> {
    for table in &asked.tables {
        session.run(&table.reveal()).await?;
    }
    let operation = session.begin(&asked.statement).await?;
    operation.planned().await?;
    let (mut number, mut bytes) = (0, 0);
    loop {
        let page = operation.page(number).await?;
        if found.columns.is_empty() {
            found.columns = page.columns;
        }
        let is_empty = page.rows.is_empty();
        for row in page.rows {
            bytes += row.iter().map(|it| it.to_string().len()).sum::<usize>();
            if bytes > BYTES_MAX {
                found.cut = Some(Cut::Bytes);
                return Ok(());
            }
            found.rows.push(row);
            if found.rows.len() >= asked.rows {
                return Ok(());
            }
        }
        let Some(next) = page.next else { return Ok(()) };
        number = next;
        if page.is_early || is_empty {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Class and sentence of the failure of a job that ran.
async fn failure(job_manager: &JobManager, name: &str) -> Option<(String, String)> {
    let jobs = job_manager.jobs().await.ok()?;
    let job = jobs.into_iter().find(|it| it.name == name)?;
    let class = job_manager.failures(&job.id).await.ok()?.into_keys().next()?;
    Some((class, cause(&job_manager.stack(&job.id).await.ok()?)))
}

/// Ends the job of this name, if it is not over.
async fn end(job_manager: &JobManager, name: &str) {
    let deadline = Instant::now() + END;
    while Instant::now() < deadline {
        let Ok(jobs) = job_manager.jobs().await else {
            return;
        };
        let Some(job) = jobs.into_iter().find(|it| it.name == name && !it.run.is_over()) else {
            return;
        };
        if job.run != Run::Ending {
            let _again_soon = job_manager.cancel(&job.id).await;
        }
        tokio::time::sleep(LOOK).await;
    }
    tracing::warn!(name, "a person's question did not end; it is ended later");
}

/// Ends those that nobody waits for: of an agent that ended before its questions did.
pub(super) async fn sweep(job_manager: &JobManager, listed: &[Listed], now_ms: i64) {
    let is_stray = |it: &&Listed| {
        it.name.starts_with(PREFIX) && !it.run.is_over() && it.started_ms < now_ms.saturating_sub(STRAY_MS)
    };
    for stray in listed.iter().filter(is_stray) {
        tracing::warn!(
            name = stray.name,
            "a person's question that nobody waits for is ended"
        );
        let _again_later = job_manager.cancel(&stray.id).await;
    }
}

#[cfg(test)]
#[path = "select_tests.rs"]
pub(crate) mod tests;
