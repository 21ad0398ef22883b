//! Gateway, agent and broker are killed at random under load; afterwards the history is checked: what was acknowledged
//! is there, once; what was metered is what lies in the log.
//!
//! `cargo xtask test --ring slow --only marathon --minutes 20`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use weir_kafka_wire::Connection;
use weir_kafka_wire::kafka_protocol::messages::FetchRequest;
use weir_kafka_wire::kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use weir_kafka_wire::kafka_protocol::protocol::StrBytes;

use crate::api::Person;
use crate::clients::program::{Line, Program, tool};
use crate::meters;
use crate::rights::{self, Login};
use crate::scene;
use crate::stack;
use crate::victims::{self, Part, Signal};

/// Clients go on within this time after a kill: a child that died often rests for half a minute, a broker comes back.
const RECOVERY: Duration = Duration::from_secs(150);
/// Until what no retry tells is UNCERTAIN (150 s), a window is closed and told.
const TOLD: Duration = Duration::from_secs(175);
/// Under-counting of fetches that a kill of the gateway may cause (gateway: "Metering").
const FETCHED_LATE: Duration = Duration::from_secs(1);

/// Numbers that look random; the seed is printed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // Marsaglia, "Xorshift RNGs", 2003.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

fn minutes() -> u64 {
    let text = std::env::var("WEIR_MARATHON_MINUTES").unwrap_or_default();
    text.parse().unwrap_or(20)
}

