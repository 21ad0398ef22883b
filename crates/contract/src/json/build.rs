//! From a JSON Schema to its shapes.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Map, Number, Value};

use super::address::escape;
use super::refs::{Library, Place, Target};
use super::shape::{Criterion, Items, Kind, Numbers, Properties, Rest, Shape, ShapeId, Shapes, Text};
use crate::error::{SchemaError, SchemaErrorKind};
use crate::limits::Limits;

/// Keywords that tell the sort of value where `type` is missing.
const TELLING: [(&str, &[&str]); 4] = [
    (
        "array",
        &[
            "items",
            "prefixItems",
            "additionalItems",
            "unevaluatedItems",
            "contains",
            "maxItems",
            "minItems",
            "uniqueItems",
            "maxContains",
            "minContains",
        ],
    ),
    (
        "object",
        &[
            "properties",
            "required",
            "minProperties",
            "maxProperties",
            "dependencies",
            "patternProperties",
            "additionalProperties",
            "propertyNames",
            "dependentRequired",
            "dependentSchemas",
            "unevaluatedProperties",
        ],
    ),
    (
        "number",
        &[
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
        ],
    ),
    ("string", &["minLength", "maxLength", "pattern"]),
];

impl Shapes {
    /// Makes the shapes of a library's first document and of all that it refers to.
    pub fn build(library: &Library<'_>, limits: &Limits) -> Result<Self> {
        let mut builder = Builder {
            library,
            limits,
            shapes: Vec::new(),
            places: HashMap::new(),
            waiting: VecDeque::new(),
        };
        builder.at(Place {
            document: 0,
            pointer: String::new(),
        })?;
        while let Some((id, place)) = builder.waiting.pop_front() {
            let (kind, has_default) = builder.shape(&place)?;
            builder.shapes[id].kind = kind;
            builder.shapes[id].has_default = has_default;
        }
        Ok(Self {
            shapes: builder.shapes,
        })
    }
}

struct Builder<'a> {
    library: &'a Library<'a>,
    limits: &'a Limits,
    shapes: Vec<Shape>,
    places: HashMap<Place, ShapeId>,
    waiting: VecDeque<(ShapeId, Place)>,
}

type Result<T> = std::result::Result<T, SchemaError>;

impl<'a> Builder<'a> {
    /// The shape of a place; it is made later, so that cycles end and nothing nests.
    fn at(&mut self, place: Place) -> Result<ShapeId> {
        if let Some(id) = self.places.get(&place) {
            return Ok(*id);
        }
        let id = self.add(Kind::Any, 0, &place)?;
        self.places.insert(place.clone(), id);
        self.waiting.push_back((id, place));
        Ok(id)
    }

    fn add(&mut self, kind: Kind, alike: u64, place: &Place) -> Result<ShapeId> {
        if self.shapes.len() >= self.limits.names * 4 {
            return Err(self
                .library
                .fault(place, SchemaErrorKind::TooLarge, "too many subschemas"));
        }
        self.shapes.push(Shape {
            kind,
            has_default: false,
            alike,
        });
        Ok(self.shapes.len() - 1)
    }

    fn below(&mut self, place: &Place, path: &str) -> Result<ShapeId> {
        self.at(Place {
            document: place.document,
            pointer: format!("{}/{path}", place.pointer),
        })
    }

