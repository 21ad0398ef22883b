//! The fields of a JSON Schema: nodes that are made once, so that a record's walk follows no `$ref` by its text.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value as Document;

use super::{Around, INLINE_TAGS, Stopped, TagPatterns, Visitor, within};
use crate::json::JsonSchema;
use crate::json::address::escape;
use crate::json::refs::{Library, Place, Target};
use crate::value::{Key, List, Map, Text, Value};

mod tagged;

pub(crate) use tagged::Way;

/// How many nodes a schema may have; what is beyond is not walked into.
const NODES_MAX: usize = 20_000;
/// How many schemas may speak of one value.
const IN_PLACE_MAX: usize = 64;

/// Subschemas by place; the first is the root.
#[derive(Debug, Default)]
pub(crate) struct Nodes(Vec<Node>);

#[derive(Debug, Default)]
struct Node {
    /// Types that it allows, as JSON Schema names them; none allows all.
    types: Vec<String>,
    /// Whether it lists its values: an enum, which field rules pass by.
    listed: bool,
    properties: Vec<Property>,
    items: Option<usize>,
    /// `$ref`, `allOf`.
    also: Vec<usize>,
    /// `oneOf`, `anyOf`: those that can fit.
    either: Vec<usize>,
    required: Vec<String>,
    /// Constants of properties, by which a `oneOf` is told apart.
    constants: Vec<(String, Vec<Document>)>,
}

#[derive(Debug)]
struct Property {
    name: String,
    node: usize,
    tags: BTreeSet<String>,
}

impl Nodes {
    /// Of a schema, which was read and is sound.
    pub fn of(schema: &JsonSchema) -> Self {
        let Ok(library) = Library::new(&schema.document, schema.draft, &schema.references) else {
            return Self::default();
        };
        let mut builder = Builder {
            library: &library,
            nodes: Vec::new(),
            places: HashMap::new(),
            waiting: Vec::new(),
        };
        builder.node(Place {
            document: 0,
            pointer: String::new(),
        });
        while let Some((id, place)) = builder.waiting.pop() {
            let node = builder.build(&place);
            builder.nodes[id] = node;
        }
        Self(builder.nodes)
    }

    /// Goes through a record.
    pub fn walk<'a>(
        &self,
        value: &Value<'a>,
        patterns: &TagPatterns,
        visit: &mut Visitor<'_, 'a>,
    ) -> Result<(), Stopped> {
        Walk {
            nodes: &self.0,
            patterns,
            visit,
        }
        .value(0, value, "$", None, IN_PLACE_MAX)
    }
}

struct Builder<'b> {
    library: &'b Library<'b>,
    nodes: Vec<Node>,
    places: HashMap<Place, usize>,
    waiting: Vec<(usize, Place)>,
}

impl Builder<'_> {
    fn node(&mut self, place: Place) -> usize {
        if let Some(id) = self.places.get(&place) {
            return *id;
        }
        let id = self.nodes.len();
        self.nodes.push(Node::default());
        if id < NODES_MAX {
            self.places.insert(place.clone(), id);
            self.waiting.push((id, place));
        }
        id
    }

    fn below(&mut self, place: &Place, tokens: &[&str]) -> usize {
        let mut pointer = place.pointer.clone();
        for token in tokens {
            pointer.push('/');
            pointer.push_str(&escape(token));
        }
        self.node(Place {
            document: place.document,
            pointer,
        })
    }

    fn build(&mut self, place: &Place) -> Node {
        let mut node = Node::default();
        let Some(Document::Object(schema)) = self.library.at(place) else {
            return node;
        };
        match schema.get("type") {
            Some(Document::String(name)) => node.types.push(name.clone()),
            Some(Document::Array(names)) => node
                .types
                .extend(names.iter().filter_map(Document::as_str).map(Into::into)),
            _ => {}
        }
        node.listed = schema.contains_key("enum") || schema.contains_key("const");
        if let Some(Document::String(reference)) = schema.get("$ref")
            && let Ok(Target::Here(target)) = self.library.follow(place, reference)
        {
            let target = self.node(target);
            node.also.push(target);
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let count = schema
                .get(keyword)
                .and_then(Document::as_array)
                .map_or(0, Vec::len);
            for index in 0..count {
                let inner = self.below(place, &[keyword, &index.to_string()]);
                if keyword == "allOf" {
                    &mut node.also
                } else {
                    &mut node.either
                }
                .push(inner);
            }
        }
        if matches!(schema.get("items"), Some(Document::Object(_))) {
            node.items = Some(self.below(place, &["items"]));
        }
        if let Some(Document::Object(properties)) = schema.get("properties") {
            for (name, property) in properties {
                let inline = property.get(INLINE_TAGS).and_then(Document::as_array);
                let tags = inline
                    .into_iter()
                    .flatten()
                    .filter_map(Document::as_str)
                    .map(Into::into)
                    .collect();
                let id = self.below(place, &["properties", name]);
                node.properties.push(Property {
                    name: name.clone(),
                    node: id,
                    tags,
                });
                let constants = property.get("const").cloned().map(|it| vec![it]);
                let listed = || property.get("enum").and_then(Document::as_array).cloned();
                if let Some(constants) = constants.or_else(listed) {
                    node.constants.push((name.clone(), constants));
                }
            }
        }
        let required = schema.get("required").and_then(Document::as_array);
        node.required = required
            .into_iter()
            .flatten()
            .filter_map(Document::as_str)
            .map(Into::into)
            .collect();
        node
    }
}

