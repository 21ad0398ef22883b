//! Closed loops: as much as the other side takes, over some connections, for a count of records or a time.

use crate::batch::{Template, batch};
use crate::client::{Client, FETCH_NEWEST, Login};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use weir_kafka_wire::bounds::Budget;
use weir_kafka_wire::header::split_response;
use weir_kafka_wire::kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use weir_kafka_wire::kafka_protocol::messages::{FetchRequest, ProduceRequest};
use weir_kafka_wire::kafka_protocol::protocol::{Request as _, StrBytes};
use weir_kafka_wire::message::{decode_response, frame_request};

/// Requests on their way per connection: Kafka's `max.in.flight.requests.per.connection`.
const IN_FLIGHT: usize = 5;

/// What to send, and over how many connections.
#[derive(Debug, Clone)]
pub struct Shape {
    pub topic: String,
    /// One list of partitions per connection.
    pub partitions: Vec<Vec<i32>>,
    pub records_per_batch: usize,
    pub record_bytes: usize,
    /// As an idempotent producer?
    pub idempotent: bool,
}

/// When to end.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// So many records in all.
    Records(u64),
    /// A moment.
    Time(Instant),
}

/// What was acknowledged or read, and when: (seconds since the beginning, bytes).
pub type Arrivals = Vec<(f64, u64)>;

/// The sum of what all connections did.
#[derive(Debug, Default, Clone)]
pub struct Done {
    pub records: u64,
    pub bytes: u64,
    pub seconds: f64,
    /// In the order of time.
    pub arrivals: Arrivals,
}

/// Runs one thread per item and adds up what they did.
fn together<T: Send>(
    items: Vec<T>,
    run: impl Fn(T, Instant, &Mutex<Done>) -> Result<()> + Sync,
) -> Result<Done> {
    let done = Mutex::new(Done::default());
    let began = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = items
            .into_iter()
            .map(|it| {
                let (run, done) = (&run, &done);
                scope.spawn(move || run(it, began, done))
            })
            .collect();
        for thread in threads {
            let ended = thread
                .join()
                .map_err(|_panic| anyhow::anyhow!("a connection's thread failed"));
            ended??;
        }
        anyhow::Ok(())
    })?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.seconds = began.elapsed().as_secs_f64();
    done.arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(done)
}

fn add(done: &Mutex<Done>, records: u64, bytes: u64, arrivals: Arrivals) {
    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
    done.records += records;
    done.bytes += bytes;
    done.arrivals.extend(arrivals);
}

/// A producer that is connected and has its requests ready.
pub struct Producer {
    client: Client,
    template: Template,
}

/// Connects the producers of a shape.
pub fn producers(login: &Login, shape: &Shape) -> Result<Vec<Producer>> {
    let made = [batch(shape.records_per_batch, shape.record_bytes)?];
    producers_of(login, shape, &made)
}

/// The same with batches of the caller's, sent in turn.
pub fn producers_of(login: &Login, shape: &Shape, batches: &[Bytes]) -> Result<Vec<Producer>> {
    let open = |partitions: &Vec<i32>| {
        let mut client = Client::open(login)?;
        let topic = client.topic(&shape.topic)?;
        let identity = shape.idempotent.then(|| client.producer()).transpose()?;
        let template = Template::new(&mut client, &topic, partitions, batches, identity)?;
        Ok(Producer { client, template })
    };
    shape.partitions.iter().map(open).collect()
}

