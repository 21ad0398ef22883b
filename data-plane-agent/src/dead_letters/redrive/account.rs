//! How a redrive goes, for people inside the network. Counts since the agent started.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::Wish;
use super::judge::Fate;
use crate::dead_letters::track::Offsets;
use crate::link::ledger::unix_ms;

/// Rules that are told apart; letters of others are counted together.
const RULES_MAX: usize = 100;
const OTHERS: &str = "others";

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Phase {
    /// It goes on.
    Running,
    /// It came to the end.
    Done,
    /// Somebody wanted no more.
    Cancelled,
    /// It could not go on.
    Failed,
}

/// What became of letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// All that were read.
    pub letters: u64,
    /// Of these, judged by a contract that is in force now, or free to pass since nothing is enforced.
    pub judged: u64,
    /// Of these, written into their topics.
    pub delivered: u64,
    /// Of these, not good yet, by rules; without one, by the kind of the violation.
    pub still_violating: BTreeMap<String, u64>,
    /// Not delivered for another reason.
    pub skipped: BTreeMap<&'static str, u64>,
    /// Of another rule than was wished; written again as they were.
    pub left_out: u64,
}

impl Tally {
    /// One letter more.
    pub fn count(&mut self, fate: Fate) {
        self.letters += 1;
        match fate {
            Fate::Delivered => {
                self.judged += 1;
                self.delivered += 1;
            }
            Fate::Violates(rule) => {
                self.judged += 1;
                let known =
                    self.still_violating.len() < RULES_MAX || self.still_violating.contains_key(&rule);
                let rule = if known { rule } else { OTHERS.to_owned() };
                *self.still_violating.entry(rule).or_default() += 1;
            }
            Fate::Skipped(why) => *self.skipped.entry(why).or_default() += 1,
            Fate::LeftOut => self.left_out += 1,
        }
    }

    fn add(&mut self, more: Self) {
        let Self {
            letters,
            judged,
            delivered,
            still_violating,
            skipped,
            left_out,
        } = more;
        self.letters += letters;
        self.judged += judged;
        self.delivered += delivered;
        self.left_out += left_out;
        for (rule, count) in still_violating {
            *self.still_violating.entry(rule).or_default() += count;
        }
        for (why, count) in skipped {
            *self.skipped.entry(why).or_default() += count;
        }
    }
}

/// One redrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// The topic.
    pub dead_letter_topic_id: String,
    /// Its name.
    pub dead_letter_topic: String,
    /// Nothing is written.
    pub dry_run: bool,
    /// Only letters of this one.
    pub rule: Option<String>,
    /// How far it is.
    pub phase: Phase,
    /// Why it failed.
    pub reason: Option<String>,
    /// What it waits for now, if so.
    pub waits_for: Option<String>,
    /// When it began, in milliseconds since 1970.
    pub began_at_unix_ms: u64,
    /// When it ended.
    pub ended_at_unix_ms: Option<u64>,
    /// From where, by partitions; nothing: not known yet.
    pub from: Offsets,
    /// Up to where: the end as it was when it began.
    pub to: Offsets,
    /// How far it came.
    pub at: Offsets,
    /// What became of letters.
    #[serde(flatten)]
    pub tally: Tally,
}

/// What is told of one redrive while it goes on.
#[derive(Debug)]
pub struct Account(Mutex<Progress>);

impl Account {
    /// It begins now.
    #[must_use]
    pub fn new(id: &str, name: String, wish: &Wish) -> Self {
        let Wish { dry_run, rule } = wish;
        Self(Mutex::new(Progress {
            dead_letter_topic_id: id.to_owned(),
            dead_letter_topic: name,
            dry_run: *dry_run,
            rule: rule.clone(),
            phase: Phase::Running,
            reason: None,
            waits_for: None,
            began_at_unix_ms: unix_ms(),
            ended_at_unix_ms: None,
            from: Offsets::new(),
            to: Offsets::new(),
            at: Offsets::new(),
            tally: Tally::default(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it is now.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.lock().clone()
    }

    /// Its extent is known.
    pub fn extends(&self, from: &Offsets, to: &Offsets) {
        let mut held = self.lock();
        held.from.clone_from(from);
        held.at.clone_from(from);
        held.to.clone_from(to);
    }

    /// It came so far, with so many letters more.
    pub fn goes_on(&self, at: &Offsets, more: Tally) {
        let mut held = self.lock();
        held.waits_for = None;
        held.at.clone_from(at);
        held.tally.add(more);
    }

    /// Something stands in the way.
    pub fn waits(&self, what: &str) {
        self.lock().waits_for = Some(what.to_owned());
    }

    /// It is over.
    pub fn end(&self, phase: Phase, reason: Option<String>) {
        let mut held = self.lock();
        held.phase = phase;
        held.reason = reason;
        held.waits_for = None;
        held.ended_at_unix_ms = Some(unix_ms());
    }

    /// Nobody works at it any more.
    pub fn end_if_running(&self) {
        if self.lock().phase == Phase::Running {
            self.end(
                Phase::Failed,
                Some("it ended by itself: see the agent's log".to_owned()),
            );
        }
    }
}
