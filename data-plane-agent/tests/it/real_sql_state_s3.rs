//! A job in SQL that keeps what it remembers in a bucket, on real Kafka, real Flink and a server that speaks S3: exact, though its
//! JobManager is killed and it is stopped and begun; and begun nowhere while the bucket cannot be looked into or was emptied.
//!
//! Wants Java, `WEIR_KAFKA_LIBS`, `WEIR_FLINK_LIBS` with `plugins/s3`, and moto's server in `WEIR_MOTO`.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rdkafka::producer::{BaseProducer, Producer as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use weir_agent::flink::bucket::{Bucket, Object};
use weir_agent::flink::store::S3;
use weir_proto::agent::v1::agent_frame::Frame;
use weir_proto::agent::v1::{AgentFrame, JobState, Phase, Reason};

use crate::control_plane::ControlPlane;
use crate::harness::{newest, ports};
use crate::real_kafka::run_told;
use crate::real_sql_jobs::{
    COMPUTE, JOB, LONG, beside, client, close_windows, counted, expected_of, no_flink, phase, pid_of,
    produce_some, progress, read_all, state_of,
};

const RECORDS: usize = 6_000;
const SECRET: &str = "the-secret-key-of-the-bucket";

/// A server that keeps everything in its memory; it ends with this.
struct Moto(Child);

