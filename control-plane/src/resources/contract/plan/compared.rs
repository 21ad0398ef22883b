//! Two versions as the comparison of whole contracts takes them: what `metadata.properties` say of owner, lifecycle,
//! classification and service levels in its own place. Properties that a version calls sensitive are left out.

use weir_contract::document::{Classification, Document, Lifecycle, Reference, ServiceLevel};
use weir_contract::{Format, NamedSource};

use crate::resources::contract::plan::api::ContractChange;
use crate::resources::contract::refusal::Outcome;
use crate::resources::contract::standing::{CLASSIFICATION, LIFECYCLE, OWNER};
use crate::resources::contract::verdict;
use crate::resources::contract::wish::Metadata;

const DESCRIPTION: &str = "description";
/// Before the name of a service level among the properties: `service_level.freshness`.
const SERVICE_LEVEL: &str = "service_level.";

/// A version, to be compared.
pub struct Side<'a> {
    /// The subject.
    pub subject: &'a str,
    /// The language.
    pub format: Format,
    /// The text.
    pub text: &'a str,
    /// What it refers to, directly and through others.
    pub sources: Vec<NamedSource>,
    /// Tags and properties.
    pub metadata: Option<&'a Metadata>,
    /// Rules as they are stored.
    pub rule_set: Option<&'a serde_json::Value>,
}

impl Side<'_> {
    /// The contract as a document.
    pub fn document(self) -> Outcome<Document> {
        let Self {
            subject,
            format,
            text,
            sources,
            metadata,
            rule_set,
        } = self;
        let mut metadata = verdict::metadata_of(metadata)?;
        let sensitive = std::mem::take(&mut metadata.sensitive);
        metadata
            .properties
            .retain(|name, _value| !sensitive.contains(name));
        let properties = &mut metadata.properties;
        let lifecycle = lifted(properties, LIFECYCLE, Lifecycle::from_name);
        let classification = lifted(properties, CLASSIFICATION, Classification::from_name);
        let reference = |it: NamedSource| Reference {
            name: it.name,
            schema: Some(it.text),
            ..Reference::default()
        };
        Ok(Document {
            subject: subject.to_owned(),
            owner: properties.remove(OWNER),
            description: properties.remove(DESCRIPTION),
            lifecycle,
            classification,
            service_levels: service_levels(properties),
            schema_type: format,
            schema: text.to_owned(),
            references: sources.into_iter().map(reference).collect(),
            rule_set: rule_set.map(verdict::rules_of).transpose()?.unwrap_or_default(),
            metadata,
            ..Document::default()
        })
    }
}

type Properties = std::collections::BTreeMap<String, String>;

/// Takes a property out if it is one of the words that it may be.
fn lifted<T>(properties: &mut Properties, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    let found = properties.get(name).and_then(|it| read(it))?;
    properties.remove(name);
    Some(found)
}

/// Takes out what is promised of the stream: `service_level.freshness` = `5 m`.
fn service_levels(properties: &mut Properties) -> Vec<ServiceLevel> {
    let mut levels = Vec::new();
    properties.retain(|property, said| {
        let level = property
            .strip_prefix(SERVICE_LEVEL)
            .and_then(|name| service_level(name, said));
        let free = level.is_none();
        levels.extend(level);
        free
    });
    levels
}

fn service_level(name: &str, said: &str) -> Option<ServiceLevel> {
    let mut words = said.split_whitespace();
    let (value, unit) = (words.next()?, words.next());
    if words.next().is_some() || name.is_empty() {
        return None;
    }
    Some(ServiceLevel {
        name: name.to_owned(),
        value: value.parse().ok()?,
        unit: unit.map(str::to_owned),
        element: None,
        description: None,
    })
}

/// A difference as the API shows it.
pub fn shown(change: weir_contract::diff::Change) -> ContractChange {
    let weir_contract::diff::Change {
        severity,
        part,
        concerns: _,
        change: _,
        path,
        message,
    } = change;
    ContractChange {
        part: part.as_str(),
        path,
        breaking: severity == weir_contract::diff::Severity::Breaking,
        message,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn document(pairs: &[(&str, &str)], sensitive: &[&str]) -> Document {
        let metadata = Metadata {
            properties: Some(
                pairs
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect::<BTreeMap<_, _>>(),
            ),
            sensitive: Some(
                sensitive
                    .iter()
                    .map(|it| (*it).to_owned())
                    .collect::<BTreeSet<_>>(),
            ),
            ..Metadata::default()
        };
        let side = Side {
            subject: "a",
            format: Format::Avro,
            text: "\"int\"",
            sources: Vec::new(),
            metadata: Some(&metadata),
            rule_set: None,
        };
        side.document().unwrap()
    }

    #[test]
    fn properties_with_a_meaning_stand_in_their_own_place() {
        let read = document(
            &[
                ("owner", "cards"),
                ("lifecycle", "stable"),
                ("classification", "secret"),
                ("service_level.freshness", "5 m"),
                ("service_level.odd", "very fresh indeed"),
                ("region", "eu"),
                ("token", "hush"),
            ],
            &["token"],
        );
        assert_eq!(read.owner.as_deref(), Some("cards"));
        assert_eq!(
            (read.lifecycle, read.classification),
            (Some(Lifecycle::Stable), None)
        );
        assert_eq!(read.service_levels.len(), 1);
        assert_eq!(read.service_levels[0].unit.as_deref(), Some("m"));
        let left: Vec<&str> = read.metadata.properties.keys().map(String::as_str).collect();
        assert_eq!(left, ["classification", "region", "service_level.odd"]);
    }

    #[test]
    fn a_promise_that_is_lowered_breaks_those_who_read() {
        let (old, new) = (
            document(&[("service_level.freshness", "5 m")], &[]),
            document(&[("service_level.freshness", "1 h")], &[]),
        );
        let found = weir_contract::diff::diff(&old, &new, weir_contract::Level::Backward).unwrap();
        let breaking: Vec<ContractChange> = found.into_iter().map(shown).filter(|it| it.breaking).collect();
        assert_eq!((breaking.len(), breaking[0].part), (1, "SERVICE_LEVELS"));
    }
}
