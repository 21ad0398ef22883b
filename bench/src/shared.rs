//! A shared topic beside the same topic in its owner's cluster, through one gateway before one Apache Kafka: as it is, through a
//! filter and a mask, for one reader and for a hundred; and how soon a parked reader hears that its share ended.
//!
//! The unit is records of the topic per CPU-second of the gateway: what a filter withholds counts as read.

use crate::batch;
use crate::client::{Client, FETCH_NEWEST, Login};
use crate::lane::{self, Lane, Plan, SECRET};
use crate::load::{self, Shape, Until};
use crate::measure::{Bar, Figure, Meter, Pairs, absolute};
use crate::parts::{BROKER_PASSWORD, BROKER_USER, Part};
use crate::run::Run;
use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use weir_kafka_wire::kafka_protocol::messages::FetchRequest;
use weir_kafka_wire::kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use weir_kafka_wire::kafka_protocol::protocol::Request as _;
use weir_proto::agent::v1::Mount;
use weir_proto::lane::v1::{LogicalTopic, Snapshot};

const PHYSICAL: &str = "tenant-shared";
const NAME: &str = "payments";
const PER_BATCH: usize = 60;
/// In the topic.
const RECORDS: u64 = 180_000;
const READERS: usize = 100;
/// How often the topic is read where that costs little: a second of CPU and more.
const OFTEN: u64 = 100;
/// Every second record passes.
const VIEW: &str = r#"[{"filter":{"where":"message.number % 2 == 0"}},{"mask":{"fields":["card"],"how":{"KEEP_LAST":{"n":4}}}}]"#;
/// Clusters: the owner's, one that is shown all, one that is shown what the view leaves.
const OWNER: usize = 0;
const WHOLE: usize = 1;
const VIEWED: usize = 2;
const DENIED: i16 = 29;

struct Scene {
    plan: Plan,
    lane: Lane,
    gateway: Part,
    share: usize,
}

/// The benchmark.
pub fn run(run: &mut Run) -> Result<Vec<Figure>> {
    let kafka = run.programs.kafka()?;
    run.programs.create_topic(kafka.address, PHYSICAL)?;
    let broker = Login {
        address: kafka.address,
        username: BROKER_USER.to_owned(),
        password: BROKER_PASSWORD.to_owned(),
        client_id: "bench".to_owned(),
    };
    let mut preload = load::producers_of(&broker, &shape(PHYSICAL, 3), &batches()?)?;
    load::produce(&mut preload, Until::Records(RECORDS))?;
    let id = Client::open(&broker)?.topic(PHYSICAL)?.id;
    let plan = Plan {
        broker: kafka.address,
        username: BROKER_USER.to_owned(),
        password: BROKER_PASSWORD.to_owned(),
        clusters: 3,
        principals: 1,
        topics: vec![(NAME.to_owned(), PHYSICAL.to_owned(), id)],
        quotas: Vec::new(),
    };
    let lane = Lane::open(&run.folder("lane-shared")?)?;
    let version = lane.publish(shown(&plan, Some(0)));
    let gateway = run.programs.gateway(0, &lane)?;
    lane.obeyed(version, 1, Duration::from_secs(20))?;
    let mut scene = Scene {
        plan,
        lane,
        gateway,
        share: 0,
    };
    let mut figures = scene.throughput(run)?;
    figures.push(scene.readers(run)?);
    figures.push(scene.denied(run)?);
    run.setting("sharing.records", RECORDS.to_string());
    run.setting("sharing.view", VIEW);
    Ok(figures)
}

/// Two thirds of a hundred kibibytes of small payments, in JSON.
fn batches() -> Result<Vec<Bytes>> {
    let value = |number: usize| {
        let text = format!(
            r#"{{"number":{number},"amount":{},"currency":"EUR","card":"4111-{number:012}","merchant":{{"id":{},"city":"Lisboa"}},"note":"as every month, as agreed"}}"#,
            number * 37 % 1000,
            number % 97,
        );
        text.into_bytes()
    };
    let batch = |number: usize| {
        let values: Vec<Vec<u8>> = (0..PER_BATCH).map(|at| value(number * PER_BATCH + at)).collect();
        batch::of(&values)
    };
    (0..10).map(batch).collect()
}

