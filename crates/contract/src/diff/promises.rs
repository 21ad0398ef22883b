//! What is promised beside schema and rules: enforcement, classification, service levels, lifecycle, and who answers for it.

use super::{Changes, Part, Party, breaking, safe, told};
use crate::document::{Document, Enforcement, Lifecycle, ServiceLevel};

pub(super) fn compare(old: &Document, new: &Document, changes: &mut Changes) {
    enforcement(old.enforcement, new.enforcement, changes);
    classification(old, new, changes);
    service_levels(&old.service_levels, &new.service_levels, changes);
    lifecycle(old.lifecycle, new.lifecycle, changes);
    if old.compatibility != new.compatibility {
        let word = |document: &Document| document.compatibility.map_or("not set", |level| level.as_str());
        let message = format!(
            "The compatibility level was {} and is {}: later versions are held to it.",
            word(old),
            word(new)
        );
        changes.add(
            told(Party::BOTH),
            (Part::About, "COMPATIBILITY_CHANGED"),
            "compatibility",
            message,
        );
    }
    if old.metadata.properties != new.metadata.properties {
        changes.add(
            told(Party::BOTH),
            (Part::About, "PROPERTIES_CHANGED"),
            "metadata.properties",
            "The properties are others.",
        );
    }
    for (path, before, after, change) in [
        ("owner", &old.owner, &new.owner, "OWNER_CHANGED"),
        (
            "description",
            &old.description,
            &new.description,
            "DESCRIPTION_CHANGED",
        ),
    ] {
        if before != after {
            let message = format!("The {path} is another.");
            changes.add(told(Party::BOTH), (Part::About, change), path, message);
        }
    }
}

/// From DLQ on a record that breaks the contract does not reach consumers.
fn enforcement(old: Option<Enforcement>, new: Option<Enforcement>, changes: &mut Changes) {
    let (before, after) = (old.unwrap_or(Enforcement::Off), new.unwrap_or(Enforcement::Off));
    if before == after {
        return;
    }
    let raised = after > before;
    let (change, meaning, what) = match (raised, before.max(after) >= Enforcement::Dlq) {
        (true, true) => (
            "ENFORCEMENT_RAISED",
            breaking(Party::WRITING),
            if after == Enforcement::Reject {
                "records that break the contract are refused now"
            } else {
                "records that break the contract do not reach consumers any more"
            },
        ),
        (false, true) if after < Enforcement::Dlq => (
            "ENFORCEMENT_LOWERED",
            breaking(Party::READING),
            "records that break the contract reach consumers now",
        ),
        (false, true) => (
            "ENFORCEMENT_LOWERED",
            safe(Party::BOTH),
            "records that break the contract go to the dead letters instead of being refused",
        ),
        (true, false) => (
            "ENFORCEMENT_RAISED",
            safe(Party::BOTH),
            "records that break the contract are counted or marked, and pass",
        ),
        (false, false) => (
            "ENFORCEMENT_LOWERED",
            told(Party::BOTH),
            "records that break the contract are told less of, and pass as before",
        ),
    };
    changes.add(
        meaning,
        (Part::Enforcement, change),
        "enforcement",
        format!("Enforcement was {before} and is {after}: {what}."),
    );
}

fn classification(old: &Document, new: &Document, changes: &mut Changes) {
    let (change, meaning, message) = match (old.classification, new.classification) {
        (Some(before), Some(after)) if after > before => (
            "CLASSIFICATION_RAISED",
            breaking(Party::READING),
            format!("The classification was {before} and is {after}: fewer may read."),
        ),
        (Some(before), Some(after)) if after < before => (
            "CLASSIFICATION_LOWERED",
            breaking(Party::WRITING),
            format!("The classification was {before} and is {after}: what they write is shown to more."),
        ),
        (Some(before), None) => (
            "CLASSIFICATION_REMOVED",
            breaking(Party::WRITING),
            format!("The classification was {before}, and there is none: nothing says who may read."),
        ),
        (None, Some(after)) => (
            "CLASSIFICATION_ADDED",
            told(Party::BOTH),
            format!("The classification is {after}; there was none."),
        ),
        _ => return,
    };
    changes.add(meaning, (Part::Classification, change), "classification", message);
}

