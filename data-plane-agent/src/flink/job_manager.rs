//! The JobManager's REST API: what runs, how it goes, and how it ends. Bounded answers; of failures the class and how many.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::rest::{Rest, RestError, part};

/// Jobs of one pool that are looked at.
const JOBS_MAX: usize = 1000;

/// The JobManager of one pool.
#[derive(Clone)]
pub struct JobManager {
    pub(super) rest: Rest,
}

/// The cluster as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overview {
    /// TaskManagers that have come.
    pub task_managers: u32,
    /// Their slots.
    pub slots: u32,
    /// Those that nobody has.
    pub slots_free: u32,
}

/// What state a Flink job is in, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// It is being set up, or waits for slots.
    Starting,
    /// All that it needs runs.
    Running,
    /// It failed and begins again by itself.
    Restarting,
    /// It is on its way to an end.
    Ending,
    /// All its sources came to their end.
    Finished,
    /// It was ended.
    Canceled,
    /// It failed for good.
    Failed,
}

impl Run {
    /// It will not run again.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Canceled | Self::Failed)
    }

    pub(super) fn read(word: &str) -> Self {
        match word {
            "RUNNING" => Self::Running,
            "RESTARTING" | "FAILING" => Self::Restarting,
            "CANCELLING" | "SUSPENDED" => Self::Ending,
            "FINISHED" => Self::Finished,
            "CANCELED" => Self::Canceled,
            "FAILED" => Self::Failed,
            // INITIALIZING, CREATED, RECONCILING, and what later versions may say.
            _other => Self::Starting,
        }
    }
}

/// A job as Flink lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Flink's id of it.
    pub id: String,
    /// What we called it.
    pub name: String,
    /// How it is.
    pub run: Run,
    /// When it began, Unix time.
    pub started_ms: i64,
}

/// What checkpoints there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoints {
    /// Completed since the job was begun.
    pub completed: u64,
    /// Failed.
    pub failed: u64,
    /// How often the job was restored.
    pub restored: u64,
    /// When the newest complete one was begun, Unix time.
    pub newest_ms: Option<i64>,
    /// Where it lies.
    pub newest_path: Option<String>,
}

/// Where a stop with a savepoint is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Not ended.
    UnderWay,
    /// The job is over, and its state lies there.
    Done(String),
    /// There is no savepoint; the job may go on or not.
    Failed,
}

impl JobManager {
    /// Behind this endpoint.
    #[must_use]
    pub const fn new(rest: Rest) -> Self {
        Self { rest }
    }

