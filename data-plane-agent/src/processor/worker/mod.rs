//! The loop of a worker: consume, transform, produce, commit; each record once.
//!
//! One transaction is open at a time. It holds what was produced and the offsets of what was consumed for it; both are committed, or
//! neither. Whatever goes wrong in between is aborted, and the records come again.

mod assign;
mod commit;
mod emit;
mod tell;

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::producer::{BaseProducer, Producer as _};
use rdkafka::topic_partition_list::TopicPartitionList;
use weir_proto::agent::v1::JobFailureCode;

use super::calls::Calls;
use super::client::{self, Change, ConsumerSide, ProducerSide};
use super::engine::{DeadLetterCode, Engine, Header, Next, Outcome, Record, Request, Suspended};
use super::faults::{Faults, meaning};
use super::halt::{Halt, HaltCode};
use super::partition::{CallId, Original, Partition};
use super::progress::Progress;
use super::spec::WorkerSpec;

/// A transaction is committed when it is so old,
const COMMIT_EVERY: Duration = Duration::from_millis(200);
/// or holds so many records,
const RECORDS_MAX: u64 = 20_000;
/// or so many bytes.
const BYTES_MAX: usize = 16 << 20;
/// Bytes of records that wait for their turn.
const WAITING_BYTES_MAX: usize = 16 << 20;
/// Records that wait for their turn.
const WAITING_MAX: usize = 10_000;
/// Records that are taken before anything else is looked at.
const BATCH: usize = 500;
/// Nothing came: how long to wait for something.
const IDLE: Duration = Duration::from_millis(50);
/// The same while calls are under way.
const BUSY: Duration = Duration::from_millis(2);
/// After so long without room for a record the consumer is told to pause, so that it goes on to answer its group.
const PAUSE_AFTER: Duration = Duration::from_secs(2);
/// How long an end may take.
const FAREWELL: Duration = Duration::from_secs(10);

/// What is in the open transaction.
struct Open {
    since: Instant,
    records: u64,
    bytes: usize,
}

/// What is counted when the transaction is committed.
#[derive(Default)]
struct Counts {
    done: u64,
    emitted: u64,
    dropped: u64,
    dead: u64,
    failures: Vec<(JobFailureCode, u32)>,
}

/// A worker.
pub struct Worker<'a> {
    spec: &'a WorkerSpec,
    engine: Engine,
    consumer: Rc<BaseConsumer<ConsumerSide>>,
    producer: BaseProducer<ProducerSide>,
    partitions: BTreeMap<i32, Partition>,
    open: Option<Open>,
    counts: Counts,
    calls: Calls,
    /// Records whose calls are under way, with their partitions.
    pending: HashMap<CallId, (i32, Box<Suspended>)>,
    /// How many may be; `None`: the program calls nobody.
    calls_max: Option<usize>,
    /// The program remembers what it has seen.
    remembers: bool,
    next_call: CallId,
    progress: &'a mut Progress,
    progress_at: Option<Instant>,
    faults: Faults,
    /// Since when there is no room, and whether the consumer was told.
    full: Option<(Instant, bool)>,
    joined_at: Option<Instant>,
    /// Transactions that were aborted one after another.
    aborts: u32,
    /// How long nothing was held up: there was nothing to do, or to wait for an answer was all.
    waited: Duration,
    /// A record that a step cannot take, and no dead-letter topic: what came before it is still committed.
    poison: Option<String>,
}

/// What a fault of Kafka ends a worker for.
fn ended_by(error: &KafkaError) -> Halt {
    let code = error.rdkafka_error_code().and_then(meaning);
    Halt::new(code.unwrap_or(HaltCode::Kafka), error.to_string())
}

/// What librdkafka's wrapper reads; `None`: a text that is no text, at which it panics.
fn readable<T>(read: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()
}

