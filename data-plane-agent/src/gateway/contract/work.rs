//! The judging of one produce request: batch after batch, with a pause wherever it would take long.

use std::sync::Arc;

use bytes::Bytes;
use weir_proto::agent::v1::{Enforcement, ViolationKind};

use super::bind::TopicContract;
use super::counts::{Counts, Sort, Tally};
use super::found::{Barred, Found, Refused, TOLD_MAX, together};
use super::judge::{self, Breach};
use super::mark::Marking;
use super::pace::{Pace, Pause};
use super::records::{self, Head, NoRecord, Record, Records};
use super::unpack::{Codec, NotUnpacked, unpack};
use crate::gateway::cipher::{NotEncrypted, Ring, Writes, encrypted};

const MIB: usize = 1024 * 1024;
/// A batch is unpacked into at most so many bytes, whatever its length.
pub const BATCH_MAX: usize = 64 * MIB;
/// A batch may be unpacked into so many bytes, and into so many times its length.
const BATCH_LEAST: usize = 16 * MIB;
const TIMES: usize = 20;
/// All batches of a request together into so many bytes, or so many times its length.
const REQUEST_LEAST: usize = 64 * MIB;

/// One partition of a request to a topic with a contract, or to one whose values are encrypted.
#[derive(Debug)]
pub struct Part {
    /// The topic's id.
    pub topic: Arc<str>,
    /// What it promises; `None`: nothing is enforced.
    pub contract: Option<Arc<TopicContract>>,
    /// What values are encrypted under; `None`: they are not.
    pub ring: Option<Arc<Ring>>,
    /// Which topic of the request.
    pub slot: usize,
    /// The partition's number.
    pub partition: i32,
    /// Whole batches of magic 2.
    pub records: Bytes,
}

impl Part {
    /// Nothing of it may pass, whatever it holds: what it would be encrypted under is not there.
    fn barred(&self) -> Option<Barred> {
        match self.ring.as_ref()?.writes() {
            Writes::Clear | Writes::Encrypted => None,
            Writes::NotYet => Some(Barred::NotYet),
            Writes::Never => Some(Barred::Never),
        }
    }
}

/// Whether there is more to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// All is judged.
    Done,
    /// Something is left.
    Paused,
}

/// A partition and what became of it.
#[derive(Debug)]
pub struct Ended {
    /// The partition.
    pub part: Part,
    /// Why it may not pass; `None`: it may.
    pub refused: Option<Refused>,
    /// What passes instead, if something is marked.
    pub marked: Option<Bytes>,
}

/// The judging of one request.
#[derive(Debug)]
pub struct Work {
    parts: Vec<Part>,
    found: Vec<Found>,
    /// Which partition, and how many of its bytes are judged.
    at: (usize, usize),
    /// Bytes that may still be unpacked.
    left: usize,
    principal: Arc<str>,
    counts: Arc<Counts>,
}

impl Work {
    /// Nothing is done yet.
    #[must_use]
    pub fn new(parts: Vec<Part>, principal: Arc<str>, counts: Arc<Counts>) -> Self {
        let bytes: usize = parts.iter().map(|it| it.records.len()).sum();
        Self {
            found: parts.iter().map(|_part| Found::default()).collect(),
            parts,
            at: (0, 0),
            left: bytes.saturating_mul(TIMES).max(REQUEST_LEAST),
            principal,
            counts,
        }
    }

    /// Whether a little of it may be done between clients.
    #[must_use]
    pub fn is_quick(&self) -> bool {
        // All are asked: each counts its own requests.
        let contracts = self.parts.iter().filter_map(|it| it.contract.as_ref());
        contracts.filter(|it| it.is_slow()).count() == 0
    }

