//! The texts that the registry keeps of an Avro schema.
//!
//! `stored` writes what Avro's Java library writes for a schema (`Schema.toString`): attributes in its order, name spaces only
//! where they differ from the one around. It is not the Parsing Canonical Form, which drops documentation and defaults.
//! `normalized` writes what `normalize=true` keeps: the canonical form's order of attributes with full names, and after them the rest, sorted.

use std::collections::HashSet;

use super::model::{Field, Kind, Model, Name, Named, Order, TypeId};
use crate::text::{self, Json, Node, Writing};

/// The text without normalization.
pub(crate) fn stored(model: &Model) -> String {
    let mut printer = Printer { model, out: String::new(), written: HashSet::new() };
    printer.plain(model.root, None);
    printer.out
}

/// The text with `normalize=true`.
pub(crate) fn normalized(model: &Model) -> String {
    let mut printer = Printer { model, out: String::new(), written: HashSet::new() };
    printer.normal(model.root);
    printer.out
}

struct Printer<'a> {
    model: &'a Model,
    out: String,
    written: HashSet<TypeId>,
}

impl Printer<'_> {
    fn key(&mut self, key: &str) {
        if !self.out.ends_with('{') {
            self.out.push(',');
        }
        text::write_string(&mut self.out, key);
        self.out.push(':');
    }

    fn string(&mut self, key: &str, value: &str) {
        self.key(key);
        text::write_string(&mut self.out, value);
    }

    fn node(&mut self, key: &str, node: &Node, writing: Writing) {
        self.key(key);
        text::write(&mut self.out, node, writing);
    }

    fn strings<'s>(&mut self, key: &str, values: impl Iterator<Item = &'s str>) {
        self.key(key);
        self.list(values, |printer, value| text::write_string(&mut printer.out, value));
    }

    fn list<T>(&mut self, items: impl Iterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        self.out.push('[');
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            each(self, item);
        }
        self.out.push(']');
    }

    fn properties(&mut self, properties: &[(String, Node)]) {
        for (key, node) in properties {
            self.node(key, node, Writing::KeptDoubles);
        }
    }

    fn sorted_properties(&mut self, properties: &[(String, Node)], but: &[&str]) {
        let mut order: Vec<&(String, Node)> = properties.iter().filter(|(key, _)| !but.contains(&key.as_str())).collect();
        order.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
        for (key, node) in order {
            self.node(key, node, Writing::SortedDoubles);
        }
    }

    fn plain(&mut self, id: TypeId, space: Option<&str>) {
        let model = self.model;
        let declared = &model.types[id];
        if let Some(named) = declared.kind.named()
            && (model.is_referenced(id) || !self.written.insert(id))
        {
            text::write_string(&mut self.out, named.name.within(space));
            return;
        }
        match &declared.kind {
            Kind::Union(branches) => self.list(branches.iter(), |printer, branch| printer.plain(*branch, space)),
            Kind::Array(items) => {
                self.out.push('{');
                self.string("type", "array");
                self.key("items");
                self.plain(*items, space);
                self.properties(&declared.properties);
                self.out.push('}');
            }
            Kind::Map(values) => {
                self.out.push('{');
                self.string("type", "map");
                self.key("values");
                self.plain(*values, space);
                self.properties(&declared.properties);
                self.out.push('}');
            }
            Kind::Record { named, fields, is_error } => {
                self.head(if *is_error { "error" } else { "record" }, named, space);
                self.key("fields");
                self.list(fields.iter(), |printer, field| printer.field(field, named.name.space()));
                self.tail(&declared.properties, named);
            }
            Kind::Enum { named, symbols, default } => {
                self.head("enum", named, space);
                self.strings("symbols", symbols.iter().map(String::as_str));
                if let Some(default) = default {
                    self.string("default", default);
                }
                self.tail(&declared.properties, named);
            }
            Kind::Fixed { named, size } => {
                self.head("fixed", named, space);
                self.key("size");
                self.out.push_str(&size.to_string());
                self.tail(&declared.properties, named);
            }
            primitive if declared.properties.is_empty() => text::write_string(&mut self.out, primitive.word()),
            primitive => {
                self.out.push('{');
                self.string("type", primitive.word());
                self.properties(&declared.properties);
                self.out.push('}');
            }
        }
    }

    fn head(&mut self, word: &str, named: &Named, space: Option<&str>) {
        self.out.push('{');
        self.string("type", word);
        self.string("name", named.name.short());
        if named.name.space() != space {
            self.string("namespace", named.name.space().unwrap_or_default());
        }
        if let Some(doc) = &named.doc {
            self.string("doc", doc);
        }
    }

    fn tail(&mut self, properties: &[(String, Node)], named: &Named) {
        self.properties(properties);
        if !named.aliases.is_empty() {
            self.strings("aliases", named.aliases.iter().map(|alias| alias.within(named.name.space())));
        }
        self.out.push('}');
    }

    fn field(&mut self, field: &Field, space: Option<&str>) {
        self.out.push('{');
        self.string("name", &field.name);
        self.key("type");
        self.plain(field.schema, space);
        if let Some(doc) = &field.doc {
            self.string("doc", doc);
        }
        if let Some(default) = &field.default {
            self.node("default", default, Writing::KeptDoubles);
        }
        if field.order != Order::Ascending {
            self.string("order", field.order.word());
        }
        if !field.aliases.is_empty() {
            self.strings("aliases", field.aliases.iter().map(String::as_str));
        }
        self.properties(&field.properties);
        self.out.push('}');
    }

    fn normal(&mut self, id: TypeId) {
        let model = self.model;
        let declared = &model.types[id];
        if let Some(named) = declared.kind.named()
            && (model.is_referenced(id) || !self.written.insert(id))
        {
            text::write_string(&mut self.out, named.name.full());
            return;
        }
        match &declared.kind {
            Kind::Union(branches) => self.list(branches.iter(), |printer, branch| printer.normal(*branch)),
            Kind::Array(inner) | Kind::Map(inner) => {
                self.out.push('{');
                self.string("type", declared.kind.word());
                self.key(if matches!(declared.kind, Kind::Array(_)) { "items" } else { "values" });
                self.normal(*inner);
                self.sorted_properties(&declared.properties, &[]);
                self.out.push('}');
            }
            Kind::Record { named, fields, .. } => {
                self.normal_head(named, "record");
                self.key("fields");
                self.list(fields.iter(), Self::normal_field);
                self.normal_tail(named, None, &declared.properties);
            }
            Kind::Enum { named, symbols, default } => {
                self.normal_head(named, "enum");
                self.strings("symbols", symbols.iter().map(String::as_str));
                self.normal_tail(named, default.as_deref(), &declared.properties);
            }
            Kind::Fixed { named, size } => {
                self.normal_head(named, "fixed");
                self.key("size");
                self.out.push_str(&size.to_string());
                let done = self.logical(&declared.properties);
                self.normal_end(named, None);
                self.sorted_properties(&declared.properties, &done);
                self.out.push('}');
            }
            primitive if declared.properties.is_empty() => text::write_string(&mut self.out, primitive.word()),
            primitive => {
                self.out.push('{');
                self.string("type", primitive.word());
                let done = self.logical(&declared.properties);
                self.sorted_properties(&declared.properties, &done);
                self.out.push('}');
            }
        }
    }

    /// The attributes of a logical type stand before the other properties, and no scale means scale 0.
    fn logical(&mut self, properties: &[(String, Node)]) -> Vec<&'static str> {
        let find = |key: &str| properties.iter().find(|(name, _)| name == key).map(|(_, node)| node);
        let Some(logical) = find("logicalType").filter(|node| node.as_str().is_some()) else { return Vec::new() };
        self.node("logicalType", logical, Writing::SortedDoubles);
        if logical.as_str() != Some("decimal") {
            return vec!["logicalType"];
        }
        for key in ["precision", "scale"] {
            let written = find(key).filter(|node| key == "precision" || node.json != Json::Number("0".to_owned()));
            if let Some(node) = written {
                self.node(key, node, Writing::SortedDoubles);
            }
        }
        vec!["logicalType", "precision", "scale"]
    }

    fn normal_head(&mut self, named: &Named, word: &str) {
        self.out.push('{');
        self.string("name", named.name.full());
        self.string("type", word);
    }

    fn normal_end(&mut self, named: &Named, default: Option<&str>) {
        if let Some(doc) = named.doc.as_ref().filter(|doc| !doc.is_empty()) {
            self.string("doc", doc);
        }
        if !named.aliases.is_empty() {
            let mut aliases: Vec<&str> = named.aliases.iter().map(Name::full).collect();
            aliases.sort_unstable();
            aliases.dedup();
            self.strings("aliases", aliases.into_iter());
        }
        if let Some(default) = default {
            self.string("default", default);
        }
    }

    fn normal_tail(&mut self, named: &Named, default: Option<&str>, properties: &[(String, Node)]) {
        self.normal_end(named, default);
        self.sorted_properties(properties, &[]);
        self.out.push('}');
    }

    fn normal_field(&mut self, field: &Field) {
        self.out.push('{');
        self.string("name", &field.name);
        self.key("type");
        self.normal(field.schema);
        self.string("order", &field.order.word().to_ascii_uppercase());
        if let Some(doc) = &field.doc {
            self.string("doc", doc);
        }
        if !field.aliases.is_empty() {
            let mut aliases: Vec<&str> = field.aliases.iter().map(String::as_str).collect();
            aliases.sort_unstable();
            aliases.dedup();
            self.strings("aliases", aliases.into_iter());
        }
        if let Some(default) = &field.default {
            self.node("default", default, Writing::SortedDoubles);
        }
        self.sorted_properties(&field.properties, &[]);
        self.out.push('}');
    }
}