    fn shape(&mut self, place: &Place) -> Result<(Kind, bool)> {
        let value = self.library.at(place).unwrap_or(&Value::Null);
        let Value::Object(members) = value else {
            return Ok((
                if value == &Value::Bool(false) {
                    Kind::Never
                } else {
                    Kind::Any
                },
                false,
            ));
        };
        let draft = self.library.documents[place.document].draft;
        let mut parts = Vec::new();
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            if let Some(Value::String(reference)) = members.get(keyword) {
                parts.push(match self.library.follow(place, reference)? {
                    Target::Here(target) => Kind::Alias(self.at(target)?),
                    Target::MetaSchema => Kind::Any,
                });
            }
        }
        if parts.is_empty() || draft.has_siblings_of_ref() {
            self.parts(members, place, &mut parts)?;
        }
        let kind = match parts.len() {
            0 => Kind::Any,
            1 => parts.remove(0),
            _ => {
                let mut ids = Vec::with_capacity(parts.len());
                for (part, index) in parts.into_iter().zip(0..) {
                    ids.push(self.add(part, index, place)?);
                }
                Kind::Combined(Criterion::All, ids)
            }
        };
        Ok((kind, members.contains_key("default")))
    }

    fn parts(&mut self, members: &Map<String, Value>, place: &Place, parts: &mut Vec<Kind>) -> Result<()> {
        if let Some(Value::Array(values)) = members.get("enum") {
            parts.push(Kind::Enum(values.iter().map(canonical).collect()));
        }
        if let Some(value) = members.get("const") {
            parts.push(Kind::Enum(BTreeSet::from([canonical(value)])));
        }
        for criterion in [Criterion::All, Criterion::Any, Criterion::One] {
            let keyword = criterion.word();
            if let Some(Value::Array(values)) = members.get(keyword) {
                let mut ids = Vec::with_capacity(values.len());
                for (index, value) in values.iter().enumerate() {
                    let id = self.below(place, &format!("{keyword}/{index}"))?;
                    self.shapes[id].alike = alike(value);
                    ids.push(id);
                }
                parts.push(Kind::Combined(criterion, ids));
            }
        }
        if members.contains_key("not") {
            parts.push(Kind::Not(self.below(place, "not")?));
        }
        self.typed(members, place, parts)?;
        if members.contains_key("if") {
            parts.push(Kind::Conditional);
        }
        Ok(())
    }

    fn typed(&mut self, members: &Map<String, Value>, place: &Place, parts: &mut Vec<Kind>) -> Result<()> {
        match members.get("type") {
            Some(Value::String(word)) => parts.push(self.of_type(word, members, place)?),
            Some(Value::Array(words)) => {
                let mut ids = Vec::with_capacity(words.len());
                for (word, index) in words.iter().filter_map(Value::as_str).zip(0..) {
                    let kind = self.of_type(word, members, place)?;
                    ids.push(self.add(kind, index, place)?);
                }
                parts.push(Kind::Combined(Criterion::Any, ids));
            }
            _ => {
                for (word, keywords) in TELLING {
                    if keywords.iter().any(|keyword| members.contains_key(*keyword)) {
                        parts.push(self.of_type(word, members, place)?);
                    }
                }
            }
        }
        Ok(())
    }

    fn of_type(&mut self, word: &str, members: &Map<String, Value>, place: &Place) -> Result<Kind> {
        Ok(match word {
            "null" => Kind::Null,
            "boolean" => Kind::Boolean,
            "string" => Kind::Text(Text {
                max_length: number(members, "maxLength"),
                min_length: number(members, "minLength"),
                pattern: members.get("pattern").and_then(Value::as_str).map(str::to_owned),
            }),
            "number" | "integer" => Kind::Number(numbers(members, word == "integer")),
            "array" => Kind::Array(Box::new(self.items(members, place)?)),
            "object" => Kind::Object(Box::new(self.properties(members, place)?)),
            _ => Kind::Any,
        })
    }

    fn rest(&mut self, members: &Map<String, Value>, place: &Place, keyword: &str) -> Result<Rest> {
        Ok(match members.get(keyword) {
            None => Rest::Unsaid,
            Some(Value::Bool(true)) => Rest::Open,
            Some(Value::Bool(false)) => Rest::Closed,
            Some(_) => Rest::Fits(self.below(place, keyword)?),
        })
    }

    fn items(&mut self, members: &Map<String, Value>, place: &Place) -> Result<Items> {
        let is_prefixed = members.contains_key("prefixItems");
        let list_keyword = if is_prefixed { "prefixItems" } else { "items" };
        let mut listed = Vec::new();
        if let Some(Value::Array(values)) = members.get(list_keyword) {
            for index in 0..values.len() {
                listed.push(self.below(place, &format!("{list_keyword}/{index}"))?);
            }
        }
        let is_list = matches!(members.get("items"), Some(Value::Array(_)));
        let all = match members.get("items") {
            Some(Value::Object(_) | Value::Bool(_)) if !is_prefixed => Some(self.below(place, "items")?),
            _ => None,
        };
        let additional = if is_prefixed {
            self.rest(members, place, "items")?
        } else if is_list {
            self.rest(members, place, "additionalItems")?
        } else {
            Rest::Unsaid
        };
        Ok(Items {
            all,
            listed,
            additional,
            unevaluated: self.rest(members, place, "unevaluatedItems")?,
            max_items: number(members, "maxItems"),
            min_items: number(members, "minItems"),
            max_contains: number(members, "maxContains"),
            min_contains: number(members, "minContains"),
            unique: members.get("uniqueItems") == Some(&Value::Bool(true)),
        })
    }

    fn properties(&mut self, members: &Map<String, Value>, place: &Place) -> Result<Properties> {
        let mut named = BTreeMap::new();
        for name in keys(members, "properties") {
            named.insert(
                name.clone(),
                self.below(place, &format!("properties/{}", escape(name)))?,
            );
        }
        let mut patterns = Vec::new();
        for pattern in keys(members, "patternProperties") {
            let id = self.below(place, &format!("patternProperties/{}", escape(pattern)))?;
            let compiled = super::check::compiled(pattern, self.limits).map_err(|error| {
                self.library
                    .fault(place, SchemaErrorKind::Invalid, error.to_string())
            })?;
            patterns.push((compiled, id));
        }
        let mut needs = BTreeMap::new();
        let mut needs_schema = BTreeMap::new();
        for keyword in ["dependencies", "dependentRequired", "dependentSchemas"] {
            let Some(Value::Object(entries)) = members.get(keyword) else {
                continue;
            };
            for (name, entry) in entries {
                if let Value::Array(_) | Value::String(_) = entry {
                    needs.insert(name.clone(), strings(entry));
                } else {
                    needs_schema.insert(
                        name.clone(),
                        self.below(place, &format!("{keyword}/{}", escape(name)))?,
                    );
                }
            }
        }
        Ok(Properties {
            named,
            required: members.get("required").map(strings).unwrap_or_default(),
            patterns,
            additional: self.rest(members, place, "additionalProperties")?,
            unevaluated: self.rest(members, place, "unevaluatedProperties")?,
            max_properties: number(members, "maxProperties"),
            min_properties: number(members, "minProperties"),
            needs,
            needs_schema,
        })
    }
}

