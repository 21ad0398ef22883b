//! A cluster link between two real Kafkas of two agents, through the source's real gateway: what another tenant shows through a filter and
//! a mask is copied, each record once and in order, whatever is killed; nothing of it without the word of both customers.
//!
//! Wants Java and the folder of Kafka's jars in `WEIR_KAFKA_LIBS`. `WEIR_SEED` says which moments are hit.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use weir_proto::agent::v1::{AgentFrame, Phase, Reason};

use crate::harness::{POOL, newest};
use crate::real_cluster_link_scene::{
    CANARY, DOMAIN, NORTH, SHOWN, SOURCE_END, SOUTH, Seen, Side, all, at_source, at_target, newest_link,
    send, source, target, translated,
};
use crate::real_jobs::{LONG, beside};
use crate::real_shares::Told;
use crate::real_shares_encrypted::holding;
use crate::real_sql_jobs::mixed;

const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];
/// Records of one producer; after every codec's one come as many in transactions, of which one in three is given up.
const EACH: usize = 5_000;
const KILLS: usize = 10;
/// Of the measurement.
const MEASURED: usize = 60_000;

/// Producers as tenants have them, while things are killed around them.
fn feed(config: &rdkafka::ClientConfig, transactional: &str) {
    let mut at = 0;
    for codec in CODECS {
        let producer: BaseProducer = config
            .clone()
            .set("compression.type", codec)
            .set("enable.idempotence", "true")
            .set("linger.ms", "4")
            .set("batch.num.messages", "400")
            .set("message.timeout.ms", "170000")
            .create()
            .unwrap();
        send(&producer, at..at + EACH);
        at += EACH;
        let producer: BaseProducer = config
            .clone()
            .set("compression.type", codec)
            .set("transactional.id", format!("{transactional}-{codec}"))
            .set("transaction.timeout.ms", "20000")
            .set("message.timeout.ms", "15000")
            .create()
            .unwrap();
        if producer.init_transactions(LONG).is_err() {
            continue;
        }
        for step in 0..9 {
            if producer.begin_transaction().is_err() {
                break;
            }
            send(&producer, at..at + EACH / 9);
            at += EACH / 9;
            // What a kill makes fail is given up; what holds is what readers of the source are sent.
            let held = step % 3 != 1 && producer.commit_transaction(LONG).is_ok();
            if !held && producer.abort_transaction(LONG).is_err() {
                break;
            }
        }
    }
}

/// Key, value, time.
type Record<'a> = (&'a str, &'a str, Option<i64>);

fn without_offsets(seen: &[Vec<Seen>]) -> Vec<Vec<Record<'_>>> {
    seen.iter()
        .map(|part| {
            let records = part.iter();
            records.map(|it| (it.1.as_str(), it.2.as_str(), it.3)).collect()
        })
        .collect()
}

fn count(seen: &[Vec<Seen>]) -> usize {
    seen.iter().map(Vec::len).sum()
}

