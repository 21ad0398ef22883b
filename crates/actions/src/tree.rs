//! Several paths as one tree, so that a record is gone through once for all fields of a step.

use std::collections::BTreeMap;
use std::rc::Rc;

use weir_contract::rules::cel::{Fault, Steps};
use weir_contract::value::protobuf::with_defaults;
use weir_contract::value::{Entries, Key, List, Map, Shape, Text, Value};

use crate::path::Path;

/// Paths, of which none lies in another.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// What stands below.
    below: BTreeMap<Box<str>, Tree>,
    /// Which of the paths ends here.
    end: Option<usize>,
}

/// What becomes of a field.
pub(crate) enum Edit<'a> {
    /// It has this value, of which it is said whether its type is still what it was.
    Value(Value<'a>, bool),
    /// It has another name.
    Name(&'a str),
    /// It is not there any more.
    Gone,
}

impl Tree {
    /// Of paths, each with its place among them. `None`: one is in another, or is the same.
    pub fn of<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Option<Self> {
        let mut tree = Self::default();
        for (place, path) in paths.into_iter().enumerate() {
            tree.put(path, place)?;
        }
        Some(tree)
    }

    /// Of ways that a record has; one that lies in another is part of it.
    pub fn of_ways(ways: &std::collections::BTreeSet<Vec<String>>) -> Self {
        let mut tree = Self::default();
        for way in ways {
            let path: Path = way.iter().map(|name| name.as_str().into()).collect();
            let _inner = tree.put(&path, 0);
        }
        tree
    }

    fn put(&mut self, path: &[Box<str>], place: usize) -> Option<()> {
        let Some((name, rest)) = path.split_first() else {
            let free = self.end.is_none() && self.below.is_empty();
            self.end = Some(place);
            return free.then_some(());
        };
        if self.end.is_some() {
            return None;
        }
        self.below.entry(name.clone()).or_default().put(rest, place)
    }

    /// The record with its fields changed; `edit` is asked of each field that a path leads to.
    pub fn edit<'a>(
        &self,
        value: &Value<'a>,
        steps: &mut Steps,
        edit: &mut dyn FnMut(usize, Value<'a>, &mut Steps) -> Result<Edit<'a>, Fault>,
    ) -> Result<Value<'a>, Fault> {
        match value {
            Value::List(list) => {
                steps.charge(1 + list.len())?;
                let mut changed = Vec::with_capacity(list.len());
                for element in elements(list) {
                    changed.push(self.edit(&element, steps, edit)?);
                }
                Ok(Value::list(changed))
            }
            Value::Map(map) => self.edit_map(map, steps, edit),
            // There is nothing below: the field is missing, as an optional one may be.
            other => Ok(other.clone()),
        }
    }

    fn edit_map<'a>(
        &self,
        map: &Map<'a>,
        steps: &mut Steps,
        edit: &mut dyn FnMut(usize, Value<'a>, &mut Steps) -> Result<Edit<'a>, Fault>,
    ) -> Result<Value<'a>, Fault> {
        steps.charge(1 + map.len())?;
        let mut entries = Vec::with_capacity(map.len());
        let (mut same_shape, mut renamed) = (true, false);
        for (key, value) in with_defaults(map) {
            let found = match &key {
                Key::Text(name) => self.below.get(name.as_str()),
                _ => None,
            };
            let Some(below) = found else {
                entries.push((key, value));
                continue;
            };
            let Some(place) = below.end else {
                entries.push((key, below.edit(&value, steps, edit)?));
                continue;
            };
            match edit(place, value.clone(), steps)? {
                Edit::Value(changed, same_type) => {
                    same_shape &= same_type;
                    entries.push((key, changed));
                }
                Edit::Name(name) => {
                    (same_shape, renamed) = (false, true);
                    entries.push((Key::Text(Text::Borrowed(name)), value));
                }
                Edit::Gone => same_shape = false,
            }
        }
        if renamed && has_a_name_twice(&entries) {
            return Err(Fault::Failed {
                at: 0,
                reason: "a field of the new name is there already".into(),
            });
        }
        let shape = match map.shape() {
            Some(shape) if same_shape => shape.clone(),
            _ => Shape::Free,
        };
        Ok(Value::Map(Map::Owned(Rc::new(Entries::new(entries, shape)))))
    }

    /// The record with the fields of the paths alone.
    pub fn only<'a>(&self, value: &Value<'a>, steps: &mut Steps) -> Result<Value<'a>, Fault> {
        match value {
            Value::List(list) => {
                steps.charge(1 + list.len())?;
                let mut kept = Vec::with_capacity(list.len());
                for element in elements(list) {
                    kept.push(self.only(&element, steps)?);
                }
                Ok(Value::list(kept))
            }
            Value::Map(map) => {
                steps.charge(1 + map.len())?;
                let mut kept = Vec::with_capacity(self.below.len());
                for (key, value) in with_defaults(map) {
                    let found = match &key {
                        Key::Text(name) => self.below.get(name.as_str()),
                        _ => None,
                    };
                    match found {
                        Some(below) if below.end.is_some() => kept.push((key, value)),
                        Some(below) => kept.push((key, below.only(&value, steps)?)),
                        None => {}
                    }
                }
                Ok(Value::Map(Map::of(kept)))
            }
            other => Ok(other.clone()),
        }
    }
}

/// Whether two entries have one name.
pub(crate) fn has_a_name_twice(entries: &[(Key<'_>, Value<'_>)]) -> bool {
    let mut names = std::collections::HashSet::with_capacity(entries.len());
    let text = |key: &Key<'_>| match key {
        Key::Text(name) => Some(name.as_str().to_owned()),
        _ => None,
    };
    !entries
        .iter()
        .filter_map(|(key, _value)| text(key))
        .all(|name| names.insert(name))
}

/// The elements of a list.
pub(crate) fn elements<'l, 'a>(list: &'l List<'a>) -> impl Iterator<Item = Value<'a>> + use<'l, 'a> {
    (0..list.len()).filter_map(|index| list.get(index))
}
