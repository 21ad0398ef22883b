//! Jobs of two tenants on one data plane, with real Kafka and real workers: whatever a tenant writes into a job, it gets at
//! nothing of the other's, of the agent's or of the machine's, and each attempt is refused for its own reason.
//!
//! Wants Java and the folder of Kafka's jars in `WEIR_KAFKA_LIBS`.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::any;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::{Value, json};
use weir_proto::agent::v1::{
    AgentFrame, ApiKey, Cluster, ComputePool, DesiredState, Grant, Job, Phase, Reason, Topic,
};

use crate::control_plane::ControlPlane;
use crate::harness::{newest, ports, topic};
use crate::real_jobs::{JOB, LONG, beside, client, phase, produce, progress, read, state_of};
use crate::real_kafka::run_with;

const OTHERS: &str = "cluster_01d";
const OTHER_TOPIC: &str = "topic_01h2xcejqtf2nbrexx3vqjhp51";
const OTHER_SINK: &str = "topic_01h2xcejqtf2nbrexx3vqjhp52";
const OTHER_JOB: &str = "job_01z";
pub const TENANTS: [&str; 2] = ["tenant_01a", "tenant_01b"];
const OTHER_SECRET: &str = "a-secret-of-the-other";
const PASSWORD: &str = "the-password-of-a-model";

/// Who was asked what.
#[derive(Clone, Default)]
struct Asked {
    forbidden: Arc<AtomicUsize>,
    echoed: Arc<std::sync::Mutex<Vec<String>>>,
}

/// An endpoint that leads elsewhere, one that is told what is sent, and one that nobody may reach; says their ports.
async fn endpoints(asked: Asked) -> (u16, u16) {
    let serve = async |routes: axum::Router| {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        port
    };
    let hits = Arc::clone(&asked.forbidden);
    let forbidden = serve(axum::Router::new().fallback(move || {
        hits.fetch_add(1, Ordering::Relaxed);
        async { "{\"score\": 1}" }
    }))
    .await;
    let away = format!("http://127.0.0.1:{forbidden}/stolen");
    let echo = move |uri: Uri, headers: HeaderMap, body: String| {
        let told = format!("{uri} {headers:?} {body}");
        asked.echoed.lock().unwrap().push(told);
        async { "{\"score\": 1}" }
    };
    let allowed = serve(
        axum::Router::new()
            .route(
                "/away",
                any(move || async move { (StatusCode::FOUND, [("location", away)]) }),
            )
            .fallback(echo),
    )
    .await;
    (allowed, forbidden)
}

/// Two tenants with a cluster, a pool and a job each, on the same brokers.
fn two_tenants(steps: &Value) -> DesiredState {
    let mut state = state_of(1, steps, 1, true);
    state.clusters[0].tenant_id = TENANTS[0].to_owned();
    state.compute_pools[0].tenant_id = TENANTS[0].to_owned();
    state.clusters.push(Cluster {
        id: OTHERS.to_owned(),
        tenant_id: TENANTS[1].to_owned(),
        kafka_cluster_id: "BAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        ..state.clusters[0].clone()
    });
    for (id, name) in [(OTHER_TOPIC, "salaries"), (OTHER_SINK, "large")] {
        state.topics.push(Topic {
            cluster_id: OTHERS.to_owned(),
            physical_name: format!("w01d-{name}"),
            configs: Vec::new(),
            ..topic(id, name, 1)
        });
    }
    state.compute_pools.push(ComputePool {
        id: "compute_pool_01d".to_owned(),
        tenant_id: TENANTS[1].to_owned(),
        max_units: 1,
        ..ComputePool::default()
    });
    state.grants.push(Grant {
        principal_id: "service_account_01z".to_owned(),
        cluster_id: OTHERS.to_owned(),
        pattern: "*".to_owned(),
        role: 2,
    });
    state.api_keys.push(ApiKey {
        id: "key_01z".to_owned(),
        principal_id: "service_account_01z".to_owned(),
        cluster_id: OTHERS.to_owned(),
        sha256: weir_credentials::sha256(OTHER_SECRET.as_bytes()).to_vec(),
        ..ApiKey::default()
    });
    let mut other = state.jobs[0].clone();
    other.id = OTHER_JOB.to_owned();
    other.cluster_id = OTHERS.to_owned();
    other.compute_pool_id = "compute_pool_01d".to_owned();
    other.principal_id = "service_account_01z".to_owned();
    let action = other.action.as_mut().unwrap();
    action.source_topic_id = OTHER_TOPIC.to_owned();
    action.steps_json = json!([{"filter": {"where": "true"}}]).to_string();
    action.sinks[0].topic_id = OTHER_SINK.to_owned();
    action.dead_letter_topic_id = String::new();
    state.jobs.push(other);
    state
}

