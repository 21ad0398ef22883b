//! From JSON to types, by the rules of the Avro specification 1.12, "Schema Declaration" and "Names".

use std::collections::HashSet;

use super::defaults;
use super::model::{Field, Kind, Model, Name, Order, Type, TypeId};
use super::names::is_name;
use crate::error::{Position, SchemaError, SchemaErrorKind};
use crate::limits::Limits;
use crate::text::{Json, Node};

/// Attributes of a type that mean something themselves; everything else is a property.
const RESERVED: [&str; 10] = [
    "doc",
    "fields",
    "items",
    "name",
    "namespace",
    "size",
    "symbols",
    "values",
    "type",
    "aliases",
];
const FIELD_RESERVED: [&str; 6] = ["default", "doc", "name", "order", "type", "aliases"];

/// Reads texts one after the other into one model, so that later ones know the names of earlier ones.
pub(crate) struct Reader<'a> {
    pub model: Model,
    pub(super) limits: &'a Limits,
    text: &'a str,
    fields: usize,
    /// Defaults are looked at when all types are known.
    defaults: Vec<(TypeId, Node, String)>,
}

pub(super) type Result<T> = std::result::Result<T, SchemaError>;

impl<'a> Reader<'a> {
    pub fn new(limits: &'a Limits) -> Self {
        Self {
            model: Model::default(),
            limits,
            text: "",
            fields: 0,
            defaults: Vec::new(),
        }
    }

    /// Reads one text; its type is what the model's root is afterwards.
    pub fn text(&mut self, text: &'a str) -> Result<()> {
        self.text = text;
        self.model.own_from = self.model.types.len();
        let node = crate::text::read(text, self.limits.json_bounds())?;
        let root = self.schema(&node, None, "")?;
        self.model.root = root;
        for (schema, node, path) in std::mem::take(&mut self.defaults) {
            defaults::check(&self.model, schema, &node).map_err(|why| self.invalid(&node, &path, &why))?;
        }
        Ok(())
    }

    pub(super) fn place(&self, error: SchemaError, node: &Node) -> SchemaError {
        error.at(Position::of(self.text, node.at))
    }

    pub(super) fn invalid(&self, node: &Node, path: &str, message: &str) -> SchemaError {
        self.place(SchemaError::invalid(path, message), node)
    }

    fn add(&mut self, kind: Kind, properties: Vec<(String, Node)>) -> TypeId {
        self.model.types.push(Type { kind, properties });
        self.model.types.len() - 1
    }

    fn count(&mut self, node: &Node, path: &str, more: usize) -> Result<()> {
        self.fields += more;
        if self.fields <= self.limits.fields {
            return Ok(());
        }
        let message = format!("more than {} fields, symbols and branches", self.limits.fields);
        Err(self.place(SchemaError::too_large(path, message), node))
    }

    fn schema(&mut self, node: &Node, space: Option<&str>, path: &str) -> Result<TypeId> {
        match &node.json {
            Json::String(word) => self.by_name(node, word, space, path),
            Json::Array(branches) => self.union(node, branches, space, path),
            Json::Object(_) => self.declared(node, space, path),
            _ => Err(self.invalid(
                node,
                path,
                &format!("a schema is a name, an object or a union, not {}", node.sort()),
            )),
        }
    }

    fn by_name(&mut self, node: &Node, word: &str, space: Option<&str>, path: &str) -> Result<TypeId> {
        if let Some(kind) = Kind::primitive(word) {
            return Ok(self.add(kind, Vec::new()));
        }
        let name = Name::new(word, space);
        if let Some(id) = self.model.names.get(name.full()) {
            return Ok(*id);
        }
        let message = format!(
            "{:?} is neither a type of Avro nor declared before; is a reference missing?",
            name.full()
        );
        Err(self.place(
            SchemaError::new(SchemaErrorKind::UnknownReference, path, message),
            node,
        ))
    }

