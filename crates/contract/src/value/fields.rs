//! The fields of a record with what a rule of type CEL_FIELD is told of each: names, type and tags.
//!
//! Which fields there are and what they are called follows upstream's walks (`transform` in
//! confluent-kafka-python, `schema_registry/common/{avro,json_schema,protobuf}.py`): full names are
//! `namespace.Record.field` in Avro, `$.a.b` in JSON, `package.Message.field` in Protobuf; elements of lists and values
//! of maps are visited under the name of their field; an object of a union or a `oneOf` as what it is.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use prost_reflect::{DescriptorPool, FieldDescriptor};
use regex::Regex;

use super::avro::Plan;
use super::map::{Map, Shape};
use super::{List, Value};
use crate::avro::model::{Field, Kind, TypeId};
use crate::json::JsonSchema;
use crate::text::Json;

mod avro;
mod json;
mod protobuf;

use json::Way;

/// The attribute by which Avro fields and JSON properties carry tags of their own.
pub(crate) const INLINE_TAGS: &str = "confluent:tags";
/// The option by which Protobuf fields do; tags are its field of that name.
const INLINE_OPTION: &str = "confluent.field_meta";

/// One value that a field rule is asked about.
pub(crate) struct Leaf<'l, 'a> {
    /// Its name.
    pub name: &'l str,
    /// Its name with what it is in.
    pub full_name: &'l str,
    /// Its type, as `typeName` says it.
    pub type_name: &'static str,
    /// Its tags, from the metadata and from the schema itself.
    pub tags: &'l BTreeSet<String>,
    /// The value.
    pub value: Value<'a>,
    /// What it is in.
    pub message: &'l Value<'a>,
}

/// The walk was stopped by its visitor.
#[derive(Debug)]
pub(crate) struct Stopped;

/// What a visitor is called with: `None` for every value that is passed, `Some` for those that rules apply to.
pub(crate) type Visitor<'v, 'a> = dyn FnMut(Option<Leaf<'_, 'a>>) -> Result<(), Stopped> + 'v;

/// Tags of the metadata: paths with `?`, `*` and `**`, as upstream's wildcard matcher reads them.
#[derive(Debug, Clone, Default)]
pub(crate) struct TagPatterns(Vec<(Regex, BTreeSet<String>)>);

impl TagPatterns {
    /// Of the paths of a schema's metadata.
    pub fn new(tags: &BTreeMap<String, BTreeSet<String>>) -> Result<Self, String> {
        let mut patterns = Vec::with_capacity(tags.len());
        for (path, tags) in tags {
            let regex = regex::RegexBuilder::new(&wildcard(path))
                .size_limit(64 * 1024)
                .build();
            let regex = regex.map_err(|_error| format!("the path {path:?} of a tag cannot be matched"))?;
            patterns.push((regex, tags.clone()));
        }
        Ok(Self(patterns))
    }

    /// The tags of a field.
    pub fn of(&self, full_name: &str) -> BTreeSet<String> {
        let matching = self.0.iter().filter(|(regex, _tags)| regex.is_match(full_name));
        matching.flat_map(|(_regex, tags)| tags.iter().cloned()).collect()
    }
}

