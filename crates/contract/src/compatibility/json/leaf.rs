//! Strings, numbers and enumerations: bounds that may widen and not narrow.

use std::collections::BTreeSet;

use super::super::report::Report;
use super::super::rule::Rule;
use crate::json::shape::{Numbers, Text};

/// The rules of one upper or lower bound.
pub(super) struct Bound {
    pub keyword: &'static str,
    pub added: Rule,
    pub narrowed: Rule,
    /// Whether a larger number allows more.
    pub is_upper: bool,
}

/// An upper or lower bound may be given up or widened.
pub(super) fn bound(bound: &Bound, new: Option<f64>, old: Option<f64>, report: &mut Report) {
    let Some(new) = new else { return };
    let path = format!("/{}", bound.keyword);
    let keyword = bound.keyword;
    match old {
        None => report.add(
            bound.added,
            &path,
            format!("demands {keyword} {new}, which the {{other}} one did not: leave it out"),
        ),
        Some(old) if (bound.is_upper && new < old) || (!bound.is_upper && new > old) => {
            let than = if bound.is_upper { "less" } else { "more" };
            report.add(
                bound.narrowed,
                &path,
                format!("has {keyword} {new}, {than} than {old} in the {{other}} one"),
            );
        }
        Some(_) => {}
    }
}

pub(super) fn text(new: &Text, old: &Text, report: &mut Report) {
    const MAX: Bound = Bound {
        keyword: "maxLength",
        added: Rule::MaxLengthAdded,
        narrowed: Rule::MaxLengthDecreased,
        is_upper: true,
    };
    const MIN: Bound = Bound {
        keyword: "minLength",
        added: Rule::MinLengthAdded,
        narrowed: Rule::MinLengthIncreased,
        is_upper: false,
    };
    bound(&MAX, new.max_length, old.max_length, report);
    bound(&MIN, new.min_length, old.min_length, report);
    match (&new.pattern, &old.pattern) {
        (Some(_), None) => report.add(
            Rule::PatternAdded,
            "/pattern",
            "demands a pattern, which the {other} one did not",
        ),
        (Some(new), Some(old)) if new != old => {
            report.add(
                Rule::PatternChanged,
                "/pattern",
                "demands another pattern than the {other} one",
            );
        }
        _ => {}
    }
}

pub(super) fn number(new: &Numbers, old: &Numbers, report: &mut Report) {
    let upper = |keyword, added, narrowed| Bound {
        keyword,
        added,
        narrowed,
        is_upper: true,
    };
    let lower = |keyword, added, narrowed| Bound {
        keyword,
        added,
        narrowed,
        is_upper: false,
    };
    bound(
        &upper("maximum", Rule::MaximumAdded, Rule::MaximumDecreased),
        new.maximum,
        old.maximum,
        report,
    );
    bound(
        &lower("minimum", Rule::MinimumAdded, Rule::MinimumIncreased),
        new.minimum,
        old.minimum,
        report,
    );
    bound(
        &upper(
            "exclusiveMaximum",
            Rule::ExclusiveMaximumAdded,
            Rule::ExclusiveMaximumDecreased,
        ),
        new.exclusive_maximum,
        old.exclusive_maximum,
        report,
    );
    bound(
        &lower(
            "exclusiveMinimum",
            Rule::ExclusiveMinimumAdded,
            Rule::ExclusiveMinimumIncreased,
        ),
        new.exclusive_minimum,
        old.exclusive_minimum,
        report,
    );
    multiples(new.multiple_of, old.multiple_of, report);
    if new.is_integer && !old.is_integer {
        report.add(
            Rule::TypeNarrowed,
            "",
            "allows integers alone, and the {other} one any number",
        );
    }
}

/// Every multiple of the old number must be one of the new.
fn multiples(new: Option<f64>, old: Option<f64>, report: &mut Report) {
    let path = "/multipleOf";
    match (new, old) {
        (Some(new), None) => {
            report.add(
                Rule::MultipleOfAdded,
                path,
                format!("demands multiples of {new}, which the {{other}} one did not"),
            );
        }
        (Some(new), Some(old)) if !is_multiple(old, new) => {
            let rule = if is_multiple(new, old) {
                Rule::MultipleOfExpanded
            } else {
                Rule::MultipleOfChanged
            };
            report.add(
                rule,
                path,
                format!("demands multiples of {new}, and the {{other}} one of {old}"),
            );
        }
        _ => {}
    }
}

fn is_multiple(of: f64, unit: f64) -> bool {
    let times = of / unit;
    (times - times.round()).abs() < 1e-9 * times.abs().max(1.0)
}

pub(super) fn enumeration(new: &BTreeSet<String>, old: &BTreeSet<String>, report: &mut Report) {
    if old.is_subset(new) {
        return;
    }
    let rule = if new.is_subset(old) {
        Rule::EnumArrayNarrowed
    } else {
        Rule::EnumArrayChanged
    };
    let gone: Vec<&str> = old.difference(new).take(10).map(String::as_str).collect();
    let gone: String = gone.join(", ").chars().take(200).collect();
    report.add(
        rule,
        "/enum",
        format!("does not allow [{gone}], which the {{other}} one does"),
    );
}
