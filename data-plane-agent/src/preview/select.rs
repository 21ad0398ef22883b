//! What a `SELECT` of a person's answers over the tables of a job: asked of the pool's own Flink, with the rights of the job.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;
use weir_proto::agent::v1::{DesiredState, Job, JobFailureCode, SqlProgram};
use weir_sql::select::{Query, select as judge};
use weir_sql::table::{Ddl, Sink, Source, glance};

use super::tables::Described;
use super::{Previews, Refusal, may_read};
use crate::dead_letters::{Way, edges};
use crate::flink::handle::Window;
use crate::flink::select::{Asked, Cut, Found, SelectError, select};
use crate::flink::sql_job::Ready;
use crate::platform::groups::Mark;
use crate::resources::job::sql_status::code;

/// Bytes of a request.
pub const SELECT_BYTES_MAX: usize = 128 * 1024;
/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(30);
/// Records of each partition that are read, from its end, unless somebody wants another number.
const LAST: u32 = 10_000;
const LAST_MAX: u32 = 100_000;

/// Where questions to jobs in SQL are asked: by the job.
pub type Desk = BTreeMap<String, Seat>;

/// Of one job.
#[derive(Clone)]
pub struct Seat {
    /// Its program.
    pub program: Arc<Ready>,
    /// Its pool's Flink.
    pub flink: Window,
}

/// What is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Whose tables and rights.
    pub job: String,
    /// One query.
    pub statement: String,
    /// Offsets of each partition that are read, from its end.
    pub last: Option<u32>,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// The job.
    pub job: String,
    /// Its program's version.
    pub version: u32,
    /// The columns, in their order.
    pub columns: Vec<Described>,
    /// Rows, each as its fields.
    pub rows: Vec<Vec<Value>>,
    /// `BYTES` or `TIME`, if there is less than all.
    pub cut: Option<&'static str>,
    /// What was read.
    pub tables: Vec<Read>,
    /// How long it took.
    pub took_ms: u64,
}

/// How much of a table was read.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Read {
    /// The table.
    pub name: String,
    /// Its topic.
    pub topic: String,
    /// All of it, and not only the newest.
    pub whole: bool,
}

impl Previews {
    /// Asks.
    ///
    /// # Errors
    /// [`Refusal`]
    pub async fn select(&self, wanted: Wanted) -> Result<Answer, Refusal> {
        let room = Arc::clone(&self.selects)
            .try_acquire_owned()
            .map_err(|_full| Refusal::Busy)?;
        let began = Instant::now();
        let Wanted { job, statement, last } = wanted;
        let last = last.unwrap_or(LAST);
        if !(1..=LAST_MAX).contains(&last) {
            return Err(Refusal::Asked(format!("`last` is from 1 to {LAST_MAX}.")));
        }
        let ground = self.ground.load_full();
        let job = sql_job(&job, &ground.admitted)?;
        let query = judged(job.1, &statement)?;
        let seat = self.desk.load().get(&job.0.id).cloned();
        let Some(seat) = seat else {
            // Its tables say why it cannot run; else it was not looked at yet.
            self.tables(&job.0.id)?;
            return Err(Refusal::Asleep);
        };
        let (tables, read) = self
            .tables_of((job.0, &query), &seat.program, &ground.admitted, last)
            .await?;
        let clients = seat.flink.open().ok_or(Refusal::Asleep)?;
        let asked = Asked {
            tables,
            statement: query.statement,
            rows: usize::try_from(query.limit).unwrap_or(usize::MAX),
            settings: seat.program.settings.clone(),
        };
        // By itself: who goes away while it is asked leaves nothing behind either, and keeps the place of the next until its end.
        let asking = tokio::spawn(async move {
            let _room = room;
            select(&clients, &asked, WITHIN).await
        });
        let found = asking
            .await
            .map_err(|_panicked| Refusal::Asleep)?
            .map_err(|error| refusal(error, &seat.program))?;
        let took = began.elapsed();
        tracing::info!(
            job = job.0.id,
            rows = found.rows.len(),
            ?took,
            "a person's question was answered"
        );
        Ok(Answer::of(job.0, found, read, took))
    }