fn shape(topic: &str, connections: usize) -> Shape {
    let partitions = [vec![0, 1], vec![2, 3], vec![4, 5]];
    Shape {
        topic: topic.to_owned(),
        partitions: (0..connections).map(|at| partitions[at % 3].clone()).collect(),
        // The batches are ours.
        records_per_batch: 0,
        record_bytes: 0,
        idempotent: true,
    }
}

/// The owner's topic, and what others are shown of it; `None`: nothing any more.
fn shown(plan: &Plan, share: Option<usize>) -> Snapshot {
    let mut snapshot = plan.snapshot();
    let original = snapshot.clusters[OWNER].topics[0].clone();
    for (at, view) in [(WHOLE, ""), (VIEWED, VIEW)] {
        let own = std::mem::take(&mut snapshot.clusters[at].topics);
        let Some(share) = share else { continue };
        snapshot.clusters[at].topics = own
            .into_iter()
            .map(|it| LogicalTopic {
                physical_name: original.physical_name.clone(),
                physical_id: original.physical_id.clone(),
                mount: Some(Mount {
                    // Another share is looked at anew.
                    share_id: format!("share_{share}"),
                    topic_id: original.id.clone(),
                    view_steps_json: view.to_owned(),
                    ..Mount::default()
                }),
                ..it
            })
            .collect();
    }
    snapshot
}

fn login(address: SocketAddr, cluster: usize) -> Login {
    Login {
        address,
        username: lane::user(cluster, 0),
        password: SECRET.to_owned(),
        client_id: "bench".to_owned(),
    }
}

impl Scene {
    /// A share that nobody read yet.
    fn anew(&mut self) -> Result<()> {
        self.share += 1;
        let version = self.lane.publish(shown(&self.plan, Some(self.share)));
        self.lane.obeyed(version, 1, Duration::from_secs(20))
    }

    /// Reads the topic so many times by each of some connections; records of the topic per CPU-second.
    fn score(&self, cluster: usize, connections: usize, times: u64) -> Result<f64> {
        let mut consumers =
            load::consumers(&login(self.gateway.address, cluster), &shape(NAME, connections))?;
        // Each connection reads a third.
        let read = RECORDS * times * connections as u64 / 3;
        let sent = if cluster == VIEWED { read / 2 } else { read };
        let meter = Meter::start(&[self.gateway.pid()])?;
        load::consume(&mut consumers, Until::Records(sent))?;
        let (cpu, _seconds) = meter.stop()?;
        Ok(read as f64 / cpu[0])
    }

    fn throughput(&mut self, run: &Run) -> Result<Vec<Figure>> {
        let mut pairs = [Pairs::default(), Pairs::default(), Pairs::default()];
        for cluster in [OWNER, WHOLE, VIEWED] {
            self.score(cluster, 3, 4)?;
        }
        for round in 0..run.pairs {
            self.anew()?;
            let mut plain = 0.0;
            let mut others = [0.0; 3];
            let mut order = [0, 1, 2, 3];
            if round % 2 == 1 {
                // What is known already comes after it was looked at.
                order = [2, 3, 1, 0];
            }
            for which in order {
                match which {
                    0 => plain = self.score(OWNER, 3, OFTEN)?,
                    1 => others[0] = self.score(WHOLE, 3, OFTEN)?,
                    2 => others[1] = self.score(VIEWED, 3, 1)?,
                    _known => others[2] = self.score(VIEWED, 3, OFTEN)?,
                }
            }
            run.say(&format!(
                "round {}: plain {plain:.0}, whole, new and known: {others:.0?}",
                round + 1
            ));
            for (pairs, ours) in pairs.iter_mut().zip(others) {
                pairs.add(ours, plain);
            }
        }
        let ways = [
            ("sharing.whole", Some(0.95), "shown as it is"),
            (
                "sharing.viewed",
                None,
                "filtered and masked, looked at for the first time",
            ),
            ("sharing.known", None, "filtered and masked, known already"),
        ];
        let figures = pairs.iter().zip(ways).map(|(pairs, (id, ship, how))| {
            let mut figure = pairs.figure(Bar {
                id,
                what: "",
                peer: "the same topic in its owner's cluster",
                version: env!("CARGO_PKG_VERSION"),
                ship,
                goal: ship,
                less: false,
            });
            figure.what = format!("consume, records per CPU-second of the gateway, {how}");
            figure
        });
        Ok(figures.collect())
    }

