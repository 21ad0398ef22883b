//! Rules: which came, which went, and whether those that stayed ask more or less.

use std::collections::BTreeSet;

use super::expression::{Relation, relation};
use super::{Changes, Part, Party, Severity, breaking, safe, told};
use crate::rules::{Action, EnableAt, Rule, RuleKind, RuleMode, RuleSet, actions};

/// Characters of an expression that a sentence quotes.
const EXPRESSION_CHARACTERS_MAX: usize = 300;

/// What a change of a rule means, its name, and how the sentence goes on.
type Told = ((Severity, &'static [Party]), &'static str, &'static str);

pub(super) fn compare(old: &RuleSet, new: &RuleSet, changes: &mut Changes) {
    if old.means_the_same(new) {
        return;
    }
    let runs = |set: &RuleSet| set.enable_at != Some(EnableAt::None);
    let running = (runs(old), runs(new));
    domain(
        "domainRules",
        (&old.domain_rules, &new.domain_rules),
        running,
        changes,
    );
    domain(
        "encodingRules",
        (&old.encoding_rules, &new.encoding_rules),
        running,
        changes,
    );
    migration(&old.migration_rules, &new.migration_rules, running, changes);
    if old.enable_at != new.enable_at {
        let message = "Rules run in another place; those that begin or cease to run are told one by one.";
        changes.add(
            told(Party::BOTH),
            (Part::Rules, "ENABLE_AT_CHANGED"),
            "ruleSet.enableAt",
            message,
        );
    }
}

/// Names of either list in an order that does not change.
fn names<'r>(old: &'r [Rule], new: &'r [Rule]) -> BTreeSet<&'r str> {
    old.iter().chain(new).map(|rule| rule.name.as_str()).collect()
}

fn named<'r>(rules: &'r [Rule], name: &str) -> Option<&'r Rule> {
    rules.iter().find(|rule| rule.name == name)
}

fn domain(list: &str, (old, new): (&[Rule], &[Rule]), (ran, runs): (bool, bool), changes: &mut Changes) {
    for name in names(old, new) {
        let before = Acting::of(named(old, name), ran);
        let after = Acting::of(named(new, name), runs);
        let mut found = before.compared(&after);
        let there = (before.rule.is_some(), after.rule.is_some());
        if found.is_empty() {
            match there {
                (false, true) => {
                    found.push((told(Party::BOTH), "RULE_ADDED", "is new, and decides nothing yet"))
                }
                (true, false) => {
                    found.push((told(Party::BOTH), "RULE_REMOVED", "is gone; it decided nothing"))
                }
                _ if before.rule != after.rule => found.push((
                    told(Party::BOTH),
                    "RULE_DESCRIBED",
                    "is written otherwise and decides the same",
                )),
                _ => {}
            }
        }
        for (meaning, change, what) in found {
            let message = format!("Rule {name} {what}{}.", instead(before.rule, after.rule));
            changes.add(meaning, (Part::Rules, change), format!("{list}.{name}"), message);
        }
    }
    let order = |rules: &[Rule], others: &[Rule]| -> Vec<String> {
        let kept = rules.iter().filter(|rule| named(others, &rule.name).is_some());
        kept.map(|rule| rule.name.clone()).collect()
    };
    if order(old, new) != order(new, old) {
        changes.add(
            told(Party::BOTH),
            (Part::Rules, "RULES_REORDERED"),
            list,
            "The rules run in another order: of several that fail another is told, and what one changes others see later.",
        );
    }
}

/// The expressions, where one became another.
fn instead(before: Option<&Rule>, after: Option<&Rule>) -> String {
    let expr = |rule: Option<&Rule>| {
        let expr = rule?.expr.as_deref().filter(|expr| !expr.is_empty())?;
        Some(expr.chars().take(EXPRESSION_CHARACTERS_MAX).collect::<String>())
    };
    match (expr(before), expr(after)) {
        (Some(old), Some(new)) if old != new => format!(" (`{new}` instead of `{old}`)"),
        _ => String::new(),
    }
}

/// What a rule does when records are written and when they are read.
struct Acting<'r> {
    rule: Option<&'r Rule>,
    /// How hard it is when it fails: 0 is not at all.
    writing: u8,
    reading: u8,
}

impl<'r> Acting<'r> {
    fn of(rule: Option<&'r Rule>, runs: bool) -> Self {
        let mut acting = Self {
            rule,
            writing: 0,
            reading: 0,
        };
        let Some(rule) = rule.filter(|rule| runs && !rule.disabled) else {
            return acting;
        };
        let found = actions(rule.on_failure.as_deref(), rule.mode, Action::Error);
        let [writing, reading] = found.unwrap_or([Action::Error, Action::Error]);
        // A rule that changes records does so whatever follows when it cannot.
        let strength = |action: &Action| match action {
            _ if rule.kind == RuleKind::Transform => 1,
            Action::None => 0,
            Action::Dlq => 1,
            Action::Error | Action::Custom(_) => 2,
        };
        if rule.mode.runs_in(RuleMode::Write) {
            acting.writing = strength(&writing);
        }
        if rule.mode.runs_in(RuleMode::Read) {
            acting.reading = strength(&reading);
        }
        acting
    }

    const fn acts(&self) -> bool {
        self.writing > 0 || self.reading > 0
    }

    fn kind(&self) -> Option<RuleKind> {
        self.rule.filter(|_rule| self.acts()).map(|rule| rule.kind)
    }

