//! Names of types, fields and symbols, by "Names" of the specification.

use super::model::{Kind, Name, Named};
use super::read::{Reader, Result};
use crate::error::SchemaError;
use crate::text::Node;

impl Reader<'_> {
    /// Reads name, documentation and aliases, and makes the name known.
    pub(super) fn named(&mut self, node: &Node, space: Option<&str>, path: &str) -> Result<Named> {
        let at = format!("{path}/name");
        let name_node = self.required(node, "name", path)?;
        let Some(text) = name_node.as_str() else {
            return Err(self.invalid(name_node, &at, "`name` must be a string"));
        };
        let own_space = self.string(node, "namespace", path)?;
        let name = Name::new(text, own_space.or(space));
        self.check_name(name_node, name.full(), &at)?;
        if Kind::primitive(name.full()).is_some() {
            return Err(self.invalid(name_node, &at, "a type may not be named like a primitive type"));
        }
        if self.model.names.contains_key(name.full()) {
            return Err(self.invalid(name_node, &at, &format!("{:?} is declared twice", name.full())));
        }
        if self.model.names.len() >= self.limits.names {
            let message = format!("more than {} named types", self.limits.names);
            return Err(self.place(SchemaError::too_large(path, message), node));
        }
        let doc = self.string(node, "doc", path)?.map(str::to_owned);
        let mut aliases = Vec::new();
        for alias in self.strings(node, "aliases", path)? {
            let alias = Name::new(&alias, name.space());
            self.check_name(node, alias.full(), &format!("{path}/aliases"))?;
            aliases.push(alias);
        }
        Ok(Named { name, doc, aliases })
    }

    /// "Names": letters, digits and underscores of ASCII, no digit first; parts of a name space likewise.
    pub(super) fn check_name(&self, node: &Node, full: &str, path: &str) -> Result<()> {
        if full.chars().count() > self.limits.name_characters {
            let message = format!("a name has more than {} characters", self.limits.name_characters);
            return Err(self.place(SchemaError::too_large(path, message), node));
        }
        for part in full.split('.') {
            if !is_name(part) {
                let message = format!(
                    "{full:?} is not a name: each part begins with [A-Za-z_] and goes on with [A-Za-z0-9_]"
                );
                return Err(self.invalid(node, path, &message));
            }
        }
        Ok(())
    }
}

/// Letters, digits and underscores of ASCII, no digit first.
pub(super) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
