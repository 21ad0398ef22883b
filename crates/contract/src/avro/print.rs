//! The text that the registry keeps of an Avro schema: what Avro's Java library writes for it (`Schema.toString`).
//!
//! Attributes stand in that library's order, name spaces only where they differ from the one around. It is not the Parsing
//! Canonical Form, which drops documentation, defaults and properties.

use std::collections::HashSet;

use super::model::{Field, Kind, Model, Named, Order, TypeId};
use crate::text::{self, Node, Writing};

/// The text without normalization.
pub(crate) fn stored(model: &Model) -> String {
    let mut printer = Printer {
        model,
        out: String::new(),
        written: HashSet::new(),
    };
    printer.plain(model.root, None);
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
        self.list(values, |printer, value| {
            text::write_string(&mut printer.out, value)
        });
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
            Kind::Union(branches) => {
                self.list(branches.iter(), |printer, branch| printer.plain(*branch, space))
            }
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
            Kind::Record {
                named,
                fields,
                is_error,
            } => {
                self.head(if *is_error { "error" } else { "record" }, named, space);
                self.key("fields");
                self.list(fields.iter(), |printer, field| {
                    printer.field(field, named.name.space())
                });
                self.tail(&declared.properties, named);
            }
            Kind::Enum {
                named,
                symbols,
                default,
            } => {
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
            primitive if declared.properties.is_empty() => {
                text::write_string(&mut self.out, primitive.word())
            }
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
            self.strings(
                "aliases",
                named.aliases.iter().map(|alias| alias.within(named.name.space())),
            );
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
}