fn passed(progress: &Path) -> u64 {
    let text = std::fs::read_to_string(progress).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

/// Waits until so many further records are acknowledged; how long that took.
async fn pass(progress: &Path, count: u64) -> Duration {
    let (from, begun) = (passed(progress), Instant::now());
    while passed(progress) < from + count {
        let now = passed(progress) - from;
        assert!(
            begun.elapsed() < RECOVERY,
            "only {now} records passed since the last kill"
        );
        sleep(Duration::from_millis(50)).await;
    }
    begun.elapsed()
}

/// Kills until the time is over; how often each part.
async fn kill_at_random(progress: &Path, dice: &mut Dice) -> [u64; 3] {
    let end = Instant::now() + Duration::from_secs(60 * minutes());
    let parts = [Part::Gateway, Part::Agent, Part::Broker];
    let mut killed = [0; 3];
    let mut slowest = Duration::ZERO;
    while Instant::now() < end {
        sleep(Duration::from_millis(500 + dice.roll(6_000))).await;
        let which = dice.roll(3) as usize;
        let victim = victims::end(parts[which], Signal::Kill).await;
        if parts[which] == Part::Agent {
            // Sometimes it is away for a while.
            sleep(Duration::from_millis(dice.roll(4_000))).await;
            victims::start_again(&victim);
        }
        killed[which] += 1;
        // Now and then the next one dies while this one recovers.
        if dice.roll(4) > 0 {
            slowest = slowest.max(pass(progress, 300).await);
        }
    }
    for part in parts {
        victims::running(part).await;
    }
    slowest = slowest.max(pass(progress, 1_000).await);
    println!("killed (gateway, agent, broker): {killed:?}; the slowest recovery took {slowest:?}");
    killed
}

/// Whole batches that arrived at a client's socket.
#[derive(Debug, Default, Clone, Copy)]
struct Fetched {
    bytes: i64,
    elapsed_s: f64,
}

/// Reads a partition from its beginning by hand, counting what arrives.
async fn fetch(login: Login, topic: String, stop: Arc<AtomicBool>) -> Fetched {
    let begun = Instant::now();
    let (mut offset, mut fetched) = (0, Fetched::default());
    let bootstrap = stack::text("/kafka/payments/bootstrap");
    let (host, port) = bootstrap.rsplit_once(':').expect("host and port");
    // One broker: node 1, behind the port after the bootstrap's.
    let port = port.parse::<u16>().expect("a port") + 1;
    while !stop.load(Ordering::Relaxed) {
        let Ok(mut connection) = Connection::connect(host, port).await else {
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        if connection
            .login_plain(&login.username, &login.password)
            .await
            .is_err()
        {
            sleep(Duration::from_millis(100)).await;
            continue;
        }
        while !stop.load(Ordering::Relaxed) {
            let partition = FetchPartition::default()
                .with_fetch_offset(offset)
                .with_partition_max_bytes(256 * 1024);
            let one = FetchTopic::default()
                .with_topic(StrBytes::from_string(topic.clone()).into())
                .with_partitions(vec![partition]);
            let request = FetchRequest::default()
                .with_max_wait_ms(200)
                .with_min_bytes(1)
                .with_max_bytes(256 * 1024)
                .with_topics(vec![one]);
            let Ok(answer) = connection.call(&request, 12).await else {
                sleep(Duration::from_millis(100)).await;
                break;
            };
            let records = answer
                .responses
                .first()
                .and_then(|it| it.partitions.first()?.records.clone())
                .unwrap_or_default();
            let (bytes, next) = whole_batches(&records);
            fetched.bytes += bytes;
            offset = next.unwrap_or(offset);
            if bytes == 0 {
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
    fetched.elapsed_s = begun.elapsed().as_secs_f64();
    fetched
}

/// Bytes of the batches that are there whole, and the offset after them (message format 2, "Record Batch").
fn whole_batches(mut rest: &[u8]) -> (i64, Option<i64>) {
    let (mut bytes, mut next) = (0, None);
    while rest.len() >= 61 {
        let length = u32::from_be_bytes(rest[8..12].try_into().expect("4 bytes")) as usize + 12;
        if rest.len() < length {
            break;
        }
        let base = i64::from_be_bytes(rest[0..8].try_into().expect("8 bytes"));
        let last = i32::from_be_bytes(rest[23..27].try_into().expect("4 bytes"));
        bytes += i64::try_from(length).expect("a small batch");
        next = Some(base + i64::from(last) + 1);
        rest = &rest[length..];
    }
    (bytes, next)
}

/// What the marathon runs on.
struct Course {
    person: Person,
    names: [String; 2],
    ids: [String; 2],
    folder: tempfile::TempDir,
    reader: Login,
}

impl Course {
    async fn lay() -> Self {
        let name = rights::unique("marathon");
        let names = [format!("{name}-records"), format!("{name}-transactions")];
        let mut ids = Vec::new();
        for it in &names {
            let made = scene::topic("payments", it, 2, &json!({})).await;
            ids.push(made["id"].as_str().expect("an id").to_owned());
        }
        Self {
            person: Person::sign_in("payments").await,
            reader: rights::login("payments", &name, &[("READER", &format!("{name}*"))]).await,
            names,
            ids: ids.try_into().expect("two ids"),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn settings(&self) -> Value {
        let owner = Login::of_story("payments").json();
        json!({
            "bootstrap": stack::text("/kafka/payments/bootstrap"),
            "owner": owner, "other": owner, "reader": owner,
            "topic": self.names[0], "group_topic": self.names[1], "foreign_topic": self.names[0],
            "run": self.names[0],
            "progress": self.file("progress"), "stop": self.file("stop"),
            "broker_log": Path::new(&stack::text("/state_dir"))
                .join(format!("agent/logs/{}-broker-1.log", stack::text("/ids/pool"))),
        })
    }

    /// Metered beside logged.
    async fn meter(&self, killed: [u64; 3], fetched: Fetched) {
        let until = chrono::Utc::now() + TOLD;
        for (name, id) in self.names.iter().zip(&self.ids) {
            let metered = meters::settled(&self.person, id, until).await;
            let logged = meters::logged(name);
            println!("{name}: {metered:?}, {logged:?}");
            let (least, most) = (
                metered.produced_bytes,
                metered.produced_bytes + metered.uncertain_bytes,
            );
            assert!(
                (least..=most).contains(&logged.bytes),
                "produced {least} to {most} with the uncertain ones; the log holds {}",
                logged.bytes
            );
        }
        let account = self.reader.account.as_str();
        let metered = meters::of_principal(&self.person, &self.ids[0], account).await;
        let missing = fetched.bytes - metered.fetched_bytes;
        let rate = fetched.bytes as f64 / fetched.elapsed_s;
        let allowed = rate * FETCHED_LATE.as_secs_f64() * killed[0] as f64;
        println!(
            "fetched by hand: {fetched:?}, metered {metered:?}, under by {missing}, allowed {allowed:.0}"
        );
        assert!(missing >= 0, "never over");
        assert!(
            missing as f64 <= allowed,
            "at most a second of traffic for each kill"
        );
    }
}

fn check(lines: &[Line]) {
    for required in ["records", "transactions", "complaints"] {
        let line = lines.iter().find(|it| it.check == required);
        let line = line.unwrap_or_else(|| panic!("no line {required}: {lines:?}"));
        assert!(line.ok, "{required}: {}", line.detail);
    }
}

#[tokio::test]
#[ignore = "takes its minutes: ring slow"]
async fn kills_lose_nothing_and_double_nothing() {
    let course = Course::lay().await;
    let seed =
        u64::from(std::process::id()) << 20 | u64::from(chrono::Utc::now().timestamp_subsec_millis()) | 1;
    println!("{} minutes, seed {seed}", minutes());
    let classes = tool("WEIR_CLIENTS_JAVA_CLASSES");
    let arguments = ["-Xmx384m", "-XX:TieredStopAtLevel=1", "-cp", &classes, "Load"];
    let program = Program::new(&tool("WEIR_CLIENTS_JAVA"), &arguments)
        .patient(Duration::from_secs(60 * minutes() + 1_200));
    let settings = course.settings();
    let load = tokio::spawn(async move { program.with(&settings).await });
    let enough = Arc::new(AtomicBool::new(false));
    let fetching = tokio::spawn(fetch(
        course.reader.clone(),
        course.names[0].clone(),
        Arc::clone(&enough),
    ));
    let progress = course.file("progress");
    pass(&progress, 1_000).await;
    let killed = kill_at_random(&progress, &mut Dice(seed)).await;
    std::fs::write(course.file("stop"), "").expect("end the load");
    let lines = load.await.expect("the load ends");
    // The reader by hand reaches the end, too.
    sleep(Duration::from_secs(5)).await;
    enough.store(true, Ordering::Relaxed);
    let fetched = fetching.await.expect("the reader ends");
    for line in &lines {
        println!("{}: {}", line.check, line.detail);
    }
    course.meter(killed, fetched).await;
    check(&lines);
}