/// What a tenant tries, and why it does not work.
fn attempts(own: &Job, allowed: u16, forbidden: u16, inside: u16) -> Vec<(Job, Reason)> {
    let call = |url: String| json!([{"call": {"url": url, "set": {"x": "response"}}}]);
    let filter = |text: &str| json!([{"filter": {"where": text}}]);
    let refused = [
        (
            call(format!("http://127.0.0.1:{forbidden}/")),
            Reason::PolicyRefused,
        ),
        (
            call(format!("http://localhost:{allowed}/")),
            Reason::PolicyRefused,
        ),
        (call(format!("http://127.1:{allowed}/")), Reason::PolicyRefused),
        (
            call(format!("http://2130706433:{allowed}/")),
            Reason::PolicyRefused,
        ),
        (
            call(format!("http://[::ffff:127.0.0.1]:{allowed}/")),
            Reason::PolicyRefused,
        ),
        (
            call(format!("https://127.0.0.1:{inside}/v1/ledger")),
            Reason::PolicyRefused,
        ),
        (
            call("http://169.254.169.254/latest/meta-data/".to_owned()),
            Reason::PolicyRefused,
        ),
        (
            call("http://metadata.google.internal/".to_owned()),
            Reason::PolicyRefused,
        ),
        (call("file:///etc/passwd".to_owned()), Reason::ProgramRefused),
        (
            call(format!("http://127.0.0.1:{allowed}@evil.example/")),
            Reason::ProgramRefused,
        ),
        (
            call(format!("http://127.0.0.1:{allowed}/../admin")),
            Reason::ProgramRefused,
        ),
        (call("http://${WEIR_TOKEN}/".to_owned()), Reason::PolicyRefused),
        (filter("env('WEIR_TOKEN') == ''"), Reason::ProgramRefused),
        (filter("readFile('/etc/passwd') == ''"), Reason::ProgramRefused),
        (filter("process.env.HOME == ''"), Reason::ProgramRefused),
        (json!([{"exec": {"command": "id"}}]), Reason::ProgramRefused),
    ];
    let steps = refused.into_iter().map(|(steps, reason)| {
        let mut job = own.clone();
        job.action.as_mut().unwrap().steps_json = steps.to_string();
        (job, reason)
    });
    let topics = [0, 1, 2].map(|which| {
        let mut job = own.clone();
        let action = job.action.as_mut().unwrap();
        match which {
            0 => action.source_topic_id = OTHER_TOPIC.to_owned(),
            1 => action.sinks[0].topic_id = OTHER_TOPIC.to_owned(),
            _dead => action.dead_letter_topic_id = OTHER_TOPIC.to_owned(),
        }
        (job, Reason::SourceMissing)
    });
    let mut pool = own.clone();
    pool.compute_pool_id = "compute_pool_01d".to_owned();
    let mut all: Vec<(Job, Reason)> = steps.chain(topics).collect();
    all.push((pool, Reason::Unauthorized));
    for (number, (job, _reason)) in all.iter_mut().enumerate() {
        job.id = format!("job_02x{number:02}");
    }
    all
}

/// The secret that the agent made for a job.
pub fn secret(state: &Path, job: &str) -> String {
    let text = std::fs::read(state.join("jobs").join(job).join("identity.json")).unwrap();
    let kept: Value = serde_json::from_slice(&text).unwrap();
    kept["secret"].as_str().unwrap().to_owned()
}