fn lifecycle(old: Option<Lifecycle>, new: Option<Lifecycle>, changes: &mut Changes) {
    if old == new {
        return;
    }
    let word = |lifecycle: Option<Lifecycle>| lifecycle.map_or("not set", Lifecycle::as_str);
    let message = format!("The lifecycle was {} and is {}", word(old), word(new));
    let (meaning, message) = match new {
        Some(Lifecycle::Retired) => (
            breaking(Party::BOTH),
            format!("{message}: nobody keeps it any more."),
        ),
        Some(Lifecycle::Deprecated) => (told(Party::BOTH), format!("{message}: look for another.")),
        Some(Lifecycle::Draft) if old >= Some(Lifecycle::Stable) => (
            breaking(Party::READING),
            format!("{message}: it may change in any way now."),
        ),
        _ => (told(Party::BOTH), format!("{message}.")),
    };
    changes.add(
        meaning,
        (Part::Lifecycle, "LIFECYCLE_CHANGED"),
        "lifecycle",
        message,
    );
}

fn service_levels(old: &[ServiceLevel], new: &[ServiceLevel], changes: &mut Changes) {
    let same =
        |one: &ServiceLevel, other: &ServiceLevel| one.name == other.name && one.element == other.element;
    for before in old {
        let path = path_of(before);
        match new.iter().find(|after| same(before, after)) {
            None => changes.add(
                breaking(Party::READING),
                (Part::ServiceLevels, "SERVICE_LEVEL_REMOVED"),
                path.clone(),
                format!("{path} of {} is not promised any more.", said(before)),
            ),
            Some(after) => service_level(before, after, changes),
        }
    }
    for after in new {
        if !old.iter().any(|before| same(before, after)) {
            let path = path_of(after);
            changes.add(
                safe(Party::READING),
                (Part::ServiceLevels, "SERVICE_LEVEL_ADDED"),
                path.clone(),
                format!("{path} of {} is promised.", said(after)),
            );
        }
    }
}

fn service_level(before: &ServiceLevel, after: &ServiceLevel, changes: &mut Changes) {
    let path = path_of(after);
    let was = format!("{path} was {} and is {}", said(before), said(after));
    let mut change = |meaning, change, message| {
        changes.add(meaning, (Part::ServiceLevels, change), path.clone(), message);
    };
    if (&before.value, &before.unit) == (&after.value, &after.unit) {
        if before.description != after.description {
            let message = format!("{path} is described in other words.");
            change(told(Party::READING), "SERVICE_LEVEL_DESCRIBED", message);
        }
        return;
    }
    let values = before.in_base_units().zip(after.in_base_units());
    let (Some(((before_value, before_unit), (after_value, after_unit))), Some(less_is_better)) =
        (values, less_is_better(&after.name))
    else {
        let message = format!("{was}: whether that is more or less is not known here.");
        change(breaking(Party::READING), "SERVICE_LEVEL_CHANGED", message);
        return;
    };
    if before_unit != after_unit {
        let message = format!("{was}: the units cannot be compared.");
        change(breaking(Party::READING), "SERVICE_LEVEL_CHANGED", message);
    } else if before_value.total_cmp(&after_value).is_eq() {
        let message = format!("{was}: that is the same.");
        change(told(Party::READING), "SERVICE_LEVEL_DESCRIBED", message);
    } else if (after_value < before_value) == less_is_better {
        let message = format!("{was}: more is promised.");
        change(safe(Party::READING), "SERVICE_LEVEL_RAISED", message);
    } else {
        let message = format!("{was}: less is promised.");
        change(breaking(Party::READING), "SERVICE_LEVEL_LOWERED", message);
    }
}

/// Whether a smaller value is the better promise; `None` for words that are not known. They are those of the issue's
/// contracts and of the Open Data Contract Standard ("Service-Level Agreement (SLA)", `slaProperties`).
fn less_is_better(name: &str) -> Option<bool> {
    let word: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    match word.to_ascii_lowercase().as_str() {
        "freshness" | "latency" | "frequency" | "errorrate" | "timetodetect" | "timetonotify"
        | "timetorepair" | "violationrate" | "lag" => Some(true),
        "completeness" | "availability" | "throughput" | "retention" => Some(false),
        _ => None,
    }
}

fn path_of(level: &ServiceLevel) -> String {
    match &level.element {
        Some(element) => format!("{} of {element}", level.name),
        None => level.name.clone(),
    }
}

fn said(level: &ServiceLevel) -> String {
    match level.unit.as_deref() {
        Some("%" | "percent") => format!("{} %", level.value),
        Some(unit) => format!("{} {unit}", level.value),
        None => level.value.to_string(),
    }
}
