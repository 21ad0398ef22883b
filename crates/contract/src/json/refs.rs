//! Where a `$ref` leads: into the same document, to one of the given references, to a meta-schema. Nothing is ever fetched.

use std::collections::HashMap;

use serde_json::Value;

use super::address::{escape, join, percent_decoded, without_fragment};
use super::{Draft, draft_of};
use crate::error::{SchemaError, SchemaErrorKind};

/// A schema's place: which document, and the JSON pointer in it. Document 0 is the schema itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub document: usize,
    pub pointer: String,
}

/// What a `$ref` names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A schema that is here.
    Here(Place),
    /// A draft's own meta-schema: any schema.
    MetaSchema,
}

/// All documents with the names by which `$ref`s find them.
#[derive(Debug)]
pub(crate) struct Library<'a> {
    pub documents: Vec<Document<'a>>,
    /// Absolute addresses of documents, of embedded schemas with an id, and of anchors.
    addresses: HashMap<String, Place>,
}

/// One document.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub value: &'a Value,
    pub draft: Draft,
    /// How the caller named it; empty for the schema itself.
    pub name: &'a str,
    base: String,
}

/// Where a document without an id lives: an address that nobody can fetch.
const NOWHERE: &str = "weir:///";
/// Keywords whose values are data and not schemas.
const DATA: [&str; 4] = ["enum", "const", "default", "examples"];
/// Keywords whose values are schemas by names; a name may be that of a keyword.
const MAPS: [&str; 6] = [
    "properties",
    "patternProperties",
    "definitions",
    "$defs",
    "dependentSchemas",
    "dependencies",
];

/// What stands under a key of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inside {
    /// Schemas by names.
    Names,
    /// A schema, or something without keywords.
    Schema,
    /// No schema at all.
    Data,
}

impl Inside {
    /// What stands under a key of an object that is itself `self`.
    pub fn below(self, key: &str) -> Self {
        match self {
            Self::Schema if DATA.contains(&key) => Self::Data,
            Self::Schema if MAPS.contains(&key) => Self::Names,
            _ => Self::Schema,
        }
    }
}

impl<'a> Library<'a> {
    pub fn new(
        value: &'a Value,
        draft: Draft,
        references: &'a [(String, Value)],
    ) -> Result<Self, SchemaError> {
        let own_base = id_of(value, draft).map_or_else(|| NOWHERE.to_owned(), |id| join(NOWHERE, id));
        let mut documents = vec![Document {
            value,
            draft,
            name: "",
            base: without_fragment(&own_base).to_owned(),
        }];
        for (name, value) in references {
            let draft = draft_of(value)
                .map_err(|error| error.in_source(name))?
                .unwrap_or(draft);
            let named = join(&own_base, name);
            let base = id_of(value, draft).map_or_else(|| named.clone(), |id| join(&named, id));
            documents.push(Document {
                value,
                draft,
                name,
                base: without_fragment(&base).to_owned(),
            });
        }
        let mut library = Self {
            documents,
            addresses: HashMap::new(),
        };
        for index in 0..library.documents.len() {
            library.register(index, &own_base);
        }
        Ok(library)
    }

    fn register(&mut self, index: usize, own_base: &str) {
        let (value, draft, base, name) = {
            let document = &self.documents[index];
            (
                document.value,
                document.draft,
                document.base.clone(),
                document.name,
            )
        };
        let root = Place {
            document: index,
            pointer: String::new(),
        };
        if index > 0 {
            // By its name alone, too: a reference need not be a relative address.
            self.addresses
                .entry(without_fragment(&join(own_base, name)).to_owned())
                .or_insert_with(|| root.clone());
            self.addresses
                .entry(name.to_owned())
                .or_insert_with(|| root.clone());
        }
        self.addresses.entry(base.clone()).or_insert(root);
        self.register_inside(index, value, (draft, &base), Inside::Schema, &mut String::new());
    }

    fn register_inside(
        &mut self,
        index: usize,
        value: &Value,
        (draft, base): (Draft, &str),
        inside: Inside,
        pointer: &mut String,
    ) {
        let length = pointer.len();
        match value {
            Value::Array(items) => {
                for (position, item) in items.iter().enumerate() {
                    pointer.push_str(&format!("/{position}"));
                    self.register_inside(index, item, (draft, base), Inside::Schema, pointer);
                    pointer.truncate(length);
                }
            }
            Value::Object(members) => {
                let base = match inside {
                    Inside::Schema => self.register_names(index, value, (draft, base), pointer),
                    _ => base.to_owned(),
                };
                for (key, member) in members {
                    let below = inside.below(key);
                    if below != Inside::Data {
                        pointer.push('/');
                        pointer.push_str(&escape(key));
                        self.register_inside(index, member, (draft, &base), below, pointer);
                        pointer.truncate(length);
                    }
                }
            }
            _ => {}
        }
    }

