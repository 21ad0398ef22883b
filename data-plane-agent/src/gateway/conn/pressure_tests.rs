//! A gateway that stops, clients that do not read, brokers that are slow: real sockets, a broker that does what the
//! test says.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::{FetchRequest, FetchResponse, ProduceRequest, ProduceResponse};
use kafka_protocol::protocol::{Request, StrBytes};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use weir_kafka_wire::bounds::Budget;
use weir_kafka_wire::header::{RequestHeader, split_request, split_response};
use weir_kafka_wire::message::{decode_request, frame_request, frame_response};

use super::quota_tests::{FETCH, PRODUCE, World, produce, versions};
use super::*;
use crate::gateway::lane::Lane;
use crate::gateway::meter::batch::tests::batch;

const MIB: usize = 1024 * 1024;
/// What sockets on loopback hold of a stream at most, in all four buffers between client and broker.
const BUFFERED: usize = 24 * MIB;
const PATIENCE: Duration = Duration::from_secs(30);

/// A broker whose answers to Fetch are large, and whose answers to Produce wait until they are allowed.
#[derive(Default)]
struct Broker {
    allowed: Notify,
    /// Bytes of answers that the gateway took.
    taken: AtomicU64,
    /// Bytes of requests that were read.
    heard: AtomicU64,
    /// Does not read requests to produce.
    deaf: bool,
    /// Gives so many mebibytes to a fetch; one by itself.
    gives: usize,
}

impl Broker {
    async fn begin(self, world: &mut World) -> Arc<Self> {
        let broker = Arc::new(self);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        world.broker_port = listener.local_addr().unwrap().port();
        world.install(2, Vec::new());
        let serving = Arc::clone(&broker);
        tokio::spawn(async move {
            while let Ok((stream, _address)) = listener.accept().await {
                tokio::spawn(Arc::clone(&serving).serve(stream));
            }
        });
        broker
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        while let Ok(length) = stream.read_u32().await {
            if self.deaf && length > 1000 {
                std::future::pending::<()>().await;
            }
            let mut frame = vec![0; length as usize];
            stream.read_exact(&mut frame).await.unwrap();
            self.heard.fetch_add(u64::from(length), Ordering::Relaxed);
            let (header, body) = split_request(frame.into()).unwrap();
            let (version, id) = (header.version, header.correlation_id);
            let answer = match header.api_key {
                0 => {
                    self.allowed.notified().await;
                    frame_response::<ProduceRequest>(version, id, &ProduceResponse::default())
                }
                1 => {
                    let asked: FetchRequest = decode_request(version, body, Budget::CLIENT).unwrap();
                    frame_response::<FetchRequest>(version, id, &fetched(&asked, self.gives.max(1)))
                }
                _versions => versions(version, id),
            };
            let answer = answer.unwrap();
            if stream.write_all(&answer).await.is_err() {
                return;
            }
            self.taken.fetch_add(answer.len() as u64, Ordering::Relaxed);
        }
    }
}

/// Mebibytes of records.
fn fetched(asked: &FetchRequest, count: usize) -> FetchResponse {
    let partition = PartitionData::default()
        .with_aborted_transactions(None)
        .with_records(Some(batch(1, None, count * MIB).into()));
    let topic = FetchableTopicResponse::default()
        .with_topic(asked.topics[0].topic.clone())
        .with_partitions(vec![partition]);
    FetchResponse::default().with_responses(vec![topic])
}

fn fetch() -> FetchRequest {
    let partition = FetchPartition::default().with_partition_max_bytes(MIB as i32);
    let topic = FetchTopic::default()
        .with_topic(StrBytes::from_static_str("orders").into())
        .with_partitions(vec![partition]);
    FetchRequest::default()
        .with_max_bytes(MIB as i32)
        .with_topics(vec![topic])
}

fn frame<R: Request>(version: i16, id: i32, request: &R) -> Bytes {
    let header = RequestHeader {
        api_key: R::KEY,
        version,
        correlation_id: id,
        client_id: None,
    };
    frame_request(&header, request).unwrap()
}

async fn client(world: &World) -> TcpStream {
    world.client().await.unwrap().into_parts().0
}

