//! What a registration asks for, and what becomes of it: metadata and rules from the version before and from the configuration,
//! tags added and removed, and the hash under which equal content is found again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;
use weir_contract::Format;
use weir_credentials::sha256;

use crate::resources::contract::config::Config;
use crate::resources::contract::model::{Schema, SchemaReference};

/// The property in which clients keep the version of a schema whose tags or rules were changed.
const VERSION_PROPERTY: &str = "confluent:version";

/// Metadata of a schema.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Tags by path of fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, BTreeSet<String>>>,
    /// Free properties, such as `owner`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<BTreeMap<String, String>>,
    /// Names of properties that are not for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<BTreeSet<String>>,
}

impl Metadata {
    /// Is there nothing in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            tags,
            properties,
            sensitive,
        } = self;
        tags.as_ref().is_none_or(BTreeMap::is_empty)
            && properties.as_ref().is_none_or(BTreeMap::is_empty)
            && sensitive.as_ref().is_none_or(BTreeSet::is_empty)
    }
}

/// What a tag is put on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaEntity {
    /// Full name of a field or type: `Payment.card`.
    pub entity_path: String,
    /// `SR_FIELD` or `SR_RECORD`.
    #[serde(default)]
    pub entity_type: Option<String>,
}

/// Tags for one place.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaTags {
    /// Where.
    pub schema_entity: SchemaEntity,
    /// Which.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// A registration or a look-up, as asked for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The text; none takes that of the version before.
    pub text: Option<String>,
    /// Its format.
    pub format: Format,
    /// What it refers to.
    pub references: Vec<SchemaReference>,
    /// Metadata; none takes that of the version before.
    pub metadata: Option<Metadata>,
    /// Rules; none takes those of the version before.
    pub rule_set: Option<Value>,
    /// The number that the version must get.
    pub version: Option<i32>,
    /// The id that the schema must get, in the mode IMPORT.
    pub id: Option<i32>,
    /// Tags to add.
    pub tags_to_add: Vec<SchemaTags>,
    /// Tags to remove.
    pub tags_to_remove: Vec<SchemaTags>,
    /// Keep the tags of the version before.
    pub propagate_tags: bool,
}

impl Wish {
    /// Is it about tags?
    #[must_use]
    pub fn retags(&self) -> bool {
        !self.tags_to_add.is_empty() || !self.tags_to_remove.is_empty() || self.propagate_tags
    }
}

/// What is stored under an id.
#[derive(Debug, Clone)]
pub struct Content {
    /// The format.
    pub format: Format,
    /// The canonical text.
    pub text: String,
    /// What it refers to, in the words that its own context uses.
    pub references: Vec<SchemaReference>,
    /// Metadata.
    pub metadata: Option<Metadata>,
    /// Rules.
    pub rule_set: Option<Value>,
    /// Names by which record-name strategies find it: they follow from the text.
    pub record_names: Vec<String>,
}

impl Content {
    /// Of format, text and references: what a look-up without metadata and rules finds.
    #[must_use]
    pub fn text_hash(&self) -> [u8; 32] {
        text_hash(self.format, &self.text, &self.references)
    }

