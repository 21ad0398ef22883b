//! Jobs in SQL of two tenants on one data plane, with real Kafka and real Flink: whatever a tenant writes into a statement, and
//! whatever his Flink's OS user tries, nothing of the other's is reached.
//!
//! Wants Java, the folder of Kafka's jars in `WEIR_KAFKA_LIBS` and that of Flink's in `WEIR_FLINK_LIBS`; OS users only as root.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use weir_proto::agent::v1::{
    AgentFrame, Cluster, ComputePool, DesiredState, Job, JobState, Phase, Reason, Topic,
};

use crate::control_plane::{ControlPlane, TOKEN};
use crate::harness::{end_with_me, newest, ports, topic};
use crate::real_isolation::{TENANTS, secret, shown, user};
use crate::real_sql_jobs::{JOB, LONG, phase, state_of};

const OTHERS: &str = "cluster_01d";
const OTHER_TOPIC: &str = "topic_01h2xcejqtf2nbrexx3vqjhp51";
const OTHER_SINK: &str = "topic_01h2xcejqtf2nbrexx3vqjhp52";
const OTHER_JOB: &str = "job_01z";
const POOLS: [&str; 2] = ["compute_pool_01c", "compute_pool_01d"];
const PARTS: [&str; 3] = ["jobmanager", "sqlgateway", "taskmanager-0"];

/// Two tenants with a cluster, a pool and a job each, on the same brokers.
fn two_tenants() -> DesiredState {
    let mut state = state_of(JobState::Running, 1);
    state.clusters[0].tenant_id = TENANTS[0].to_owned();
    state.compute_pools[0].tenant_id = TENANTS[0].to_owned();
    state.clusters.push(Cluster {
        id: OTHERS.to_owned(),
        tenant_id: TENANTS[1].to_owned(),
        kafka_cluster_id: "BAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        ..state.clusters[0].clone()
    });
    for (id, name) in [(OTHER_TOPIC, "payments"), (OTHER_SINK, "alerts")] {
        state.topics.push(Topic {
            cluster_id: OTHERS.to_owned(),
            physical_name: format!("w01d-{name}"),
            configs: Vec::new(),
            ..topic(id, name, 1)
        });
    }
    state.compute_pools.push(ComputePool {
        id: POOLS[1].to_owned(),
        tenant_id: TENANTS[1].to_owned(),
        max_units: 2,
        ..ComputePool::default()
    });
    let mut grant = state.grants[0].clone();
    grant.principal_id = "service_account_01z".to_owned();
    grant.cluster_id = OTHERS.to_owned();
    state.grants.push(grant);
    let mut other = state.jobs[0].clone();
    other.id = OTHER_JOB.to_owned();
    other.cluster_id = OTHERS.to_owned();
    other.compute_pool_id = POOLS[1].to_owned();
    other.principal_id = "service_account_01z".to_owned();
    let program = other.sql.as_mut().unwrap();
    program.sources[0].topic_id = OTHER_TOPIC.to_owned();
    program.sinks[0].topic_id = OTHER_SINK.to_owned();
    state.jobs.push(other);
    state
}

/// What a tenant tries, and why it does not work: told to the agent itself, as if the control plane had let it through.
fn attempts(own: &Job) -> Vec<(Job, Reason)> {
    let statements = [
        "ADD JAR '/tmp/x.jar'; SELECT 'a', TIMESTAMP '2026-01-01 00:00:00', CAST(1 AS BIGINT), CAST(1 AS BIGINT)",
        "CREATE TABLE f (l STRING) WITH ('connector' = 'filesystem', 'path' = '/etc/passwd', 'format' = 'raw'); SELECT * FROM payments",
        "CREATE TEMPORARY TABLE f (l STRING) WITH ('connector' = 'filesystem', 'path' = '/etc/passwd', 'format' = 'raw'); SELECT * FROM f",
        "CREATE FUNCTION f AS 'java.lang.Runtime'; SELECT * FROM payments",
        "CREATE CATALOG c WITH ('type' = 'jdbc'); SELECT * FROM payments",
        "USE CATALOG other; SELECT * FROM payments",
        "SET 'pipeline.jars' = 'file:///tmp/x.jar'; SELECT * FROM payments",
        "SET 'execution.checkpointing.dir' = 'file:///tmp'; SELECT * FROM payments",
        "SELECT * FROM payments /*+ OPTIONS('topic' = 'w01d-payments') */",
        "SELECT * FROM payments /*+ OPTIONS('properties.group.id' = 'job_01z') */",
        "SELECT * FROM default_catalog.default_database.salaries",
        "SELECT * FROM `w01d-payments`",
        "SELECT * FROM sys.jobs",
        "SHOW CREATE TABLE payments",
        "EXPLAIN PLAN FOR SELECT * FROM payments",
        "INSERT INTO payments SELECT * FROM payments",
    ];
    let statements = statements.into_iter().map(|text| {
        let mut job = own.clone();
        text.clone_into(&mut job.sql.as_mut().unwrap().statement);
        (job, Reason::ProgramRefused)
    });
    let topics = [true, false].map(|reads| {
        let mut job = own.clone();
        let program = job.sql.as_mut().unwrap();
        let topic = match reads {
            true => &mut program.sources[0].topic_id,
            false => &mut program.sinks[0].topic_id,
        };
        OTHER_TOPIC.clone_into(topic);
        (job, Reason::SourceMissing)
    });
    let mut pool = own.clone();
    POOLS[1].clone_into(&mut pool.compute_pool_id);
    let mut all: Vec<(Job, Reason)> = statements.chain(topics).collect();
    all.push((pool, Reason::Unauthorized));
    for (number, (job, _reason)) in all.iter_mut().enumerate() {
        job.id = format!("job_02x{number:02}");
    }
    all
}