    /// Goes on until the end or until the pace wants a pause; a batch that was not finished is begun again.
    pub fn run(&mut self, pace: &Pace<'_>) -> Progress {
        while let Some(part) = self.parts.get(self.at.0) {
            if let Some(barred) = part.barred() {
                self.found[self.at.0].barred = Some(barred);
                self.at = (self.at.0 + 1, 0);
                continue;
            }
            let rest = part.records.slice(self.at.1.min(part.records.len())..);
            let Some(batch) = records::batches(&rest).next() else {
                self.at = (self.at.0 + 1, 0);
                continue;
            };
            match one_batch(part, batch, &mut self.left, pace, &self.counts) {
                Ok(mut found) => {
                    let end = self.at.1 + batch.len();
                    for (place, _marked) in &mut found.marked {
                        *place = self.at.1..end;
                    }
                    self.found[self.at.0].add(found);
                    self.at.1 = end;
                }
                Err(pause) => {
                    if let (Pause::Time, Some(_until), Some(contract)) = (pause, pace.until(), &part.contract)
                    {
                        contract.took_long();
                    }
                    return Progress::Paused;
                }
            }
        }
        Progress::Done
    }

    /// Counts what was found, and says what may not pass.
    #[must_use]
    pub fn finish(self) -> Vec<Ended> {
        let Self {
            parts,
            found,
            at: _,
            left: _,
            principal,
            counts,
        } = self;
        let ended = parts.into_iter().zip(found).map(|(part, mut found)| {
            let enforcement = part
                .contract
                .as_ref()
                .map_or(Enforcement::Off, |it| it.enforcement);
            if part.contract.is_some() {
                counts.add(&Tally {
                    topic: &part.topic,
                    principal: &principal,
                    enforcement,
                    judged: found.judged,
                    violating: found.violating,
                    sorts: &found.sorts,
                });
            }
            let marked = together(&part.records, std::mem::take(&mut found.marked));
            let refused = found.refused(enforcement, part.ring.is_some());
            Ended {
                part,
                refused,
                marked,
            }
        });
        ended.collect()
    }
}

/// One batch: judged as it came, then encrypted as it passes.
fn one_batch(
    part: &Part,
    batch: &[u8],
    left: &mut usize,
    pace: &Pace<'_>,
    counts: &Counts,
) -> Result<Found, Pause> {
    let mut found = match &part.contract {
        Some(contract) => judge_batch((part, contract), batch, left, pace, counts)?,
        None => Found::default(),
    };
    if found.marked.is_empty() {
        found.unmarked = found.violating;
    }
    let Some(ring) = &part.ring else {
        return Ok(found);
    };
    let passes = found.marked.pop().map(|(_place, marked)| marked);
    let passes = passes.as_deref().unwrap_or(batch);
    let most = passes.len().saturating_mul(TIMES).clamp(BATCH_LEAST, BATCH_MAX);
    match encrypted(passes, ring, most, pace) {
        // Its place is known to the caller.
        Ok(encrypted) => found.marked.push((0..0, encrypted)),
        Err(NotEncrypted::Pause(pause)) => return Err(pause),
        Err(NotEncrypted::Corrupt) => found.corrupt = true,
        Err(NotEncrypted::NoKey) => found.barred = Some(Barred::NotYet),
        Err(NotEncrypted::Unreadable) => found.barred = Some(Barred::Unreadable),
    }
    Ok(found)
}

