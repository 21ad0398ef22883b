//! Where records go: to sinks, to the dead-letter topic, or nowhere; and how much may be under way.

use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header as Told, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::{
    BYTES_MAX, COMMIT_EVERY, Open, PAUSE_AFTER, RECORDS_MAX, WAITING_BYTES_MAX, WAITING_MAX, Worker, ended_by,
};
use crate::dead_letters::headers::TOO_LARGE;
use crate::processor::engine::{DeadLetterCode, Outcome, OwnedHeader, Part, Record, failure};
use crate::processor::halt::{Halt, HaltCode};
use crate::processor::letter::{self, Writer};
use crate::processor::partition::Partition;

/// How long the producer's queue may stay full.
const QUEUE_FULL_MAX: Duration = Duration::from_secs(60);
const QUEUE_LOOK: Duration = Duration::from_millis(20);

/// A record that goes out.
struct Outgoing<'r> {
    topic: &'r str,
    key: Option<&'r [u8]>,
    value: Option<&'r [u8]>,
    headers: Option<OwnedHeaders>,
    timestamp_ms: i64,
}

/// Could it be sent?
#[derive(PartialEq, Eq)]
enum Sent {
    Yes,
    TooLarge,
}

impl Worker<'_> {
    /// A record's outcome: it goes where it goes, into the open transaction.
    pub(super) fn settle(&mut self, record: &Record<'_>, outcome: Outcome) -> Result<(), Halt> {
        self.opened()?;
        match outcome {
            Outcome::Dropped { step: _ } => self.counts.dropped += 1,
            Outcome::Emit {
                sink,
                key,
                value,
                headers,
            } => {
                let topic = self.engine.topic(&sink).ok_or_else(|| {
                    Halt::new(HaltCode::ProgramRefused, format!("no sink is called {sink}"))
                })?;
                let sent = self.produce(Outgoing {
                    topic: &topic,
                    key: part(&key, record.key),
                    value: part(&value, record.value),
                    headers: match &headers {
                        Part::AsItCame => copied(record),
                        Part::New(headers) => made(headers),
                    },
                    timestamp_ms: record.timestamp_ms,
                })?;
                match sent {
                    Sent::Yes => self.counts.emitted += 1,
                    Sent::TooLarge => {
                        let sentence = "What came out is larger than a record may be.";
                        if !self.bury(record, None, DeadLetterCode::OutputTooLarge, sentence)? {
                            return Ok(());
                        }
                    }
                }
            }
            Outcome::DeadLetter { step, code, sentence } => {
                if !self.bury(record, step, code, &sentence)? {
                    return Ok(());
                }
            }
        }
        self.counts.done += 1;
        if let Some(open) = &mut self.open {
            open.records += 1;
        }
        if let Some(partition) = self.partitions.get_mut(&record.partition) {
            partition.finish(record.offset, record.timestamp_ms);
        }
        Ok(())
    }

    /// Sends a record to the dead-letter topic; false: there is none, and the job goes no further.
    fn bury(
        &mut self,
        record: &Record<'_>,
        step: Option<usize>,
        code: DeadLetterCode,
        sentence: &str,
    ) -> Result<bool, Halt> {
        let number = step.and_then(|it| u32::try_from(it).ok()).unwrap_or(0);
        let Some(topic) = self.engine.dead_letter_topic().map(str::to_owned) else {
            self.progress.fail(failure(code), number);
            self.poison = Some(format!(
                "partition {}, offset {}: {} {sentence}",
                record.partition,
                record.offset,
                code.as_str()
            ));
            return Ok(false);
        };
        let writer = Writer {
            job: &self.spec.job_id,
            version: self.spec.version,
        };
        let why = letter::why(writer, record, step, code, sentence);
        let bytes = record.value.map_or(0, <[u8]>::len) + record.key.map_or(0, <[u8]>::len);
        let most = self.spec.program.dead_letter_bytes_max;
        let letter = |key, value, headers| Outgoing {
            topic: &topic,
            key,
            value,
            headers: Some(headers),
            timestamp_ms: record.timestamp_ms,
        };
        let whole = letter(record.key, record.value, explained(carried(record), &why));
        let fits = most == 0 || bytes <= most;
        if !fits || self.produce(whole)? == Sent::TooLarge {
            let size = bytes.to_string();
            let headers = explained(OwnedHeaders::new(), &why).insert(Told {
                key: TOO_LARGE,
                value: Some(size.as_bytes()),
            });
            let _small = self.produce(letter(None, None, headers))?;
        }
        self.counts.dead += 1;
        self.counts.failures.push((failure(code), number));
        Ok(true)
    }

    fn produce(&mut self, outgoing: Outgoing<'_>) -> Result<Sent, Halt> {
        let Outgoing {
            topic,
            key,
            value,
            headers,
            timestamp_ms,
        } = outgoing;
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic);
        (record.key, record.payload, record.headers) = (key, value, headers);
        record.timestamp = Some(timestamp_ms).filter(|it| *it > 0);
        let mut full_since = None;
        loop {
            match self.producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back))
                    if full_since.get_or_insert_with(Instant::now).elapsed() < QUEUE_FULL_MAX =>
                {
                    // What is under way makes room.
                    self.producer.poll(QUEUE_LOOK);
                    record = back;
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge), _back)) => {
                    return Ok(Sent::TooLarge);
                }
                Err((error, _back)) => return Err(ended_by(&error)),
            }
        }
        if let Some(open) = &mut self.open {
            open.bytes += value.map_or(0, <[u8]>::len) + key.map_or(0, <[u8]>::len) + 64;
        }
        Ok(Sent::Yes)
    }

    /// A transaction is open from the first record on.
    pub(super) fn opened(&mut self) -> Result<(), Halt> {
        if self.open.is_none() {
            self.producer
                .begin_transaction()
                .map_err(|error| ended_by(&error))?;
            self.open = Some(Open {
                since: Instant::now(),
                records: 0,
                bytes: 0,
            });
        }
        Ok(())
    }

    /// Is it time to commit?
    pub(super) fn is_due(&self) -> bool {
        let aged = |open: &Open| open.since.elapsed() >= COMMIT_EVERY;
        self.is_full() || self.open.as_ref().is_some_and(aged)
    }

    /// Does the open transaction hold as much as it may? Asked for each record, so that no clock is read.
    fn is_full(&self) -> bool {
        let full = |open: &Open| open.records >= RECORDS_MAX || open.bytes >= BYTES_MAX;
        self.open.as_ref().is_some_and(full)
    }

    /// Must what is under way end before a commit? What a deduplicating step remembers is settled only then.
    pub(super) fn must_clear(&self) -> bool {
        self.remembers && !self.pending.is_empty()
    }

    /// May one more record be taken?
    pub(super) fn has_room(&self) -> bool {
        let Some(calls_max) = self.calls_max else {
            // Nothing ever waits.
            return !self.is_full();
        };
        let records: usize = self.partitions.values().map(Partition::waiting).sum();
        let bytes: usize = self.partitions.values().map(Partition::waiting_bytes).sum();
        let clears = self.must_clear() && self.is_due();
        self.pending.len() < calls_max && records < WAITING_MAX && bytes < WAITING_BYTES_MAX && !clears
    }

    /// There is no room; says whether the consumer is paused, so that it may be asked without giving a record.
    pub(super) fn hold_back(&mut self) -> Result<bool, Halt> {
        let (since, told) = *self.full.get_or_insert((Instant::now(), false));
        if told || since.elapsed() < PAUSE_AFTER {
            return Ok(told);
        }
        self.consumer
            .pause(&self.all())
            .map_err(|error| ended_by(&error))?;
        // What was fetched is let go of, and comes again.
        for partition in self.partitions.values_mut() {
            partition.at_end = false;
        }
        self.full = Some((since, true));
        Ok(true)
    }

    /// There is room again.
    pub(super) fn let_go(&mut self) -> Result<bool, Halt> {
        if let Some((_since, true)) = self.full.take() {
            self.consumer
                .resume(&self.all())
                .map_err(|error| ended_by(&error))?;
        }
        Ok(false)
    }

    fn all(&self) -> TopicPartitionList {
        let mut all = TopicPartitionList::new();
        for number in self.partitions.keys() {
            all.add_partition(&self.spec.program.source, *number);
        }
        all
    }
}

