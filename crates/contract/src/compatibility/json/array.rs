//! Arrays: one schema for all items, or one for each place.

use super::super::report::Report;
use super::super::rule::Rule;
use super::super::walk::below;
use super::Comparison;
use super::leaf::{Bound, bound};
use crate::json::shape::{Items, Kind, Rest, ShapeId};

/// What a list of items says of a place beyond it.
enum Model {
    Open,
    Partly(ShapeId),
    Closed,
}

impl Model {
    const fn of(items: &Items) -> Self {
        let beyond = if matches!(items.additional, Rest::Unsaid) {
            items.unevaluated
        } else {
            items.additional
        };
        match beyond {
            Rest::Unsaid | Rest::Open => Self::Open,
            Rest::Fits(id) => Self::Partly(id),
            Rest::Closed => Self::Closed,
        }
    }
}

impl Comparison<'_> {
    pub(super) fn arrays(&mut self, new: &Items, old: &Items, report: &mut Report) {
        match (new.all, old.all) {
            (Some(new), Some(old)) => self.inside("/items", new, old, report),
            (Some(_), None) => report.add(
                Rule::SchemaAdded,
                "/items",
                "bounds its items by a schema, which the {other} one does not",
            ),
            (None, _) => {}
        }
        self.listed(new, old, report);
        let rules = (Rule::AdditionalItemsRemoved, Rule::AdditionalItemsNarrowed);
        self.rest("additionalItems", rules, new.additional, old.additional, report);
        let rules = (Rule::UnevaluatedItemsRemoved, Rule::UnevaluatedItemsNarrowed);
        self.rest(
            "unevaluatedItems",
            rules,
            new.unevaluated,
            old.unevaluated,
            report,
        );
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
            &upper("maxItems", Rule::MaxItemsAdded, Rule::MaxItemsDecreased),
            new.max_items,
            old.max_items,
            report,
        );
        bound(
            &lower("minItems", Rule::MinItemsAdded, Rule::MinItemsIncreased),
            new.min_items,
            old.min_items,
            report,
        );
        bound(
            &upper("maxContains", Rule::MaxContainsAdded, Rule::MaxContainsDecreased),
            new.max_contains,
            old.max_contains,
            report,
        );
        bound(
            &lower("minContains", Rule::MinContainsAdded, Rule::MinContainsIncreased),
            new.min_contains,
            old.min_contains,
            report,
        );
        if new.unique && !old.unique {
            report.add(
                Rule::UniqueItemsAdded,
                "/uniqueItems",
                "demands unique items, which the {other} one does not",
            );
        }
    }

    fn listed(&mut self, new: &Items, old: &Items, report: &mut Report) {
        for index in 0..new.listed.len().max(old.listed.len()) {
            let path = format!("/items/{index}");
            match (new.listed.get(index), old.listed.get(index)) {
                (Some(new), Some(old)) => self.inside(&path, *new, *old, report),
                (Some(id), None) => self.item_added(old, *id, &path, report),
                (None, Some(id)) => self.item_removed(new, *id, &path, report),
                (None, None) => {}
            }
        }
    }

    fn item_added(&mut self, old: &Items, id: ShapeId, path: &str, report: &mut Report) {
        match Model::of(old) {
            Model::Open => {
                if !matches!(self.of_reader(id).kind, Kind::Any) {
                    report.add(
                        Rule::ItemAddedToOpenContentModel,
                        path,
                        "bounds an item in whose place the {other} one, an open content model, allowed anything",
                    );
                }
            }
            Model::Partly(schema) => {
                let found = self.pair(id, schema);
                if !found.is_empty() {
                    report.extend(below(path, &found));
                    report.add(
                        Rule::ItemAddedNotCoveredByPartiallyOpenContentModel,
                        path,
                        "has an item that does not allow what the {other} one allowed in its place",
                    );
                }
            }
            Model::Closed => {}
        }
    }

    fn item_removed(&mut self, new: &Items, id: ShapeId, path: &str, report: &mut Report) {
        match Model::of(new) {
            Model::Open => {}
            Model::Partly(schema) => {
                let found = self.pair(schema, id);
                if !found.is_empty() {
                    report.extend(below(path, &found));
                    report.add(
                        Rule::ItemRemovedNotCoveredByPartiallyOpenContentModel,
                        path,
                        "does not list an item any more, and what it allows in its place is not what the {other} one did",
                    );
                }
            }
            Model::Closed => {
                if !matches!(self.of_writer(id).kind, Kind::Never) {
                    report.add(
                        Rule::ItemRemovedFromClosedContentModel,
                        path,
                        "lacks an item of the {other} one and, a closed content model, forbids it",
                    );
                }
            }
        }
    }
}
