//! Objects: properties under an open, a closed or a partially open content model.

use std::collections::BTreeSet;

use super::super::report::Report;
use super::super::rule::Rule;
use super::super::walk::below;
use super::Comparison;
use super::leaf::{Bound, bound};
use crate::json::address::escape;
use crate::json::shape::{Kind, Properties, Rest, ShapeId};

/// What a schema says of a property that it does not name.
enum Model {
    /// Anything.
    Open,
    /// What fits this schema: of a pattern, or of `additionalProperties`.
    Partly(ShapeId),
    /// Nothing.
    Closed,
}

impl Model {
    fn of(properties: &Properties, name: &str) -> Self {
        let is_unsaid = matches!(properties.additional, Rest::Unsaid | Rest::Open);
        let beside = if properties.additional == Rest::Unsaid {
            properties.unevaluated
        } else {
            properties.additional
        };
        if properties.patterns.is_empty() && is_unsaid && matches!(beside, Rest::Unsaid | Rest::Open) {
            return Self::Open;
        }
        if let Some((_, id)) = properties
            .patterns
            .iter()
            .find(|(pattern, _)| pattern.is_match(name))
        {
            return Self::Partly(*id);
        }
        match beside {
            Rest::Fits(id) => Self::Partly(id),
            _ => Self::Closed,
        }
    }
}