    /// The tables that a query reads, each from where it is read.
    async fn tables_of(
        &self,
        (job, query): (&Job, &Query),
        program: &Ready,
        admitted: &DesiredState,
        last: u32,
    ) -> Result<(Vec<Ddl>, Vec<Read>), Refusal> {
        let (mut tables, mut reads) = (Vec::new(), Vec::new());
        let sources = program.sources.iter().map(|(it, _origin)| it.clone());
        for table in sources.chain(program.sinks.iter().map(as_source)) {
            if !query.reads.contains(&table.name) {
                continue;
            }
            let mut topics = admitted
                .topics
                .iter()
                .filter(|it| it.cluster_id == job.cluster_id);
            let topic = topics.find(|it| it.name == table.topic && !it.deleted);
            let Some(topic) = topic.filter(|it| may_read(job, it, admitted)) else {
                return Err(Refusal::Table(table.name));
            };
            // What is shared by another tenant is read through the gateway alone, which knows where it ends.
            let from = match topic.mount {
                Some(_) => Vec::new(),
                None => self.newest(&topic.id, last).await?,
            };
            reads.push(Read {
                whole: from.iter().all(|(_partition, _from, is_first)| *is_first),
                name: table.name.clone(),
                topic: table.topic.clone(),
            });
            let from: Vec<(i32, i64)> = from.into_iter().map(|(at, from, _first)| (at, from)).collect();
            let made = glance(&table, &program.login, &from);
            tables.push(made.map_err(|text| Refusal::Steps {
                reason: "PROGRAM_REFUSED",
                text,
            })?);
        }
        Ok((tables, reads))
    }

    /// By partition: where so many offsets before its end are, and whether that is all that it has.
    async fn newest(&self, topic: &str, last: u32) -> Result<Vec<(i32, i64, bool)>, Refusal> {
        let place = self.post.directory.load().topics.get(topic).cloned();
        let (at, name) = place.ok_or(crate::platform::kafka::KafkaError::Unreachable)?;
        let leaders = self.post.logs.leaders(&at, std::slice::from_ref(&name)).await?;
        let way = Way {
            logs: self.post.logs.as_ref(),
            at: &at,
            leaders: &leaders,
        };
        let partitions = way.partitions(&name);
        let first = edges(way, &name, 0..partitions, Mark::Earliest).await?;
        let ends = edges(way, &name, 0..partitions, Mark::Latest).await?;
        let begin = |at: i32| {
            let (first, end) = (first.get(&at)?, ends.get(&at)?);
            let from = end.saturating_sub(i64::from(last)).max(*first);
            Some((at, from, from == *first))
        };
        Ok((0..partitions).filter_map(begin).collect())
    }
}

/// The job, and its program in SQL.
fn sql_job<'a>(id: &str, admitted: &'a DesiredState) -> Result<(&'a Job, &'a SqlProgram), Refusal> {
    let mut jobs = admitted.jobs.iter().filter(|it| it.id == id && !it.deleted);
    let job = jobs.next().ok_or(Refusal::Unknown)?;
    match &job.sql {
        Some(program) => Ok((job, program)),
        None => Err(Refusal::Asked(
            "The job is none in SQL: it has no tables.".to_owned(),
        )),
    }
}

fn judged(program: &SqlProgram, statement: &str) -> Result<Query, Refusal> {
    let sources = program.sources.iter().map(|it| it.name.clone());
    let sinks = program.sinks.iter().map(|it| it.name.clone());
    let tables: BTreeSet<String> = sources.chain(sinks).collect();
    judge(statement, &tables).map_err(|problem| Refusal::Steps {
        reason: "STATEMENT_REFUSED",
        text: problem.to_string(),
    })
}

/// A sink's topic, to be read as its records are: one row for each.
fn as_source(sink: &Sink) -> Source {
    Source {
        name: sink.name.clone(),
        topic: sink.topic.clone(),
        columns: sink.columns.clone(),
        format: sink.format.clone(),
        key: None,
        event_time: None,
    }
}

fn refusal(error: SelectError, program: &Ready) -> Refusal {
    let (class, words) = match error {
        SelectError::Exhausted => return Refusal::Exhausted,
        SelectError::Moving => return Refusal::Moving,
        SelectError::Silent => return Refusal::Asleep,
        SelectError::Failed { class, words } => (class, words),
    };
    let reason = match class.as_deref().map(code) {
        Some(JobFailureCode::Unauthorized) => "UNAUTHORIZED",
        Some(JobFailureCode::TopicMissing) => "SOURCE_MISSING",
        Some(JobFailureCode::Decode | JobFailureCode::SchemaUnknown) => "POISON_RECORD",
        _other => "QUERY_FAILED",
    };
    Refusal::Steps {
        reason,
        text: program.redacted(&words),
    }
}

impl Answer {
    fn of(job: &Job, found: Found, tables: Vec<Read>, took: Duration) -> Self {
        Self {
            job: job.id.clone(),
            version: job.version,
            columns: found
                .columns
                .into_iter()
                .map(|(name, kind)| Described { name, kind })
                .collect(),
            rows: found.rows,
            cut: found.cut.map(|it| match it {
                Cut::Bytes => "BYTES",
                Cut::Time => "TIME",
            }),
            tables,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;