    fn union(&mut self, node: &Node, branches: &[Node], space: Option<&str>, path: &str) -> Result<TypeId> {
        self.count(node, path, branches.len())?;
        let mut seen = HashSet::new();
        let mut ids = Vec::with_capacity(branches.len());
        for (index, branch) in branches.iter().enumerate() {
            let path = format!("{path}/{index}");
            let id = self.schema(branch, space, &path)?;
            let kind = self.model.kind(id);
            let identity = kind
                .named()
                .map_or_else(|| kind.word().to_owned(), |named| named.name.full().to_owned());
            if matches!(kind, Kind::Union(_)) {
                return Err(self.invalid(branch, &path, "a union may not hold a union directly"));
            }
            if !seen.insert(identity.clone()) {
                return Err(self.invalid(branch, &path, &format!("the union holds {identity:?} twice")));
            }
            ids.push(id);
        }
        Ok(self.add(Kind::Union(ids), Vec::new()))
    }

    fn declared(&mut self, node: &Node, space: Option<&str>, path: &str) -> Result<TypeId> {
        let Some(inner) = node.get("type") else {
            return Err(self.invalid(node, path, "a schema in an object needs a `type`"));
        };
        let Json::String(word) = &inner.json else {
            return self.schema(inner, space, &format!("{path}/type"));
        };
        match word.as_str() {
            "record" | "error" => self.record(node, space, path, word == "error"),
            "enum" => self.enumeration(node, space, path),
            "fixed" => self.fixed(node, space, path),
            "array" => {
                let items = self.required(node, "items", path)?;
                let id = self.schema(items, space, &format!("{path}/items"))?;
                Ok(self.add(Kind::Array(id), properties(node, &RESERVED, None)))
            }
            "map" => {
                let values = self.required(node, "values", path)?;
                let id = self.schema(values, space, &format!("{path}/values"))?;
                Ok(self.add(Kind::Map(id), properties(node, &RESERVED, None)))
            }
            word => match Kind::primitive(word) {
                Some(kind) => Ok(self.add(kind, properties(node, &RESERVED, None))),
                None => self.by_name(inner, word, space, path),
            },
        }
    }

