//! `allOf`, `anyOf`, `oneOf` and `not`.

use std::collections::HashSet;

use super::super::report::{Difference, Report};
use super::super::rule::Rule;
use super::super::walk::below;
use super::Comparison;
use crate::json::shape::{Criterion, ShapeId, Shapes};

/// Parts of one combination that are matched with those of another.
const PARTS: usize = 256;

impl Comparison<'_> {
    /// What `not` forbids may become less.
    pub(super) fn negations(&mut self, new: ShapeId, old: ShapeId, report: &mut Report) {
        // What was forbidden must cover, as a plain schema, all that is forbidden now: the sides change places.
        self.swap();
        let found = self.pair(old, new);
        self.swap();
        if !found.is_empty() {
            report.add(
                Rule::NotTypeExtended,
                "/not",
                "forbids more under `not` than the {other} one",
            );
        }
    }

    pub(super) fn combinations(
        &mut self,
        (new, new_parts): (Criterion, &[ShapeId]),
        (old, old_parts): (Criterion, &[ShapeId]),
        report: &mut Report,
    ) {
        if !may_become(old, old_parts.len(), new, new_parts.len()) {
            report.add(
                Rule::CombinedTypeChanged,
                "",
                format!(
                    "combines by {}, and the {{other}} one by {}",
                    new.word(),
                    old.word()
                ),
            );
            return;
        }
        let new_parts = distinct(new_parts, self.reader);
        let old_parts = distinct(old_parts, self.writer);
        let (more, fewer) = (
            new_parts.len() > old_parts.len(),
            new_parts.len() < old_parts.len(),
        );
        if more && new == Criterion::All {
            report.add(
                Rule::ProductTypeExtended,
                "",
                format!(
                    "demands {} schemas at once, and the {{other}} one {}",
                    new_parts.len(),
                    old_parts.len()
                ),
            );
        } else if fewer && new != Criterion::All {
            report.add(
                Rule::SumTypeNarrowed,
                "",
                format!(
                    "allows a choice of {} schemas, and the {{other}} one of {}",
                    new_parts.len(),
                    old_parts.len()
                ),
            );
        }
        self.match_parts(&new_parts, &old_parts, old.word(), report);
    }

    /// Each part of the smaller side needs a compatible one of its own on the other.
    fn match_parts(&mut self, new: &[ShapeId], old: &[ShapeId], word: &str, report: &mut Report) {
        if new.len() > PARTS || old.len() > PARTS {
            report.add(
                Rule::ComparisonTooLarge,
                "",
                format!("combines more than {PARTS} schemas, too many to compare"),
            );
            return;
        }
        let mut fits: Vec<Vec<usize>> = Vec::with_capacity(old.len());
        let mut nearest: Option<Vec<Difference>> = None;
        for (index, old) in old.iter().enumerate() {
            let mut row = Vec::new();
            for (column, new) in new.iter().enumerate() {
                let found = self.pair(*new, *old);
                if found.is_empty() {
                    row.push(column);
                } else if nearest.as_ref().is_none_or(|nearest| found.len() < nearest.len()) {
                    nearest = Some(below(&format!("/{word}/{index}"), &found).collect());
                }
            }
            fits.push(row);
        }
        if matching(&fits, new.len()) >= new.len().min(old.len()) {
            return;
        }
        let hint = match nearest.as_deref().and_then(<[Difference]>::first) {
            Some(difference) => format!(" (nearest: {} at {})", difference.rule, difference.path),
            None => String::new(),
        };
        report.add(
            Rule::CombinedTypeSubschemasChanged,
            "",
            format!("combines schemas that do not match those of the {{other}} one{hint}"),
        );
    }
}

/// Whether one way of combining may become another.
fn may_become(old: Criterion, old_parts: usize, new: Criterion, new_parts: usize) -> bool {
    match (old, new) {
        _ if old == new => true,
        (_, Criterion::Any) => true,
        (_, Criterion::One) => old_parts == 1,
        (_, Criterion::All) => old_parts == 1 && new_parts == 1,
    }
}

/// Parts that are written alike count once.
fn distinct(parts: &[ShapeId], shapes: &Shapes) -> Vec<ShapeId> {
    let mut seen = HashSet::new();
    parts
        .iter()
        .copied()
        .filter(|id| seen.insert(shapes.shapes[*id].alike))
        .collect()
}

/// The size of a largest matching (Kuhn): rows to columns that fit them, each at most once.
fn matching(fits: &[Vec<usize>], columns: usize) -> usize {
    let mut owner: Vec<Option<usize>> = vec![None; columns];
    (0..fits.len())
        .filter(|row| place(fits, *row, &mut owner, &mut vec![false; columns]))
        .count()
}

fn place(fits: &[Vec<usize>], row: usize, owner: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    for column in &fits[row] {
        if std::mem::replace(&mut tried[*column], true) {
            continue;
        }
        let is_free = match owner[*column] {
            None => true,
            Some(other) => place(fits, other, owner, tried),
        };
        if is_free {
            owner[*column] = Some(row);
            return true;
        }
    }
    false
}
