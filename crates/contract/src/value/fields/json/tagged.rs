//! Which properties of a JSON record carry a tag: objects and lists too, not only what field rules are asked about.

use std::collections::BTreeSet;

use super::super::{Stopped, TagPatterns, within};
use super::{IN_PLACE_MAX, Nodes, allows};
use crate::value::{Key, Map, Text, Value};

/// The way to a property: names, through lists to every element.
pub(crate) type Way = Vec<String>;

struct Walk<'w> {
    nodes: &'w Nodes,
    patterns: &'w TagPatterns,
    tags: &'w BTreeSet<String>,
    charge: &'w mut dyn FnMut() -> Result<(), Stopped>,
    /// The way to where the walk is.
    way: Way,
    found: BTreeSet<Way>,
}

impl Nodes {
    /// The ways to the properties of a record with one of these tags. `charge` is told of every look.
    pub fn tagged(
        &self,
        value: &Value<'_>,
        patterns: &TagPatterns,
        tags: &BTreeSet<String>,
        charge: &mut dyn FnMut() -> Result<(), Stopped>,
    ) -> Result<BTreeSet<Way>, Stopped> {
        let mut walk = Walk {
            nodes: self,
            patterns,
            tags,
            charge,
            way: Vec::new(),
            found: BTreeSet::new(),
        };
        walk.value(0, value, IN_PLACE_MAX)?;
        Ok(walk.found)
    }

    /// Whether a property has one of these tags in the schema itself.
    pub fn mentions(&self, tags: &BTreeSet<String>) -> bool {
        let mut properties = self.0.iter().flat_map(|node| &node.properties);
        properties.any(|property| !property.tags.is_disjoint(tags))
    }
}

impl Walk<'_> {
    /// Every branch of a `oneOf` whose type fits is gone into: what one of them calls secret is secret.
    fn value(&mut self, id: usize, value: &Value<'_>, in_place: usize) -> Result<(), Stopped> {
        (self.charge)()?;
        let nodes = self.nodes;
        let (Some(node), Some(in_place)) = (nodes.0.get(id), in_place.checked_sub(1)) else {
            return Ok(());
        };
        if !allows(&node.types, value) {
            return Ok(());
        }
        for inner in node.also.iter().chain(&node.either) {
            self.value(*inner, value, in_place)?;
        }
        match (value, node.items) {
            (Value::List(_), Some(items)) => {
                within(value).try_for_each(|value| self.value(items, &value, IN_PLACE_MAX))
            }
            (Value::Map(map), _) => self.properties(id, map),
            _ => Ok(()),
        }
    }

    fn properties(&mut self, id: usize, map: &Map<'_>) -> Result<(), Stopped> {
        let nodes = self.nodes;
        for property in nodes.0.get(id).map_or(&[][..], |node| &node.properties) {
            let Some(found) = map.get(&Key::Text(Text::Borrowed(&property.name))) else {
                continue;
            };
            self.way.push(property.name.clone());
            let full_name = format!("$.{}", self.way.join("."));
            let tagged =
                !property.tags.is_disjoint(self.tags) || !self.patterns.of(&full_name).is_disjoint(self.tags);
            if tagged {
                self.found.insert(self.way.clone());
            } else {
                self.value(property.node, &found, IN_PLACE_MAX)?;
            }
            self.way.pop();
        }
        Ok(())
    }
}