/// The next answer: its correlation id and its length.
async fn answer(stream: &mut TcpStream, api_key: i16, version: i16) -> (i32, usize) {
    let length = timeout(PATIENCE, stream.read_u32()).await.unwrap().unwrap();
    let mut frame = vec![0; length as usize];
    timeout(PATIENCE, stream.read_exact(&mut frame))
        .await
        .unwrap()
        .unwrap();
    let (id, body) = split_response(frame.into(), api_key, version).unwrap();
    (id, body.len())
}

async fn until(what: &str, held: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !held() {
        assert!(Instant::now() < end, "{what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until a number does not grow any more.
async fn settled(count: &AtomicU64) -> u64 {
    let mut before = count.load(Ordering::Relaxed);
    loop {
        sleep(Duration::from_millis(300)).await;
        let now = count.load(Ordering::Relaxed);
        if now == before {
            return now;
        }
        before = now;
    }
}

#[tokio::test]
async fn a_gateway_that_stops_answers_what_it_took_and_takes_no_more() {
    let mut world = World::begin(Vec::new()).await;
    let broker = Broker::default().begin(&mut world).await;
    let mut stream = client(&world).await;
    stream.write_all(&frame(PRODUCE, 1, &produce())).await.unwrap();
    until("the broker has it", || {
        broker.heard.load(Ordering::Relaxed) > 10_000
    })
    .await;
    world.gateway.draining.send_replace(true);
    sleep(Duration::from_millis(100)).await;
    // Too late: they are for the next gateway. It is not even listening to the last one.
    for id in 2..4 {
        stream.write_all(&frame(PRODUCE, id, &produce())).await.unwrap();
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(world.gateway.live.count(), 1, "the answer is not written yet");
    broker.allowed.notify_one();
    assert_eq!(answer(&mut stream, 0, PRODUCE).await.0, 1);
    let mut rest = Vec::new();
    let ended = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(
        (ended.unwrap(), rest.len()),
        (0, 0),
        "closed, not reset, and no more answers"
    );
    until("nobody is connected", || world.gateway.live.count() == 0).await;
}

#[tokio::test]
async fn an_answer_that_its_client_reads_slowly_is_written_to_its_end() {
    let mut world = World::begin(Vec::new()).await;
    let gives = 2 * BUFFERED / MIB;
    let broker = Broker {
        gives,
        ..Broker::default()
    };
    let broker = broker.begin(&mut world).await;
    let mut stream = client(&world).await;
    stream.write_all(&frame(FETCH, 1, &fetch())).await.unwrap();
    until("the gateway has it", || {
        broker.taken.load(Ordering::Relaxed) > BUFFERED as u64
    })
    .await;
    world.gateway.draining.send_replace(true);
    sleep(Duration::from_millis(300)).await;
    let (id, length) = answer(&mut stream, 1, FETCH).await;
    assert_eq!(id, 1);
    assert!(length > gives * MIB);
    let mut rest = Vec::new();
    let ended = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(ended.unwrap(), 0);
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_its_broker_back_and_nobodys_memory() {
    let mut world = World::begin(Vec::new()).await;
    let broker = Broker::default().begin(&mut world).await;
    let mut stream = client(&world).await;
    const ANSWERS: i32 = 200;
    for id in 1..=ANSWERS {
        stream.write_all(&frame(FETCH, id, &fetch())).await.unwrap();
    }
    let taken = settled(&broker.taken).await;
    assert!(
        taken < BUFFERED as u64,
        "{taken} bytes of {ANSWERS} MiB were taken from the broker"
    );
    for id in 1..=ANSWERS {
        assert_eq!(answer(&mut stream, 1, FETCH).await.0, id);
    }
}

#[tokio::test]
async fn many_clients_that_do_not_read_share_one_bound_and_cost_others_no_turn() {
    const GIVES: usize = 48;
    const BOUND: usize = 2 * GIVES * MIB;
    const CLIENTS: usize = 5;
    let limits = Limits {
        buffers: BOUND,
        ..Limits::default()
    };
    let mut world = World::within(Vec::new(), limits).await;
    let broker = Broker {
        gives: GIVES,
        ..Broker::default()
    };
    let broker = broker.begin(&mut world).await;
    let mut still = Vec::new();
    for _client in 0..CLIENTS {
        let mut stream = client(&world).await;
        stream.write_all(&frame(FETCH, 1, &fetch())).await.unwrap();
        still.push(stream);
    }
    until("the first hold what there is", || {
        world.gateway.buffers.held() >= GIVES * MIB
    })
    .await;
    let mut other = client(&world).await;
    other.write_all(&frame(PRODUCE, 7, &produce())).await.unwrap();
    broker.allowed.notify_one();
    assert_eq!(
        answer(&mut other, 0, PRODUCE).await.0,
        7,
        "what is small never waits"
    );
    other.write_all(&frame(FETCH, 8, &fetch())).await.unwrap();
    let (id, length) = answer(&mut other, 1, FETCH).await;
    assert!(id == 8 && length > GIVES * MIB, "whole, although others hold all");
    assert!(world.gateway.buffers.held() <= BOUND);
    until("who stood in its way is gone", || {
        world.gateway.live.count() < 1 + CLIENTS
    })
    .await;
    drop((still, other));
    until("nothing is held", || world.gateway.buffers.held() == 0).await;
}

#[tokio::test]
async fn a_broker_that_does_not_read_holds_its_clients_back() {
    let mut world = World::begin(Vec::new()).await;
    let broker = Broker {
        deaf: true,
        ..Broker::default()
    };
    broker.begin(&mut world).await;
    let mut stream = client(&world).await;
    let mut request = produce();
    request.topic_data[0].partition_data[0].records = Some(batch(1, None, MIB).into());
    let mut sent = 0;
    for id in 1..100 {
        let bytes = frame(PRODUCE, id, &request);
        let written = timeout(Duration::from_secs(1), stream.write_all(&bytes));
        if written.await.is_err() {
            break;
        }
        sent += MIB;
    }
    assert!(
        sent < BUFFERED,
        "{sent} bytes were taken for a broker that reads nothing"
    );
}

#[tokio::test]
async fn a_connection_without_a_sign_of_life_ends_and_one_that_speaks_stays() {
    let limits = Limits {
        idle: Duration::from_millis(1500),
        ..Limits::default()
    };
    let mut world = World::within(Vec::new(), limits).await;
    Broker::default().begin(&mut world).await;
    // As when its host is gone: nothing comes, and no end either.
    let mut silent = client(&world).await;
    let mut alive = client(&world).await;
    let begun = Instant::now();
    let mut id = 0;
    while begun.elapsed() < Duration::from_secs(4) {
        id += 1;
        alive.write_all(&frame(FETCH, id, &fetch())).await.unwrap();
        assert_eq!(answer(&mut alive, 1, FETCH).await.0, id);
        sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(world.gateway.live.count(), 1, "the silent one is gone");
    let mut rest = Vec::new();
    assert_eq!(silent.read_to_end(&mut rest).await.unwrap(), 0);
}

#[tokio::test]
async fn what_was_counted_is_handed_over_when_the_gateway_stops() {
    let mut world = World::begin(Vec::new()).await;
    Broker::default().begin(&mut world).await;
    let mut stream = client(&world).await;
    stream.write_all(&frame(FETCH, 1, &fetch())).await.unwrap();
    answer(&mut stream, 1, FETCH).await;
    let lane = Lane {
        // Nobody is there to take it.
        address: "127.0.0.1:9".to_owned(),
        identity: std::path::PathBuf::new(),
        gateway_id: "gateway".to_owned(),
        boot: 1,
        cache: std::path::PathBuf::new(),
        wire: crate::gateway::share::Wire::Safe,
        closed: Notify::new(),
        acknowledged: Notify::new(),
    };
    crate::gateway::drain(&world.gateway, &lane).await;
    assert_eq!(world.gateway.live.count(), 0);
    let windows = world.gateway.shared.meter.unacknowledged(10).unwrap();
    let bytes: Vec<u64> = windows
        .iter()
        .flat_map(|it| &it.rows)
        .map(|it| it.bytes)
        .collect();
    assert_eq!(bytes.len(), 1, "{windows:?}");
    assert!(bytes[0] > MIB as u64, "{windows:?}");
}