/// `*` is anything within a name, `**` across names, `?` one character of a name.
fn wildcard(path: &str) -> String {
    let path = path.replace("**.*", "**");
    let mut pattern = String::from("^(?s:");
    let mut rest = path.chars().peekable();
    while let Some(one) = rest.next() {
        match one {
            '*' if rest.peek() == Some(&'*') => {
                rest.next();
                pattern.push_str(".*");
            }
            '*' => pattern.push_str("[^.]*"),
            '?' => pattern.push_str("[^.]"),
            other => pattern.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    pattern.push_str(")$");
    pattern
}

/// The fields of a schema with their tags.
#[derive(Debug)]
pub(crate) enum FieldTypes {
    /// By type and position.
    Avro(Arc<Plan>, BTreeMap<TypeId, Vec<Named>>),
    /// By path, when a record is there.
    Json(json::Nodes, TagPatterns),
    /// By full name.
    Protobuf(HashMap<String, BTreeSet<String>>),
}

/// A field's full name and tags.
#[derive(Debug)]
pub(crate) struct Named {
    full_name: String,
    tags: BTreeSet<String>,
}

impl FieldTypes {
    /// Of an Avro schema.
    pub fn of_avro(plan: &Arc<Plan>, patterns: &TagPatterns) -> Self {
        let mut records = BTreeMap::new();
        for (id, found) in plan.model.types.iter().enumerate() {
            let Kind::Record { named, fields, .. } = &found.kind else {
                continue;
            };
            let named = fields.iter().map(|field| {
                let full_name = format!("{}.{}", named.name.full(), field.name);
                let mut tags = patterns.of(&full_name);
                tags.extend(avro_tags(field));
                Named { full_name, tags }
            });
            records.insert(id, named.collect());
        }
        Self::Avro(Arc::clone(plan), records)
    }

    /// Of a JSON Schema.
    pub fn of_json(schema: &JsonSchema, patterns: TagPatterns) -> Self {
        Self::Json(json::Nodes::of(schema), patterns)
    }

    /// Of all messages of a pool.
    pub fn of_protobuf(pool: &DescriptorPool, patterns: &TagPatterns) -> Self {
        let mut fields = HashMap::new();
        for field in pool
            .all_messages()
            .flat_map(|message| message.fields().collect::<Vec<_>>())
        {
            let mut tags = patterns.of(field.full_name());
            tags.extend(protobuf_tags(&field));
            if !tags.is_empty() {
                fields.insert(field.full_name().to_owned(), tags);
            }
        }
        Self::Protobuf(fields)
    }

    /// Whether a field of a record or message carries one of these tags; JSON is asked by [`ways`](Self::ways).
    pub fn is_tagged(&self, shape: &Shape, field: &str, tags: &BTreeSet<String>) -> bool {
        let found = match (self, shape) {
            (Self::Avro(plan, records), Shape::Avro(id)) => {
                let Kind::Record { fields, .. } = plan.model.kind(*id) else {
                    return false;
                };
                let place = fields.iter().position(|it| it.name == field);
                place.and_then(|place| Some(&records.get(id)?.get(place)?.tags))
            }
            (Self::Protobuf(fields), Shape::Message(message)) => {
                let field = message.get_field_by_name(field);
                field.and_then(|field| fields.get(field.full_name()))
            }
            _ => None,
        };
        found.is_some_and(|found| !found.is_disjoint(tags))
    }

    /// The ways to the properties of a JSON record that carry one of these tags; none for other formats.
    pub fn ways(
        &self,
        value: &Value<'_>,
        tags: &BTreeSet<String>,
        charge: &mut dyn FnMut() -> Result<(), Stopped>,
    ) -> Result<BTreeSet<Way>, Stopped> {
        match self {
            Self::Json(nodes, patterns) => nodes.tagged(value, patterns, tags, charge),
            Self::Avro(..) | Self::Protobuf(_) => Ok(BTreeSet::new()),
        }
    }

    /// Whether a field may carry one of these tags.
    pub fn mentions(&self, tags: &BTreeSet<String>) -> bool {
        match self {
            Self::Avro(_, records) => {
                let mut fields = records.values().flatten();
                fields.any(|field| !field.tags.is_disjoint(tags))
            }
            Self::Json(nodes, patterns) => {
                nodes.mentions(tags) || patterns.0.iter().any(|(_path, found)| !found.is_disjoint(tags))
            }
            Self::Protobuf(fields) => fields.values().any(|found| !found.is_disjoint(tags)),
        }
    }

    /// Goes through a record.
    pub fn walk<'a>(&self, value: &Value<'a>, visit: &mut Visitor<'_, 'a>) -> Result<(), Stopped> {
        match self {
            Self::Avro(plan, records) => {
                avro::Avro { plan, records, visit }.value(plan.model.root, value, None)
            }
            Self::Json(nodes, patterns) => nodes.walk(value, patterns, visit),
            Self::Protobuf(tags) => protobuf::Proto { tags, visit }.message(value),
        }
    }
}

/// The tags that an Avro schema gives a field.
pub(crate) fn avro_tags(field: &Field) -> BTreeSet<String> {
    let inline = field.properties.iter().find(|(name, _node)| name == INLINE_TAGS);
    match inline.map(|(_name, node)| &node.json) {
        Some(Json::Array(tags)) => tags
            .iter()
            .filter_map(|tag| tag.as_str())
            .map(ToOwned::to_owned)
            .collect(),
        _ => BTreeSet::new(),
    }
}

/// The tags that a .proto file gives a field.
pub(crate) fn protobuf_tags(field: &FieldDescriptor) -> Vec<String> {
    let options = field.options();
    let meta = options
        .extensions()
        .find(|(extension, _value)| extension.full_name() == INLINE_OPTION);
    let tags = meta.and_then(|(_extension, value)| {
        value
            .as_message()?
            .get_field_by_name("tags")
            .map(|it| it.into_owned())
    });
    let tags = tags.as_ref().and_then(|tags| tags.as_list()).unwrap_or_default();
    tags.iter()
        .filter_map(|tag| tag.as_str())
        .map(ToOwned::to_owned)
        .collect()
}

/// What a value is in: the field's names and the record.
#[derive(Clone, Copy)]
struct Around<'l, 'a> {
    name: &'l str,
    full_name: &'l str,
    tags: &'l BTreeSet<String>,
    message: &'l Value<'a>,
}

impl<'l, 'a> Around<'l, 'a> {
    fn leaf(self, type_name: &'static str, value: &Value<'a>) -> Leaf<'l, 'a> {
        let Self {
            name,
            full_name,
            tags,
            message,
        } = self;
        Leaf {
            name,
            full_name,
            type_name,
            tags,
            value: value.clone(),
            message,
        }
    }
}

/// The elements of a list, or the values of a map that is no record.
fn within<'a>(value: &Value<'a>) -> Box<dyn Iterator<Item = Value<'a>> + 'a> {
    match value {
        Value::List(List::Owned(list)) => {
            let list = std::rc::Rc::clone(list);
            Box::new((0..list.len()).filter_map(move |index| list.get(index).cloned()))
        }
        Value::List(List::Json(list)) => Box::new(list.iter().map(super::json::value)),
        Value::Map(Map::Json(map)) => Box::new(map.values().map(super::json::value)),
        Value::Map(map) => {
            let map = map.clone();
            Box::new((0..map.len()).filter_map(move |index| map.value_at(index)))
        }
        _ => Box::new(std::iter::empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_tags_match_as_upstream_documents() {
        // confluent-kafka-python, wildcard_matcher.py, the examples of `wildcard_match`.
        for (text, path, matches) in [
            ("eve", "eve*", true),
            ("alice.bob.eve", "a*.bob.eve", true),
            ("alice.bob.eve", "a*.bob.e*", true),
            ("alice.bob.eve", "a*", false),
            ("alice.bob.eve", "a**", true),
            ("alice.bob.eve", "alice.bob*", false),
            ("alice.bob.eve", "alice.bob**", true),
            ("alice.bob.eve", "**.eve", true),
            ("$.a.b", "$.a.?", true),
            ("$xa.b", "$.a.b", false),
        ] {
            let regex = Regex::new(&wildcard(path)).expect("it compiles");
            assert_eq!(regex.is_match(text), matches, "{path} on {text}");
        }
    }
}
