//! Two versions as the comparison of whole contracts takes them. Properties that a version calls sensitive are left out.

use weir_contract::document::{Document, Reference, Registered};
use weir_contract::{Format, NamedSource};

use crate::resources::contract::plan::api::ContractChange;
use crate::resources::contract::refusal::Outcome;
use crate::resources::contract::verdict;
use crate::resources::contract::wish::Metadata;

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
        let mut metadata = verdict::metadata_of(self.metadata)?;
        let sensitive = std::mem::take(&mut metadata.sensitive);
        metadata
            .properties
            .retain(|name, _value| !sensitive.contains(name));
        let reference = |it: NamedSource| Reference {
            name: it.name,
            schema: Some(it.text),
            ..Reference::default()
        };
        let registered = Registered {
            format: self.format,
            schema: self.text.to_owned(),
            references: self.sources.into_iter().map(reference).collect(),
            metadata,
            rule_set: self
                .rule_set
                .map(verdict::rules_of)
                .transpose()?
                .unwrap_or_default(),
        };
        Ok(Document::of_registered(self.subject, registered))
    }
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
    use super::*;

    fn document(pairs: &[(&str, &str)], sensitive: &[&str]) -> Document {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let metadata = Metadata {
            properties: Some(pairs.iter().map(owned).collect()),
            sensitive: Some(sensitive.iter().map(|it| (*it).to_owned()).collect()),
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
    fn what_is_sensitive_is_not_compared() {
        let read = document(
            &[("owner", "cards"), ("region", "eu"), ("token", "hush")],
            &["token"],
        );
        assert_eq!(read.owner.as_deref(), Some("cards"));
        let left: Vec<&str> = read.metadata.properties.keys().map(String::as_str).collect();
        assert_eq!(left, ["region"]);
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