    /// Of everything: equal content has one id.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut bytes = self.text_hash().to_vec();
        push(&mut bytes, &canonical_of(&self.metadata));
        push(&mut bytes, &canonical_of(&self.rule_set));
        sha256(&bytes)
    }

    /// A UUID of version 8 (RFC 9562) made of the hash, so that it is the same wherever the content is.
    #[must_use]
    pub fn guid(&self) -> Uuid {
        let hash = self.hash();
        let mut bytes = [0_u8; 16];
        bytes.copy_from_slice(&hash[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

/// Of format, text and references.
#[must_use]
pub fn text_hash(format: Format, text: &str, references: &[SchemaReference]) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(text.len() + 64);
    push(&mut bytes, format.as_str());
    push(&mut bytes, text);
    for SchemaReference {
        name,
        subject,
        version,
    } in references
    {
        push(&mut bytes, name);
        push(&mut bytes, subject);
        push(&mut bytes, &version.to_string());
    }
    sha256(&bytes)
}

/// With its length before it, so that parts cannot run into each other.
fn push(bytes: &mut Vec<u8>, part: &str) {
    bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
    bytes.extend_from_slice(part.as_bytes());
}

/// JSON whose keys are sorted, whatever order they came in.
fn canonical_of<T: Serialize>(value: &Option<T>) -> String {
    fn sorted(value: Value) -> Value {
        match value {
            Value::Object(fields) => {
                let fields: BTreeMap<String, Value> =
                    fields.into_iter().map(|(key, it)| (key, sorted(it))).collect();
                Value::Object(fields.into_iter().collect::<Map<_, _>>())
            }
            Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
            other => other,
        }
    }
    let value = serde_json::to_value(value).unwrap_or_default();
    sorted(value).to_string()
}

/// Metadata and rules of a new version: its own or those of the version before, over the defaults of the configuration and
/// under its overrides, then with tags added and removed.
pub fn populated(
    wish: &Wish,
    config: &Config,
    before: Option<&Schema>,
    next_version: i32,
) -> (Option<Metadata>, Option<Value>) {
    let specific = wish
        .metadata
        .clone()
        .or_else(|| before.and_then(|it| it.metadata.clone()));
    let mut metadata = merged(config.default_metadata.clone(), specific);
    metadata = merged(metadata, config.override_metadata.clone());
    if wish.retags() {
        metadata = retagged(metadata, wish, before);
    }
    let versioned = metadata
        .as_ref()
        .and_then(|it| it.properties.as_ref())
        .is_some_and(|it| it.contains_key(VERSION_PROPERTY));
    if versioned || wish.version.is_some() {
        let properties = BTreeMap::from([(VERSION_PROPERTY.to_owned(), next_version.to_string())]);
        let version = Metadata {
            properties: Some(properties),
            ..Metadata::default()
        };
        metadata = merged(metadata, Some(version));
    }
    let rules = wish
        .rule_set
        .clone()
        .or_else(|| before.and_then(|it| it.rule_set.clone()));
    let rules = merged_rules(config.default_rule_set.clone(), rules);
    let rules = merged_rules(rules, config.override_rule_set.clone());
    (metadata.filter(|it| !it.is_empty()), rules)
}

/// The later wins, path by path and property by property.
fn merged(under: Option<Metadata>, over: Option<Metadata>) -> Option<Metadata> {
    let (under, over) = match (under, over) {
        (Some(under), Some(over)) => (under, over),
        (one, other) => return one.or(other),
    };
    Some(Metadata {
        tags: joined(under.tags, over.tags),
        properties: joined(under.properties, over.properties),
        sensitive: match (under.sensitive, over.sensitive) {
            (Some(under), Some(over)) => Some(under.union(&over).cloned().collect()),
            (one, other) => one.or(other),
        },
    })
}

fn joined<V>(
    under: Option<BTreeMap<String, V>>,
    over: Option<BTreeMap<String, V>>,
) -> Option<BTreeMap<String, V>> {
    match (under, over) {
        (Some(mut under), Some(over)) => {
            under.extend(over);
            Some(under)
        }
        (one, other) => one.or(other),
    }
}

fn retagged(metadata: Option<Metadata>, wish: &Wish, before: Option<&Schema>) -> Option<Metadata> {
    let mut metadata = metadata.unwrap_or_default();
    let mut tags = metadata.tags.take().unwrap_or_default();
    if wish.propagate_tags {
        let earlier = before
            .and_then(|it| it.metadata.as_ref())
            .and_then(|it| it.tags.clone());
        for (path, names) in earlier.unwrap_or_default() {
            tags.entry(path).or_default().extend(names);
        }
    }
    for SchemaTags {
        schema_entity,
        tags: add,
    } in &wish.tags_to_add
    {
        tags.entry(schema_entity.entity_path.clone())
            .or_default()
            .extend(add.iter().cloned());
    }
    for SchemaTags {
        schema_entity,
        tags: remove,
    } in &wish.tags_to_remove
    {
        if let Some(names) = tags.get_mut(&schema_entity.entity_path) {
            names.retain(|it| !remove.contains(it));
        }
    }
    tags.retain(|_path, names| !names.is_empty());
    metadata.tags = (!tags.is_empty()).then_some(tags);
    Some(metadata)
}

/// Rules of the same name in the same list are replaced, others added behind.
fn merged_rules(under: Option<Value>, over: Option<Value>) -> Option<Value> {
    let (under, over) = match (under, over) {
        (Some(Value::Object(under)), Some(Value::Object(over))) => (under, over),
        (one, other) => return other.or(one),
    };
    let mut all = under;
    for (list, rules) in over {
        let merged = match (all.remove(&list), rules) {
            (Some(Value::Array(earlier)), Value::Array(later)) => {
                let replaced = |rule: &Value| later.iter().any(|it| it.get("name") == rule.get("name"));
                let kept = earlier.into_iter().filter(|it| !replaced(it));
                Value::Array(kept.chain(later.iter().cloned()).collect())
            }
            (_earlier, later) => later,
        };
        all.insert(list, merged);
    }
    Some(Value::Object(all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn properties(pairs: &[(&str, &str)]) -> Option<Metadata> {
        let pairs = pairs.iter().map(|(key, value)| ((*key).into(), (*value).into()));
        Some(Metadata {
            properties: Some(pairs.collect()),
            ..Metadata::default()
        })
    }

    #[test]
    fn defaults_yield_and_overrides_win() {
        let wish = Wish {
            metadata: properties(&[("owner", "cards"), ("stage", "test")]),
            ..Wish::default()
        };
        let config = Config {
            default_metadata: properties(&[("owner", "nobody"), ("region", "eu")]),
            override_metadata: properties(&[("stage", "prod")]),
            ..Config::default()
        };
        let (metadata, _rules) = populated(&wish, &config, None, 1);
        let wanted = properties(&[("owner", "cards"), ("region", "eu"), ("stage", "prod")]);
        assert_eq!(metadata, wanted);
    }

    #[test]
    fn a_rule_of_the_same_name_is_replaced() {
        let one = json!({"domainRules": [{"name": "a", "expr": "1"}, {"name": "b", "expr": "1"}]});
        let other = json!({"domainRules": [{"name": "a", "expr": "2"}], "migrationRules": []});
        let merged = merged_rules(Some(one), Some(other)).unwrap();
        assert_eq!(
            merged,
            json!({"domainRules": [{"name": "b", "expr": "1"}, {"name": "a", "expr": "2"}], "migrationRules": []})
        );
    }

    #[test]
    fn tags_are_added_removed_and_kept() {
        let tag = |path: &str, tag: &str| SchemaTags {
            schema_entity: SchemaEntity {
                entity_path: path.into(),
                entity_type: None,
            },
            tags: vec![tag.into()],
        };
        let wish = Wish {
            metadata: Some(Metadata {
                tags: Some(BTreeMap::from([("P.old".into(), BTreeSet::from(["PII".into()]))])),
                ..Metadata::default()
            }),
            tags_to_add: vec![tag("P.card", "PII")],
            tags_to_remove: vec![tag("P.old", "PII")],
            ..Wish::default()
        };
        let (metadata, _rules) = populated(&wish, &Config::default(), None, 1);
        let tags = metadata.unwrap().tags.unwrap();
        assert_eq!(
            tags,
            BTreeMap::from([("P.card".into(), BTreeSet::from(["PII".into()]))])
        );
    }

    #[test]
    fn content_is_known_again_whatever_order_its_keys_came_in() {
        let content = |rules: &str, text: &str| Content {
            format: Format::Avro,
            text: text.into(),
            references: vec![],
            metadata: None,
            rule_set: serde_json::from_str(rules).unwrap(),
            record_names: Vec::new(),
        };
        let one = content(r#"{"domainRules": [{"name": "a", "expr": "b"}]}"#, "\"int\"");
        let same = content(r#"{"domainRules": [{"expr": "b", "name": "a"}]}"#, "\"int\"");
        let other = content(r#"{"domainRules": [{"expr": "c", "name": "a"}]}"#, "\"int\"");
        assert_eq!((one.hash(), one.guid()), (same.hash(), same.guid()));
        assert_ne!(one.hash(), other.hash());
        assert_eq!(one.text_hash(), other.text_hash());
        assert_ne!(one.text_hash(), content("null", "\"long\"").text_hash());
        assert_eq!(one.guid().get_version_num(), 8);
    }
}