impl<'a> Worker<'a> {
    /// Connects, takes over the transactional id, and subscribes.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn begin(
        spec: &'a WorkerSpec,
        engine: Engine,
        calls: Calls,
        progress: &'a mut Progress,
    ) -> Result<Self, Halt> {
        let producer = client::producer(spec).map_err(|error| ended_by(&error))?;
        commit::begin(&producer)?;
        let consumer = client::consumer(spec).map_err(|error| ended_by(&error))?;
        let subscribed = consumer.subscribe(&[&spec.program.source]);
        subscribed.map_err(|error| ended_by(&error))?;
        Ok(Self {
            spec,
            calls_max: engine.concurrency(),
            remembers: engine.window_ms().is_some(),
            engine,
            consumer: Rc::new(consumer),
            producer,
            partitions: BTreeMap::new(),
            open: None,
            counts: Counts::default(),
            calls,
            pending: HashMap::new(),
            next_call: 0,
            progress,
            progress_at: None,
            faults: Faults::default(),
            full: None,
            joined_at: None,
            aborts: 0,
            waited: Duration::ZERO,
            poison: None,
        })
    }

    /// Works until `stop`, then ends in order.
    ///
    /// # Errors
    /// Why it ended by itself; what was open is aborted by the next worker, or by the brokers.
    pub fn run(mut self, stop: &AtomicBool) -> Result<(), Halt> {
        while !stop.load(Ordering::Relaxed) {
            self.turn()?;
        }
        self.finish()
    }

    fn turn(&mut self) -> Result<(), Halt> {
        let (began, waited) = (Instant::now(), self.waited);
        self.consume()?;
        self.change()?;
        self.hear();
        self.drain()?;
        if self.is_due() && !self.must_clear() {
            // A commit takes its time whatever it holds; it keeps the worker busy only where records wait for its end.
            let (at, nothing_waits) = (Instant::now(), self.partitions.values().all(|it| it.at_end));
            self.commit()?;
            if nothing_waits {
                self.waited += at.elapsed();
            }
        }
        if let Some(sentence) = self.poison.take() {
            self.commit()?;
            return Err(Halt::new(HaltCode::PoisonRecord, sentence));
        }
        let busy = began.elapsed().saturating_sub(self.waited.saturating_sub(waited));
        self.progress.busy_us += u64::try_from(busy.as_micros()).unwrap_or(0);
        self.tell();
        Ok(())
    }

    /// Ends in order: what is done is committed, the group is left. Calls under way are let go: their records are not committed, and
    /// the next worker begins with them.
    fn finish(mut self) -> Result<(), Halt> {
        let deadline = Instant::now() + FAREWELL;
        while self.open.is_some() && Instant::now() < deadline {
            self.commit()?;
        }
        self.progress.joined = false;
        // Where the job stands is kept by the agent: groups forget it, and a sleeping job must not.
        self.note_places();
        super::write(self.progress);
        // Dropped, the worker leaves its group.
        Ok(())
    }

    /// Takes what came, as much as there is room for.
    fn consume(&mut self) -> Result<(), Halt> {
        let paused = if self.has_room() {
            self.let_go()?
        } else {
            self.hold_back()?
        };
        let wait = match (&self.open, self.calls.under_way()) {
            (_any, 1..) => BUSY,
            (Some(open), 0) => COMMIT_EVERY.saturating_sub(open.since.elapsed()).min(IDLE),
            (None, 0) => IDLE,
        };
        if !self.has_room() && !paused {
            // It can do no more than it does: that counts as busy, whatever it waits for.
            std::thread::sleep(BUSY);
            return Ok(());
        }
        let consumer = Rc::clone(&self.consumer);
        for taken in 0..BATCH {
            let wait = if taken == 0 { wait } else { Duration::ZERO };
            let asked = (taken == 0 && !paused).then(Instant::now);
            let polled = consumer.poll(wait);
            self.waited += asked.map_or(Duration::ZERO, |it| it.elapsed());
            match polled {
                None => break,
                Some(Ok(message)) => self.take(&message)?,
                Some(Err(KafkaError::PartitionEOF(number))) => {
                    if let Some(partition) = self.partitions.get_mut(&number) {
                        partition.at_end = true;
                    }
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "the consumer");
                    let code = error.rdkafka_error_code();
                    if let Some(halt) = code.and_then(|it| self.faults.meet(it, Instant::now())) {
                        return Err(Halt::new(halt, error.to_string()));
                    }
                    break;
                }
            }
            if self.poison.is_some() || !self.has_room() {
                break;
            }
        }
        Ok(())
    }

    fn take(&mut self, message: &BorrowedMessage<'_>) -> Result<(), Halt> {
        let number = message.partition();
        let Some(partition) = self.partitions.get_mut(&number) else {
            // Taken away since.
            return Ok(());
        };
        if !partition.comes(message.offset()) {
            return Ok(());
        }
        let headers = readable(|| {
            let all = message.headers().into_iter().flat_map(|it| it.iter());
            all.map(|it| Header {
                name: it.key,
                value: it.value,
            })
            .collect::<Vec<_>>()
        });
        let record = Record {
            topic: &self.spec.program.source,
            partition: number,
            offset: message.offset(),
            timestamp_ms: message.timestamp().to_millis().unwrap_or(0),
            key: message.key(),
            value: message.payload(),
            headers: headers.as_deref().unwrap_or(&[]),
        };
        if record.offset < partition.learn_until {
            self.engine.learn(&record, &mut partition.seen);
            partition.learned(record.offset, record.timestamp_ms);
            return Ok(());
        }
        let next = if headers.is_some() {
            self.engine.begin(&record, &mut partition.seen)
        } else {
            Next::Done(Outcome::DeadLetter {
                step: None,
                code: DeadLetterCode::NotDecodable,
                sentence: "A header's name is no text.".to_owned(),
            })
        };
        match next {
            Next::Done(outcome) if partition.is_clear() => self.settle(&record, outcome),
            Next::Done(outcome) => {
                partition.queue(Original::of(&record), outcome);
                Ok(())
            }
            Next::Call(request, suspended) => {
                let id = self.next_call;
                self.next_call += 1;
                partition.wait(id, Original::of(&record));
                self.call(id, number, *request, suspended);
                Ok(())
            }
        }
    }

    fn call(&mut self, id: CallId, partition: i32, request: Request, suspended: Box<Suspended>) {
        self.pending.insert(id, (partition, suspended));
        self.calls.make(id, request);
    }

    /// Takes up the answers that came.
    fn hear(&mut self) {
        while let Some((id, answer)) = self.calls.answer() {
            // Nobody waits for those of a transaction that was aborted.
            let Some((number, suspended)) = self.pending.remove(&id) else {
                continue;
            };
            match self.engine.resume(suspended, &answer) {
                Next::Call(request, suspended) => self.call(id, number, *request, suspended),
                Next::Done(outcome) => {
                    let partition = self.partitions.get_mut(&number);
                    let _waited = partition.is_some_and(|it| it.answered(id, outcome));
                }
            }
        }
    }

    /// Sends what waited and whose turn has come.
    fn drain(&mut self) -> Result<(), Halt> {
        let numbers: Vec<i32> = self.partitions.keys().copied().collect();
        let spec = self.spec;
        for number in numbers {
            while self.poison.is_none()
                && let Some((original, outcome)) = self.partitions.get_mut(&number).and_then(Partition::pop)
            {
                let headers = original.headers();
                let record = Record {
                    topic: &spec.program.source,
                    partition: number,
                    offset: original.offset,
                    timestamp_ms: original.timestamp_ms,
                    key: original.key.as_deref(),
                    value: original.value.as_deref(),
                    headers: &headers,
                };
                self.settle(&record, outcome)?;
            }
        }
        Ok(())
    }
}

impl Drop for Worker<'_> {
    /// Whatever it ends for: nothing stays open, nothing waits for an agreement that nobody would give, and the group is left.
    fn drop(&mut self) {
        if self.open.is_some()
            && let Err(error) = self.producer.abort_transaction(FAREWELL)
        {
            tracing::info!(%error, "a transaction is left to the brokers");
        }
        self.consumer.context().close();
        while let Some(change) = self.consumer.context().change() {
            let agreed = match change {
                Change::Given(_numbers) => self.consumer.incremental_assign(&TopicPartitionList::new()),
                Change::Taken(numbers) => self.consumer.incremental_unassign(&self.list(&numbers)),
            };
            if let Err(error) = agreed {
                tracing::info!(%error, "the consumer closes");
            }
        }
    }
}
