//! Tags: they decide which fields a rule is about, and who sees them.

use std::collections::BTreeSet;

use super::{Changes, Part, Party, breaking, told};
use crate::document::Document;
use crate::rules::{Rule, RuleKind, RuleSet};

pub(super) fn compare(old: &Document, new: &Document, changes: &mut Changes) {
    let empty = BTreeSet::new();
    let (before, after) = (&old.metadata.tags, &new.metadata.tags);
    for path in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let was = before.get(path).unwrap_or(&empty);
        let is = after.get(path).unwrap_or(&empty);
        for tag in is.difference(was) {
            added(path, tag, &new.rule_set, changes);
        }
        for tag in was.difference(is) {
            removed(path, tag, &old.rule_set, changes);
        }
    }
    if old.metadata.sensitive != new.metadata.sensitive {
        changes.add(
            told(Party::BOTH),
            (Part::About, "SENSITIVE_CHANGED"),
            "metadata.sensitive",
            "Other properties are secret.",
        );
    }
}

/// The rules that a tag puts a field under: names for the sentence, and whether one tests, one changes.
fn selecting<'r>(rules: &'r RuleSet, tag: &str) -> (Vec<&'r str>, bool, bool) {
    let chosen: Vec<&Rule> = rules
        .domain_rules
        .iter()
        .filter(|rule| !rule.disabled && rule.tags.contains(tag))
        .collect();
    let kind = |kind| chosen.iter().any(|rule| rule.kind == kind);
    let names = chosen.iter().map(|rule| rule.name.as_str()).collect();
    (names, kind(RuleKind::Condition), kind(RuleKind::Transform))
}

fn added(path: &str, tag: &str, rules: &RuleSet, changes: &mut Changes) {
    let (names, tests, transforms) = selecting(rules, tag);
    let names = names.join(", ");
    let (meaning, message) = match (tests, transforms) {
        (false, false) => (told(Party::READING), format!("{path} is tagged {tag}.")),
        (true, false) => (
            breaking(Party::WRITING),
            format!("{path} is tagged {tag}: it must satisfy {names} now."),
        ),
        (false, true) => (
            breaking(Party::READING),
            format!("{path} is tagged {tag}: {names} changes what consumers see of it."),
        ),
        (true, true) => (
            breaking(Party::BOTH),
            format!("{path} is tagged {tag}: {names} are about it now."),
        ),
    };
    changes.add(meaning, (Part::Tags, "TAG_ADDED"), path, message);
}

fn removed(path: &str, tag: &str, rules: &RuleSet, changes: &mut Changes) {
    let (names, tests, transforms) = selecting(rules, tag);
    let names = names.join(", ");
    let (meaning, message) = match (tests, transforms) {
        (false, false) => (
            breaking(Party::WRITING),
            format!(
                "{path} is not tagged {tag} any more: what goes by the tag, such as a mask, lets it pass."
            ),
        ),
        (true, false) => (
            breaking(Party::READING),
            format!("{path} is not tagged {tag} any more: that it satisfies {names} is not promised now."),
        ),
        (false, true) => (
            breaking(Party::WRITING),
            format!("{path} is not tagged {tag} any more: {names} does not protect it now."),
        ),
        (true, true) => (
            breaking(Party::BOTH),
            format!("{path} is not tagged {tag} any more: {names} are not about it now."),
        ),
    };
    changes.add(meaning, (Part::Tags, "TAG_REMOVED"), path, message);
}