impl Drop for Moto {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Moto {
    /// With an empty bucket.
    async fn start(port: u16, log: &Path) -> Self {
        let program = PathBuf::from(std::env::var_os("WEIR_MOTO").unwrap());
        let log = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(log)
            .unwrap();
        let child = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let moto = Self(child);
        let deadline = Instant::now() + LONG;
        while !made(port).await {
            assert!(Instant::now() < deadline, "the bucket's server comes up");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        moto
    }
}

/// Makes the bucket.
async fn made(port: u16) -> bool {
    let Ok(mut stream) = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
        return false;
    };
    let request =
        "PUT /weir-state HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let mut answer = String::new();
    stream.write_all(request.as_bytes()).await.is_ok()
        && stream.read_to_string(&mut answer).await.is_ok()
        && answer.starts_with("HTTP/1.1 200")
}

/// What the customer's file says, and the credential beside the agent.
fn told(folder: &Path, state: &Path, port: u16) -> PathBuf {
    let file = folder.join("flink-state.toml");
    let text = format!(
        "state = \"s3://weir-state/flink\"\nendpoint = \"http://127.0.0.1:{port}\"\npath_style = true\n\
         access_key = \"AKIATEST\"\ncredential = \"flink-state\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let credentials = state.join("credentials");
    std::fs::create_dir_all(&credentials).unwrap();
    let text = format!("hosts = [\"127.0.0.1:{port}\"]\npassword = \"{SECRET}\"\n");
    std::fs::write(credentials.join("flink-state.toml"), text).unwrap();
    file
}

async fn kept(file: &Path) -> Vec<Object> {
    let bucket = Bucket::open(&S3::read(file).unwrap(), SECRET).unwrap();
    bucket.list(&format!("flink/{COMPUTE}/")).await.unwrap()
}

/// Is there a checkpoint, or a savepoint, of the job's first line?
fn is_whole(objects: &[Object], kind: &str) -> bool {
    let below = format!("flink/{COMPUTE}/{kind}/{JOB}/1/");
    let mut keys = objects.iter().map(|it| it.key.as_str());
    keys.any(|it| it.starts_with(&below) && it.ends_with("/_metadata"))
}

/// Files below a folder that hold the secret.
fn told_of_it(folder: &Path, found: &mut Vec<PathBuf>) {
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            told_of_it(&path, found);
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(SECRET.len()).any(|it| it == SECRET.as_bytes())
        {
            found.push(path);
        }
    }
}

fn nobody_tells_the_secret(state: &Path, frames: &str) {
    let mut found = Vec::new();
    told_of_it(state, &mut found);
    found.sort();
    let expected = [
        state.join("credentials/flink-state.toml"),
        state.join(format!("flink/{COMPUTE}/conf/config.yaml")),
    ];
    assert_eq!(found, expected, "the customer's own file, and the pool's");
    let mode = expected[1].metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let log = std::fs::read_to_string(state.with_extension("log")).unwrap();
    assert!(!log.contains(SECRET) && !log.contains("X-Amz-Signature"));
    assert!(!frames.contains(SECRET), "nothing of it goes home");
    for item in std::fs::read_dir("/proc").unwrap() {
        let process = item.unwrap().path();
        for part in ["cmdline", "environ"] {
            let said = std::fs::read(process.join(part)).unwrap_or_default();
            assert!(
                !String::from_utf8_lossy(&said).contains(SECRET),
                "{}",
                process.display()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java, WEIR_KAFKA_LIBS, WEIR_FLINK_LIBS and WEIR_MOTO"]
#[expect(
    clippy::too_many_lines,
    reason = "one life from beginning to end, read top to bottom"
)]
async fn what_a_job_remembers_is_kept_in_a_bucket_and_it_goes_on_from_there_or_nowhere() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    let folder = crate::harness::folder();
    let state = folder.path().join("agent");
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let moto_log = folder.path().join("moto.log");
    let moto = Moto::start(port, &moto_log).await;
    let file = told(folder.path(), &state, port);
    let plane = ControlPlane::start().await;
    let port_base = ports().gateway();
    let flags = [Path::new("--flink-state"), file.as_path()];
    let agent = run_told(&state, &plane, &libs, port_base, &flags);
    plane
        .until("hello", LONG, |frames| (!frames.is_empty()).then_some(()))
        .await;
    plane
        .wish(plane.seal(1, 1, &state_of(JobState::Running, 1)))
        .await;
    phase(&plane, Phase::Running).await;
    let some = move |range| {
        let producer: BaseProducer = client(port_base).create().unwrap();
        beside(move || {
            produce_some(&producer, range);
            producer.flush(LONG).unwrap();
        })
    };
    let part = RECORDS / 4;
    some(0..part).await;
    let reads = |frames: &[AgentFrame]| progress(frames).filter(|it| it.records_in > 0);
    plane.until("the job reads", LONG, reads).await;

    // Who keeps it going: the next one begins with the newest checkpoint in the bucket.
    let manager = pid_of(&state, "jobmanager").unwrap();
    let pid = rustix::process::Pid::from_raw(manager).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    some(part..2 * part).await;
    let again = |frames: &[AgentFrame]| progress(frames).filter(|it| it.restarts > 0 && it.workers > 0);
    plane
        .until("the job was given to a new JobManager", LONG, again)
        .await;
    phase(&plane, Phase::Running).await;

    assert!(is_whole(&kept(&file).await, "checkpoints"));

    // A stop leaves a savepoint there, and nothing on this machine.
    plane
        .wish(plane.seal(1, 2, &state_of(JobState::Stopped, 1)))
        .await;
    phase(&plane, Phase::Stopped).await;
    no_flink(&state).await;
    assert!(is_whole(&kept(&file).await, "savepoints"));
    for kind in ["checkpoints", "savepoints"] {
        let here = state.join(format!("flink/{COMPUTE}/{kind}"));
        assert_eq!(std::fs::read_dir(here).unwrap().count(), 0, "{kind}");
    }
    some(2 * part..3 * part).await;
    plane
        .wish(plane.seal(1, 3, &state_of(JobState::Running, 1)))
        .await;
    phase(&plane, Phase::Running).await;
    some(3 * part..RECORDS).await;
    let last: BaseProducer = client(port_base).create().unwrap();
    beside(move || close_windows(&last)).await;
    let expected = expected_of(RECORDS);
    let enough = expected.len();
    let found = beside(move || read_all(port_base, "alerts", enough)).await;
    assert!(enough > 20, "{enough} windows are enough to tell");
    assert_eq!(counted(&found), expected);
    eprintln!("{enough} windows of {RECORDS} payments, exact");

    // A bucket that does not answer is no empty one; one that was emptied is a reason to begin nowhere.
    plane
        .wish(plane.seal(1, 4, &state_of(JobState::Stopped, 1)))
        .await;
    phase(&plane, Phase::Stopped).await;
    no_flink(&state).await;
    drop(moto);
    plane.forget_received();
    plane
        .wish(plane.seal(1, 5, &state_of(JobState::Running, 1)))
        .await;
    phase(&plane, Phase::Provisioning).await;
    tokio::time::sleep(Duration::from_secs(40)).await;
    let ran = |frames: &[AgentFrame]| Some(frames.iter().any(|it| tells_of(it, Phase::Running)));
    assert!(
        !plane.until("what was told", LONG, ran).await,
        "nothing begins blindly"
    );
    let _empty = Moto::start(port, &moto_log).await;
    let lost = |frames: &[AgentFrame]| newest(frames, JOB).filter(|it| it.reason() == Reason::StateMissing);
    plane.until("the job begins nowhere", LONG, lost).await;
    let frames = plane
        .until("all frames", LONG, |frames| Some(format!("{frames:?}")))
        .await;
    nobody_tells_the_secret(&state, &frames);
    drop(agent);
}

fn tells_of(frame: &AgentFrame, phase: Phase) -> bool {
    match &frame.frame {
        Some(Frame::Status(report)) => report.items.iter().any(|it| it.id == JOB && it.phase() == phase),
        _other => false,
    }
}
