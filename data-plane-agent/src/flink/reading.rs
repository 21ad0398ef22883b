//! What a job's vertices and the pool's TaskManagers say of themselves at one moment. A number that was not told is unknown: `None`.
//!
//! Counters are those of Flink that grow from a subtask's start; its rates per second lag by ten seconds.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::Value;

use super::counts::Counts;
use super::job_manager::JobManager;
use super::rest::{RestError, part};
use super::shape::{Looked, Vertex};

/// Everything that is known of a job that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// When, Unix time.
    pub at_ms: u64,
    /// Changes with each start of any subtask.
    pub start: u64,
    /// In the order of the data.
    pub vertices: Vec<VertexReading>,
    /// Of the tightest TaskManager.
    pub memory: MemoryReading,
}

/// One vertex.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VertexReading {
    /// Its place in the job.
    pub shape: Vertex,
    /// Records that it took in; of a source: that it read.
    pub records_in: Option<u64>,
    /// Records that a source knows of and has not read.
    pub pending: Option<u64>,
    /// Each of its subtasks.
    pub subtasks: Vec<SubtaskReading>,
}

/// One subtask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SubtaskReading {
    /// Records that it took in; sources tell only of all their subtasks together.
    pub records_in: Option<u64>,
    /// Records that it gave out.
    pub records_out: Option<u64>,
    /// Milliseconds at work,
    pub busy_ms: Option<u64>,
    /// held up by those behind it,
    pub backpressured_ms: Option<u64>,
    /// and without anything to do.
    pub idle_ms: Option<u64>,
}

/// Memory of the tightest TaskManager.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryReading {
    /// Bytes of the heap in use.
    pub heap_used: Option<u64>,
    /// Bytes that there may be.
    pub heap_max: Option<u64>,
    /// Milliseconds of each second that go into garbage collection.
    pub gc_ms_per_second: Option<u64>,
    /// Bytes of managed memory in use.
    pub managed_used: Option<u64>,
    /// Bytes that there are.
    pub managed_total: Option<u64>,
}

/// A TaskManager that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskManager {
    /// As it was started: `taskmanager-1`.
    pub id: String,
    /// None of its slots is anybody's.
    pub is_idle: bool,
}

const HEAP_USED: &str = "Status.JVM.Memory.Heap.Used";
const HEAP_MAX: &str = "Status.JVM.Memory.Heap.Max";
const GC: &str = "Status.JVM.GarbageCollector.All.TimeMsPerSecond";
const MANAGED_USED: &str = "Status.Flink.Memory.Managed.Used";
const MANAGED_TOTAL: &str = "Status.Flink.Memory.Managed.Total";

impl JobManager {
    /// Reads a job whose subtasks all run. `counts` are those of the same moment.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn reading(
        &self,
        id: &str,
        job: &Looked,
        counts: &Counts,
        now_ms: u64,
    ) -> Result<Reading, RestError> {
        let mut start = DefaultHasher::new();
        let mut vertices = Vec::with_capacity(job.vertices.len());
        for vertex in &job.vertices {
            let path = format!("/jobs/{}/vertices/{}", part(id)?, part(&vertex.id)?);
            let answer = self.rest.get(&path).await?;
            let subtasks = answer["subtasks"].as_array().ok_or(RestError::Unreadable)?;
            let told = counts.sources.get(&vertex.id);
            let is_source = vertex.inputs.is_empty();
            for subtask in subtasks {
                (
                    &vertex.id,
                    subtask["attempt"].as_u64(),
                    subtask["start-time"].as_u64(),
                )
                    .hash(&mut start);
            }
            let subtasks: Vec<SubtaskReading> = subtasks.iter().map(|it| subtask(it, is_source)).collect();
            let sum: Option<u64> = subtasks.iter().map(|it| it.records_in).sum();
            vertices.push(VertexReading {
                shape: vertex.clone(),
                records_in: if is_source {
                    told.and_then(|it| it.records_in)
                } else {
                    sum
                },
                pending: told.and_then(|it| it.pending),
                subtasks,
            });
        }
        Ok(Reading {
            at_ms: now_ms,
            start: start.finish(),
            vertices,
            memory: self.memory().await?,
        })
    }

    async fn memory(&self) -> Result<MemoryReading, RestError> {
        let names = [HEAP_USED, HEAP_MAX, GC, MANAGED_USED, MANAGED_TOTAL].join(",");
        let answer = self
            .rest
            .get(&format!("/taskmanagers/metrics?get={names}&agg=max"))
            .await?;
        let most = |name: &str| {
            let all = answer.as_array().into_iter().flatten();
            let mut named = all.filter(|it| it["id"] == name);
            named.next().and_then(|it| whole(&it["max"]))
        };
        Ok(MemoryReading {
            heap_used: most(HEAP_USED),
            heap_max: most(HEAP_MAX),
            gc_ms_per_second: most(GC),
            managed_used: most(MANAGED_USED),
            managed_total: most(MANAGED_TOTAL),
        })
    }

    /// The TaskManagers that have come.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn task_managers(&self) -> Result<Vec<TaskManager>, RestError> {
        let answer = self.rest.get("/taskmanagers").await?;
        let all = answer["taskmanagers"].as_array().ok_or(RestError::Unreadable)?;
        let one = |it: &Value| {
            let slots = it["slotsNumber"].as_u64()?;
            Some(TaskManager {
                id: it["id"].as_str()?.to_owned(),
                is_idle: slots > 0 && it["freeSlots"].as_u64()? == slots,
            })
        };
        Ok(all.iter().filter_map(one).collect())
    }
}