    /// A hundred readers of one share beside three, nothing of it known before.
    fn readers(&mut self, run: &Run) -> Result<Figure> {
        let mut pairs = Pairs::default();
        for round in 0..run.pairs {
            self.anew()?;
            let few = self.score(VIEWED, 3, 1)?;
            self.anew()?;
            let many = self.score(VIEWED, READERS, 1)?;
            run.say(&format!(
                "round {}: {many:.0} for {READERS} readers, {few:.0} for three",
                round + 1
            ));
            pairs.add(many, few);
        }
        Ok(pairs.figure(Bar {
            id: "sharing.readers",
            what: "consume through a view, records per CPU-second of the gateway, a hundred readers of one share",
            peer: "three readers, each of another third",
            version: env!("CARGO_PKG_VERSION"),
            ship: None,
            goal: None,
            less: false,
        }))
    }

    /// From the snapshot on to the answer that refuses a fetch which was parked.
    fn denied(&mut self, run: &Run) -> Result<Figure> {
        let mut took = Vec::new();
        for _round in 0..run.pairs.max(10) {
            self.anew()?;
            let (told, parked) = mpsc::channel();
            let address = self.gateway.address;
            let reader = std::thread::spawn(move || until_denied(address, &told));
            parked
                .recv_timeout(Duration::from_secs(20))
                .context("a parked reader")?;
            // Somewhere within its long poll.
            std::thread::sleep(Duration::from_millis(137 * (took.len() as u64 % 5)));
            let began = Instant::now();
            self.lane.publish(shown(&self.plan, None));
            let denied = reader
                .join()
                .map_err(|_panic| anyhow::anyhow!("the reader failed"))??;
            took.push(denied.saturating_duration_since(began).as_secs_f64() * 1000.0);
        }
        run.say(&format!("denied after {took:.0?} ms"));
        Ok(absolute(
            Bar {
                id: "sharing.denied",
                what: "from the end of a share in the agent's snapshot to the refusal of a parked fetch",
                peer: "",
                version: "",
                ship: Some(1000.0),
                goal: Some(1000.0),
                less: true,
            },
            "ms",
            &took,
        ))
    }
}

/// Asks for what comes next, for as long as it may; says when it was refused.
fn until_denied(address: SocketAddr, told: &mpsc::Sender<()>) -> Result<Instant> {
    let mut client = Client::open(&login(address, VIEWED))?;
    let topic = client.topic(NAME)?;
    let version = client.version(FetchRequest::KEY, FETCH_NEWEST)?;
    ensure!(version >= 13, "topics go by id");
    let mut offset = 0;
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        let partition = FetchPartition::default()
            .with_partition(0)
            .with_fetch_offset(offset)
            .with_partition_max_bytes(1 << 20);
        let asked = FetchTopic::default()
            .with_topic_id(topic.id)
            .with_partitions(vec![partition]);
        let request = FetchRequest::default()
            .with_max_wait_ms(10_000)
            .with_min_bytes(1)
            .with_max_bytes(1 << 20)
            .with_session_epoch(-1)
            .with_topics(vec![asked]);
        let answer = client.call(&request, version)?;
        let answered = answer.responses.iter().flat_map(|it| &it.partitions).next();
        match answered.map(|it| (it.error_code, it.high_watermark)) {
            Some((0, high)) => {
                if high == offset {
                    // It was parked; from now on it always is.
                    let _heard = told.send(());
                }
                offset = high;
            }
            Some((DENIED, _none)) => return Ok(Instant::now()),
            Some((code, _none)) => bail!("refused with {code}"),
            None => {}
        }
    }
    bail!("nobody refused it")
}
