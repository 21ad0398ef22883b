//! The agent's own program with real Kafka: comes up, serves, survives a kill of the agent, ends in order.
//!
//! Wants Java and the folder of Kafka's jars in `WEIR_KAFKA_LIBS`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use weir_agent::Platform;
use weir_agent::platform::kafka::PoolAddress;
use weir_agent::resources::broker_pool::Seat;
use weir_credentials::hex;
use weir_proto::agent::v1::{AgentFrame, Phase, Reason, Topic};

use crate::control_plane::{ControlPlane, TOKEN};
use crate::harness::{POOL, end_with_me, newest, ports, topic, wish};

const LONG: Duration = Duration::from_secs(90);

pub struct Running {
    child: Child,
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn wait(mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

pub fn run(state: &Path, control_plane: &ControlPlane, libs: &Path, port_base: u16) -> Running {
    run_with(state, control_plane, libs, port_base, None)
}

pub fn run_with(
    state: &Path,
    control_plane: &ControlPlane,
    libs: &Path,
    port_base: u16,
    policy: Option<&Path>,
) -> Running {
    run_more(state, control_plane, libs, port_base, policy, &[])
}

/// The same with more flags.
pub fn run_more(
    state: &Path,
    control_plane: &ControlPlane,
    libs: &Path,
    port_base: u16,
    policy: Option<&Path>,
    more: &[&str],
) -> Running {
    let policy = policy.into_iter().flat_map(|it| [Path::new("--policy"), it]);
    let flags: Vec<&Path> = policy.chain(more.iter().map(Path::new)).collect();
    run_told(state, control_plane, libs, port_base, &flags)
}

/// The same with these flags.
pub fn run_told(
    state: &Path,
    control_plane: &ControlPlane,
    libs: &Path,
    port_base: u16,
    flags: &[&Path],
) -> Running {
    end_with_me(state);
    let log = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(state.with_extension("log"))
        .unwrap();
    // Benchmarks have an optimised one.
    let program = std::env::var_os("WEIR_BENCH_AGENT");
    let program = program.unwrap_or_else(|| env!("CARGO_BIN_EXE_weir-agent").into());
    let child = Command::new(program)
        .args(["run", "--state-dir"])
        .arg(state)
        .args(["--control-plane", &control_plane.address.to_string()])
        .args(["--ca-sha256", &hex(&control_plane.ca_sha256)])
        .arg("--kafka-libs")
        .arg(libs)
        .args(["--port-base", &port_base.to_string()])
        .args(flags)
        .env("WEIR_TOKEN", TOKEN)
        .env("WEIR_CHILD", state.join("its-agent"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    Running { child }
}

pub fn pid_of(state: &Path, child: &str) -> i64 {
    let record = std::fs::read(state.join(format!("run/{child}.pid"))).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    record["identity"]["pid"].as_i64().unwrap()
}

fn broker_pid(state: &Path) -> i64 {
    pid_of(state, &format!("{POOL}-broker-1"))
}

fn is_alive(pid: i64) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat[stat.rfind(')').unwrap()..].starts_with(") Z"))
}

async fn made(control_plane: &ControlPlane, id: &str) {
    let there = |frames: &[AgentFrame]| newest(frames, id).filter(|it| it.observed_partitions > 0);
    control_plane
        .until("the topic exists in Kafka", LONG, there)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java and WEIR_KAFKA_LIBS"]
#[expect(
    clippy::too_many_lines,
    reason = "one life from beginning to end, read top to bottom"
)]
async fn kafka_comes_up_survives_a_kill_of_the_agent_and_ends_in_order() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    let folder = crate::harness::folder();
    let state = folder.path().join("agent");
    let ports = ports();
    let plane = ControlPlane::start().await;
    let running = run(&state, &plane, &libs, ports.gateway());
    let orders = topic("topic_01t", "orders", 3);
    plane
        .until("hello", LONG, |frames| (!frames.is_empty()).then_some(()))
        .await;
    plane.wish(plane.seal(1, 1, &wish(vec![orders.clone()]))).await;
    plane
        .until("a ready pool", LONG, |frames| {
            newest(frames, POOL).filter(|it| it.phase() == Phase::Ready)
        })
        .await;
    made(&plane, "topic_01t").await;

    let served = |frames: &[AgentFrame]| newest(frames, "topic_01t").filter(|it| it.phase() == Phase::Ready);
    let ready = plane.until("a topic that a gateway serves", LONG, served).await;
    assert_eq!(ready.gateways_acknowledged, 1);

    // Growing, settings and the refusal to shrink, on the real thing.
    let mut larger = topic("topic_01t", "orders", 5);
    larger.configs[0].value = "7200000".to_owned();
    plane.wish(plane.seal(1, 2, &wish(vec![larger.clone()]))).await;
    plane
        .until("five partitions", LONG, |frames| {
            newest(frames, "topic_01t").filter(|it| it.observed_partitions == 5)
        })
        .await;
    let kafka = Platform::real().kafka;
    let seat = Seat::read(&state.join("pools").join(POOL)).unwrap().unwrap();
    let at: PoolAddress = seat.address(POOL, ports);
    let seen = kafka
        .topics(&at, std::slice::from_ref(&larger.physical_name))
        .await
        .unwrap();
    assert_eq!(seen["w01c-orders"].configs["retention.ms"], "7200000");
    let extent = kafka.extent(&at, "w01c-orders").await.unwrap().unwrap();
    assert_eq!(extent.len(), 5);
    plane.wish(plane.seal(1, 3, &wish(vec![orders]))).await;
    plane
        .until("a refusal to shrink", LONG, |frames| {
            newest(frames, "topic_01t").filter(|it| it.reason() == Reason::PartitionsCannotShrink)
        })
        .await;