/// Produces as much as is taken.
pub fn produce(producers: &mut [Producer], until: Until) -> Result<Done> {
    let share = u64::try_from(producers.len()).unwrap_or(1);
    together(
        producers.iter_mut().collect(),
        |producer: &mut Producer, began, done| {
            let each = producer.template.records();
            let (mut sent, mut acknowledged) = (0_u64, 0_u64);
            let mut arrivals = Arrivals::new();
            let more = |sent: u64| match until {
                Until::Records(records) => sent * each < records / share,
                Until::Time(moment) => Instant::now() < moment,
            };
            let mut under_way = 0;
            loop {
                let going = more(sent);
                if !going && under_way == 0 {
                    break;
                }
                if going && under_way < IN_FLIGHT {
                    let number = i32::try_from(sent & 0x7fff_ffff)?;
                    producer.client.stream.write_all(producer.template.next(number))?;
                    sent += 1;
                    under_way += 1;
                    continue;
                }
                acknowledgement(&mut producer.client, producer.template.version)?;
                acknowledged += 1;
                under_way -= 1;
                arrivals.push((began.elapsed().as_secs_f64(), producer.template.bytes()));
            }
            add(
                done,
                acknowledged * each,
                acknowledged * producer.template.bytes(),
                arrivals,
            );
            Ok(())
        },
    )
}

/// Reads one acknowledgement; whatever was refused is an error.
pub fn acknowledgement(client: &mut Client, version: i16) -> Result<()> {
    let (_number, body) = split_response(client.frame()?, ProduceRequest::KEY, version)?;
    let answer = decode_response::<ProduceRequest>(version, body, Budget::BROKER)?;
    let mut partitions = answer.responses.iter().flat_map(|it| &it.partition_responses);
    if let Some(refused) = partitions.find(|it| it.error_code != 0) {
        anyhow::bail!("a produce request was refused with {}", refused.error_code);
    }
    ensure!(!answer.responses.is_empty(), "an answer without a topic");
    Ok(())
}

/// A consumer that is connected, at the beginning of its partitions.
pub struct Consumer {
    client: Client,
    version: i16,
    request: FetchRequest,
}

/// Connects the consumers of a shape.
pub fn consumers(login: &Login, shape: &Shape) -> Result<Vec<Consumer>> {
    let open = |partitions: &Vec<i32>| {
        let mut client = Client::open(login)?;
        let topic = client.topic(&shape.topic)?;
        let version = client.version(FetchRequest::KEY, FETCH_NEWEST)?;
        let mut asked = FetchTopic::default().with_partitions(
            partitions
                .iter()
                .map(|index| {
                    FetchPartition::default()
                        .with_partition(*index)
                        .with_fetch_offset(0)
                        .with_partition_max_bytes(1 << 20)
                })
                .collect(),
        );
        if version >= 13 {
            asked.topic_id = topic.id;
        } else {
            asked.topic = StrBytes::from_string(topic.name).into();
        }
        // As Java consumers ask, without a session.
        let request = FetchRequest::default()
            .with_max_wait_ms(500)
            .with_min_bytes(1)
            .with_max_bytes(50 << 20)
            .with_session_epoch(-1)
            .with_topics(vec![asked]);
        Ok(Consumer {
            client,
            version,
            request,
        })
    };
    shape.partitions.iter().map(open).collect()
}

/// Fetches as much as is given, from the beginning again at the end.
pub fn consume(consumers: &mut [Consumer], until: Until) -> Result<Done> {
    let share = u64::try_from(consumers.len()).unwrap_or(1);
    together(
        consumers.iter_mut().collect(),
        |consumer: &mut Consumer, began, done| {
            let (mut records, mut bytes) = (0, 0);
            let mut arrivals = Arrivals::new();
            let mut idle_since = Instant::now();
            loop {
                let more = match until {
                    Until::Records(wanted) => records < wanted / share,
                    Until::Time(moment) => Instant::now() < moment,
                };
                if !more {
                    break;
                }
                let (count, length) = consumer.fetch()?;
                if count > 0 {
                    idle_since = Instant::now();
                }
                ensure!(idle_since.elapsed() < Duration::from_secs(20), "nothing to fetch");
                records += count;
                bytes += length;
                arrivals.push((began.elapsed().as_secs_f64(), length));
            }
            add(done, records, bytes, arrivals);
            Ok(())
        },
    )
}