fn part<'r>(part: &'r Part<Vec<u8>>, came: Option<&'r [u8]>) -> Option<&'r [u8]> {
    match part {
        Part::AsItCame => came,
        Part::New(bytes) => Some(bytes),
    }
}

fn copied(record: &Record<'_>) -> Option<OwnedHeaders> {
    let of = |made: OwnedHeaders, it: &crate::processor::engine::Header<'_>| {
        made.insert(Told {
            key: it.name,
            value: it.value,
        })
    };
    let count = record.headers.len();
    (count > 0).then(|| {
        record
            .headers
            .iter()
            .fold(OwnedHeaders::new_with_capacity(count), of)
    })
}

fn made(headers: &[OwnedHeader]) -> Option<OwnedHeaders> {
    let of = |made: OwnedHeaders, it: &OwnedHeader| {
        made.insert(Told {
            key: &it.name,
            value: it.value.as_deref(),
        })
    };
    let count = headers.len();
    (count > 0).then(|| headers.iter().fold(OwnedHeaders::new_with_capacity(count), of))
}

/// The record's own headers, without those that an earlier agent wrote.
fn carried(record: &Record<'_>) -> OwnedHeaders {
    let own = record.headers.iter().filter(|it| letter::carries_on(it.name));
    own.fold(OwnedHeaders::new(), |made, it| {
        made.insert(Told {
            key: it.name,
            value: it.value,
        })
    })
}

fn explained(headers: OwnedHeaders, why: &[(&'static str, String)]) -> OwnedHeaders {
    why.iter().fold(headers, |made, (name, value)| {
        made.insert(Told {
            key: name,
            value: Some(value.as_bytes()),
        })
    })
}