    for log in std::fs::read_dir(state.join("logs")).unwrap() {
        let text = std::fs::read_to_string(log.unwrap().path()).unwrap();
        assert!(
            !text.contains(&seat.password),
            "the internal password is in a log"
        );
    }
    let (pid, gateway) = (broker_pid(&state), pid_of(&state, "gateway"));
    drop(running);
    assert!(
        is_alive(pid) && is_alive(gateway),
        "Kafka and the gateway outlive a killed agent"
    );
    plane.forget_received();
    let mut running = run(&state, &plane, &libs, ports.gateway());
    plane
        .until("a ready pool again", LONG, |frames| {
            newest(frames, POOL).filter(|it| it.phase() == Phase::Ready)
        })
        .await;
    assert_eq!(broker_pid(&state), pid, "adopted, not restarted");
    let attached =
        |frames: &[AgentFrame]| newest(frames, "topic_01t").filter(|it| it.gateways_acknowledged == 1);
    plane
        .until("the gateway is back on the lane", LONG, attached)
        .await;
    assert_eq!(pid_of(&state, "gateway"), gateway, "adopted, not restarted");

    let tomb = Topic {
        deleted: true,
        ..larger
    };
    plane.wish(plane.seal(1, 4, &wish(vec![tomb]))).await;
    plane
        .until("the tombstone is carried out", LONG, |frames| {
            newest(frames, "topic_01t").filter(|it| it.phase() == Phase::Deleted)
        })
        .await;
    assert!(
        kafka
            .topics(&at, &["w01c-orders".to_owned()])
            .await
            .unwrap()
            .is_empty()
    );

    let agent = i32::try_from(running.child.id()).unwrap();
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(agent).unwrap(),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    let status = tokio::task::spawn_blocking(move || running.child.wait())
        .await
        .unwrap()
        .unwrap();
    assert!(status.success(), "{status}");
    assert!(
        !is_alive(pid) && !is_alive(gateway),
        "a clean end takes Kafka and the gateway along"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java and WEIR_KAFKA_LIBS"]
async fn three_brokers_form_a_quorum_and_restart_one_at_a_time() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    let folder = crate::harness::folder();
    let state = folder.path().join("agent");
    let ports = ports();
    let plane = ControlPlane::start().await;
    let mut running = run(&state, &plane, &libs, ports.gateway());
    plane
        .until("hello", LONG, |frames| (!frames.is_empty()).then_some(()))
        .await;
    let mut orders = topic("topic_01t", "orders", 3);
    orders.replication_factor = 3;
    let mut state_wished = wish(vec![orders]);
    state_wished.broker_pools[0].brokers = 3;
    plane.wish(plane.seal(1, 1, &state_wished)).await;
    plane
        .until("three ready brokers", LONG, |frames| {
            newest(frames, POOL).filter(|it| it.phase() == Phase::Ready && it.brokers_ready == 3)
        })
        .await;
    made(&plane, "topic_01t").await;
    let pid = broker_pid(&state);
    plane.forget_received();
    state_wished.broker_pools[0].restart_nonce = 1;
    plane.wish(plane.seal(1, 2, &state_wished)).await;
    let seat = Seat::read(&state.join("pools").join(POOL)).unwrap().unwrap();
    let at = seat.address(POOL, ports);
    let kafka = Platform::real().kafka;
    let deadline = tokio::time::Instant::now() + LONG;
    let pids = || -> Option<Vec<i64>> {
        let read = |node: u16| {
            let record = std::fs::read(state.join(format!("run/{POOL}-broker-{node}.pid"))).ok()?;
            let record: serde_json::Value = serde_json::from_slice(&record).ok()?;
            record["identity"]["pid"].as_i64()
        };
        (1..=3).map(read).collect()
    };
    let before = pids().unwrap();
    assert_eq!(before[0], pid);
    // A full turn: all three are new ones, and all answer. A topic of three copies stays readable throughout.
    loop {
        assert!(tokio::time::Instant::now() < deadline, "restarted in time");
        let seen = kafka.topics(&at, &["w01c-orders".to_owned()]).await.unwrap();
        assert_eq!(seen["w01c-orders"].partitions, 3);
        let renewed = pids().is_some_and(|now| now.iter().zip(&before).all(|(now, before)| now != before));
        if renewed && kafka.brokers_ready(&at).await.unwrap().len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let agent = i32::try_from(running.child.id()).unwrap();
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(agent).unwrap(),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    let ended = tokio::task::spawn_blocking(move || running.child.wait())
        .await
        .unwrap()
        .unwrap();
    assert!(ended.success());
}
