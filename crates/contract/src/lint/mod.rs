//! Lint rules: what somebody asks of contracts beside their schemas, as CEL over the contract itself.
//!
//! A rule is parsed and checked once, against what a contract is; its cost is tried on a contract of a thousand fields. Over a
//! contract each rule has a bounded number of steps, and all rules together have, too: what cannot be said within them is no yes.

mod view;

#[cfg(test)]
mod tests;

use crate::error::Position;
use crate::rules::cel::ast::Expr;
use crate::rules::cel::types::Type;
use crate::rules::cel::{self, CelError, Fault, Steps};

pub use view::LintSubject;
use view::{Gathered, VARIABLE};

/// Fields of a contract on which a new rule's cost is tried.
const TRIED_FIELDS: usize = 1_000;
/// Steps that one rule may take over one contract: some twenty for each of the most fields that a schema has.
const RULE_STEPS: usize = 1_000_000;
/// Steps that all rules may take over one contract.
const ALL_STEPS: usize = 20_000_000;

/// What is wrong with a rule's expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintProblem {
    /// Where in the expression.
    pub position: Option<Position>,
    /// What is wrong, and what to do.
    pub message: String,
}

/// A rule, ready to run.
#[derive(Debug, Clone)]
pub struct LintRule {
    expr: Expr,
    text: String,
}

/// What a rule says of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LintVerdict {
    /// It is as the rule wants it.
    Met,
    /// It is not.
    NotMet,
    /// The rule has no answer: an error of CEL, or too many steps. Says why, never with what stands in the contract.
    Failed(String),
}

impl LintRule {
    /// Reads an expression and checks it against what a contract is.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn read(text: &str) -> Result<Self, LintProblem> {
        let wrong = |error: CelError| LintProblem {
            position: Some(Position::of(text, error.at)),
            message: error.message,
        };
        let expr = cel::parse(text, &[VARIABLE]).map_err(wrong)?;
        let (root, shapes) = view::types();
        let found = cel::check(&expr, &[root], &shapes).map_err(wrong)?;
        if !matches!(found.present(), Type::Bool | Type::Any) {
            let message = format!("a lint rule must be a bool, and this is {found}");
            return Err(wrong(CelError::new(expr.at, message)));
        }
        Ok(Self {
            expr,
            text: text.to_owned(),
        })
    }

    /// As [`read`](Self::read), for a new rule: what it costs is tried, too.
    ///
    /// # Errors
    /// The first fault, with its place; without one, that it takes too many steps.
    pub fn compile(text: &str) -> Result<Self, LintProblem> {
        let rule = Self::read(text)?;
        let mut steps = Steps::new(RULE_STEPS);
        let outcome = rule.run(&view::sample(TRIED_FIELDS), &mut steps);
        if outcome.is_err_and(|fault| fault == Fault::Cost) {
            let message = format!(
                "over a contract of {TRIED_FIELDS} fields it takes more than {RULE_STEPS} steps; go through the fields once, not \
                 once for each field"
            );
            return Err(LintProblem {
                position: None,
                message,
            });
        }
        Ok(rule)
    }

    fn run(&self, gathered: &Gathered, steps: &mut Steps) -> Result<Option<bool>, Fault> {
        let mut slots = vec![gathered.value()];
        Ok(match cel::evaluate(&self.expr, &mut slots, steps)? {
            crate::value::Value::Bool(truth) => Some(truth),
            _ => None,
        })
    }

    fn judge(&self, gathered: &Gathered, all: &mut Steps) -> LintVerdict {
        let before = all.left().min(RULE_STEPS);
        let mut steps = Steps::new(before);
        let outcome = self.run(gathered, &mut steps);
        // What is charged was there: no more was given than is left of all.
        let _left = all.charge(before - steps.left());
        match outcome {
            Ok(Some(true)) => LintVerdict::Met,
            Ok(Some(false)) => LintVerdict::NotMet,
            Ok(None) => LintVerdict::Failed("its value is no bool".to_owned()),
            Err(Fault::Cost) => {
                LintVerdict::Failed("it takes more steps over a contract of this size than it may".to_owned())
            }
            Err(Fault::Failed { at, reason }) => {
                LintVerdict::Failed(format!("{reason} ({})", Position::of(&self.text, at)))
            }
        }
    }
}

/// What each rule says of a contract, in the order of the rules.
pub fn lint(rules: &[LintRule], subject: &LintSubject<'_>) -> Vec<LintVerdict> {
    if rules.is_empty() {
        return Vec::new();
    }
    let gathered = match Gathered::of(subject) {
        Ok(gathered) => gathered,
        Err(reason) => return vec![LintVerdict::Failed(reason); rules.len()],
    };
    let mut all = Steps::new(ALL_STEPS);
    rules.iter().map(|rule| rule.judge(&gathered, &mut all)).collect()
}
