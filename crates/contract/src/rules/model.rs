//! A rule set as the Schema Registry API carries it.
//!
//! Fields and their order, what is left out when empty, and the defaults of kind and mode are those of upstream's
//! `RuleSet` and `Rule` (confluentinc/schema-registry, `client/rest/entities`): unknown fields are ignored when read,
//! tags and params are sorted when written, `kind` is TRANSFORM and `mode` WRITEREAD where they are missing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};

/// The rules of a schema.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RuleSet {
    /// Run when a record is read with another version than it was written with.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub migration_rules: Vec<Rule>,
    /// Run when a record is written or read.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub domain_rules: Vec<Rule>,
    /// Run on the encoded record.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub encoding_rules: Vec<Rule>,
    /// Where rules run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_at: Option<EnableAt>,
}

/// One rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rule {
    /// Its name, unique in the set.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "or_default")]
    pub name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "is_empty")]
    pub doc: Option<String>,
    /// Whether it tests or changes.
    #[serde(deserialize_with = "or_default")]
    pub kind: RuleKind,
    /// When it runs.
    #[serde(deserialize_with = "or_default")]
    pub mode: RuleMode,
    /// What executes it: CEL, CEL_FIELD, ENCRYPT, or another that a client knows.
    #[serde(
        rename = "type",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "or_default"
    )]
    pub rule_type: String,
    /// Fields with one of these tags; all fields if there are none.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", deserialize_with = "or_default")]
    pub tags: BTreeSet<String>,
    /// What its executor and its actions are told.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "or_default")]
    pub params: BTreeMap<String, String>,
    /// What is executed.
    #[serde(skip_serializing_if = "is_empty")]
    pub expr: Option<String>,
    /// What happens after it; NONE where it is missing.
    #[serde(skip_serializing_if = "is_empty")]
    pub on_success: Option<String>,
    /// What happens when it fails; ERROR where it is missing.
    #[serde(skip_serializing_if = "is_empty")]
    pub on_failure: Option<String>,
    /// Whether it is left out.
    #[serde(deserialize_with = "or_default")]
    pub disabled: bool,
}

/// What a rule does with a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RuleKind {
    /// Changes it.
    #[default]
    Transform,
    /// Tests it.
    Condition,
}

/// When a rule runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RuleMode {
    /// From an older version to a newer one.
    Upgrade,
    /// From a newer version to an older one.
    Downgrade,
    /// Both.
    UpDown,
    /// Before it is encoded.
    Write,
    /// After it is decoded.
    Read,
    /// Both.
    #[default]
    WriteRead,
}

/// Where rules run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EnableAt {
    /// Everywhere.
    All,
    /// In clients.
    Client,
    /// In gateways.
    Gateway,
    /// In servers.
    Server,
    /// Nowhere.
    None,
}

/// What the API calls a schema's metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// Tags by the path of a field; `*` and `**` stand for names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "or_default")]
    pub tags: BTreeMap<String, BTreeSet<String>>,
    /// Words about the schema.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "or_default")]
    pub properties: BTreeMap<String, String>,
    /// Which of the properties are secret.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", deserialize_with = "or_default")]
    pub sensitive: BTreeSet<String>,
}

/// `null` is as good as nothing: clients write one for the other.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[expect(clippy::ref_option, reason = "serde hands the field over like this")]
fn is_empty(text: &Option<String>) -> bool {
    text.as_ref().is_none_or(String::is_empty)
}

impl RuleSet {
    /// Whether there is no rule in it.
    pub const fn is_empty(&self) -> bool {
        self.migration_rules.is_empty() && self.domain_rules.is_empty() && self.encoding_rules.is_empty()
    }

    /// Whether two sets mean the same: equal but for how actions are written.
    pub fn means_the_same(&self, other: &Self) -> bool {
        let plain = |set: &Self| {
            let rules = |rules: &[Rule]| rules.iter().map(Rule::with_plain_actions).collect::<Vec<_>>();
            (
                rules(&set.migration_rules),
                rules(&set.domain_rules),
                rules(&set.encoding_rules),
                set.enable_at,
            )
        };
        plain(self) == plain(other)
    }
}

impl Rule {
    /// The rule with its actions in one way of writing: `NONE,NONE` is `NONE`, and what is the default is not there.
    /// A console writes one, a Terraform provider the other, and neither means a change by it.
    fn with_plain_actions(&self) -> Self {
        let plain = |action: &Option<String>, default: &str| {
            let action = action.as_deref().unwrap_or_default();
            let action = match action.split_once(',') {
                Some((first, second)) if first.trim() == second.trim() => first.trim(),
                _ => action.trim(),
            };
            (!action.is_empty() && action != default).then(|| action.to_owned())
        };
        Self {
            on_success: plain(&self.on_success, "NONE"),
            on_failure: plain(&self.on_failure, "ERROR"),
            doc: self.doc.clone().filter(|doc| !doc.is_empty()),
            expr: self.expr.clone().filter(|expr| !expr.is_empty()),
            ..self.clone()
        }
    }
}

impl RuleMode {
    /// Whether a rule of this mode runs in that one; `when` is WRITE, READ, UPGRADE or DOWNGRADE.
    pub fn runs_in(self, when: Self) -> bool {
        match self {
            Self::WriteRead => matches!(when, Self::Write | Self::Read),
            Self::UpDown => matches!(when, Self::Upgrade | Self::Downgrade),
            single => single == when,
        }
    }
}