struct Walk<'w, 'v, 'a> {
    nodes: &'w [Node],
    patterns: &'w TagPatterns,
    visit: &'w mut Visitor<'v, 'a>,
}

impl<'a> Walk<'_, '_, 'a> {
    /// `in_place` bounds schemas that speak of the same value: a `$ref` may lead in a circle.
    fn value(
        &mut self,
        id: usize,
        value: &Value<'a>,
        path: &str,
        around: Option<Around<'_, 'a>>,
        in_place: usize,
    ) -> Result<(), Stopped> {
        (self.visit)(None)?;
        let nodes = self.nodes;
        let (Some(node), Some(in_place)) = (nodes.get(id), in_place.checked_sub(1)) else {
            return Ok(());
        };
        if matches!(value, Value::Null) || !allows(&node.types, value) {
            return Ok(());
        }
        for inner in &node.also {
            self.value(*inner, value, path, around, in_place)?;
        }
        for inner in &node.either {
            if self.may_fit(*inner, value, in_place)? {
                self.value(*inner, value, path, around, in_place)?;
            }
        }
        match value {
            Value::List(_) => match node.items {
                Some(items) => {
                    within(value).try_for_each(|value| self.value(items, &value, path, around, IN_PLACE_MAX))
                }
                None => Ok(()),
            },
            Value::Map(map) => self.properties(node, value, map, path),
            _ if node.listed || node.types.is_empty() => Ok(()),
            _ => {
                let names = [
                    ("string", "STRING"),
                    ("integer", "INT"),
                    ("number", "DOUBLE"),
                    ("boolean", "BOOLEAN"),
                ];
                let type_name = names
                    .into_iter()
                    .find(|(name, _)| node.types.iter().any(|it| it == name && allows_one(it, value)));
                match (type_name, around) {
                    (Some((_, type_name)), Some(around)) => (self.visit)(Some(around.leaf(type_name, value))),
                    _ => Ok(()),
                }
            }
        }
    }

    fn properties(
        &mut self,
        node: &Node,
        value: &Value<'a>,
        map: &Map<'a>,
        path: &str,
    ) -> Result<(), Stopped> {
        for property in &node.properties {
            let Some(found) = map.get(&Key::Text(Text::Borrowed(&property.name))) else {
                continue;
            };
            let full_name = format!("{path}.{}", property.name);
            let mut tags = self.patterns.of(&full_name);
            tags.extend(property.tags.iter().cloned());
            let around = Around {
                name: &property.name,
                full_name: &full_name,
                tags: &tags,
                message: value,
            };
            self.value(property.node, &found, &full_name, Some(around), IN_PLACE_MAX)?;
        }
        Ok(())
    }

    /// Whether a branch can be the one that a value is of: by its type, what it requires and its constants. Of several
    /// that can, all are walked, so that none escapes a rule.
    fn may_fit(&mut self, id: usize, value: &Value<'a>, in_place: usize) -> Result<bool, Stopped> {
        (self.visit)(None)?;
        let nodes = self.nodes;
        let (Some(node), Some(in_place)) = (nodes.get(id), in_place.checked_sub(1)) else {
            return Ok(false);
        };
        if !allows(&node.types, value) {
            return Ok(false);
        }
        if let Value::Map(Map::Json(map)) = value {
            let differs = |(name, allowed): &(String, Vec<Document>)| {
                map.get(name).is_some_and(|it| !allowed.contains(it))
            };
            if node.required.iter().any(|name| !map.contains_key(name)) || node.constants.iter().any(differs)
            {
                return Ok(false);
            }
        }
        for inner in &node.also {
            if !self.may_fit(*inner, value, in_place)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn allows(types: &[String], value: &Value<'_>) -> bool {
    types.is_empty() || types.iter().any(|name| allows_one(name, value))
}

fn allows_one(name: &str, value: &Value<'_>) -> bool {
    match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Int(_) | Value::Uint(_) => matches!(name, "integer" | "number"),
        Value::Double(number) => name == "number" || (name == "integer" && number.fract() == 0.0),
        Value::Text(_) => name == "string",
        Value::List(List::Json(_) | List::Owned(_)) => name == "array",
        Value::Map(_) => name == "object",
        _ => false,
    }
}
