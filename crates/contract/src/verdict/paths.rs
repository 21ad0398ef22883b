//! Whether a JSON Schema may be asked of a record: how often its subschemas would look at the same value.
//!
//! A validator evaluates every subschema that speaks of a value. Most schemas name each property once, and validation
//! is as long as the record. But one whose two branches both lead back to itself doubles the work with each level of the
//! record: a record of a few hundred bytes would take years. Schemas that can do this are found when compiled; for them
//! alone each record is first gone through the way a validator would, and stopped when that takes too long.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::json::JsonSchema;
use crate::json::address::escape;
use crate::json::refs::{Library, Place, Target};

/// Looks that a schema without circles may take at one value without being watched.
const UNWATCHED: u64 = 10_000;
/// Looks that a watched schema may take, whatever the record.
const LOOKS_BASE: usize = 50_000;
/// Looks more for each byte of the record.
const LOOKS_PER_BYTE: usize = 32;

/// Keywords whose subschema or subschemas speak of the same value.
const SAME: [&str; 7] = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else"];
/// Keywords whose subschema speaks of every item or member.
const INNER: [&str; 6] = [
    "items",
    "additionalItems",
    "contains",
    "unevaluatedItems",
    "additionalProperties",
    "unevaluatedProperties",
];

/// What speaks of what.
#[derive(Debug, Default)]
struct Node {
    /// Of the same value.
    same: Vec<usize>,
    /// Of a member.
    named: BTreeMap<String, usize>,
    /// Of any item or member.
    inner: Vec<usize>,
}

/// The subschemas of a schema that must be watched.
#[derive(Debug)]
pub(super) struct Paths(Vec<Node>);

impl Paths {
    /// `None` if a schema cannot take more looks than a record has values, but for a factor.
    pub fn of(schema: &JsonSchema) -> Option<Self> {
        let library = Library::new(&schema.document, schema.draft, &schema.references).ok()?;
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
        let found = Self(builder.nodes);
        found.is_dangerous().then_some(found)
    }

    /// Whether there is a circle, or so many ways through that it does not matter that there is none.
    fn is_dangerous(&self) -> bool {
        // Ways from a node to any end of the graph; a node that is met again on the way closes a circle.
        let mut ways: Vec<Option<u64>> = vec![None; self.0.len()];
        let mut open = vec![false; self.0.len()];
        let mut stack = vec![(0_usize, false)];
        while let Some((id, left)) = stack.pop() {
            let Some(node) = self.0.get(id) else { continue };
            let next = node.same.iter().chain(node.named.values()).chain(&node.inner);
            if left {
                let sum = next.filter_map(|it| ways[*it]).fold(1_u64, u64::saturating_add);
                ways[id] = Some(sum);
                open[id] = false;
                if sum > UNWATCHED {
                    return true;
                }
                continue;
            }
            if ways[id].is_some() {
                continue;
            }
            if open[id] {
                return true;
            }
            open[id] = true;
            stack.push((id, true));
            for inner in next {
                if open[*inner] {
                    return true;
                }
                if ways[*inner].is_none() {
                    stack.push((*inner, false));
                }
            }
        }
        false
    }

    /// Whether a record can be validated in time that grows with its length.
    pub fn admit(&self, value: &Value, payload_bytes: usize) -> bool {
        let mut left = LOOKS_BASE + LOOKS_PER_BYTE.saturating_mul(payload_bytes);
        self.look(0, value, &mut left)
    }

    fn look(&self, id: usize, value: &Value, left: &mut usize) -> bool {
        let Some(rest) = left.checked_sub(1) else {
            return false;
        };
        *left = rest;
        self.look_within(id, value, left, 0)
    }