impl Comparison<'_> {
    pub(super) fn objects(&mut self, new: &Properties, old: &Properties, report: &mut Report) {
        self.required(new, old, report);
        let names: BTreeSet<&String> = new.named.keys().chain(old.named.keys()).collect();
        for name in names {
            let path = format!("/properties/{}", escape(name));
            match (new.named.get(name), old.named.get(name)) {
                (Some(new), Some(old)) => self.inside(&path, *new, *old, report),
                (Some(id), None) => self.added(new, old, name, *id, &path, report),
                (None, Some(id)) => self.removed(new, name, *id, &path, report),
                (None, None) => {}
            }
        }
        self.dependencies(new, old, report);
        let rules = (
            Rule::AdditionalPropertiesRemoved,
            Rule::AdditionalPropertiesNarrowed,
        );
        self.rest(
            "additionalProperties",
            rules,
            new.additional,
            old.additional,
            report,
        );
        let rules = (
            Rule::UnevaluatedPropertiesRemoved,
            Rule::UnevaluatedPropertiesNarrowed,
        );
        self.rest(
            "unevaluatedProperties",
            rules,
            new.unevaluated,
            old.unevaluated,
            report,
        );
        let most = Bound {
            keyword: "maxProperties",
            added: Rule::MaxPropertiesAdded,
            narrowed: Rule::MaxPropertiesDecreased,
            is_upper: true,
        };
        let least = Bound {
            keyword: "minProperties",
            added: Rule::MinPropertiesAdded,
            narrowed: Rule::MinPropertiesIncreased,
            is_upper: false,
        };
        bound(&most, new.max_properties, old.max_properties, report);
        bound(&least, new.min_properties, old.min_properties, report);
    }

    fn required(&self, new: &Properties, old: &Properties, report: &mut Report) {
        for name in new.required.difference(&old.required) {
            let (Some(id), true) = (new.named.get(name), old.named.contains_key(name)) else {
                continue;
            };
            if !self.of_reader(*id).has_default {
                report.add(
                    Rule::RequiredAttributeAdded,
                    &format!("/required/{}", escape(name)),
                    format!("requires {name:?}, which the {{other}} one does not: leave it optional or give it a default"),
                );
            }
        }
    }

    fn added(
        &mut self,
        new: &Properties,
        old: &Properties,
        name: &str,
        id: ShapeId,
        path: &str,
        report: &mut Report,
    ) {
        let is_required = new.required.contains(name);
        let has_default = self.of_reader(id).has_default;
        let partly = match Model::of(old, name) {
            Model::Open => {
                if matches!(self.of_reader(id).kind, Kind::Any) {
                    return;
                }
                let rule = match (is_required, has_default) {
                    (false, _) => Rule::OptionalPropertyAddedToOpenContentModel,
                    (true, true) => Rule::RequiredPropertyWithDefaultAddedToOpenContentModel,
                    (true, false) => Rule::RequiredPropertyAddedToOpenContentModel,
                };
                report.add(
                    rule,
                    path,
                    format!(
                        "bounds a property {name:?} under which the {{other}} one, an open content model, allowed anything: close it by `additionalProperties` first"
                    ),
                );
                return;
            }
            Model::Partly(schema) => Some(schema),
            Model::Closed => None,
        };
        if let Some(schema) = partly {
            let found = self.pair(id, schema);
            if !found.is_empty() {
                report.extend(below(path, &found));
                report.add(
                    Rule::PropertyAddedNotCoveredByPartiallyOpenContentModel,
                    path,
                    format!("has a property {name:?} that does not allow what the {{other}} one allowed under that name"),
                );
            }
        }
        if is_required && !has_default {
            report.add(
                Rule::RequiredPropertyAddedToUnopenContentModel,
                path,
                format!("requires a property {name:?}, which the {{other}} one lacks: leave it optional or give it a default"),
            );
        }
    }

    fn removed(&mut self, new: &Properties, name: &str, id: ShapeId, path: &str, report: &mut Report) {
        match Model::of(new, name) {
            Model::Open => {}
            Model::Partly(schema) => {
                let found = self.pair(schema, id);
                if !found.is_empty() {
                    report.extend(below(path, &found));
                    report.add(
                        Rule::PropertyRemovedNotCoveredByPartiallyOpenContentModel,
                        path,
                        format!("does not name {name:?} any more, and what it allows under that name is not what the {{other}} one did"),
                    );
                }
            }
            Model::Closed => {
                if !matches!(self.of_writer(id).kind, Kind::Never) {
                    report.add(
                        Rule::PropertyRemovedFromClosedContentModel,
                        path,
                        format!("lacks the property {name:?} of the {{other}} one and, a closed content model, forbids it: keep it, or allow additional properties"),
                    );
                }
            }
        }
    }

    fn dependencies(&mut self, new: &Properties, old: &Properties, report: &mut Report) {
        for (name, needs) in &new.needs {
            let path = format!("/dependencies/{}", escape(name));
            let rule = match old.needs.get(name) {
                None => Rule::DependencyArrayAdded,
                Some(before) if needs.is_subset(before) => continue,
                Some(before) if before.is_subset(needs) => Rule::DependencyArrayExtended,
                Some(_) => Rule::DependencyArrayChanged,
            };
            report.add(
                rule,
                &path,
                format!("demands further properties beside {name:?}, which the {{other}} one does not"),
            );
        }
        for (name, schema) in &new.needs_schema {
            let path = format!("/dependencies/{}", escape(name));
            match old.needs_schema.get(name) {
                None => report.add(
                    Rule::DependencySchemaAdded,
                    &path,
                    format!("demands a schema where {name:?} is present, which the {{other}} one does not"),
                ),
                Some(before) => self.inside(&path, *schema, *before, report),
            }
        }
    }

    /// `additionalProperties` and its like: what was said of everything else.
    pub(super) fn rest(
        &mut self,
        keyword: &str,
        rules: (Rule, Rule),
        new: Rest,
        old: Rest,
        report: &mut Report,
    ) {
        let path = format!("/{keyword}");
        match (new, old) {
            (Rest::Closed, Rest::Closed) | (Rest::Unsaid | Rest::Open, _) => {}
            (Rest::Closed, _) => report.add(
                rules.0,
                &path,
                format!("forbids what the {{other}} one allows by `{keyword}`"),
            ),
            // What nothing was allowed to be may be anything.
            (Rest::Fits(_), Rest::Closed) => {}
            (Rest::Fits(new), Rest::Fits(old)) => self.inside(&path, new, old, report),
            (Rest::Fits(_), _) => report.add(
                rules.1,
                &path,
                format!("bounds by `{keyword}` what the {{other}} one does not"),
            ),
        }
    }
}