    pub(super) fn required<'n>(&self, node: &'n Node, key: &str, path: &str) -> Result<&'n Node> {
        node.get(key)
            .ok_or_else(|| self.invalid(node, path, &format!("`{key}` is missing")))
    }

    pub(super) fn string<'n>(&self, node: &'n Node, key: &str, path: &str) -> Result<Option<&'n str>> {
        match node.get(key) {
            None => Ok(None),
            Some(found) => match found.as_str() {
                Some(text) => Ok(Some(text)),
                None => Err(self.invalid(
                    found,
                    &format!("{path}/{key}"),
                    &format!("`{key}` must be a string"),
                )),
            },
        }
    }

    pub(super) fn strings(&self, node: &Node, key: &str, path: &str) -> Result<Vec<String>> {
        let Some(found) = node.get(key) else {
            return Ok(Vec::new());
        };
        let Json::Array(items) = &found.json else {
            return Err(self.invalid(
                found,
                &format!("{path}/{key}"),
                &format!("`{key}` must be an array of strings"),
            ));
        };
        let mut texts = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match item.as_str() {
                Some(text) => texts.push(text.to_owned()),
                None => {
                    return Err(self.invalid(
                        item,
                        &format!("{path}/{key}/{index}"),
                        "a string was expected",
                    ));
                }
            }
        }
        Ok(texts)
    }

    fn record(&mut self, node: &Node, space: Option<&str>, path: &str, is_error: bool) -> Result<TypeId> {
        let named = self.named(node, space, path)?;
        let own_space = named.name.space().map(str::to_owned);
        let full = named.name.full().to_owned();
        // Known before its fields are read, so that they may mention it.
        let id = self.add(
            Kind::Record {
                named,
                fields: Vec::new(),
                is_error,
            },
            properties(node, &RESERVED, None),
        );
        self.model.names.insert(full, id);
        let list = self.required(node, "fields", path)?;
        let Json::Array(items) = &list.json else {
            return Err(self.invalid(list, &format!("{path}/fields"), "`fields` must be an array"));
        };
        self.count(list, path, items.len())?;
        let mut read = Vec::with_capacity(items.len());
        let mut seen = HashSet::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{path}/fields/{index}");
            let field = self.field(item, own_space.as_deref(), &path)?;
            if !seen.insert(field.name.clone()) {
                return Err(self.invalid(
                    item,
                    &path,
                    &format!("the record has a field {:?} already", field.name),
                ));
            }
            read.push(field);
        }
        if let Kind::Record { fields, .. } = &mut self.model.types[id].kind {
            *fields = read;
        }
        Ok(id)
    }

    fn field(&mut self, node: &Node, space: Option<&str>, path: &str) -> Result<Field> {
        if !matches!(node.json, Json::Object(_)) {
            return Err(self.invalid(node, path, "a field must be an object"));
        }
        self.required(node, "name", path)?;
        let name = self.string(node, "name", path)?.unwrap_or_default().to_owned();
        if !is_name(&name) || name.len() > self.limits.name_characters {
            return Err(self.invalid(
                node,
                &format!("{path}/name"),
                &format!("{name:?} is not a name of a field"),
            ));
        }
        let schema_node = self.required(node, "type", path)?;
        let schema = self.schema(schema_node, space, &format!("{path}/type"))?;
        let order = match self.string(node, "order", path)? {
            None => Order::Ascending,
            Some(word) => Order::from_word(word).ok_or_else(|| {
                self.invalid(
                    node,
                    &format!("{path}/order"),
                    "`order` is ascending, descending or ignore",
                )
            })?,
        };
        let default = node.get("default").cloned();
        if let Some(default) = &default {
            self.defaults
                .push((schema, default.clone(), format!("{path}/default")));
        }
        Ok(Field {
            name,
            schema,
            doc: self.string(node, "doc", path)?.map(str::to_owned),
            default,
            order,
            aliases: self.strings(node, "aliases", path)?,
            properties: properties(node, &FIELD_RESERVED, None),
        })
    }

    fn enumeration(&mut self, node: &Node, space: Option<&str>, path: &str) -> Result<TypeId> {
        let named = self.named(node, space, path)?;
        self.required(node, "symbols", path)?;
        let symbols = self.strings(node, "symbols", path)?;
        self.count(node, path, symbols.len())?;
        let mut seen = HashSet::new();
        for (index, symbol) in symbols.iter().enumerate() {
            let path = format!("{path}/symbols/{index}");
            if !is_name(symbol) || symbol.len() > self.limits.name_characters {
                return Err(self.invalid(node, &path, &format!("{symbol:?} is not a name of a symbol")));
            }
            if !seen.insert(symbol) {
                return Err(self.invalid(node, &path, &format!("the symbol {symbol:?} comes twice")));
            }
        }
        let default = self.string(node, "default", path)?.map(str::to_owned);
        if let Some(default) = default.as_ref().filter(|default| !symbols.contains(default)) {
            return Err(self.invalid(
                node,
                &format!("{path}/default"),
                &format!("{default:?} is not a symbol of the enum"),
            ));
        }
        let full = named.name.full().to_owned();
        let id = self.add(
            Kind::Enum {
                named,
                symbols,
                default,
            },
            properties(node, &RESERVED, Some("default")),
        );
        self.model.names.insert(full, id);
        Ok(id)
    }

    fn fixed(&mut self, node: &Node, space: Option<&str>, path: &str) -> Result<TypeId> {
        let named = self.named(node, space, path)?;
        let size_node = self.required(node, "size", path)?;
        let size = match &size_node.json {
            Json::Number(raw) => raw
                .parse::<u64>()
                .ok()
                .filter(|size| *size <= i32::MAX.unsigned_abs().into()),
            _ => None,
        };
        let Some(size) = size else {
            return Err(self.invalid(
                size_node,
                &format!("{path}/size"),
                "`size` must be a whole number from 0 to 2147483647",
            ));
        };
        let full = named.name.full().to_owned();
        let id = self.add(Kind::Fixed { named, size }, properties(node, &RESERVED, None));
        self.model.names.insert(full, id);
        Ok(id)
    }
}

fn properties(node: &Node, reserved: &[&str], also: Option<&str>) -> Vec<(String, Node)> {
    let own = |key: &str| reserved.contains(&key) || also == Some(key);
    node.members()
        .iter()
        .filter(|(key, _)| !own(key))
        .cloned()
        .collect()
}