    fn look_within(&self, id: usize, value: &Value, left: &mut usize, in_place: usize) -> bool {
        let Some(node) = self.0.get(id) else { return true };
        for same in &node.same {
            // Longer than any chain that ends: a circle in which no value is passed.
            let Some(rest) = left.checked_sub(1).filter(|_rest| in_place < 200) else {
                return false;
            };
            *left = rest;
            if !self.look_within(*same, value, left, in_place + 1) {
                return false;
            }
        }
        match value {
            Value::Object(members) => members.iter().all(|(name, member)| {
                node.named
                    .get(name)
                    .is_none_or(|inner| self.look(*inner, member, left))
                    && node.inner.iter().all(|inner| self.look(*inner, member, left))
            }),
            Value::Array(items) => items
                .iter()
                .all(|item| node.inner.iter().all(|inner| self.look(*inner, item, left))),
            _ => true,
        }
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
        self.places.insert(place.clone(), id);
        self.waiting.push((id, place));
        id
    }

    /// The subschemas under a keyword: one, a list, or an object of them.
    fn below(&mut self, place: &Place, keyword: &str, value: &Value, named: bool) -> Vec<(String, usize)> {
        let pointer = format!("{}/{}", place.pointer, escape(keyword));
        let at = |token: &str| Place {
            document: place.document,
            pointer: format!("{pointer}/{}", escape(token)),
        };
        match value {
            Value::Array(items) => (0..items.len())
                .map(|index| (String::new(), self.node(at(&index.to_string()))))
                .collect(),
            Value::Object(members) if named => members
                .keys()
                .map(|name| (name.clone(), self.node(at(name))))
                .collect(),
            Value::Object(_) => {
                vec![(
                    String::new(),
                    self.node(Place {
                        document: place.document,
                        pointer: pointer.clone(),
                    }),
                )]
            }
            _ => Vec::new(),
        }
    }

    fn build(&mut self, place: &Place) -> Node {
        let mut node = Node::default();
        let library = self.library;
        let Some(Value::Object(schema)) = library.at(place) else {
            return node;
        };
        for (keyword, value) in schema {
            let ids = |found: Vec<(String, usize)>| found.into_iter().map(|(_name, id)| id);
            match keyword.as_str() {
                "$ref" | "$dynamicRef" | "$recursiveRef" => {
                    if let Some(reference) = value.as_str()
                        && let Ok(Target::Here(target)) = library.follow(place, reference)
                    {
                        let target = self.node(target);
                        node.same.push(target);
                    }
                }
                "properties" => node.named.extend(self.below(place, keyword, value, true)),
                "patternProperties" => node.inner.extend(ids(self.below(place, keyword, value, true))),
                "dependentSchemas" | "dependencies" => {
                    node.same.extend(ids(self.below(place, keyword, value, true)))
                }
                "prefixItems" => node.inner.extend(ids(self.below(place, keyword, value, false))),
                it if SAME.contains(&it) => node.same.extend(ids(self.below(place, keyword, value, false))),
                it if INNER.contains(&it) => node.inner.extend(ids(self.below(place, keyword, value, false))),
                _ => {}
            }
        }
        node
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Format, Schema};

    fn paths(schema: &str) -> Option<Paths> {
        match Schema::parse(Format::Json, schema, &[]) {
            Ok(Schema::Json(schema)) => Paths::of(&schema),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn schemas_without_circles_are_not_watched() {
        for schema in [
            "true",
            r#"{"type":"object","properties":{"a":{"type":"string"},"b":{"anyOf":[{"type":"null"},{"items":{"minimum":1}}]}}}"#,
            r##"{"definitions":{"a":{"type":"string"}},"properties":{"x":{"$ref":"#/definitions/a"},"y":{"$ref":"#/definitions/a"}}}"##,
        ] {
            assert!(paths(schema).is_none(), "{schema}");
        }
    }

    #[test]
    fn circles_are_watched_and_trees_admitted() {
        let tree =
            paths(r##"{"properties":{"left":{"$ref":"#"},"right":{"$ref":"#"}}}"##).expect("it is watched");
        let both =
            paths(r##"{"allOf":[{"properties":{"x":{"$ref":"#"}}},{"properties":{"x":{"$ref":"#"}}}]}"##);
        let both = both.expect("it is watched");
        let nested = |name: &str, depth| {
            (0..depth).fold(serde_json::json!({}), |inner, _| serde_json::json!({name: inner}))
        };
        assert!(tree.admit(&nested("left", 100), 1000));
        assert!(both.admit(&nested("x", 5), 50));
        assert!(!both.admit(&nested("x", 60), 400));
    }
}