    fn compared(&self, after: &Self) -> Vec<Told> {
        match (self.kind(), after.kind()) {
            (None, None) => Vec::new(),
            (None | Some(RuleKind::Condition), None | Some(RuleKind::Condition)) => self.conditions(after),
            (None, Some(RuleKind::Transform)) => {
                vec![(
                    breaking(Party::READING),
                    "RULE_ADDED",
                    "changes records now: consumers see other values",
                )]
            }
            (Some(RuleKind::Transform), None) => self.no_transform(),
            (Some(RuleKind::Transform), Some(RuleKind::Transform)) => self.transforms(after),
            _ => vec![(
                breaking(Party::BOTH),
                "RULE_CHANGED",
                "is another: one that tests became one that changes, or the other way round",
            )],
        }
    }

    fn conditions(&self, after: &Self) -> Vec<Told> {
        let mut found = Vec::new();
        match (self.writing, after.writing) {
            (0, 0) => {}
            (0, _) => found.push((
                breaking(Party::WRITING),
                "CONDITION_ADDED",
                "is new: records that were accepted may be refused",
            )),
            (_, 0) => found.push((
                breaking(Party::READING),
                "CONDITION_REMOVED",
                "does not hold any more: what it promised of records is not promised now",
            )),
            (one, other) if one != other => found.push((
                told(Party::WRITING),
                "ACTION_CHANGED",
                "does something else with records that break it; consumers get them neither way",
            )),
            _ => {}
        }
        match (self.reading, after.reading) {
            (0, 1..) => found.push((
                breaking(Party::READING),
                "CONDITION_ADDED",
                "is new when reading: records that were read may fail",
            )),
            (1.., 0) if after.writing == 0 && self.writing == 0 => found.push((
                safe(Party::READING),
                "CONDITION_REMOVED",
                "does not hold any more when reading",
            )),
            _ => {}
        }
        if self.acts() && after.acts() {
            found.extend(self.asked(after));
        }
        found
    }

    /// Whether a condition asks more or less of the same records.
    fn asked(&self, after: &Self) -> Option<Told> {
        let (old, new) = (self.rule?, after.rule?);
        let relation = if old.rule_type == new.rule_type && old.on_success == new.on_success {
            let expr = |rule: &'r Rule| rule.expr.as_deref().unwrap_or_default();
            selection(old, new).and(relation(expr(old), expr(new)))
        } else {
            Relation::Other
        };
        let written = self.writing > 0 && after.writing > 0;
        Some(match (relation, written) {
            (Relation::Same, _) => return None,
            (Relation::Tighter, true) => (
                breaking(Party::WRITING),
                "CONDITION_TIGHTENED",
                "asks more: records that were accepted may be refused",
            ),
            (Relation::Looser, true) => (
                breaking(Party::READING),
                "CONDITION_LOOSENED",
                "asks less: what it promised of records is not promised now",
            ),
            (Relation::Other, true) => (
                breaking(Party::BOTH),
                "CONDITION_CHANGED",
                "asks something else: records that were accepted may be refused, and others accepted",
            ),
            (Relation::Looser, false) => (
                safe(Party::READING),
                "CONDITION_LOOSENED",
                "asks less when reading",
            ),
            (_, false) => (
                breaking(Party::READING),
                "CONDITION_CHANGED",
                "asks something else when reading: records that were read may fail",
            ),
        })
    }

    fn no_transform(&self) -> Vec<Told> {
        let encrypts = self
            .rule
            .is_some_and(|rule| rule.rule_type.starts_with("ENCRYPT"));
        vec![if encrypts {
            (
                breaking(Party::WRITING),
                "RULE_REMOVED",
                "does not encrypt any more: what they write is stored in the clear",
            )
        } else {
            (
                breaking(Party::READING),
                "RULE_REMOVED",
                "does not change records any more: consumers see other values",
            )
        }]
    }

    fn transforms(&self, after: &Self) -> Vec<Told> {
        let same = |one: &Rule, other: &Rule| {
            (&one.rule_type, &one.expr, &one.tags, &one.params, one.mode)
                == (
                    &other.rule_type,
                    &other.expr,
                    &other.tags,
                    &other.params,
                    other.mode,
                )
        };
        match (self.rule, after.rule) {
            (Some(old), Some(new)) if !same(old, new) => vec![(
                breaking(Party::READING),
                "RULE_CHANGED",
                "changes records otherwise: consumers see other values",
            )],
            _ => Vec::new(),
        }
    }
}

/// Which fields a rule is about: all, or those with one of its tags.
fn selection(old: &Rule, new: &Rule) -> Relation {
    if old.tags == new.tags {
        return Relation::Same;
    }
    match (old.tags.is_empty(), new.tags.is_empty()) {
        (true, _) => Relation::Looser,
        (_, true) => Relation::Tighter,
        _ if new.tags.is_superset(&old.tags) => Relation::Tighter,
        _ if new.tags.is_subset(&old.tags) => Relation::Looser,
        _ => Relation::Other,
    }
}

/// Migration rules let a reader of one version read records of another.
fn migration(old: &[Rule], new: &[Rule], (ran, runs): (bool, bool), changes: &mut Changes) {
    let live = |rule: Option<&Rule>, on: bool| rule.is_some_and(|rule| on && !rule.disabled);
    for name in names(old, new) {
        let (before, after) = (named(old, name), named(new, name));
        let (meaning, change, what) = match (live(before, ran), live(after, runs)) {
            (false, true) => (
                safe(Party::READING),
                "MIGRATION_ADDED",
                "lets consumers read records of other versions",
            ),
            (true, false) => (
                breaking(Party::READING),
                "MIGRATION_REMOVED",
                "is gone: records of other versions are not brought to a reader's own any more",
            ),
            (true, true) if before != after => (
                told(Party::READING),
                "MIGRATION_CHANGED",
                "brings records of other versions to a reader's own in another way",
            ),
            _ => continue,
        };
        let message = format!("Rule {name} {what}.");
        changes.add(
            meaning,
            (Part::Rules, change),
            format!("migrationRules.{name}"),
            message,
        );
    }
}
