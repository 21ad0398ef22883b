//! What steps of a job would make of some records: those of a request, or the last of the job's topic. Nothing is written
//! anywhere, and nothing of it leaves the network: it is asked and answered at the endpoint inside.
//!
//! Of jobs in SQL: what tables they see, and what a query answers over them.

mod outcome;
mod sample;
mod select;
mod tables;
mod tail;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use weir_proto::agent::v1::{AccessRole, DesiredState, Job, Topic};
use weir_proto::lane::v1::Snapshot;

use crate::dead_letters::Post;
use crate::driver::{Shared, secrets_of};
use crate::platform::Platform;
use crate::platform::kafka::KafkaError;
use crate::processor::calls::Made;
use crate::processor::engine::{Engine, Next, Seen};
use crate::resources::job::{self, Place};

use outcome::{Page, Reply};
use sample::{Came, Sample};
pub use select::{Answer, Desk, Read, SELECT_BYTES_MAX, Seat, Wanted};
pub use tables::{Described, Tables};

/// Records of one preview.
pub const RECORDS_MAX: usize = 100;
/// Bytes of a request.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// How long all of it may take.
const WITHIN: Duration = Duration::from_secs(if cfg!(test) { 3 } else { 10 });
/// Calls that are under way at the same time.
const CALLS_AT_ONCE: usize = 8;
/// Previews at the same time: each takes memory and a processor.
const AT_ONCE: usize = 1;

/// What is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Whose topics, rights, secrets and, if no steps are given, steps.
    job: String,
    /// Other steps than the job's.
    steps: Option<Value>,
    /// Records.
    #[serde(default)]
    samples: Vec<Sample>,
    /// Instead of them: the last so many of the job's source.
    last: Option<usize>,
    /// Endpoints are called, as the customer's policy allows; else it is said what they would be asked.
    #[serde(default)]
    calls: bool,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Preview {
    job: String,
    version: u32,
    #[serde(flatten)]
    page: Page,
}

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such job.
    #[error("No job of this id is served here.")]
    Unknown,
    /// Somebody else's preview runs.
    #[error("Another preview is being made: try again in some seconds.")]
    Busy,
    /// What was asked makes no sense.
    #[error("{0}")]
    Asked(String),
    /// The steps cannot run, for this reason.
    #[error("{reason}: {text}")]
    Steps {
        /// As the job's status would say it.
        reason: &'static str,
        /// A sentence.
        text: String,
    },
    /// The job's service account may not read the source.
    #[error("UNAUTHORIZED: the job's service account may not read its source.")]
    Unauthorized,
    /// The job's service account may not read a table.
    #[error("UNAUTHORIZED: the job's service account may not read the topic of table `{0}`.")]
    Table(String),
    /// The pool's Flink does not run, or takes no statements yet.
    #[error(
        "NO_FLINK: the job's compute pool takes no queries now. Its processes run while one of its jobs does: start the job, or wait until it runs."
    )]
    Asleep,
    /// The pool's Flink has no slot to spare.
    #[error(
        "POOL_EXHAUSTED: the jobs of the compute pool have all its slots. A query needs one that is free."
    )]
    Exhausted,
    /// A job of the pool starts.
    #[error(
        "POOL_BUSY: a job of the compute pool is starting and needs its slots first. Try again when it runs."
    )]
    Moving,
    /// The topic cannot be read now.
    #[error("The topic cannot be read now: {0}.")]
    Kafka(#[from] KafkaError),
}

/// What previews are made of: what the customer let in, and whom jobs may call.
#[derive(Debug, Clone, Default)]
pub struct Ground {
    /// What the customer let in.
    pub admitted: DesiredState,
    /// Whom jobs may call.
    pub hosts: Vec<String>,
}

/// Where previews are asked for.
pub struct Previews {
    ground: Arc<ArcSwap<Ground>>,
    post: Post,
    credentials: PathBuf,
    room: Semaphore,
    desk: Arc<ArcSwap<Desk>>,
    selects: Arc<Semaphore>,
}