impl Consumer {
    /// One fetch: records and bytes of whole batches.
    fn fetch(&mut self) -> Result<(u64, u64)> {
        let header = self.client.header(FetchRequest::KEY, self.version);
        self.client
            .stream
            .write_all(&frame_request(&header, &self.request)?)?;
        let (_number, body) = split_response(self.client.frame()?, FetchRequest::KEY, self.version)?;
        let answer = decode_response::<FetchRequest>(self.version, body, Budget::BROKER)?;
        ensure!(
            answer.error_code == 0,
            "a fetch was refused with {}",
            answer.error_code
        );
        let (mut records, mut bytes) = (0, 0);
        let asked = &mut self
            .request
            .topics
            .first_mut()
            .context("no topic asked for")?
            .partitions;
        for partition in answer.responses.iter().flat_map(|it| &it.partitions) {
            ensure!(
                partition.error_code == 0,
                "a fetch was refused with {}",
                partition.error_code
            );
            let Some(asked) = asked
                .iter_mut()
                .find(|it| it.partition == partition.partition_index)
            else {
                continue;
            };
            let (count, length, next) = walk(partition.records.as_ref());
            records += count;
            bytes += length;
            if let Some(next) = next {
                asked.fetch_offset = next;
            }
            if asked.fetch_offset >= partition.high_watermark {
                asked.fetch_offset = 0;
            }
        }
        Ok((records, bytes))
    }
}

/// Whole batches: how many records and bytes, and the offset after them.
fn walk(records: Option<&Bytes>) -> (u64, u64, Option<i64>) {
    let mut rest = records.map_or(&[][..], |it| it);
    let (mut count, mut bytes, mut next) = (0, 0, None);
    while let Some(head) = rest.get(..61) {
        let number = |at: usize| {
            head.get(at..at + 4)
                .and_then(|it| Some(i32::from_be_bytes(it.try_into().ok()?)))
        };
        let base = head
            .get(..8)
            .and_then(|it| Some(i64::from_be_bytes(it.try_into().ok()?)));
        let (Some(base), Some(length), Some(last), Some(many)) = (base, number(8), number(23), number(57))
        else {
            break;
        };
        let whole = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(12);
        let Some(after) = rest.get(whole..) else { break };
        count += u64::from(many.unsigned_abs());
        bytes += whole as u64;
        next = Some(base + i64::from(last) + 1);
        rest = after;
    }
    (count, bytes, next)
}

/// What arrived in every window of a second, at steps of a tenth, between two moments: bytes a second.
pub fn windows(arrivals: &Arrivals, from: f64, to: f64) -> Vec<f64> {
    let mut out = Vec::new();
    let mut at = from;
    while at + 1.0 <= to {
        let first = arrivals.partition_point(|it| it.0 < at);
        let last = arrivals.partition_point(|it| it.0 < at + 1.0);
        let bytes: u64 = arrivals[first..last].iter().map(|it| it.1).sum();
        out.push(bytes as f64);
        at += 0.1;
    }
    out
}

/// Several producers' logins at once, each as a thread of its own.
pub fn alongside<T: Send>(runs: Vec<Box<dyn FnOnce() -> Result<T> + Send>>) -> Result<Vec<T>> {
    let results = Arc::new(Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for (at, run) in runs.into_iter().enumerate() {
            let results = Arc::clone(&results);
            scope.spawn(move || {
                let result = run();
                results
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((at, result));
            });
        }
    });
    let mut results = std::mem::take(&mut *results.lock().unwrap_or_else(PoisonError::into_inner));
    results.sort_by_key(|it| it.0);
    results.into_iter().map(|it| it.1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_walked_and_windows_are_sums() {
        let one = batch(3, 100).unwrap();
        let cut = [one.to_vec(), one[..70].to_vec()].concat();
        assert_eq!(walk(Some(&Bytes::from(cut))), (3, one.len() as u64, Some(3)));
        assert_eq!(walk(None), (0, 0, None));
        let arrivals: Arrivals = (0..40).map(|at| (f64::from(at) * 0.1 + 0.05, 10)).collect();
        let sums = windows(&arrivals, 0.0, 4.0);
        assert!(
            sums.iter().all(|it| (it - 100.0).abs() < f64::EPSILON),
            "{sums:?}"
        );
    }
}