    /// The cluster.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn overview(&self) -> Result<Overview, RestError> {
        let answer = self.rest.get("/overview").await?;
        let count = |field: &str| answer[field].as_u64().and_then(|it| u32::try_from(it).ok());
        match (
            count("taskmanagers"),
            count("slots-total"),
            count("slots-available"),
        ) {
            (Some(task_managers), Some(slots), Some(slots_free)) => Ok(Overview {
                task_managers,
                slots,
                slots_free,
            }),
            _odd => Err(RestError::Unreadable),
        }
    }

    /// All jobs that it knows.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn jobs(&self) -> Result<Vec<Listed>, RestError> {
        let answer = self.rest.get("/jobs/overview").await?;
        let jobs = answer["jobs"].as_array().ok_or(RestError::Unreadable)?;
        jobs.iter()
            .take(JOBS_MAX)
            .map(|job| {
                Ok(Listed {
                    id: part(text(job, "jid")?)?.to_owned(),
                    name: text(job, "name")?.to_owned(),
                    run: Run::read(text(job, "state")?),
                    started_ms: job["start-time"].as_i64().unwrap_or(0),
                })
            })
            .collect()
    }

    /// Its checkpoints.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn checkpoints(&self, id: &str) -> Result<Checkpoints, RestError> {
        let answer = self.rest.get(&format!("/jobs/{}/checkpoints", part(id)?)).await?;
        let count = |field: &str| answer["counts"][field].as_u64().unwrap_or(0);
        let newest = &answer["latest"]["completed"];
        Ok(Checkpoints {
            completed: count("completed"),
            failed: count("failed"),
            restored: count("restored"),
            newest_ms: newest["trigger_timestamp"].as_i64(),
            newest_path: newest["external_path"].as_str().map(str::to_owned),
        })
    }

    /// The classes of its newest failures, and how many of each. No message and no stack: these may hold what records hold.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn failures(&self, id: &str) -> Result<BTreeMap<String, u64>, RestError> {
        let path = format!("/jobs/{}/exceptions?maxExceptions=20", part(id)?);
        let answer = self.rest.get(&path).await?;
        let entries = answer["exceptionHistory"]["entries"].as_array();
        let mut classes = BTreeMap::new();
        for entry in entries.into_iter().flatten() {
            let class = deepest(entry["stacktrace"].as_str(), entry["exceptionName"].as_str());
            *classes.entry(class).or_default() += 1;
        }
        Ok(classes)
    }

    /// The stack of its newest failure, with messages: for whoever may see records, and for nobody else.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn stack(&self, id: &str) -> Result<String, RestError> {
        let path = format!("/jobs/{}/exceptions?maxExceptions=1", part(id)?);
        let answer = self.rest.get(&path).await?;
        let newest = &answer["exceptionHistory"]["entries"][0]["stacktrace"];
        Ok(newest.as_str().unwrap_or_default().to_owned())
    }

    /// Asks for an end with a savepoint into a folder. Says by what to ask how it goes.
    ///
    /// # Errors
    /// Why it was not begun.
    pub async fn stop(&self, id: &str, folder: &str) -> Result<String, RestError> {
        let body = json!({"drain": false, "targetDirectory": folder, "formatType": "CANONICAL"});
        let answer = self
            .rest
            .post(&format!("/jobs/{}/stop", part(id)?), &body)
            .await?;
        Ok(part(text(&answer, "request-id")?)?.to_owned())
    }

    /// How a stop goes.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn stopped(&self, id: &str, request: &str) -> Result<Stop, RestError> {
        let path = format!("/jobs/{}/savepoints/{}", part(id)?, part(request)?);
        let answer = self.rest.get(&path).await?;
        if answer["status"]["id"] != "COMPLETED" {
            return Ok(Stop::UnderWay);
        }
        Ok(match answer["operation"]["location"].as_str() {
            Some(location) => Stop::Done(location.to_owned()),
            None => Stop::Failed,
        })
    }

    /// Ends a job as it stands, without a savepoint.
    ///
    /// # Errors
    /// Why it was not begun.
    pub async fn cancel(&self, id: &str) -> Result<(), RestError> {
        self.rest
            .patch(&format!("/jobs/{}?mode=cancel", part(id)?))
            .await
            .map(drop)
    }
}

pub(super) fn text<'a>(answer: &'a Value, field: &str) -> Result<&'a str, RestError> {
    answer[field].as_str().ok_or(RestError::Unreadable)
}

/// The class of the deepest cause that a stack trace names.
fn deepest(stack: Option<&str>, outer: Option<&str>) -> String {
    let caused = stack.unwrap_or_default().lines().rev();
    let named = caused
        .filter_map(|line| line.trim_start().strip_prefix("Caused by: "))
        .next();
    let whole = named.or(outer).unwrap_or_default();
    let class = whole.split([':', ' ']).next().unwrap_or_default();
    let plain = |it: &str| {
        it.len() <= 200
            && it.contains('.')
            && it
                .chars()
                .all(|it| it.is_ascii_alphanumeric() || "._$".contains(it))
    };
    if plain(class) {
        class.to_owned()
    } else {
        "unknown".to_owned()
    }
}

#[cfg(test)]
#[path = "job_manager_tests.rs"]
mod tests;
