//! What a comparison of two schemas collects.

use super::Direction;
use super::rule::Rule;

/// No comparison reports more than this.
const DIFFERENCES: usize = 100;

/// How the two schemas are called in a sentence.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Side {
    /// The new one reads.
    NewReads,
    /// The earlier one reads.
    OldReads,
}

impl Side {
    pub const fn of(direction: Direction) -> Self {
        match direction {
            Direction::Backward => Self::NewReads,
            Direction::Forward => Self::OldReads,
        }
    }
}

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub rule: Rule,
    pub path: String,
    /// What follows "The new schema ...": `{other}` stands for "old" or "new", `{this}` likewise.
    sentence: String,
}

impl Difference {
    pub fn new(rule: Rule, path: &str, sentence: String) -> Self {
        Self {
            rule,
            path: path.to_owned(),
            sentence,
        }
    }

    /// The sentence, with the schemas called by their age.
    pub fn message(&self, side: Side) -> String {
        let (this, other) = match side {
            Side::NewReads => ("new", "old"),
            Side::OldReads => ("old", "new"),
        };
        let place = if self.path.is_empty() || self.path == "/" || self.path == "#/" {
            String::new()
        } else {
            format!("At {}, ", self.path)
        };
        let the = if place.is_empty() { "The" } else { "the" };
        let sentence = self.sentence.replace("{other}", other).replace("{this}", this);
        format!("{place}{the} {this} schema {sentence}.")
    }
}

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    differences: Vec<Difference>,
}

impl Report {
    /// `sentence` follows "The new schema".
    pub fn add(&mut self, rule: Rule, path: &str, sentence: impl Into<String>) {
        self.extend([Difference::new(rule, path, sentence.into())]);
    }

    /// What is beyond the bound is left out: it would be refused anyway.
    pub fn extend(&mut self, differences: impl IntoIterator<Item = Difference>) {
        for difference in differences {
            if self.differences.len() < DIFFERENCES && !self.differences.contains(&difference) {
                self.differences.push(difference);
            }
        }
    }

    pub fn finish(self) -> Vec<Difference> {
        self.differences
    }
}