    /// Registers a schema's id and anchors; says against what addresses inside it are resolved.
    fn register_names(
        &mut self,
        index: usize,
        value: &Value,
        (draft, base): (Draft, &str),
        pointer: &str,
    ) -> String {
        let mut base = base.to_owned();
        let here = Place {
            document: index,
            pointer: pointer.to_owned(),
        };
        let is_ignored = value.get("$ref").is_some() && !draft.has_siblings_of_ref();
        if let Some(id) = id_of(value, draft).filter(|_| !is_ignored) {
            let address = join(&base, id);
            if !id.starts_with('#') {
                without_fragment(&address).clone_into(&mut base);
            }
            self.addresses
                .entry(address.trim_end_matches('#').to_owned())
                .or_insert_with(|| here.clone());
        }
        for keyword in ["$anchor", "$dynamicAnchor"] {
            if let Some(anchor) = value.get(keyword).and_then(Value::as_str) {
                self.addresses
                    .entry(format!("{base}#{anchor}"))
                    .or_insert_with(|| here.clone());
            }
        }
        base
    }

    /// The schema at a place.
    pub fn at(&self, place: &Place) -> Option<&'a Value> {
        self.documents.get(place.document)?.value.pointer(&place.pointer)
    }

    /// The address against which a `$ref` at a place is resolved: of the nearest id around it.
    pub fn base_of(&self, place: &Place) -> String {
        let document = &self.documents[place.document];
        let mut base = document.base.clone();
        let mut value = document.value;
        for token in place.pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            let next = match value {
                Value::Object(members) => members.get(&token),
                Value::Array(items) => token.parse::<usize>().ok().and_then(|index| items.get(index)),
                _ => None,
            };
            let Some(next) = next else { break };
            value = next;
            if let Some(id) = id_of(value, document.draft).filter(|id| !id.starts_with('#')) {
                base = without_fragment(&join(&base, id)).to_owned();
            }
        }
        base
    }

    /// Follows a `$ref` that stands at a place.
    pub fn follow(&self, from: &Place, reference: &str) -> Result<Target, SchemaError> {
        let (address, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let base = self.base_of(from);
        let absolute = if address.is_empty() {
            base
        } else {
            without_fragment(&join(&base, address)).to_owned()
        };
        let root = self
            .addresses
            .get(&absolute)
            .or_else(|| self.addresses.get(address));
        let root = match (root, address.is_empty()) {
            (Some(place), _) => place.clone(),
            (None, true) => Place {
                document: from.document,
                pointer: String::new(),
            },
            (None, false) if Draft::from_uri(&absolute).is_some() => return Ok(Target::MetaSchema),
            (None, false) => return Err(self.unknown(from, reference, &absolute)),
        };
        let place = if fragment.is_empty() {
            root
        } else if let Some(rest) = fragment.strip_prefix('/') {
            Place {
                document: root.document,
                pointer: format!("{}/{}", root.pointer, percent_decoded(rest)),
            }
        } else {
            let named = format!("{absolute}#{fragment}");
            self.addresses
                .get(&named)
                .cloned()
                .ok_or_else(|| self.unknown(from, reference, &named))?
        };
        match self.at(&place) {
            Some(Value::Object(_) | Value::Bool(_)) => Ok(Target::Here(place)),
            Some(_) => Err(self.fault(
                from,
                SchemaErrorKind::Invalid,
                format!("`$ref` {reference:?} leads to no schema"),
            )),
            None => Err(self.unknown(from, reference, &absolute)),
        }
    }

    fn unknown(&self, from: &Place, reference: &str, absolute: &str) -> SchemaError {
        let is_remote =
            absolute.contains("://") && !absolute.starts_with(NOWHERE) && !reference.starts_with('#');
        let hint = if is_remote {
            "; schemas are not fetched: register it and name it in `references`"
        } else {
            ""
        };
        self.fault(
            from,
            SchemaErrorKind::UnknownReference,
            format!("`$ref` {reference:?} leads nowhere{hint}"),
        )
    }

    /// An error at a place.
    pub fn fault(&self, place: &Place, kind: SchemaErrorKind, message: impl Into<String>) -> SchemaError {
        let error = SchemaError::new(kind, place.pointer.clone(), message);
        match self.documents[place.document].name {
            "" => error,
            name => error.in_source(name),
        }
    }
}

fn id_of(value: &Value, draft: Draft) -> Option<&str> {
    value.get(draft.id_keyword())?.as_str()
}
