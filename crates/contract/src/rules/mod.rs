//! The rules of a contract: their form on the registry's API, what is lawful, and what they are when compiled.

pub mod cel;
mod check;
mod compile;
mod json_types;
mod model;

#[cfg(test)]
mod tests;

use std::fmt;

pub(crate) use check::actions;
pub use check::{RULES_MAX, check};
pub use compile::compile;
pub(crate) use compile::{Compiled, Engine, Guarded, domain, root_message, types_of};
pub use model::{EnableAt, Metadata, Rule, RuleKind, RuleMode, RuleSet};

use crate::error::Position;

/// What is wrong with a rule set; error 42210 of the registry's API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct RuleProblem {
    /// `domainRules`, `migrationRules` or `encodingRules`.
    pub list: &'static str,
    /// The rule's name; empty if that is what is wrong.
    pub rule: String,
    /// Where in its expression.
    pub position: Option<Position>,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {:?} of {}", self.rule, self.list)?;
        if let Some(position) = self.position {
            write!(f, ", {position}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl RuleProblem {
    pub(crate) fn new(list: &'static str, rule: &str, message: impl Into<String>) -> Self {
        let rule = rule.chars().take(80).collect();
        Self {
            list,
            rule,
            position: None,
            message: message.into(),
        }
    }
}

/// What follows on a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// The record is refused.
    Error,
    /// The record goes to the dead letters.
    Dlq,
    /// What a client calls by this name; elsewhere an error, as an action that is not known is upstream.
    Custom(String),
}

impl Action {
    fn named(name: &str) -> Self {
        match name {
            "NONE" => Self::None,
            "ERROR" => Self::Error,
            "DLQ" => Self::Dlq,
            other => Self::Custom(other.to_owned()),
        }
    }
}
