//! A share that encrypts, on real Kafka, through the real gateway: no value lies in any file below the agent, its broker's among them;
//! both sides read it; keys are exchanged; and once a key is destroyed, nobody whom it served reads any more.
//!
//! Wants Java and the folder of Kafka's jars in `WEIR_KAFKA_LIBS`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use prost::Message as _;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::topic_partition_list::Offset;
use weir_proto::agent::v1::{AgentFrame, DesiredState, EncryptedValues, MountEncryption, Phase, Reason};

use crate::control_plane::ControlPlane;
use crate::harness::newest;
use crate::real_jobs::{LONG, beside, client};
use crate::real_kafka::{pid_of, run};
use crate::real_shares::{
    CODECS, PAYMENTS, SHARED, Seen, Told, all, owner, ports_gateway, reader, shared, until_refused,
};

/// In every value that is written after the acceptance.
const CANARY: &str = "canary-7f3e";
const PROVIDER: &str = "tenant_01p";
const CONSUMER: &str = "tenant_01c";
/// Records of one producer.
const EACH: usize = 40;

/// The share without a view, so that values come whole.
fn encrypted(key_generation: u64) -> DesiredState {
    let mut state = shared();
    if let Some(mount) = &mut state.topics[1].mount {
        mount.view_steps_json = String::new();
        mount.encryption = (key_generation > 0).then(|| MountEncryption {
            values: EncryptedValues::Whole.into(),
            key_generation,
            provider_tenant_id: PROVIDER.to_owned(),
            consumer_tenant_id: CONSUMER.to_owned(),
        });
    }
    state
}

/// Before the acceptance: not encrypted.
fn alone() -> DesiredState {
    let mut state = encrypted(0);
    state.topics.truncate(1);
    state
}

fn send(producer: &BaseProducer, from: usize, word: &str) {
    for number in from..from + EACH {
        let (key, value) = (format!("k{number}"), format!(r#"{{"card":"{word}-{number}"}}"#));
        let record = BaseRecord::to("payments").key(&key).payload(&value);
        producer.send(record).map_err(|(error, _record)| error).unwrap();
        if number % 9 == 0 {
            producer.poll(Duration::from_millis(5));
        }
    }
    producer.flush(LONG).unwrap();
}

/// In every codec by idempotent producers, and in transactions of which one is given up.
fn write(port: u16, from: usize) {
    let mut at = from;
    for codec in CODECS {
        let producer: BaseProducer = client(port)
            .set("compression.type", codec)
            .set("enable.idempotence", "true")
            .set("linger.ms", "2")
            .create()
            .unwrap();
        send(&producer, at, CANARY);
        at += EACH;
    }
    let producer: BaseProducer = client(port)
        .set("transactional.id", "t")
        .set("compression.type", "lz4")
        .create()
        .unwrap();
    producer.init_transactions(LONG).unwrap();
    for commits in [true, false, true] {
        producer.begin_transaction().unwrap();
        send(&producer, at, CANARY);
        at += EACH;
        if commits {
            producer.commit_transaction(LONG).unwrap();
        } else {
            producer.abort_transaction(LONG).unwrap();
        }
    }
}

/// Files below a folder that hold some bytes.
pub fn holding(folder: &Path, wanted: &[u8]) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(held) = std::fs::read(&path)
                && held.windows(wanted.len()).any(|it| it == wanted)
            {
                found.push(path);
            }
        }
    }
    found
}

/// What the owner and the reader are sent, which is the same.
async fn both(port: u16) -> Vec<Seen> {
    beside(move || {
        let by_owner = all(&owner(port, "read_committed"), "payments", Offset::Beginning);
        let by_reader = all(
            &reader(port, "all", "read_committed"),
            "theirs",
            Offset::Beginning,
        );
        assert_eq!(by_reader, by_owner);
        by_reader
    })
    .await
}

fn canaries(seen: &[Seen]) -> usize {
    seen.iter().filter(|it| it.2.contains(CANARY)).count()
}

async fn refused(port: u16) -> Duration {
    let began = Instant::now();
    beside(move || {
        let (told, _heard) = std::sync::mpsc::channel();
        until_refused(port, &told)
    })
    .await;
    began.elapsed()
}

/// What the reader's metadata say of what it is shown.
fn shown(port: u16) -> Option<RDKafkaErrorCode> {
    let consumer: BaseConsumer = reader(port, "shown", "read_committed").create().unwrap();
    let metadata = consumer.fetch_metadata(Some("theirs"), LONG).unwrap();
    metadata.topics()[0].error().map(RDKafkaErrorCode::from)
}

pub fn kill(pid: i64) {
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status();
    assert!(killed.unwrap().success());
}

/// What becomes of one record of the owner's.
fn written(port: u16) -> Option<RDKafkaErrorCode> {
    let producer: BaseProducer<Told> = client(port).create_with_context(Told::default()).unwrap();
    producer
        .send(BaseRecord::<str, str>::to("payments").payload(CANARY))
        .map_err(|(error, _record)| error)
        .unwrap();
    let _failed = producer.flush(LONG);
    producer.context().only()
}