fn pid(state: &Path, job: &str) -> i64 {
    let record = std::fs::read(state.join(format!("run/{job}-worker-0.pid"))).unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap();
    record["identity"]["pid"].as_i64().unwrap()
}

/// Arguments and environment of a process, as everybody or its owner can read them.
pub fn shown(pid: i64) -> (String, String) {
    let read = |name: &str| {
        let bytes = std::fs::read(format!("/proc/{pid}/{name}")).unwrap();
        String::from_utf8_lossy(&bytes).replace('\0', "\n")
    };
    (read("cmdline"), read("environ"))
}

/// Files and folders below one that others than their owner may open.
fn open_to_others(folder: &Path, found: &mut Vec<PathBuf>) {
    if folder.metadata().unwrap().permissions().mode() & 0o077 != 0 {
        found.push(folder.to_owned());
    }
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            open_to_others(&path, found);
        } else if path.metadata().unwrap().permissions().mode() & 0o077 != 0 {
            found.push(path);
        }
    }
}

/// The OS user of a process.
pub fn user(pid: i64) -> u32 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|it| it.strip_prefix("Uid:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// A client with a job's own secret, as somebody who got hold of it would have.
fn as_job(port: u16, job: &str, secret: &str) -> ClientConfig {
    let mut config = client(port);
    config
        .set("sasl.mechanism", "SCRAM-SHA-256")
        .set("sasl.username", job)
        .set("sasl.password", secret)
        .set("message.timeout.ms", "8000");
    config
}

/// What the gateway lets a job's user see and do.
fn at_the_gateway(port: u16, secret: &str) {
    let wait = Duration::from_secs(20);
    let consumer: BaseConsumer = as_job(port, JOB, secret).set("group.id", JOB).create().unwrap();
    let all = consumer.fetch_metadata(None, wait).unwrap();
    let mut names: Vec<&str> = all
        .topics()
        .iter()
        .map(rdkafka::metadata::MetadataTopic::name)
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["dead", "large", "orders"]);
    for name in ["salaries", "w01d-salaries"] {
        let one = consumer.fetch_metadata(Some(name), wait).unwrap();
        assert!(one.topics()[0].error().is_some(), "{name} is not there");
        assert!(
            consumer
                .fetch_watermarks(name, 0, Duration::from_secs(5))
                .is_err()
        );
    }
    let producer: BaseProducer = as_job(port, JOB, secret).create().unwrap();
    for name in ["salaries", "w01d-salaries"] {
        // Refused at once, or never delivered: the topic stays empty.
        let _refused = producer.send(BaseRecord::<str, str>::to(name).payload("x"));
        let _given_up = producer.flush(wait);
    }
    let owner: BaseConsumer = client(port)
        .set("sasl.username", "key_01z")
        .set("sasl.password", OTHER_SECRET)
        .set("group.id", "x")
        .create()
        .unwrap();
    assert_eq!(owner.fetch_watermarks("salaries", 0, wait).unwrap(), (0, 0));
    let other: BaseConsumer = as_job(port, OTHER_JOB, secret)
        .set("group.id", "x")
        .create()
        .unwrap();
    let refused = other.fetch_metadata(None, Duration::from_secs(5)).err().unwrap();
    let code = refused.rdkafka_error_code();
    assert!(
        matches!(refused, KafkaError::MetadataFetch(_)) && code != Some(RDKafkaErrorCode::NoError),
        "one job's secret opens another's key: {refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java and WEIR_KAFKA_LIBS"]
#[expect(
    clippy::too_many_lines,
    reason = "one life from beginning to end, read top to bottom"
)]
async fn two_tenants_jobs_get_at_nothing_of_each_other() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    let folder = crate::harness::folder();
    let state = folder.path().join("agent");
    let (asked, ports) = (Asked::default(), ports());
    let (allowed, forbidden) = endpoints(asked.clone()).await;
    let policy = folder.path().join("policy.toml");
    // No real control group: what the agent writes there is looked at.
    let groups = folder.path().join("groups");
    std::fs::create_dir(&groups).unwrap();
    let text = format!("[jobs]\nhosts = [\"127.0.0.1:{allowed}\"]\ncgroup = {groups:?}\n");
    std::fs::write(&policy, text).unwrap();
    // A credential of the other tenant's, for the endpoint that both may reach.
    std::fs::create_dir_all(state.join("credentials")).unwrap();
    std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::set_permissions(state.join("credentials"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let credential = format!(
        "hosts = [\"127.0.0.1:{allowed}\"]\npassword = \"{PASSWORD}\"\ntenants = [\"{}\"]\n",
        TENANTS[1]
    );
    std::fs::write(state.join("credentials/model.toml"), credential).unwrap();

    let port = ports.gateway();
    let plane = ControlPlane::start().await;
    let _running = run_with(&state, &plane, &libs, port, Some(&policy));
    plane
        .until("hello", LONG, |frames| (!frames.is_empty()).then_some(()))
        .await;
    let at = |path: &str| format!("http://127.0.0.1:{allowed}{path}");
    let steps = json!([
        {"call": {"url": at("/echo"), "path": ["message.card"], "query": {"q": "'${HOME} {{env.PATH}} $(id)'"},
            "headers": {"x-probe": "${WEIR_TOKEN}"}, "body": "{'text': '{{file:/etc/passwd}}'}", "set": {"x": "response.score"}}},
        {"call": {"url": at("/away"), "retries": 0, "set": {"x": "response"}}},
    ]);
    let first = two_tenants(&steps);
    plane.wish(plane.seal(1, 1, &first)).await;
    phase(&plane, Phase::Running).await;
    let runs = |frames: &[AgentFrame]| newest(frames, OTHER_JOB).filter(|it| it.phase() == Phase::Running);
    plane.until("the other tenant's job runs", LONG, runs).await;

    // A redirect is not followed, and nothing in a text is filled in.
    beside(move || produce(&client(port).create().unwrap(), 0..5)).await;
    let letters = beside(move || read(port, "dead", "reader-1", 5)).await;
    assert_eq!(letters.len(), 5);
    assert!(
        letters
            .iter()
            .all(|it| it.headers["__rule.name"] == "CALL_UNEXPECTED")
    );
    let echoed = asked.echoed.lock().unwrap().clone();
    assert_eq!(echoed.len(), 5);
    for told in &echoed {
        assert!(
            told.contains("%24%7BHOME%7D%20%7B%7Benv.PATH%7D%7D%20%24%28id%29"),
            "{told}"
        );
        assert!(
            told.contains("\"x-probe\": \"${WEIR_TOKEN}\"") && told.contains("{{file:/etc/passwd}}"),
            "{told}"
        );
        assert!(told.starts_with("/echo/4111-0000-"), "{told}");
    }
    assert_eq!(
        asked.forbidden.load(Ordering::Relaxed),
        0,
        "nobody was sent there"
    );

    // Neither the arguments nor the environment of any worker has a secret.
    let (one, two) = (pid(&state, JOB), pid(&state, OTHER_JOB));
    let token = std::fs::read_to_string(state.join("inside-token")).unwrap();
    let secrets = [
        secret(&state, JOB),
        secret(&state, OTHER_JOB),
        PASSWORD.to_owned(),
        token.trim().to_owned(),
    ];
    assert_ne!(secrets[0], secrets[1]);
    for worker in [one, two] {
        let (arguments, environment) = shown(worker);
        assert!(arguments.ends_with("weir-agent\nprocessor\n"), "{arguments}");
        assert!(
            !secrets
                .iter()
                .any(|it| arguments.contains(it) || environment.contains(it))
        );
        let known = [
            "WEIR_CHILD",
            "PATH",
            "HOME",
            "LANG",
            "LC_ALL",
            "TZ",
            "JAVA_HOME",
            "TMPDIR",
            "RUST_LOG",
            "MALLOC_ARENA_MAX",
        ];
        let limits = std::fs::read_to_string(format!("/proc/{worker}/limits")).unwrap();
        let data = limits.lines().find(|it| it.starts_with("Max data size")).unwrap();
        assert_eq!(data.matches("536870912").count(), 2, "{data}");
        for variable in environment.lines() {
            let (name, _value) = variable.split_once('=').unwrap();
            assert!(known.contains(&name), "{name}");
        }
    }
    for (pool, cpu, memory, worker) in [
        ("compute_pool_01c", "150000 100000", "1610612736", one),
        ("compute_pool_01d", "50000 100000", "536870912", two),
    ] {
        let read = |name: &str| std::fs::read_to_string(groups.join(pool).join(name)).unwrap();
        assert_eq!(
            (read("cpu.max").as_str(), read("memory.max").as_str()),
            (cpu, memory)
        );
        assert_eq!(read("cgroup.procs"), worker.to_string());
    }
    // Each job has a folder of its own, and others than the agent may open nothing.
    let mut open = Vec::new();
    open_to_others(&state.join("jobs"), &mut open);
    assert_eq!(open, Vec::<PathBuf>::new());
    for folder in [JOB, OTHER_JOB] {
        assert!(state.join("jobs").join(folder).is_dir());
    }
    for folder in ["run", "logs"] {
        let mode = state.join(folder).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder}");
    }
    os_users(&state, one, two);

    // What is written into a job.
    let attempts = attempts(&first.jobs[0], allowed, forbidden, ports.inside());
    let mut second = two_tenants(&steps);
    second
        .jobs
        .extend(attempts.iter().map(|(job, _reason)| job.clone()));
    plane.wish(plane.seal(1, 2, &second)).await;
    for (job, reason) in &attempts {
        let steps = &job.action.as_ref().unwrap().steps_json;
        let failed = |frames: &[AgentFrame]| newest(frames, &job.id).filter(|it| it.phase() == Phase::Failed);
        let told = plane.until(&format!("{reason:?} of {steps}"), LONG, failed).await;
        assert_eq!(told.reason(), *reason, "{steps}");
    }

    // A secret of another tenant's, and what is no secret's name: the call is not made.
    for (version, reference) in [(2, "model"), (3, "../jobs/job_01z/identity")] {
        let mut third = two_tenants(&steps);
        third.jobs[0].version = version;
        let call = json!([{"call": {"url": at("/echo"), "secret": {"reference": reference}, "set": {"x": "response"}}}]);
        third.jobs[0].action.as_mut().unwrap().steps_json = call.to_string();
        plane.wish(plane.seal(1, u64::from(version) + 1, &third)).await;
        let runs = |frames: &[AgentFrame]| progress(frames).filter(|it| it.version == version);
        plane.until("the version with a secret", LONG, runs).await;
        phase(&plane, Phase::Running).await;
        let number = 10 + version as usize;
        beside(move || produce(&client(port).create().unwrap(), number..number + 1)).await;
        let (group, refused) = (format!("reader-{version}"), version as usize - 1);
        let letters = beside(move || read(port, "dead", &group, 5 + refused)).await;
        let forbidden = letters
            .iter()
            .filter(|it| it.headers["__rule.name"] == "CALL_FORBIDDEN");
        assert_eq!(forbidden.count(), refused, "{reference}");
    }
    assert_eq!(asked.echoed.lock().unwrap().len(), 5, "nobody was asked with it");
    let own = secrets[0].clone();
    beside(move || at_the_gateway(port, &own)).await;
}

/// Where the agent is root and its program can be reached, pools have OS users of their own, and these cannot touch each other.
fn os_users(state: &Path, one: i64, two: i64) {
    let (first, second) = (user(one), user(two));
    if !rustix::process::geteuid().is_root() || first == 0 {
        println!("workers run as the agent's own user: {first}, {second}");
        return;
    }
    assert!(
        first >= 2_000_000_000 && second >= 2_000_000_000 && first != second,
        "{first} {second}"
    );
    let tries = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let status = command
            .args(arguments)
            .uid(first)
            .gid(first)
            .current_dir("/")
            .output()
            .unwrap()
            .status;
        status.success()
    };
    let spec = state.join("jobs").join(OTHER_JOB).join("worker-0.json");
    assert!(!tries("/bin/cat", &[spec.to_str().unwrap()]));
    for name in ["environ", "mem", "fd/0"] {
        assert!(!tries("/bin/cat", &[&format!("/proc/{two}/{name}")]), "{name}");
    }
    assert!(!tries("/bin/kill", &["-0", &two.to_string()]));
}
