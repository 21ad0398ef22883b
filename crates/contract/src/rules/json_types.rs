//! What a JSON Schema says of a value before there is one.
//!
//! Only what holds for every valid record is said: a property of an object that allows others may be of any type if it
//! is not declared, and where subschemas are combined nothing is said but the declared properties.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::cel::types::{Shape, Shapes, Type};
use crate::json::JsonSchema;
use crate::json::address::escape;
use crate::json::refs::{Library, Place, Target};

/// How many subschemas are looked at.
const SHAPES_MAX: usize = 5_000;
/// How many `$ref`s lead from one to the next.
const REFERENCES_MAX: usize = 16;
/// Keywords that combine subschemas.
const COMBINING: [&str; 9] = [
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "dependentSchemas",
    "dependencies",
    "$dynamicRef",
    "$recursiveRef",
];

/// The type of a schema's values.
pub(super) fn of(schema: &JsonSchema) -> (Type, Shapes) {
    let Ok(library) = Library::new(&schema.document, schema.draft, &schema.references) else {
        return (Type::Any, Shapes::default());
    };
    let mut builder = Builder {
        library: &library,
        shapes: Shapes::default(),
        places: HashMap::new(),
        waiting: Vec::new(),
    };
    let root = builder.typed(
        &Place {
            document: 0,
            pointer: String::new(),
        },
        REFERENCES_MAX,
    );
    while let Some((shape, place)) = builder.waiting.pop() {
        let fields = builder.fields(&place);
        builder.shapes.shapes[shape].fields = fields;
    }
    (root, builder.shapes)
}

struct Builder<'b> {
    library: &'b Library<'b>,
    shapes: Shapes,
    places: HashMap<Place, usize>,
    waiting: Vec<(usize, Place)>,
}

fn below(place: &Place, tokens: &[&str]) -> Place {
    let mut pointer = place.pointer.clone();
    for token in tokens {
        pointer.push('/');
        pointer.push_str(&escape(token));
    }
    Place {
        document: place.document,
        pointer,
    }
}

impl Builder<'_> {
    fn fields(&mut self, place: &Place) -> BTreeMap<String, Type> {
        let library = self.library;
        let properties = library
            .at(place)
            .and_then(|schema| schema.get("properties"))
            .and_then(Value::as_object);
        let names = properties.into_iter().flat_map(Map::keys);
        names
            .map(|name| {
                (
                    name.clone(),
                    self.typed(&below(place, &["properties", name]), REFERENCES_MAX),
                )
            })
            .collect()
    }

    fn typed(&mut self, place: &Place, references: usize) -> Type {
        let library = self.library;
        let Some(Value::Object(schema)) = library.at(place) else {
            return Type::Any;
        };
        if let Some(Value::String(reference)) = schema.get("$ref") {
            return match library.follow(place, reference) {
                Ok(Target::Here(target)) if references > 0 => self.typed(&target, references - 1),
                _ => Type::Any,
            };
        }
        if let Some(constant) = schema.get("const") {
            return of_value(constant);
        }
        if let Some(Value::Array(values)) = schema.get("enum") {
            let mut types = values.iter().map(of_value);
            let first = types.next().unwrap_or(Type::Any);
            return types.fold(first, |all, next| all.join(&next));
        }
        match schema.get("type") {
            Some(Value::String(name)) => self.named(name, schema, place, references),
            Some(Value::Array(names)) => {
                let mut types = names
                    .iter()
                    .filter_map(Value::as_str)
                    .map(|name| self.named(name, schema, place, references));
                let Some(first) = types.next() else {
                    return Type::Any;
                };
                types.fold(first, |all, next| all.join(&next))
            }
            _ => Type::Any,
        }
    }

    fn named(&mut self, name: &str, schema: &Map<String, Value>, place: &Place, references: usize) -> Type {
        match name {
            "null" => Type::Null,
            "boolean" => Type::Bool,
            "integer" | "number" => Type::Number,
            "string" => Type::Text,
            "array" => match schema.get("items") {
                Some(Value::Object(_)) if !schema.contains_key("prefixItems") => {
                    // A list may be one of lists like itself.
                    let below = below(place, &["items"]);
                    Type::list(if references == 0 {
                        Type::Any
                    } else {
                        self.typed(&below, references - 1)
                    })
                }
                _ => Type::list(Type::Any),
            },
            "object" => self.object(schema, place, references),
            _ => Type::Any,
        }
    }

    fn object(&mut self, schema: &Map<String, Value>, place: &Place, references: usize) -> Type {
        let combined = COMBINING.iter().any(|keyword| schema.contains_key(*keyword));
        let closed = schema.get("additionalProperties") == Some(&Value::Bool(false))
            && !schema.contains_key("patternProperties")
            && !combined;
        if !schema.contains_key("properties") && !closed {
            let additional = schema.get("additionalProperties").is_some_and(Value::is_object);
            let plain = additional && !combined && !schema.contains_key("patternProperties");
            let below = below(place, &["additionalProperties"]);
            return Type::map(if plain && references > 0 {
                self.typed(&below, references - 1)
            } else {
                Type::Any
            });
        }
        if let Some(shape) = self.places.get(place) {
            return Type::Record(*shape);
        }
        let shape = self.shapes.shapes.len();
        if shape >= SHAPES_MAX {
            return Type::Any;
        }
        let name = match place.pointer.as_str() {
            "" => "the object".to_owned(),
            pointer => format!("the object at {pointer}"),
        };
        self.shapes.shapes.push(Shape {
            name,
            fields: BTreeMap::new(),
            open: !closed,
        });
        self.places.insert(place.clone(), shape);
        self.waiting.push((shape, place.clone()));
        Type::Record(shape)
    }
}

const fn of_value(value: &Value) -> Type {
    match value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Bool,
        Value::Number(_) => Type::Number,
        Value::String(_) => Type::Text,
        Value::Array(_) | Value::Object(_) => Type::Any,
    }
}
