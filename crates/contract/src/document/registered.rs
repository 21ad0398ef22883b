//! A version as the registry keeps it, as a document: what its properties promise stands where documents have it.

use super::{Classification, Document, Lifecycle, Reference, ServiceLevel};
use crate::rules::{Metadata, RuleSet};
use crate::schema::Format;

/// The property that says whose a contract is.
pub const OWNER: &str = "owner";
/// The property that says what it is for.
pub const DESCRIPTION: &str = "description";
/// The property that says how far it has come.
pub const LIFECYCLE: &str = "lifecycle";
/// The property that says who may see the records.
pub const CLASSIFICATION: &str = "classification";
/// Before the name of a service level: the property holds its value and unit, such as `5 m` or `99.5 percent`.
pub const SERVICE_LEVEL: &str = "service_level.";

/// What of a version the registry keeps.
#[derive(Debug, Clone, Default)]
pub struct Registered {
    /// The language of the schema.
    pub format: Format,
    /// The schema's text.
    pub schema: String,
    /// What it refers to, with texts, dependencies first.
    pub references: Vec<Reference>,
    /// Tags and properties.
    pub metadata: Metadata,
    /// The rules.
    pub rule_set: RuleSet,
}

impl Document {
    /// The document of a version. A property that the version calls sensitive, and one that says nothing, stays a property.
    pub fn of_registered(subject: &str, registered: Registered) -> Self {
        let mut metadata = registered.metadata;
        let mut read = Self {
            subject: subject.to_owned(),
            schema_type: registered.format,
            schema: registered.schema,
            references: registered.references,
            rule_set: registered.rule_set,
            ..Self::default()
        };
        let sensitive = &metadata.sensitive;
        metadata
            .properties
            .retain(|name, told| sensitive.contains(name) || !read.takes(name, told));
        read.metadata = metadata;
        read
    }

    /// Whether a property has a place of its own in a document, which it has then.
    fn takes(&mut self, name: &str, told: &str) -> bool {
        match name {
            OWNER => self.owner = Some(told.to_owned()),
            DESCRIPTION => self.description = Some(told.to_owned()),
            LIFECYCLE => {
                self.lifecycle = Lifecycle::from_name(told);
                return self.lifecycle.is_some();
            }
            CLASSIFICATION => {
                self.classification = Classification::from_name(told);
                return self.classification.is_some();
            }
            _ => {
                let level = name.strip_prefix(SERVICE_LEVEL);
                let level = level
                    .and_then(|level| ServiceLevel::read(level, told))
                    .filter(ServiceLevel::is_sound);
                let taken = level.is_some();
                self.service_levels.extend(level);
                return taken;
            }
        }
        true
    }
}

/// The longest promise that is read, in bytes.
const PROMISE_MAX: usize = 64;

impl ServiceLevel {
    /// A service level by its name and what the property of that name says: a number and a unit, with a space between them or
    /// without one; `None` if it is not that. What the unit is, is not looked at.
    pub fn read(name: &str, promise: &str) -> Option<Self> {
        let promise = promise.trim();
        if name.is_empty() || promise.len() > PROMISE_MAX {
            return None;
        }
        let unit_at = promise.find(|it: char| !it.is_ascii_digit() && it != '.')?;
        let (value, unit) = promise.split_at(unit_at);
        Some(Self {
            name: name.to_owned(),
            value: value.parse().ok()?,
            unit: Some(unit.trim_start().to_owned()),
            element: None,
            description: None,
        })
    }

    /// Is it a time or a share?
    fn is_sound(&self) -> bool {
        match self.in_base_units() {
            Some((amount, "ms")) => amount > 0.0,
            Some((amount, "percent")) => (0.0..=100.0).contains(&amount),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(properties: &[(&str, &str)], sensitive: &[&str]) -> Metadata {
        let properties = properties.iter();
        Metadata {
            properties: properties
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            sensitive: sensitive.iter().map(|name| (*name).to_owned()).collect(),
            ..Metadata::default()
        }
    }

    #[test]
    fn properties_that_are_known_stand_where_documents_have_them() {
        let registered = Registered {
            metadata: metadata(
                &[
                    ("owner", "team-payments"),
                    ("description", "what was paid"),
                    ("lifecycle", "stable"),
                    ("classification", "CONFIDENTIAL"),
                    ("service_level.freshness", "5 m"),
                    ("service_level.completeness", "99.5%"),
                    ("topic", "payments"),
                ],
                &[],
            ),
            ..Registered::default()
        };
        let document = Document::of_registered("payments-value", registered);
        assert_eq!(document.owner.as_deref(), Some("team-payments"));
        assert_eq!(document.description.as_deref(), Some("what was paid"));
        assert_eq!(document.lifecycle, Some(Lifecycle::Stable));
        assert_eq!(document.classification, Some(Classification::Confidential));
        let levels: Vec<_> = document
            .service_levels
            .iter()
            .map(|level| {
                (
                    level.name.as_str(),
                    level.value.to_string(),
                    level.unit.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            levels,
            [
                ("completeness", "99.5".to_owned(), Some("%")),
                ("freshness", "5".to_owned(), Some("m"))
            ]
        );
        assert_eq!(document.metadata.properties.keys().collect::<Vec<_>>(), ["topic"]);
        assert_eq!(document.problems(), []);
    }

    #[test]
    fn what_says_nothing_or_is_sensitive_stays_a_property() {
        let properties = [
            ("owner", "somebody"),
            ("lifecycle", "beta"),
            ("classification", "secret"),
            ("service_level.freshness", "soon"),
            ("service_level.completeness", "120 percent"),
            ("service_level.availability", "99 percent"),
        ];
        let before = metadata(&properties, &["owner", "service_level.availability"]);
        let registered = Registered {
            metadata: before.clone(),
            ..Registered::default()
        };
        let document = Document::of_registered("it", registered);
        assert_eq!((document.owner, document.lifecycle), (None, None));
        assert_eq!((document.classification, document.service_levels), (None, vec![]));
        assert_eq!(document.metadata, before);
    }
}
