//! What becomes of a letter: judged by the contract of its topic as the gateway judges, and written there, or back. Pure.

use weir_proto::agent::v1::{Enforcement, RecordPart};

use super::origins::{Origins, Source};
use crate::dead_letters::headers::{NOT_REDRIVEN, REDRIVEN};
use crate::dead_letters::letter::{Added, Form, Letter, Origin, Why, body, is_its_own};
use crate::dead_letters::scan::{has_room, walk};
use crate::dead_letters::session::Taken;
use crate::dead_letters::told::Told;
use crate::gateway::contract::records::Record;
use crate::gateway::contract::unpack::Codec;
use crate::gateway::contract::{Breach, first_breach, mark};
use crate::platform::logs::Read;

const STAND_IN: &str = "it stands for a record that was too large for the dead-letter topic";
const NO_TOPIC: &str = "it does not say which topic it was sent to";
const NOT_ALLOWED: &str = "no contract of a topic of that name names this dead-letter topic";
const TOPIC_GONE: &str = "its topic does not exist now";
const NO_PARTITION: &str = "it does not say which partition it was sent to";
const TOO_LARGE: &str = "its topic does not take records so large";

/// What became of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It went into its topic.
    Delivered,
    /// It breaks this rule; without one, the kind of the violation.
    Violates(String),
    /// It cannot go there, whatever is in it.
    Skipped(&'static str),
    /// It is of another rule than was wished.
    LeftOut,
}

impl Fate {
    /// As it turned out: what its topic did not take, was not delivered.
    #[must_use]
    pub fn after(self, taken: Taken) -> Self {
        match (self, taken) {
            (Self::Delivered, Some(0)) => Self::Delivered,
            (Self::Delivered, _other) => Self::Skipped(TOO_LARGE),
            (other, _taken) => other,
        }
    }
}

/// What was found of a partition, and what is to be read next.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Letters, and what becomes of them.
    pub judged: Vec<(Letter, Fate)>,
    /// What is to be read next.
    pub next: i64,
    /// A batch is not what its checksum says.
    pub corrupt: bool,
}

/// Judges what was read from `from` on and stands before `end`, as far as there is room. Those that go to one partition are
/// together, in their order.
#[must_use]
pub fn chunk(
    origins: &Origins,
    read: &Read,
    (from, end): (i64, i64),
    rule: Option<&str>,
    mut room: usize,
) -> Chunk {
    let mut judged: Vec<(Letter, Fate)> = Vec::new();
    let walked = walk(read, from, &mut |at, record, codec| {
        if at.offset >= end {
            return false;
        }
        let one = judge(origins, at, codec, record, rule);
        let fits = has_room(&mut room, one.0.bytes(), judged.is_empty());
        if fits {
            judged.push(one);
        }
        fits
    });
    judged.sort_by(
        |(Letter { first: one, .. }, _fate), (Letter { first: other, .. }, _other)| {
            (&one.topic, one.partition).cmp(&(&other.topic, other.partition))
        },
    );
    Chunk {
        judged,
        next: walked.next,
        corrupt: walked.corrupt,
    }
}

/// Judges one letter that stands there.
#[must_use]
pub fn judge(
    origins: &Origins,
    at: Origin,
    codec: Codec,
    record: &Record<'_>,
    rule: Option<&str>,
) -> (Letter, Fate) {
    let told = Told::of(record);
    let again = Again { origins, at, record };
    let (first, others, fate) = if rule.is_some_and(|it| told.rule != Some(it.as_bytes())) {
        (again.unchanged(), vec![], Fate::LeftOut)
    } else {
        match destination(origins, &told) {
            Err(why) => (
                again.skipped(&told, why),
                vec![again.unchanged()],
                Fate::Skipped(why),
            ),
            Ok((source, partition)) => match passes(source, record) {
                Ok(marks) => {
                    let first = Form {
                        topic: source.physical_name.clone(),
                        partition,
                        body: body(record, is_its_own, &marks),
                    };
                    let others = vec![again.skipped(&told, TOO_LARGE), again.unchanged()];
                    (first, others, Fate::Delivered)
                }
                Err(breach) => {
                    let first = again.violating(&told, source, partition, &breach);
                    (
                        first,
                        vec![again.unchanged()],
                        Fate::Violates(name(&breach).to_owned()),
                    )
                }
            },
        }
    };
    let letter = Letter {
        codec,
        first,
        others,
        may_stay: false,
    };
    (letter, fate)
}

/// Whether its topic takes it by the contract in force there: with these marks; else what is wrong with it.
fn passes(source: &Source, record: &Record<'_>) -> Result<Added, Breach> {
    let Some(contract) = &source.contract else {
        return Ok(Added::new());
    };
    let Some(breach) = first_breach(contract, record) else {
        return Ok(Added::new());
    };
    match contract.enforcement {
        Enforcement::Unspecified | Enforcement::Off | Enforcement::Shadow => Ok(Added::new()),
        Enforcement::Mark => Ok(mark::headers(&breach, false)),
        Enforcement::Dlq | Enforcement::Reject => Err(breach),
    }
}

/// Where a letter may go: nowhere but into a topic whose contract names this dead-letter topic, whatever its headers say.
fn destination<'a>(origins: &'a Origins, told: &Told<'_>) -> Result<(&'a Source, i32), &'static str> {
    if told.too_large.is_some() {
        return Err(STAND_IN);
    }
    let name = told.topic.and_then(|it| std::str::from_utf8(it).ok());
    let source = origins.source(name.ok_or(NO_TOPIC)?).ok_or(NOT_ALLOWED)?;
    if !source.exists {
        return Err(TOPIC_GONE);
    }
    Ok((source, told.partition.ok_or(NO_PARTITION)?))
}

fn name(breach: &Breach) -> &str {
    breach.rule.as_deref().unwrap_or_else(|| breach.kind_word())
}

/// A letter that goes to the end of the partition that it stands in.
struct Again<'a> {
    origins: &'a Origins,
    at: Origin,
    record: &'a Record<'a>,
}

impl Again<'_> {
    fn form(&self, body: Vec<u8>) -> Form {
        Form {
            topic: self.origins.target.clone(),
            partition: self.at.partition,
            body,
        }
    }

    fn unchanged(&self) -> Form {
        self.form(body(self.record, |_name| true, &[]))
    }

    /// As it was, with why it was not delivered.
    fn skipped(&self, told: &Told<'_>, why: &str) -> Form {
        let keep = |name: &[u8]| name != REDRIVEN.as_bytes() && name != NOT_REDRIVEN.as_bytes();
        let added = [(NOT_REDRIVEN, why.as_bytes().to_vec()), times(told)];
        self.form(body(self.record, keep, &added))
    }

    /// With what is wrong with it now.
    fn violating(&self, told: &Told<'_>, source: &Source, partition: i32, breach: &Breach) -> Form {
        let subject = match breach.part {
            RecordPart::Key => &source.key_subject,
            RecordPart::Value | RecordPart::Unspecified => &source.value_subject,
        };
        let why = Why {
            rule: name(breach).as_bytes().to_vec(),
            subject,
            topic: &source.name,
            exception: mark::reason(breach).into_bytes(),
            partition,
            offset: told.offset,
            timestamp: told.timestamp,
        };
        let mut added = why.headers();
        added.push(times(told));
        self.form(body(self.record, is_its_own, &added))
    }
}

fn times(told: &Told<'_>) -> (&'static str, Vec<u8>) {
    (REDRIVEN, told.redriven.saturating_add(1).to_string().into_bytes())
}