async fn served(plane: &ControlPlane, generation: u64, n: u64) {
    plane.wish(plane.seal(1, n, &encrypted(generation))).await;
    let ready = |frames: &[AgentFrame]| {
        newest(frames, SHARED)
            .filter(|it| it.phase() == Phase::Ready && it.observed.is_some_and(|it| it.n >= n))
    };
    plane.until("the mount is served", LONG, ready).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java and WEIR_KAFKA_LIBS"]
#[expect(clippy::too_many_lines, reason = "one life of a share, read top to bottom")]
async fn an_encrypted_share_is_read_by_both_sides_until_a_key_is_destroyed() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    let folder = crate::harness::folder();
    let state = folder.path().join("agent");
    let port = ports_gateway();
    let plane = ControlPlane::start().await;
    let mut running = run(&state, &plane, &libs, port);
    plane
        .until("hello", LONG, |frames| (!frames.is_empty()).then_some(()))
        .await;
    plane.wish(plane.seal(1, 1, &alone())).await;
    let ready = |frames: &[AgentFrame]| newest(frames, PAYMENTS).filter(|it| it.phase() == Phase::Ready);
    plane.until("the topic is served", LONG, ready).await;
    beside(move || {
        let producer: BaseProducer = client(port).create().unwrap();
        send(&producer, 0, "before");
    })
    .await;

    served(&plane, 1, 2).await;
    let begun = Instant::now();
    beside(move || write(port, 1000)).await;
    println!("written {:?} after the acceptance was in force", begun.elapsed());
    let seen = both(port).await;
    assert_eq!((canaries(&seen), seen.len()), (7 * EACH, 8 * EACH));
    assert!(seen.iter().skip(EACH).enumerate().all(|(at, it)| {
        // The third transaction follows the one that was given up.
        let number = 1000 + at + if at >= 6 * EACH { EACH } else { 0 };
        it.1 == format!("k{number}") && it.2 == format!(r#"{{"card":"{CANARY}-{number}"}}"#)
    }));
    let before = holding(&state, b"before-7\"");
    assert!(
        !before.is_empty(),
        "what was there before stays as it is, and is found"
    );
    assert_eq!(holding(folder.path(), CANARY.as_bytes()), Vec::<PathBuf>::new());

    // Other keys of both sides; what is under the old ones stays readable, also to a gateway that starts anew.
    let keys = state.join("sharing/keys");
    let (own, theirs) = (
        keys.join(PROVIDER).join(format!("{PAYMENTS}.key")),
        keys.join(CONSUMER).join("share_01.key"),
    );
    let first = [&own, &theirs].map(|it| std::fs::read(it).unwrap());
    served(&plane, 2, 3).await;
    assert_ne!([&own, &theirs].map(|it| std::fs::read(it).unwrap()), first);
    beside(move || write(port, 2000)).await;
    kill(pid_of(&state, "gateway"));
    assert_eq!(canaries(&both(port).await), 14 * EACH);
    assert_eq!(holding(folder.path(), CANARY.as_bytes()), Vec::<PathBuf>::new());

    // The consumer's key: it reads no more, the owner does.
    std::fs::remove_file(&theirs).unwrap();
    println!("the reader was refused after {:?}", refused(port).await);
    let lacks = |frames: &[AgentFrame]| newest(frames, SHARED).filter(|it| it.reason() == Reason::KeyMissing);
    let told = plane.until("the mount says why", LONG, lacks).await;
    assert_eq!(told.phase(), Phase::Degraded);
    let own_values = beside(move || all(&owner(port, "read_committed"), "payments", Offset::Beginning)).await;
    assert_eq!(canaries(&own_values), 14 * EACH);

    // The owner's: nobody reads, and nothing is written.
    std::fs::remove_file(&own).unwrap();
    let begun = Instant::now();
    for again in [false, true] {
        if again {
            // Nor by what a disk remembers.
            drop(running);
            kill(pid_of(&state, "gateway"));
            running = run(&state, &plane, &libs, port);
        }
        loop {
            assert!(begun.elapsed() < LONG);
            let left =
                beside(move || all(&owner(port, "read_committed"), "payments", Offset::Beginning)).await;
            if canaries(&left) == 0 {
                assert_eq!(left.len(), EACH, "what was written before");
                break;
            }
            assert!(!again, "never again");
        }
        println!("the owner had nothing more after {:?}", begun.elapsed());
        let code = beside(move || written(port)).await;
        assert_eq!(code, Some(RDKafkaErrorCode::PolicyViolation));
        let seen = beside(move || shown(port)).await;
        assert_eq!(seen, Some(RDKafkaErrorCode::TopicAuthorizationFailed));
    }
    assert!(
        !own.exists() && !theirs.exists(),
        "no other key is made in their place"
    );
    assert_eq!(holding(folder.path(), CANARY.as_bytes()), Vec::<PathBuf>::new());

    // What the control plane was told.
    let wanted = [CANARY.as_bytes(), &first[0], &first[1]];
    for frame in plane.received() {
        let bytes = frame.encode_to_vec();
        for it in wanted {
            assert!(!bytes.windows(it.len()).any(|at| at == it));
        }
    }
    drop(running);
}
