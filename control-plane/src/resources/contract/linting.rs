//! What the tenant's lint rules say of a version that is about to be registered, and what is kept of it.

use serde_json::json;

use crate::kernel::{Action, Change};
use crate::resources::contract::config::Config;
use crate::resources::contract::model::{Asker, ContractId, Subject};
use crate::resources::contract::refusal::{Outcome, Refusal};
use crate::resources::contract::verdict::{self, Parsed};
use crate::resources::contract::version;
use crate::resources::contract::wish::Content;
use crate::resources::contract_lint_rule::{self as lint_rule, Finding, LintMode};
use crate::resources::owner;
use crate::rest::Write;
use crate::runtime::Tx;

/// What the rules of the contract's environment find.
pub async fn found(
    tx: &mut Tx,
    asker: &Asker,
    subject: &Subject,
    number: i32,
    config: &Config,
    content: &Content,
    parsed: &Parsed,
) -> Outcome<Vec<Finding>> {
    let rules = lint_rule::rules_of(tx, asker.scope, subject.context.environment).await?;
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    verdict::linted(rules, subject, number, config, content, parsed).await
}

/// Refuses the version if a rule that is enforced does not hold; all such rules are named.
pub fn refuse(found: &[Finding]) -> Outcome<()> {
    let enforced = found.iter().filter(|it| it.mode == LintMode::Enforce);
    let enforced: Vec<Finding> = enforced.cloned().collect();
    if enforced.is_empty() {
        return Ok(());
    }
    Err(Refusal::Linted(enforced).into())
}

/// Keeps what was found beside the version, and tells watchers, once.
pub async fn note(
    write: &mut Write,
    asker: &Asker,
    subject: &Subject,
    id: ContractId,
    number: i32,
    generation: i64,
    found: &[Finding],
) -> Outcome<()> {
    if found.is_empty() {
        return Ok(());
    }
    version::keep_findings(write.tx(), asker.scope, id, number, found).await?;
    let told = |it: &Finding| json!({"rule": it.display_name, "rule_id": it.rule, "message": it.message});
    let told: Vec<_> = found.iter().map(told).collect();
    let action = Action::Act("lint_findings");
    let change = Change::new(
        action,
        id,
        &subject.resource_name(),
        generation,
        owner(asker.scope),
    );
    let after = json!({"subject": subject.name, "context": subject.context.label(), "version": number, "findings": told});
    write.record(change.with_after(after)).await?;
    Ok(())
}