fn judge_batch(
    (part, contract): (&Part, &Arc<TopicContract>),
    batch: &[u8],
    left: &mut usize,
    pace: &Pace<'_>,
    counts: &Counts,
) -> Result<Found, Pause> {
    let mut judging = Judging {
        topic: &part.topic,
        contract,
        counts,
        found: Found::default(),
    };
    let Some(head) = records::head(batch) else {
        return Ok(judging.found);
    };
    if !head.whole {
        // What the producer meant is not what came: the broker would say the same.
        judging.found.corrupt = true;
        return Ok(judging.found);
    }
    match (head.codec, head.count) {
        _control if head.control => {
            judging.all(
                &head,
                ViolationKind::NotDecodable,
                "only brokers write control batches",
            );
        }
        (Some(codec @ Codec::None), Some(count)) => {
            judging.records(codec, batch, head.packed, count, pace)?
        }
        (Some(codec), Some(count)) => {
            let most = head.packed.len().saturating_mul(TIMES).max(BATCH_LEAST);
            let most = most.min(BATCH_MAX).min(*left);
            if pace.ends() {
                return Err(Pause::Time);
            }
            match unpack(codec, head.packed, most.min(pace.batch_bytes)) {
                Ok(unpacked) => {
                    judging.records(codec, batch, &unpacked, count, pace)?;
                    *left = left.saturating_sub(unpacked.len());
                }
                Err(NotUnpacked::TooLarge) if most > pace.batch_bytes => return Err(Pause::Size),
                Err(NotUnpacked::TooLarge) => {
                    *left = left.saturating_sub(most);
                    judging.all(
                        &head,
                        ViolationKind::TooLarge,
                        "the batch is larger, unpacked, than may be",
                    );
                }
                Err(NotUnpacked::Broken) => {
                    let reason = "the batch is not packed as it says";
                    judging.all(&head, ViolationKind::NotDecodable, reason);
                }
            }
        }
        _unknown => judging.all(
            &head,
            ViolationKind::NotDecodable,
            "the batch is of no form that is known",
        ),
    }
    Ok(judging.found)
}

struct Judging<'a> {
    topic: &'a Arc<str>,
    contract: &'a Arc<TopicContract>,
    counts: &'a Counts,
    found: Found,
}

impl Judging<'_> {
    /// None of its records can be read: all of them break the contract.
    fn all(&mut self, head: &Head<'_>, kind: ViolationKind, reason: &str) {
        // A header may claim any number.
        let records = u64::from(head.count.unwrap_or(0)).clamp(1, head.packed.len().max(1) as u64);
        self.found.judged += records;
        let breach = Breach::of_batch(self.contract, kind, reason);
        self.breach(None, &breach, records, 0);
    }

    fn records(
        &mut self,
        codec: Codec,
        batch: &[u8],
        unpacked: &[u8],
        count: u32,
        pace: &Pace<'_>,
    ) -> Result<(), Pause> {
        if unpacked.len() > pace.batch_bytes {
            return Err(Pause::Size);
        }
        let dead = self.contract.enforcement == Enforcement::Dlq;
        let marks = dead || self.contract.enforcement == Enforcement::Mark;
        let mut marking = marks.then(|| Marking::of(unpacked, BATCH_MAX, dead));
        for (at, record) in (0..).zip(Records::new(unpacked, count)) {
            if pace.ends() {
                return Err(Pause::Time);
            }
            self.found.judged += 1;
            let Ok(record) = record else {
                let (contract, kind) = (self.contract, ViolationKind::NotDecodable);
                let breach = Breach::of_batch(contract, kind, &NoRecord.to_string());
                self.breach(None, &breach, 1, at);
                // What is no batch cannot be written anew.
                marking = None;
                continue;
            };
            let breach = judge::first(self.contract, &record);
            if let Some(breach) = &breach {
                self.breach(Some(&record), breach, 1, at);
            }
            if let Some(marking) = &mut marking {
                marking.next(&record, breach.as_ref());
            }
        }
        if let Some(marked) = marking.and_then(|it| it.finish(codec, batch)) {
            // Its place is known to the caller.
            self.found.marked.push((0..0, marked));
        }
        Ok(())
    }

    fn breach(&mut self, record: Option<&Record<'_>>, breach: &Breach, records: u64, at: i32) {
        let sort = Sort::of(self.topic, breach);
        if self.counts.wants_example(&sort) {
            let sketch = record.map_or_else(String::new, |it| judge::sketch(breach, self.contract, it));
            self.counts.exemplify(&sort, breach, sketch);
        }
        self.found.violating += records;
        if self.found.told.len() < TOLD_MAX {
            let (word, reason, kind) = (breach.word(), &breach.reason, breach.kind_word());
            self.found.told.push((at, format!("{word}: {reason} ({kind})")));
        }
        *self.found.sorts.entry(sort).or_default() += records;
    }
}
