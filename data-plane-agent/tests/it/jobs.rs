//! Jobs from wish to report, with fakes of Kafka, processes and gateways: keys, room in pools, workers, ends.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use weir_agent::platform::fake::FakeProcesses;
use weir_agent::processor::halt::HaltCode;
use weir_agent::processor::progress::{PartitionProgress, Progress};
use weir_proto::agent::v1::agent_frame::Frame;
use weir_proto::agent::v1::{
    ActionProgram, ActionSink, AgentFrame, ComputePool, DesiredState, Job, JobProgress, JobScaling, JobState,
    JobSuspension, Phase, Reason,
};

use crate::harness::{CLUSTER, Harness, LIMIT, topic, wish};

const COMPUTE: &str = "compute_pool_01c";

pub fn job(id: &str, priority: u32, workers: u32) -> Job {
    Job {
        id: id.to_owned(),
        cluster_id: CLUSTER.to_owned(),
        name: format!("name-{id}"),
        compute_pool_id: COMPUTE.to_owned(),
        principal_id: "service_account_01s".to_owned(),
        version: 1,
        state: JobState::Running.into(),
        priority,
        scaling: Some(JobScaling {
            min_workers: workers,
            max_workers: workers,
            policy: None,
        }),
        action: Some(ActionProgram {
            source_topic_id: "topic_01a".to_owned(),
            steps_json: r#"[{"filter":{"where":"message.amount > 100"}}]"#.to_owned(),
            sinks: vec![ActionSink {
                name: "out".to_owned(),
                topic_id: "topic_01b".to_owned(),
                ..ActionSink::default()
            }],
            ..ActionProgram::default()
        }),
        ..Job::default()
    }
}

pub fn with(jobs: Vec<Job>, units: u32) -> DesiredState {
    DesiredState {
        compute_pools: vec![ComputePool {
            id: COMPUTE.to_owned(),
            name: "jobs".to_owned(),
            max_units: units,
            ..ComputePool::default()
        }],
        jobs,
        ..wish(vec![
            topic("topic_01a", "orders", 3),
            topic("topic_01b", "large", 3),
        ])
    }
}

fn newest_progress(frames: &[AgentFrame], id: &str) -> Option<JobProgress> {
    let told = frames.iter().rev().filter_map(|frame| match &frame.frame {
        Some(Frame::Jobs(report)) => report.jobs.iter().find(|it| it.job_id == id).cloned(),
        _other => None,
    });
    told.into_iter().next()
}

/// What a worker writes that has joined its group.
fn writes(state: &Path, job: &str, slot: u32, change: impl FnOnce(&mut Progress)) {
    let path = state.join(format!("run/{job}-worker-{slot}.pid"));
    // A worker is alive a moment before that is written down.
    let record = (0..500).find_map(|_attempt| {
        let read = std::fs::read(&path).ok();
        if read.is_none() {
            std::thread::sleep(Duration::from_millis(20));
        }
        read
    });
    let record: serde_json::Value = serde_json::from_slice(&record.unwrap()).unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let mut progress = Progress {
        version: 1,
        pid: u32::try_from(record["identity"]["pid"].as_u64().unwrap()).unwrap(),
        at_unix_ms: u64::try_from(now.as_millis()).unwrap(),
        source: "orders".to_owned(),
        joined: true,
        records_in: 10,
        records_out: 4,
        ..Progress::default()
    };
    progress.partitions.insert(
        0,
        PartitionProgress {
            offset: 10,
            done_to: 10,
            end: 12,
        },
    );
    change(&mut progress);
    let path = state.join(format!("jobs/{job}/worker-{slot}.progress"));
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path);
    progress.write(file.unwrap()).unwrap();
}