fn subtask(told: &Value, is_source: bool) -> SubtaskReading {
    let metrics = &told["metrics"];
    let known = |number: &str, complete: &str| {
        let is_complete = metrics[complete].as_bool() != Some(false);
        whole(&metrics[number]).filter(|_number| is_complete)
    };
    SubtaskReading {
        // Of a source Flink says 0 here, whatever it read.
        records_in: known("read-records", "read-records-complete").filter(|_number| !is_source),
        records_out: known("write-records", "write-records-complete"),
        busy_ms: whole(&metrics["accumulated-busy-time"]),
        backpressured_ms: whole(&metrics["accumulated-backpressured-time"]),
        idle_ms: whole(&metrics["accumulated-idle-time"]),
    }
}

/// Counts come as floating-point numbers; what is not known, as the word `NaN` or as a number below zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count, not negative and far below the bound of exact whole numbers"
)]
fn whole(number: &Value) -> Option<u64> {
    let number = number.as_f64()?;
    (0.0..9e15).contains(&number).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::super::job_manager::Run;
    use super::super::rest::tests::endpoint;
    use super::super::shape::Flow;
    use super::*;
    use crate::flink::counts::SourceCounts;
    use axum::routing::get;
    use axum::{Json, Router};
    use serde_json::json;

    fn told(records: u64, busy: &Value, attempt: u64) -> Value {
        json!({"subtask": 0, "attempt": attempt, "start-time": 5, "metrics": {"read-records": records, "read-records-complete": true,
            "write-records": 2 * records, "write-records-complete": true, "accumulated-busy-time": busy,
            "accumulated-backpressured-time": 0, "accumulated-idle-time": 7}})
    }

    async fn read(attempt: u64, memory: Value) -> Reading {
        let vertex = move |path: axum::extract::Path<(String, String)>| async move {
            Json(match path.1.as_str() {
                "source" => json!({"subtasks": [told(0, &json!(900.0), attempt)]}),
                _work => json!({"subtasks": [told(6, &json!("NaN"), 0), told(4, &json!(12.0), 0)]}),
            })
        };
        let managers = json!({"taskmanagers": [{"id": "taskmanager-0", "slotsNumber": 2, "freeSlots": 2}]});
        let routes = Router::new()
            .route("/jobs/{id}/vertices/{vertex}", get(vertex))
            .route("/taskmanagers", get(|| async move { Json(managers) }))
            .route("/taskmanagers/metrics", get(|| async move { Json(memory) }));
        let manager = JobManager::new(endpoint(routes).await);
        assert!(manager.task_managers().await.unwrap()[0].is_idle);
        let source = Vertex {
            id: "source".to_owned(),
            table: Some("payments".to_owned()),
            ..Vertex::default()
        };
        let flow = Flow {
            from: "source".to_owned(),
            keyed: true,
            forward: false,
        };
        let work = Vertex {
            id: "work".to_owned(),
            inputs: vec![flow],
            ..Vertex::default()
        };
        let job = Looked {
            run: Run::Running,
            vertices: vec![source, work],
        };
        let mut counts = Counts::default();
        let read = SourceCounts {
            records_in: Some(40),
            pending: None,
        };
        counts.sources.insert("source".to_owned(), read);
        manager.reading("0123", &job, &counts, 9).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_not_told_is_unknown_and_never_nothing() {
        let memory =
            json!([{"id": HEAP_USED, "max": 3.0}, {"id": HEAP_MAX, "max": 4.0}, {"id": GC, "max": 6.25}]);
        let reading = read(0, memory).await;
        let [source, work] = reading.vertices.as_slice() else {
            panic!("{reading:?}");
        };
        // What a source read is told elsewhere; its lag was not.
        assert_eq!((source.records_in, source.pending), (Some(40), None));
        assert_eq!(
            (source.subtasks[0].records_in, source.subtasks[0].busy_ms),
            (None, Some(900))
        );
        assert_eq!(work.records_in, Some(10));
        assert_eq!(
            (work.subtasks[0].busy_ms, work.subtasks[1].busy_ms),
            (None, Some(12))
        );
        let memory = reading.memory;
        assert_eq!((memory.heap_used, memory.heap_max), (Some(3), Some(4)));
        assert_eq!((memory.gc_ms_per_second, memory.managed_used), (Some(6), None));
        // Another start of a subtask is another start of the job; one unknown name makes Flink's answer empty.
        let again = read(1, json!([])).await;
        assert_ne!(again.start, reading.start);
        assert_eq!(again.memory, MemoryReading::default());
    }
}