impl std::fmt::Debug for Previews {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Previews").finish_non_exhaustive()
    }
}

impl Previews {
    /// For an agent that serves this.
    #[must_use]
    pub fn open(
        platform: &Platform,
        shared: &Shared,
        snapshot: watch::Receiver<Arc<Snapshot>>,
        state_dir: &Path,
    ) -> Arc<Self> {
        let post = Post {
            logs: Arc::clone(&platform.logs),
            snapshot,
            directory: Arc::clone(&shared.directory),
        };
        let previews = Self::new(Arc::clone(&shared.ground), post, state_dir);
        Arc::new(Self {
            desk: Arc::clone(&shared.desk),
            ..previews
        })
    }

    /// Over this ground.
    #[must_use]
    pub fn new(ground: Arc<ArcSwap<Ground>>, post: Post, state_dir: &Path) -> Self {
        Self {
            ground,
            post,
            credentials: state_dir.join("credentials"),
            room: Semaphore::new(AT_ONCE),
            desk: Arc::default(),
            selects: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Makes one.
    ///
    /// # Errors
    /// [`Refusal`]
    pub async fn make(&self, asked: Asked) -> Result<Preview, Refusal> {
        let _room = self.room.try_acquire().map_err(|_full| Refusal::Busy)?;
        let deadline = Instant::now() + WITHIN;
        let ground = self.ground.load_full();
        let (job, source) = found(&asked, &ground.admitted)?;
        let place = Place {
            admitted: &ground.admitted,
            hosts: &ground.hosts,
        };
        let runnable = job::program(&job, &place).map_err(|refused| Refusal::Steps {
            reason: refused.reason.as_str_name().trim_start_matches("REASON_"),
            text: refused.text,
        })?;
        if !may_read(&job, &source, &ground.admitted) {
            return Err(Refusal::Unauthorized);
        }
        let tenant = ground.admitted.clusters.iter().find(|it| it.id == job.cluster_id);
        let tenant = tenant.map_or("", |it| it.tenant_id.as_str());
        let secrets = secrets_of(&self.credentials, tenant, &job.id, &runnable.needs);
        let engine = Engine::build(&runnable.program, &secrets).map_err(|text| Refusal::Steps {
            reason: "PROGRAM_REFUSED",
            text,
        })?;
        let came = match asked.last {
            Some(count) => tail::read(&self.post, &source.id, count, deadline).await?,
            None => sample::records(&asked.samples, &runnable.program).map_err(Refusal::Asked)?,
        };
        let made = asked.calls.then(|| Made::new(&engine, &secrets));
        let page = on_a_thread(engine, came, source.name, made, deadline, asked.last.is_some()).await?;
        Ok(Preview {
            job: job.id,
            version: job.version,
            page,
        })
    }
}

/// The job with the steps that are asked about, and its source.
fn found(asked: &Asked, admitted: &DesiredState) -> Result<(Job, Topic), Refusal> {
    let wrong = |text: &str| Err(Refusal::Asked(text.to_owned()));
    match (asked.last, asked.samples.len()) {
        (None, 0) => return wrong("Give `samples`, or `last`: how many of the newest records."),
        (Some(_last), 1..) => return wrong("Give either `samples` or `last`."),
        (Some(0), _) => return wrong("`last` is from 1 to 100."),
        (Some(last), _) if last > RECORDS_MAX => return wrong("`last` is from 1 to 100."),
        (None, count) if count > RECORDS_MAX => return wrong("There are at most 100 samples."),
        _fine => {}
    }
    let mut jobs = admitted.jobs.iter().filter(|it| !it.deleted);
    let job = jobs.find(|it| it.id == asked.job).ok_or(Refusal::Unknown)?;
    let mut job = job.clone();
    let action = job.action.as_mut().ok_or(Refusal::Unknown)?;
    if let Some(steps) = &asked.steps {
        action.steps_json = steps.to_string();
    }
    let source = admitted
        .topics
        .iter()
        .find(|it| it.id == action.source_topic_id && it.cluster_id == job.cluster_id && !it.deleted);
    match source {
        // The agent reads the log itself, past the gateway and the share's view.
        Some(source) if source.mount.is_some() && asked.last.is_some() => wrong(
            "The source is shared by another tenant: its records are read through the gateway alone. Give `samples`.",
        ),
        Some(source) if asked.last.is_some() && is_encrypted(source, admitted) => wrong(
            "The source is shared encrypted: its records are read through the gateway alone. Give `samples`.",
        ),
        Some(source) => Ok((job, source.clone())),
        None => Err(Refusal::Steps {
            reason: "SOURCE_MISSING",
            text: "its source is not there".to_owned(),
        }),
    }
}

/// Is what is written to a topic encrypted for a share?
fn is_encrypted(source: &Topic, admitted: &DesiredState) -> bool {
    let mounts = admitted.topics.iter().filter_map(|it| it.mount.as_ref());
    mounts
        .filter(|it| it.encryption.is_some())
        .any(|it| it.topic_id == source.id)
}

/// Has the job's service account a role by which it may read the source?
fn may_read(job: &Job, source: &Topic, admitted: &DesiredState) -> bool {
    let of_account = admitted
        .grants
        .iter()
        .filter(|it| it.principal_id == job.principal_id && it.cluster_id == job.cluster_id);
    of_account.into_iter().any(|grant| {
        let covers = match grant.pattern.strip_suffix('*') {
            Some(prefix) => source.name.starts_with(prefix),
            None => source.name == grant.pattern,
        };
        covers && grant.role >= AccessRole::Reader as i32
    })
}

/// Runs the steps beside the rest of the agent: they take time, and wait for calls.
async fn on_a_thread(
    engine: Engine,
    came: Vec<Came>,
    source: String,
    made: Option<Made>,
    deadline: Instant,
    show_records: bool,
) -> Result<Page, Refusal> {
    let handle = tokio::runtime::Handle::current();
    let ran = tokio::task::spawn_blocking(move || {
        let replies = handle.block_on(run(&engine, &came, &source, made.as_ref(), deadline));
        Page::of(&engine, &came, replies, show_records)
    });
    let broken =
        |_panicked| Refusal::Asked("The steps could not be tried; the agent's log says why.".to_owned());
    ran.await.map_err(broken)
}

/// What comes of each record. Records begin in their order, as deduplication wants it; calls are answered in any.
async fn run(
    engine: &Engine,
    came: &[Came],
    source: &str,
    made: Option<&Made>,
    deadline: Instant,
) -> Vec<Reply> {
    let mut seen: BTreeMap<i32, Seen> = BTreeMap::new();
    let begun = came.iter().map(|came| {
        if Instant::now() >= deadline {
            return None;
        }
        let seen = seen.entry(came.partition).or_insert_with(|| engine.seen());
        Some(engine.begin(&came.record(source, &came.headers()), seen))
    });
    let begun: Vec<Option<Next>> = begun.collect();
    let answered = stream::iter(begun).map(|next| async move {
        match next {
            None => Reply::NotReached,
            Some(next) => {
                let answered = tokio::time::timeout_at(deadline, answer(engine, next, made));
                answered.await.unwrap_or(Reply::NotReached)
            }
        }
    });
    answered.buffered(CALLS_AT_ONCE).collect().await
}

/// Follows a record through its calls.
async fn answer(engine: &Engine, mut next: Next, made: Option<&Made>) -> Reply {
    loop {
        let (request, suspended) = match next {
            Next::Done(outcome) => return Reply::Done(outcome),
            Next::Call(request, suspended) => (request, suspended),
        };
        let Some(made) = made else {
            return Reply::Calls(request);
        };
        tokio::time::sleep(Duration::from_millis(request.wait_ms)).await;
        let answer = made.ask(&request).await;
        next = engine.resume(suspended, &answer);
    }
}