fn pid(state: &Path, pool: &str, part: &str) -> i64 {
    let record = std::fs::read(state.join(format!("run/{pool}-{part}.pid"))).unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap();
    record["identity"]["pid"].as_i64().unwrap()
}

/// The password of a pool's key store, as its configuration has it.
fn password(state: &Path, pool: &str) -> String {
    let text = std::fs::read_to_string(state.join(format!("flink/{pool}/conf/config.yaml"))).unwrap();
    let line = text
        .lines()
        .find_map(|it| it.strip_prefix("security.ssl.rest.keystore-password: "));
    line.unwrap().trim_matches('"').to_owned()
}

/// Asks a pool's JobManager for its jobs with the key of `whose` pool, or with none.
fn asks(state: &Path, pool: &str, whose: Option<&str>) -> bool {
    let ports = std::fs::read(state.join(format!("flink/agent/{pool}.ports"))).unwrap();
    let ports: Value = serde_json::from_slice(&ports).unwrap();
    let mut curl = Command::new("curl");
    curl.args([
        "--silent",
        "--insecure",
        "--fail",
        "--max-time",
        "10",
        "--output",
        "/dev/null",
    ]);
    if let Some(whose) = whose {
        let key = state.join(format!("flink/{whose}/keys/key.p12"));
        let key = format!("{}:{}", key.display(), password(state, whose));
        curl.args(["--cert-type", "P12", "--cert", &key]);
    }
    curl.arg(format!("https://127.0.0.1:{}/jobs/overview", ports["rest"]));
    curl.status().unwrap().success()
}

/// A folder of the same jars that every user of the machine can reach.
fn reachable(libs: &Path, folder: &Path) -> PathBuf {
    let copy = folder.join("flink-libs");
    std::fs::create_dir(&copy).unwrap();
    for item in std::fs::read_dir(libs).unwrap() {
        let item = item.unwrap();
        let to = copy.join(item.file_name());
        if std::fs::hard_link(item.path(), &to).is_err() {
            std::fs::copy(item.path(), &to).unwrap();
        }
    }
    for path in [folder, &copy] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    copy
}