async fn until_alive(processes: &FakeProcesses, name: &str, alive: bool) {
    let deadline = tokio::time::Instant::now() + LIMIT;
    while processes.is_alive(name) != alive {
        assert!(
            tokio::time::Instant::now() < deadline,
            "{name}: alive {alive} in time"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_get_keys_room_and_workers_and_are_reported() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let mut gateway = harness.gateway("gateway_1", true).await;
    let plane = &harness.control_plane;
    let wished = with(
        vec![job("job_01a", 5, 1), job("job_01b", 9, 1), job("job_01c", 5, 1)],
        2,
    );
    plane.wish(plane.seal(1, 1, &wished)).await;
    harness.phase(COMPUTE, Phase::Ready).await;
    until_alive(&harness.processes, "job_01a-worker-0", true).await;
    until_alive(&harness.processes, "job_01b-worker-0", true).await;
    let waits = |it: &weir_proto::agent::v1::ItemStatus| it.reason() == Reason::PoolExhausted;
    assert_eq!(harness.status("job_01c", waits).await.phase(), Phase::Pending);
    let place = |frames: &[AgentFrame]| newest_progress(frames, "job_01c").filter(|it| it.queue_place == 1);
    plane.until("its place among those that wait", LIMIT, place).await;

    let snapshot = gateway
        .snapshot(LIMIT, |it| it.job_keys.len() == 3)
        .await
        .unwrap();
    let key = snapshot.api_keys.iter().find(|it| it.id == "job_01a").unwrap();
    assert_eq!(
        (key.principal_id.as_str(), key.cluster_id.as_str()),
        ("service_account_01s", CLUSTER)
    );
    assert!(key.scram_sha_256.is_some() && key.sha256.len() == 32);
    assert_eq!(snapshot.job_keys, ["job_01a", "job_01b", "job_01c"]);

    let state = harness.state_dir();
    let starting = |it: &weir_proto::agent::v1::ItemStatus| it.reason() == Reason::WorkerStarting;
    harness.status("job_01a", starting).await;
    writes(&state, "job_01a", 0, |_as_it_is| {});
    harness.phase("job_01a", Phase::Running).await;
    let told = |frames: &[AgentFrame]| newest_progress(frames, "job_01a").filter(|it| it.records_in == 10);
    let told = plane.until("how it goes", LIMIT, told).await;
    assert_eq!(
        (told.records_out, told.lag_records, told.workers, told.units),
        (4, 2, 1, 1)
    );
    assert_eq!((told.offsets[0].partition, told.offsets[0].offset), (0, 10));

    // A poison record is said as such, whatever becomes of the process.
    writes(&state, "job_01a", 0, |it| it.halt = Some(HaltCode::PoisonRecord));
    harness.processes.crash("job_01a-worker-0");
    let poisoned = |it: &weir_proto::agent::v1::ItemStatus| it.reason() == Reason::PoisonRecord;
    assert_eq!(harness.status("job_01a", poisoned).await.phase(), Phase::Failed);

    // One that stops makes room for the next in the queue.
    let mut stopped = wished.clone();
    stopped.jobs[1].state = JobState::Stopped.into();
    plane.wish(plane.seal(1, 2, &stopped)).await;
    harness.phase("job_01b", Phase::Stopped).await;
    until_alive(&harness.processes, "job_01c-worker-0", true).await;
    assert!(!harness.processes.is_alive("job_01b-worker-0"));

    // A deleted one goes with its secret.
    let mut deleted = stopped;
    deleted.jobs[2].deleted = true;
    plane.wish(plane.seal(1, 3, &deleted)).await;
    harness.phase("job_01c", Phase::Deleted).await;
    assert!(!state.join("jobs/job_01c").exists());
    let left = |it: &weir_proto::lane::v1::Snapshot| it.job_keys == ["job_01a", "job_01b"];
    gateway.snapshot(LIMIT, left).await.unwrap();

    // A clean end takes the workers along.
    agent.shutdown().await.unwrap();
    assert!(!harness.processes.is_alive("job_01a-worker-0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_starts_workers_anew_and_an_agent_that_died_finds_them_again() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let gateway = harness.gateway("gateway_1", true).await;
    let plane = &harness.control_plane;
    let mut wished = with(vec![job("job_01a", 5, 2)], 4);
    plane.wish(plane.seal(1, 1, &wished)).await;
    until_alive(&harness.processes, "job_01a-worker-1", true).await;
    drop(gateway);
    agent.abandon().await;
    let agent = harness.agent().await;
    let _gateway = harness.gateway("gateway_1", true).await;
    let started = |harness: &Harness| {
        let all = harness.processes.started();
        all.iter().filter(|it| it.starts_with("job_01a")).count()
    };
    harness.phase(CLUSTER, Phase::Ready).await;
    assert_eq!(started(&harness), 2, "adopted, not started anew");
    wished.jobs[0].version = 2;
    wished.jobs[0].action.as_mut().unwrap().steps_json = "[]".to_owned();
    plane.wish(plane.seal(1, 2, &wished)).await;
    let deadline = tokio::time::Instant::now() + LIMIT;
    while started(&harness) < 4 {
        assert!(tokio::time::Instant::now() < deadline, "started anew in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    agent.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_run_is_said_and_the_customer_has_the_last_word() {
    let mut harness = Harness::new().await;
    harness.set_policy("[jobs]\nunits_max = 1\n[[rule]]\nrefuse = [\"job.run\"]\nname = \"name-job_01d\"\n");
    let agent = harness.agent().await;
    let _gateway = harness.gateway("gateway_1", true).await;
    let plane = &harness.control_plane;
    let mut broken = job("job_01a", 5, 1);
    broken.action.as_mut().unwrap().steps_json = r#"[{"filter":{"where":"1 +"}}]"#.to_owned();
    let mut lost = job("job_01b", 5, 1);
    lost.action.as_mut().unwrap().source_topic_id = "topic_01x".to_owned();
    let mut calling = job("job_01c", 5, 1);
    calling.action.as_mut().unwrap().steps_json =
        r#"[{"call":{"url":"http://models.internal/x","set":{"score":"response.score"}}}]"#.to_owned();
    let (refused, large) = (job("job_01d", 5, 1), job("job_01e", 5, 2));
    let wished = with(vec![broken, lost, calling, refused, large], 4);
    plane.wish(plane.seal(1, 1, &wished)).await;
    for (id, phase, reason) in [
        ("job_01a", Phase::Failed, Reason::ProgramRefused),
        ("job_01b", Phase::Failed, Reason::SourceMissing),
        ("job_01c", Phase::Failed, Reason::PolicyRefused),
        ("job_01d", Phase::Pending, Reason::PolicyRefused),
        ("job_01e", Phase::Pending, Reason::PoolExhausted),
        (COMPUTE, Phase::Ready, Reason::PolicyRefused),
    ] {
        let told = harness.status(id, |it| it.reason() == reason).await;
        assert_eq!(told.phase(), phase, "{id}");
    }
    assert!(
        harness
            .processes
            .started()
            .iter()
            .all(|it| !it.starts_with("job_"))
    );
    agent.shutdown().await.unwrap();
}

/// A worker that has done all that there is; a marker stands behind the last record of each partition.
fn all_done(progress: &mut Progress) {
    let at = PartitionProgress {
        offset: 10,
        done_to: 11,
        end: 11,
    };
    progress.partitions = (0..3).map(|partition| (partition, at)).collect();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_job_sleeps_without_a_process_and_wakes_on_growth_alone() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let gateway = harness.gateway("gateway_1", true).await;
    let plane = &harness.control_plane;
    let mut wished = with(vec![job("job_01a", 5, 1)], 2);
    wished.jobs[0].state = JobState::AutoSuspend.into();
    wished.jobs[0].suspension = Some(JobSuspension {
        idle_after_seconds: 1,
        wake_lag_records: 2,
        wake_within_seconds: 60,
    });
    harness.kafka.set_edges(0, 11);
    plane.wish(plane.seal(1, 1, &wished)).await;
    until_alive(&harness.processes, "job_01a-worker-0", true).await;
    let state = harness.state_dir();
    writes(&state, "job_01a", 0, all_done);
    let asleep = harness.phase("job_01a", Phase::Suspended).await;
    assert_eq!(asleep.reason(), Reason::Idle);
    assert!(!harness.processes.is_alive("job_01a-worker-0"));
    let told = |frames: &[AgentFrame]| newest_progress(frames, "job_01a").filter(|it| it.lag_records == 0);
    let told = plane.until("nothing waits", LIMIT, told).await;
    assert_eq!(
        (told.offsets.len(), told.offsets[0].offset, told.units),
        (3, 10, 0)
    );
    assert!(told.suspended_at_unix_ms > 0);

    // It sleeps on when the agent starts anew, and one record in each of three partitions is enough.
    drop(gateway);
    agent.abandon().await;
    let agent = harness.agent().await;
    let _gateway = harness.gateway("gateway_1", true).await;
    harness.phase("job_01a", Phase::Suspended).await;
    assert!(!harness.processes.is_alive("job_01a-worker-0"));
    harness.kafka.set_edges(0, 12);
    until_alive(&harness.processes, "job_01a-worker-0", true).await;

    // What expired unread is left to a person; as something else the job is awake.
    writes(&state, "job_01a", 0, all_done);
    harness.phase("job_01a", Phase::Suspended).await;
    harness.kafka.set_edges(20, 30);
    let expired = |it: &weir_proto::agent::v1::ItemStatus| it.reason() == Reason::DataExpired;
    assert_eq!(harness.status("job_01a", expired).await.phase(), Phase::Failed);
    assert!(!harness.processes.is_alive("job_01a-worker-0"));
    wished.jobs[0].restart_nonce = 1;
    plane.wish(plane.seal(1, 2, &wished)).await;
    until_alive(&harness.processes, "job_01a-worker-0", true).await;
    agent.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_stand_while_their_budget_is_used_up_and_go_on_by_themselves_when_the_month_turns() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let gateway = harness.gateway("gateway_1", true).await;
    let plane = &harness.control_plane;
    let mut wished = with(vec![job("job_01a", 5, 2), job("job_01b", 5, 1)], 4);
    wished.jobs[1].state = JobState::Stopped.into();
    plane.wish(plane.seal(1, 1, &wished)).await;
    until_alive(&harness.processes, "job_01a-worker-1", true).await;
    let used = |least: u64| {
        move |frames: &[AgentFrame]| {
            let mut sums = frames.iter().filter_map(|frame| match &frame.frame {
                Some(Frame::Jobs(report)) => report.compute.iter().find(|it| it.compute_pool_id == COMPUTE),
                _other => None,
            });
            sums.rfind(|it| it.unit_ms > least).cloned()
        }
    };

    wished.compute_pools[0].budget_exhausted_until_unix_ms = i64::MAX;
    plane.wish(plane.seal(1, 2, &wished)).await;
    let spent = |it: &weir_proto::agent::v1::ItemStatus| {
        it.reason() == Reason::BudgetExhausted && it.phase() == Phase::Pending
    };
    harness.status("job_01a", spent).await;
    assert!(
        !harness.processes.is_alive("job_01a-worker-0") && !harness.processes.is_alive("job_01a-worker-1")
    );
    let pool = |it: &weir_proto::agent::v1::ItemStatus| it.reason() == Reason::BudgetExhausted;
    assert_eq!(harness.status(COMPUTE, pool).await.phase(), Phase::Ready);
    harness.phase("job_01b", Phase::Stopped).await;
    let first = plane.until("what the pool used", LIMIT, used(0)).await;

    // It stands on when the agent starts anew, and nothing is counted meanwhile.
    drop(gateway);
    agent.abandon().await;
    let agent = harness.agent().await;
    let _gateway = harness.gateway("gateway_1", true).await;
    harness.status("job_01a", spent).await;
    assert!(!harness.processes.is_alive("job_01a-worker-0"));

    // A moment from now the month turns: nobody has to say so.
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let until = i64::try_from(now.as_millis()).unwrap() + 3_000;
    wished.compute_pools[0].budget_exhausted_until_unix_ms = until;
    plane.wish(plane.seal(1, 3, &wished)).await;
    until_alive(&harness.processes, "job_01a-worker-1", true).await;
    let ready = |it: &weir_proto::agent::v1::ItemStatus| it.reason() == Reason::Unspecified;
    assert_eq!(harness.status(COMPUTE, ready).await.phase(), Phase::Ready);
    let second = plane
        .until("more", Duration::from_secs(40), used(first.unit_ms))
        .await;
    assert_eq!(
        (second.counter_id, second.month / 100 > 2000),
        (first.counter_id, true),
        "the same sum goes on"
    );
    agent.shutdown().await.unwrap();
}
