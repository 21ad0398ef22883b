//! Whether a JSON Schema is sound before anything else is done with it: of its draft's meta-schema, no larger than allowed,
//! every `$ref` answered, every pattern one that can be matched in linear time.

use serde_json::{Map, Value};

use super::Draft;
use super::address::escape;
use super::refs::{Inside, Library, Place};
use crate::error::{SchemaError, SchemaErrorKind};
use crate::limits::Limits;

/// Checks every document.
pub(crate) fn schema(library: &Library<'_>, limits: &Limits) -> Result<(), SchemaError> {
    let mut checker = Checker {
        library,
        limits,
        schemas: 0,
        fields: 0,
        patterns: 0,
    };
    for (index, document) in library.documents.iter().enumerate() {
        let place = Place {
            document: index,
            pointer: String::new(),
        };
        meta(library, &place, document.value, document.draft)?;
        checker.value(document.value, index, Inside::Schema, &mut String::new())?;
    }
    Ok(())
}

fn meta(library: &Library<'_>, place: &Place, value: &Value, draft: Draft) -> Result<(), SchemaError> {
    let valid = match draft {
        Draft::Draft4 => jsonschema::draft4::meta::validate(value),
        Draft::Draft6 => jsonschema::draft6::meta::validate(value),
        Draft::Draft7 => jsonschema::draft7::meta::validate(value),
        Draft::Draft201909 => jsonschema::draft201909::meta::validate(value),
        Draft::Draft202012 => jsonschema::draft202012::meta::validate(value),
    };
    valid.map_err(|error| {
        let place = Place {
            document: place.document,
            pointer: error.instance_path().to_string(),
        };
        let mut message = error.masked().to_string();
        if message.len() > 300 {
            message = message.chars().take(300).collect();
        }
        library.fault(
            &place,
            SchemaErrorKind::Invalid,
            format!("not what its draft allows: {message}"),
        )
    })
}

struct Checker<'a> {
    library: &'a Library<'a>,
    limits: &'a Limits,
    schemas: usize,
    fields: usize,
    patterns: usize,
}

impl Checker<'_> {
    /// Walks everything that may be a schema; what is none has no keywords that are looked at here.
    fn value(
        &mut self,
        value: &Value,
        document: usize,
        inside: Inside,
        pointer: &mut String,
    ) -> Result<(), SchemaError> {
        let length = pointer.len();
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    pointer.push_str(&format!("/{index}"));
                    self.value(item, document, Inside::Schema, pointer)?;
                    pointer.truncate(length);
                }
            }
            Value::Object(members) => {
                self.object(members, document, inside, pointer)?;
                for (key, member) in members {
                    let below = inside.below(key);
                    if below != Inside::Data {
                        pointer.push('/');
                        pointer.push_str(&escape(key));
                        self.value(member, document, below, pointer)?;
                        pointer.truncate(length);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn object(
        &mut self,
        members: &Map<String, Value>,
        document: usize,
        inside: Inside,
        pointer: &str,
    ) -> Result<(), SchemaError> {
        let place = Place {
            document,
            pointer: pointer.to_owned(),
        };
        self.schemas += 1;
        self.fields += members.len();
        if self.schemas > self.limits.names * 4 || self.fields > self.limits.fields * 2 {
            return Err(self.library.fault(
                &place,
                SchemaErrorKind::TooLarge,
                "too many subschemas and keywords",
            ));
        }
        if inside == Inside::Names {
            return Ok(());
        }
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            if let Some(Value::String(reference)) = members.get(keyword) {
                self.library.follow(&place, reference)?;
            }
        }
        if let Some(Value::String(pattern)) = members.get("pattern") {
            self.pattern(&place, pattern)?;
        }
        if let Some(Value::Object(patterns)) = members.get("patternProperties") {
            for pattern in patterns.keys() {
                self.pattern(&place, pattern)?;
            }
        }
        Ok(())
    }

    fn pattern(&mut self, place: &Place, pattern: &str) -> Result<(), SchemaError> {
        self.patterns += 1;
        if self.patterns > self.limits.patterns {
            let message = format!("more than {} patterns", self.limits.patterns);
            return Err(self.library.fault(place, SchemaErrorKind::TooLarge, message));
        }
        match compiled(pattern, self.limits) {
            Ok(_) => Ok(()),
            Err(regex::Error::CompiledTooBig(_)) => {
                let message = format!(
                    "the pattern {} takes too much memory: let it repeat less",
                    shown(pattern)
                );
                Err(self.library.fault(place, SchemaErrorKind::TooLarge, message))
            }
            Err(error) => {
                let why = if pattern.contains("(?=") || pattern.contains("(?!") || pattern.contains("(?<") {
                    "look-around and back references cannot be matched in bounded time".to_owned()
                } else {
                    error
                        .to_string()
                        .lines()
                        .last()
                        .unwrap_or_default()
                        .trim()
                        .to_owned()
                };
                let message = format!("the pattern {} cannot be used: {why}", shown(pattern));
                Err(self.library.fault(place, SchemaErrorKind::Invalid, message))
            }
        }
    }
}

/// A pattern of a schema, for matching in linear time.
pub(crate) fn compiled(pattern: &str, limits: &Limits) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(pattern)
        .size_limit(limits.pattern_bytes)
        .dfa_size_limit(limits.pattern_bytes)
        .build()
}

fn shown(pattern: &str) -> String {
    let short: String = pattern.chars().take(80).collect();
    format!("{short:?}")
}