fn alike(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.to_string().hash(&mut hasher);
    hasher.finish()
}

fn keys<'m>(members: &'m Map<String, Value>, keyword: &str) -> impl Iterator<Item = &'m String> + use<'m> {
    members
        .get(keyword)
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::keys)
}

fn strings(value: &Value) -> BTreeSet<String> {
    match value {
        Value::String(one) => BTreeSet::from([one.clone()]),
        Value::Array(items) => items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => BTreeSet::new(),
    }
}

fn number(members: &Map<String, Value>, keyword: &str) -> Option<f64> {
    members.get(keyword).and_then(Value::as_f64)
}

fn numbers(members: &Map<String, Value>, is_integer: bool) -> Numbers {
    let mut numbers = Numbers {
        maximum: number(members, "maximum"),
        minimum: number(members, "minimum"),
        exclusive_maximum: number(members, "exclusiveMaximum"),
        exclusive_minimum: number(members, "exclusiveMinimum"),
        multiple_of: number(members, "multipleOf"),
        is_integer,
    };
    // Draft 4: a flag that says how `maximum` is meant.
    if members.get("exclusiveMaximum") == Some(&Value::Bool(true)) {
        numbers.exclusive_maximum = numbers.maximum.take();
    }
    if members.get("exclusiveMinimum") == Some(&Value::Bool(true)) {
        numbers.exclusive_minimum = numbers.minimum.take();
    }
    numbers
}

/// Values that are equal by JSON Schema have one text: `1.0` is `1`, and keys have an order.
fn canonical(value: &Value) -> String {
    match value {
        Value::Number(number) => canonical_number(number),
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let mut entries: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)))
                .collect();
            entries.sort_unstable();
            format!("{{{}}}", entries.join(","))
        }
        other => other.to_string(),
    }
}

fn canonical_number(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if !number.is_i64() && !number.is_u64() && float.fract() == 0.0 && float.abs() < 9e15 => {
            format!("{float:.0}")
        }
        _ => number.to_string(),
    }
}