/// Reads both sides until the copy has all that the source shows, and compares.
async fn exact(north: &Side, south: &Side) -> (Vec<Vec<Seen>>, Vec<Vec<Seen>>) {
    let (there, here) = (at_source(north, "key_01r"), at_target(south, "key_01r"));
    let shown = beside(move || all(&there, "theirs")).await;
    let deadline = Instant::now() + LONG;
    loop {
        let here = here.clone();
        let copied = beside(move || all(&here, "copy")).await;
        if count(&copied) >= count(&shown) {
            assert!(
                without_offsets(&copied) == without_offsets(&shown),
                "{} copied of {}",
                count(&copied),
                count(&shown)
            );
            return (shown, copied);
        }
        assert!(
            Instant::now() < deadline,
            "{} of {}: {:?}",
            count(&copied),
            count(&shown),
            newest_link(&south.plane.received())
        );
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

async fn copied(south: &Side) -> usize {
    let here = at_target(south, "key_01r");
    beside(move || count(&all(&here, "copy"))).await
}

fn pinned(whose: &str, word: &str, key: &str, via: Option<u16>) -> String {
    let via = via.map_or_else(String::new, |port| format!("via = \"127.0.0.1:{port}\""));
    format!("data_plane = \"{whose}\"\n{word} = \"sha256:{key}\"\n{via}")
}

/// Kills this or that at random moments while producers are at work.
async fn kill_around(north: &mut Side, south: &mut Side, seed: u64, done: &AtomicBool) {
    let mut hit = Vec::new();
    while hit.len() < KILLS || !done.load(Ordering::Relaxed) {
        let round = hit.len();
        tokio::time::sleep(Duration::from_millis(700 + mixed(round, seed) % 2_600)).await;
        // Everybody's turn comes, in an order of luck.
        let broker = format!("{POOL}-broker-1");
        let victim = match (round as u64 + mixed(round / 4, seed + 1)) % 4 {
            0 => {
                south.kill_agent().await;
                "target agent"
            }
            1 => {
                north.kill("gateway");
                "source gateway"
            }
            2 => {
                south.kill(&broker);
                "target broker"
            }
            _last => {
                north.kill(&broker);
                "source broker"
            }
        };
        hit.push(victim);
        if hit.len() >= KILLS * 2 {
            break;
        }
    }
    println!("killed: {hit:?}");
}

/// Each answer is such that nothing is missed, and not far too early.
async fn offsets_are_told(south: &Side, shown: &[Vec<Seen>], copied: &[Vec<Seen>]) {
    assert_eq!(translated(south, 0, 0, false).await.0, 401);
    assert_eq!(translated(south, 7, 0, true).await.0, 404);
    for (partition, (shown, copied)) in (0..).zip(shown.iter().zip(copied)) {
        let last = shown.last().unwrap().0;
        for asked in [
            0,
            last / 7,
            last / 3,
            last / 2,
            last - 200,
            last - 1,
            last,
            last + 1,
        ] {
            let (status, answer) = translated(south, partition, asked, true).await;
            assert_eq!(status, 200, "{answer}");
            let found = answer["offset"].as_i64().unwrap();
            let at = shown.partition_point(|it| it.0 < asked);
            if let Some(next) = copied.get(at) {
                assert!(found <= next.0, "{asked}: {found} is later than {}", next.0);
            }
            if asked > last {
                assert!(
                    copied.iter().all(|it| it.0 < found),
                    "whoever has read all reads nothing again"
                );
            }
            let from = copied.partition_point(|it| it.0 < found);
            println!(
                "partition {partition}: {asked} is {found} in the copy, {} records early",
                at - from
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java and WEIR_KAFKA_LIBS; minutes"]
#[expect(clippy::too_many_lines, reason = "one life of a link, read top to bottom")]
async fn each_record_is_copied_once_whatever_is_killed() {
    let seed = std::env::var("WEIR_SEED")
        .map_or_else(|_none| u64::from(std::process::id()), |it| it.parse().unwrap());
    println!("WEIR_SEED={seed}");
    let begun = Instant::now();
    let folder = crate::harness::folder();
    let own_tls = &["--gateway-tls-own", "--gateway-sni-domain", DOMAIN];
    let mut north = Side::begin(folder.path(), "north", own_tls).await;
    let mut south = Side::begin(folder.path(), "south", &[]).await;
    let (serves, reads) = (
        north.hello().await.gateway_key_sha256,
        south.hello().await.link_key_sha256,
    );
    assert_eq!((serves.len(), reads.len()), (64, 64));
    assert_eq!(south.hello().await.gateway_key_sha256, "");
    let port = north.ports.gateway();
    north.wish(&source(&reads)).await;
    south.wish(&target(port, false)).await;

    // Neither customer has said anything.
    let unconfirmed = south.link(Phase::Pending, Reason::PeerUnconfirmed).await;
    assert!(unconfirmed.topics.iter().all(|it| it.records == 0));
    let served = |frames: &[AgentFrame]| newest(frames, SHOWN).filter(|it| it.phase() == Phase::Ready);
    north.plane.until("the source is served", LONG, served).await;
    let first = at_source(&north, "key_01u");
    beside(move || {
        let producer: BaseProducer = first.create().unwrap();
        send(&producer, 0..500);
    })
    .await;
    let told = north.link(Phase::Pending, Reason::PeerUnconfirmed).await;
    assert_eq!(told.end(), SOURCE_END);
    // The target's customer named another key; then the right one, while the source's has not named the reader.
    for key in [&reads, &serves] {
        south.pin(&pinned(NORTH, "serves_with", key, Some(port)));
        south.wish(&target(port, false)).await;
        south.link(Phase::Degraded, Reason::PeerRefused).await;
    }
    // Another key than the reader's.
    north.pin(&pinned(SOUTH, "reads_with", &serves, None));
    north.wish(&source(&reads)).await;
    north.link(Phase::Pending, Reason::PeerUnconfirmed).await;
    assert_eq!(copied(&south).await, 0, "nothing without the word of both");
    north.pin(&pinned(SOUTH, "reads_with", &reads, None));
    north.wish(&source(&reads)).await;
    north.link(Phase::Ready, Reason::Unspecified).await;
    south.link(Phase::Ready, Reason::Unspecified).await;
    println!("both confirmed after {:?}", begun.elapsed());

    let config = at_source(&north, "key_01u");
    let done = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&done);
    let feeding = tokio::task::spawn_blocking(move || {
        feed(&config, "t");
        ended.store(true, Ordering::Relaxed);
    });
    kill_around(&mut north, &mut south, seed, &done).await;
    feeding.await.unwrap();
    println!("fed after {:?}", begun.elapsed());
    let (shown, there) = exact(&north, &south).await;
    println!("{} records, exact, after {:?}", count(&shown), begun.elapsed());
    assert!(count(&shown) > 20_000);
    let masked = shown.iter().flatten().all(|it| it.2.contains("\"card\":\"***"));
    assert!(masked, "through the view");
    assert!(
        !holding(&north.state.join("pools"), CANARY.as_bytes()).is_empty(),
        "the original has it"
    );
    assert_eq!(holding(&south.state, CANARY.as_bytes()), Vec::<PathBuf>::new());
    offsets_are_told(&south, &shown, &there).await;

    // Nobody else writes there.
    let config = at_target(&south, "key_01r");
    let code = beside(move || {
        let producer: BaseProducer<Told> = config.create_with_context(Told::default()).unwrap();
        let record = BaseRecord::<str, str>::to("copy").payload("mine");
        producer.send(record).map_err(|(error, _record)| error).unwrap();
        let _failed = producer.flush(LONG);
        producer.context().only()
    })
    .await;
    assert_eq!(code, Some(RDKafkaErrorCode::TopicAuthorizationFailed));

    // A pause keeps the place; and how fast it goes on from there.
    south.wish(&target(port, true)).await;
    south.link(Phase::Stopped, Reason::Unspecified).await;
    let before = copied(&south).await;
    let config = at_source(&north, "key_01u");
    beside(move || {
        let producer: BaseProducer = config
            .clone()
            .set("compression.type", "lz4")
            .set("linger.ms", "20")
            .create()
            .unwrap();
        send(&producer, 0..MEASURED);
    })
    .await;
    assert_eq!(copied(&south).await, before);
    assert_eq!(
        translated(&south, 0, 0, true).await.0,
        200,
        "also while it is paused"
    );
    let shows = at_source(&north, "key_01r");
    let shown = beside(move || all(&shows, "theirs")).await;
    let resumed = Instant::now();
    south.wish(&target(port, false)).await;
    for (partition, shown) in (0..).zip(&shown) {
        let last = shown.last().unwrap().0;
        loop {
            let (_status, answer) = translated(&south, partition, last, true).await;
            if answer["source_copied_to"].as_i64().unwrap() > last {
                break;
            }
            assert!(resumed.elapsed() < LONG);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let took = resumed.elapsed();
    let fresh: Vec<&Seen> = shown.iter().flatten().collect();
    let bytes: usize = fresh.iter().map(|it| it.1.len() + it.2.len()).sum();
    let (records, mean) = (fresh.len() - before, bytes as f64 / fresh.len() as f64);
    println!(
        "{records} records of {mean:.0} bytes were copied {took:?} after the pause: {:.0} a second, {:.1} MB a second",
        records as f64 / took.as_secs_f64(),
        records as f64 * mean / 1e6 / took.as_secs_f64(),
    );
    let (shown, _there) = exact(&north, &south).await;
    println!("all {} exact", count(&shown));

    // The share ends: what comes after it does not come, what was copied stays.
    let mut revoked = source(&reads);
    revoked.topics[1].deleted = true;
    north.wish(&revoked).await;
    south.link(Phase::Degraded, Reason::Unauthorized).await;
    let config = at_source(&north, "key_01u");
    beside(move || {
        let producer: BaseProducer = config.create().unwrap();
        send(&producer, 0..300);
    })
    .await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(copied(&south).await, count(&shown));
    let told = [north.plane.received(), south.plane.received()].concat();
    assert!(told.iter().all(|it| !format!("{it:?}").contains(CANARY)));
    println!("{:?} in all", begun.elapsed());
}
