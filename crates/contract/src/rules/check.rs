//! What a rule set must be before its expressions are looked at: names, modes and actions.
//!
//! The tests of names, of duplicates, of the type and of the modes for each list are upstream's (`RuleSet.validate`).

use std::collections::HashSet;

use super::model::{Rule, RuleMode, RuleSet};
use super::{Action, RuleProblem};

/// Rules of one list.
pub const RULES_MAX: usize = 200;
const NAME_CHARACTERS_MAX: usize = 256;
const DOC_BYTES_MAX: usize = 64 * 1024;
const WORDS_MAX: usize = 200;
const WORD_BYTES_MAX: usize = 4 * 1024;

/// The lists of a set with their names.
pub(super) fn lists(set: &RuleSet) -> [(&'static str, &[Rule]); 3] {
    [
        ("domainRules", &set.domain_rules),
        ("migrationRules", &set.migration_rules),
        ("encodingRules", &set.encoding_rules),
    ]
}

/// Everything that is wrong with a rule set, expressions left aside.
pub fn check(set: &RuleSet) -> Vec<RuleProblem> {
    let mut problems = Vec::new();
    let mut names = HashSet::new();
    for (list, rules) in lists(set) {
        if rules.len() > RULES_MAX {
            problems.push(RuleProblem::new(
                list,
                "",
                format!("there are more than {RULES_MAX} rules; split the contract"),
            ));
            continue;
        }
        for rule in rules {
            let mut problem = |message: String| problems.push(RuleProblem::new(list, &rule.name, message));
            if let Err(message) = name(&rule.name) {
                problem(message);
            } else if !names.insert(rule.name.as_str()) {
                problem("another rule has this name; names are unique in a rule set".to_owned());
            }
            if rule.rule_type.is_empty() {
                problem(
                    "the type is missing; it is CEL, CEL_FIELD, ENCRYPT or one that clients know".to_owned(),
                );
            }
            let migrates = matches!(
                rule.mode,
                RuleMode::Upgrade | RuleMode::Downgrade | RuleMode::UpDown
            );
            match (list, migrates) {
                ("migrationRules", false) => {
                    problem("a migration rule is UPGRADE, DOWNGRADE or UPDOWN".to_owned())
                }
                ("domainRules" | "encodingRules", true) => {
                    problem("a rule of this list is WRITE, READ or WRITEREAD".to_owned());
                }
                _ => {}
            }
            for (field, action) in [("onSuccess", &rule.on_success), ("onFailure", &rule.on_failure)] {
                if let Err(message) = actions(action.as_deref(), rule.mode, Action::None) {
                    problem(format!("{field} {message}"));
                }
            }
            if let Err(message) = sizes(rule) {
                problem(message);
            }
        }
    }
    problems
}

/// A letter or `_`, then letters, digits, `_` and `-`.
fn name(name: &str) -> Result<(), String> {
    let mut characters = name.chars();
    let Some(first) = characters.next() else {
        return Err("the name is missing".to_owned());
    };
    if !(first.is_alphabetic() || first == '_') {
        return Err("a name begins with a letter or _".to_owned());
    }
    if !characters.all(|it| it.is_alphanumeric() || it == '_' || it == '-') {
        return Err("a name has letters, digits, _ and - only".to_owned());
    }
    if name.chars().count() > NAME_CHARACTERS_MAX {
        return Err(format!("a name has at most {NAME_CHARACTERS_MAX} characters"));
    }
    Ok(())
}

fn sizes(rule: &Rule) -> Result<(), String> {
    if rule.doc.as_ref().is_some_and(|doc| doc.len() > DOC_BYTES_MAX) {
        return Err(format!("doc is longer than {DOC_BYTES_MAX} bytes"));
    }
    if rule.expr.as_ref().is_some_and(|expr| expr.len() > DOC_BYTES_MAX) {
        return Err(format!("expr is longer than {DOC_BYTES_MAX} bytes"));
    }
    if rule.tags.len() > WORDS_MAX || rule.params.len() > WORDS_MAX {
        return Err(format!("there are more than {WORDS_MAX} tags or params"));
    }
    let words = rule
        .tags
        .iter()
        .chain(rule.params.keys())
        .chain(rule.params.values());
    if words.into_iter().any(|word| word.len() > WORD_BYTES_MAX) {
        return Err(format!("a tag or a param is longer than {WORD_BYTES_MAX} bytes"));
    }
    Ok(())
}

/// The actions of a rule when writing (or upgrading) and when reading (or downgrading): one for both, or two parted by
/// a comma where the mode has both.
pub(crate) fn actions(text: Option<&str>, mode: RuleMode, default: Action) -> Result<[Action; 2], String> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok([default.clone(), default]);
    };
    let Some((first, second)) = text.split_once(',') else {
        return Ok([Action::named(text), Action::named(text)]);
    };
    if !matches!(mode, RuleMode::WriteRead | RuleMode::UpDown) {
        return match first.trim() == second.trim() && !first.trim().is_empty() {
            // `NONE,NONE` is how a Terraform provider writes `NONE`, whatever the mode.
            true => Ok([Action::named(first.trim()), Action::named(first.trim())]),
            false => {
                Err("names two actions, and the mode has one; two are for WRITEREAD and UPDOWN".to_owned())
            }
        };
    }
    let (first, second) = (first.trim(), second.trim());
    if first.is_empty() || second.is_empty() || second.contains(',') {
        return Err("is one action, or two parted by a comma".to_owned());
    }
    Ok([Action::named(first), Action::named(second)])
}