fn start(state: &Path, plane: &ControlPlane, libs: &Path, flink: &Path) -> Child {
    end_with_me(state);
    Command::new(env!("CARGO_BIN_EXE_weir-agent"))
        .args(["run", "--state-dir"])
        .arg(state)
        .args(["--control-plane", &plane.address.to_string()])
        .args(["--ca-sha256", &weir_credentials::hex(&plane.ca_sha256)])
        .arg("--kafka-libs")
        .arg(libs)
        .arg("--flink-libs")
        .arg(flink)
        .args(["--port-base", &ports().gateway().to_string()])
        .env("WEIR_TOKEN", TOKEN)
        .env("WEIR_CHILD", state.join("its-agent"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(state.with_extension("log")).unwrap())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java, WEIR_KAFKA_LIBS and WEIR_FLINK_LIBS"]
async fn two_tenants_statements_get_at_nothing_of_each_other() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    let flink = PathBuf::from(std::env::var_os("WEIR_FLINK_LIBS").unwrap());
    let folder = crate::harness::folder();
    let flink = reachable(&flink, folder.path());
    let state = folder.path().join("agent");
    let plane = ControlPlane::start().await;
    let mut agent = start(&state, &plane, &libs, &flink);
    plane
        .until("hello", LONG, |frames| (!frames.is_empty()).then_some(()))
        .await;
    let first = two_tenants();
    plane.wish(plane.seal(1, 1, &first)).await;
    phase(&plane, Phase::Running).await;
    let runs = |frames: &[AgentFrame]| newest(frames, OTHER_JOB).filter(|it| it.phase() == Phase::Running);
    plane.until("the other tenant's job runs", LONG, runs).await;

    no_process_shows_secrets(&state);
    // Each Flink takes its own pool's key, and no other.
    for (pool, other) in [(POOLS[0], POOLS[1]), (POOLS[1], POOLS[0])] {
        assert!(asks(&state, pool, Some(pool)), "{pool} by its own key");
        assert!(!asks(&state, pool, Some(other)), "{pool} by the other's key");
        assert!(!asks(&state, pool, None), "{pool} by nobody's key");
    }
    os_users(&state);

    let attempts = attempts(&first.jobs[0]);
    let mut second = two_tenants();
    second
        .jobs
        .extend(attempts.iter().map(|(job, _reason)| job.clone()));
    plane.wish(plane.seal(1, 2, &second)).await;
    for (job, reason) in &attempts {
        let statement = &job.sql.as_ref().unwrap().statement;
        let failed = |frames: &[AgentFrame]| newest(frames, &job.id).filter(|it| it.phase() == Phase::Failed);
        let told = plane
            .until(&format!("{reason:?} of {statement}"), LONG, failed)
            .await;
        assert_eq!(told.reason(), *reason, "{statement}");
    }
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(i32::try_from(agent.id()).unwrap()).unwrap(),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    assert!(agent.wait().unwrap().success());
}

/// Neither the arguments nor the environment of any process has one.
fn no_process_shows_secrets(state: &Path) {
    let secrets = [
        secret(state, JOB),
        secret(state, OTHER_JOB),
        password(state, POOLS[0]),
        password(state, POOLS[1]),
    ];
    for pool in POOLS {
        for part in PARTS {
            let (arguments, environment) = shown(pid(state, pool, part));
            let told = format!("{arguments}\n{environment}");
            assert!(!secrets.iter().any(|it| told.contains(it)), "{pool} {part}");
            assert!(!told.contains(TOKEN), "{pool} {part}");
        }
    }
}

/// Where the agent is root, each pool's Flink has an OS user of its own, who can touch nothing of the other pool's or the agent's.
fn os_users(state: &Path) {
    let [one, two] = POOLS.map(|pool| PARTS.map(|part| user(pid(state, pool, part))));
    if !rustix::process::geteuid().is_root() {
        println!("Flink runs as the agent's own user: {one:?}, {two:?}");
        return;
    }
    assert!(
        one.iter().all(|it| *it == one[0] && *it >= 2_000_000_000),
        "{one:?}"
    );
    assert!(
        two.iter().all(|it| *it == two[0] && *it >= 2_000_000_000),
        "{two:?}"
    );
    assert_ne!(one[0], two[0]);
    let tries = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).uid(one[0]).gid(one[0]).current_dir("/");
        command.output().unwrap().status.success()
    };
    let own = state.join(format!("flink/{}/conf/config.yaml", POOLS[0]));
    assert!(tries("/bin/cat", &[own.to_str().unwrap()]), "its own it reads");
    let closed = [
        format!("flink/{}/conf/config.yaml", POOLS[1]),
        format!("flink/{}/keys/key.p12", POOLS[1]),
        format!("flink/{}/logs/jobmanager.log", POOLS[1]),
        format!("flink/agent/{}.ports", POOLS[1]),
        format!("jobs/{JOB}/identity.json"),
        format!("jobs/{OTHER_JOB}/identity.json"),
        "inside-token".to_owned(),
    ];
    for path in closed {
        let path = state.join(path);
        assert!(path.exists(), "{}", path.display());
        assert!(
            !tries("/bin/cat", &[path.to_str().unwrap()]),
            "{}",
            path.display()
        );
    }
    for folder in ["", "flink", "jobs", "run", "logs"] {
        let path = state.join(folder);
        assert!(!tries("/bin/ls", &[path.to_str().unwrap()]), "{}", path.display());
    }
    let other = pid(state, POOLS[1], "jobmanager");
    for name in ["environ", "mem"] {
        assert!(!tries("/bin/cat", &[&format!("/proc/{other}/{name}")]), "{name}");
    }
    assert!(!tries("/bin/kill", &["-0", &other.to_string()]));
}
