//! What is configured: of a subject, of a context, of the tenant. The nearest that says something wins, field by field.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::contract::wish::Metadata;

mod store;

pub use store::{Configured, Scopes, configured, delete, of_scope, put};

/// What registrations meet. The names are those of the Schema Registry API.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Config {
    /// The subject is another name for this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Registrations and look-ups normalize.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalize: Option<bool>,
    /// Kept for clients that set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validate_fields: Option<bool>,
    /// Kept for clients that set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validate_new_schemas: Option<bool>,
    /// Kept for clients that set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validate_rules: Option<bool>,
    /// One of the seven levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compatibility_level: Option<String>,
    /// Kept for clients that set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compatibility_policy: Option<String>,
    /// The property of metadata whose value groups versions: only those of one group are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compatibility_group: Option<String>,
    /// Metadata of versions that say nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_metadata: Option<Metadata>,
    /// Metadata of all versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub override_metadata: Option<Metadata>,
    /// Rules of versions that say nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_rule_set: Option<Value>,
    /// Rules of all versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub override_rule_set: Option<Value>,
}

impl Config {
    /// This one, and where it says nothing the other.
    #[must_use]
    pub fn over(self, other: Self) -> Self {
        Self {
            // An alias is the subject's own; nobody inherits one.
            alias: self.alias,
            normalize: self.normalize.or(other.normalize),
            validate_fields: self.validate_fields.or(other.validate_fields),
            validate_new_schemas: self.validate_new_schemas.or(other.validate_new_schemas),
            validate_rules: self.validate_rules.or(other.validate_rules),
            compatibility_level: self.compatibility_level.or(other.compatibility_level),
            compatibility_policy: self.compatibility_policy.or(other.compatibility_policy),
            compatibility_group: self.compatibility_group.or(other.compatibility_group),
            default_metadata: self.default_metadata.or(other.default_metadata),
            override_metadata: self.override_metadata.or(other.override_metadata),
            default_rule_set: self.default_rule_set.or(other.default_rule_set),
            override_rule_set: self.override_rule_set.or(other.override_rule_set),
        }
    }

    /// The level that holds: BACKWARD where nobody says otherwise.
    #[must_use]
    pub fn level(&self) -> &str {
        self.compatibility_level.as_deref().unwrap_or("BACKWARD")
    }

    /// Does it add anything to what is registered?
    #[must_use]
    pub const fn populates(&self) -> bool {
        self.default_metadata.is_some()
            || self.override_metadata.is_some()
            || self.default_rule_set.is_some()
            || self.override_rule_set.is_some()
    }
}

/// What may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything but choosing ids.
    ReadWrite,
    /// Nothing is registered or deleted.
    ReadOnly,
    /// As READONLY, and nothing below a context may say otherwise.
    ReadOnlyOverride,
    /// Registrations choose their ids, and nothing is compared.
    Import,
}

impl Mode {
    /// The stored and shown name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadWrite => "READWRITE",
            Self::ReadOnly => "READONLY",
            Self::ReadOnlyOverride => "READONLY_OVERRIDE",
            Self::Import => "IMPORT",
        }
    }

    /// Reads a name; upper and lower case both do.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::ReadWrite,
            Self::ReadOnly,
            Self::ReadOnlyOverride,
            Self::Import,
        ]
        .into_iter()
        .find(|it| it.name().eq_ignore_ascii_case(name))
    }

    /// Does it refuse every change?
    #[must_use]
    pub const fn refuses_changes(self) -> bool {
        matches!(self, Self::ReadOnly | Self::ReadOnlyOverride)
    }
}

impl Scopes {
    /// The configuration that holds for the subject.
    #[must_use]
    pub fn config(&self) -> Config {
        let Self {
            subject,
            context,
            tenant,
        } = self.clone();
        subject.config.over(context.config).over(tenant.config)
    }

    /// The mode that holds for the subject.
    #[must_use]
    pub fn mode(&self) -> Mode {
        let strict = Some(Mode::ReadOnlyOverride);
        if self.context.mode == strict || self.tenant.mode == strict {
            return Mode::ReadOnlyOverride;
        }
        let nearest = self.subject.mode.or(self.context.mode).or(self.tenant.mode);
        nearest.unwrap_or(Mode::ReadWrite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(name: &str) -> Configured {
        Configured {
            config: Config {
                compatibility_level: Some(name.into()),
                ..Config::default()
            },
            mode: None,
        }
    }

    #[test]
    fn the_nearest_that_says_something_wins() {
        let mut scopes = Scopes::default();
        assert_eq!(scopes.config().level(), "BACKWARD");
        scopes.tenant = level("NONE");
        assert_eq!(scopes.config().level(), "NONE");
        scopes.context = level("FULL");
        scopes.subject.config.normalize = Some(true);
        assert_eq!(scopes.config().level(), "FULL");
        assert_eq!(scopes.config().normalize, Some(true));
        scopes.subject = level("FORWARD");
        assert_eq!(scopes.config().level(), "FORWARD");
    }

    #[test]
    fn an_override_cannot_be_overridden() {
        let mut scopes = Scopes::default();
        assert_eq!(scopes.mode(), Mode::ReadWrite);
        scopes.subject.mode = Some(Mode::Import);
        scopes.context.mode = Some(Mode::ReadOnly);
        assert_eq!(scopes.mode(), Mode::Import);
        scopes.tenant.mode = Some(Mode::ReadOnlyOverride);
        assert_eq!(scopes.mode(), Mode::ReadOnlyOverride);
    }

    #[test]
    fn names_of_modes_survive_the_round_trip() {
        for name in ["READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT"] {
            assert_eq!(Mode::parse(name).map(Mode::name), Some(name));
        }
        assert_eq!(Mode::parse("import"), Some(Mode::Import));
        assert_eq!(Mode::parse("FORWARD"), None);
    }
}
