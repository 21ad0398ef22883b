//! What the rules of a contract's environment find in a version that is about to be registered.

use uuid::Uuid;
use weir_contract::lint::{LintRule, LintSubject, LintVerdict, lint};

use crate::auth::TenantScope;
use crate::kernel::Result;
use crate::resources::contract_lint_rule::model::{ContractLintRuleId, LintMode};
use crate::resources::contract_lint_rule::store::{self, Asked};
use crate::runtime::Tx;

/// A rule that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub rule: ContractLintRuleId,
    /// What people call it.
    pub display_name: String,
    /// Its sentence; where it has no answer, why, too.
    pub message: String,
    /// What follows.
    pub mode: LintMode,
}

/// The rules that contracts of an environment are asked, or, without one, those of the tenant's default context.
///
/// # Errors
/// The database's.
pub async fn rules_of(tx: &mut Tx, scope: TenantScope, environment: Option<Uuid>) -> Result<Vec<Rule>> {
    let asked = store::of_environment(tx, scope, environment).await?;
    Ok(asked.into_iter().map(Rule).collect())
}

/// A rule that is asked.
#[derive(Debug, Clone)]
pub struct Rule(Asked);

impl Rule {
    /// What all rules find in a version. Takes its time, which is bounded by steps: not for an async thread.
    #[must_use]
    pub fn judge(rules: Vec<Self>, subject: &LintSubject<'_>) -> Vec<Finding> {
        let read: Vec<_> = rules.iter().map(|it| LintRule::read(&it.0.expression)).collect();
        let sound: Vec<LintRule> = read.iter().filter_map(|it| it.as_ref().ok().cloned()).collect();
        let mut verdicts = lint(&sound, subject).into_iter();
        let mut found = Vec::new();
        for (Self(asked), read) in rules.into_iter().zip(read) {
            let why = match read {
                // It was sound once: only a newer release can read it in another way. What cannot be asked is no yes.
                Err(problem) => Some(problem.message),
                Ok(_rule) => match verdicts.next() {
                    Some(LintVerdict::Met) => continue,
                    Some(LintVerdict::NotMet) => None,
                    Some(LintVerdict::Failed(why)) => Some(why),
                    None => Some("it was not asked".to_owned()),
                },
            };
            let Asked {
                id,
                display_name,
                expression: _,
                message,
                mode,
            } = asked;
            let why = why
                .map(|it| format!(" (The rule has no answer: {it}.)"))
                .unwrap_or_default();
            found.push(Finding {
                rule: id,
                display_name,
                message: format!("{message}{why}"),
                mode,
            });
        }
        found
    }
}
