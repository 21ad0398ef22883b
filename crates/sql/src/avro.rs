//! Columns of an Avro schema, exactly as Flink derives them from it: its format takes a schema only for a table of these types.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::columns::{COLUMNS_MAX, Column};
use crate::token::quoted;

/// Levels of records, arrays and maps.
const DEPTH_MAX: usize = 12;

/// The columns of a schema's text.
///
/// # Errors
/// A sentence, where a field has no type that Flink's format reads.
pub fn columns(text: &str) -> Result<Vec<Column>, String> {
    let schema: Value = serde_json::from_str(text).map_err(|_error| "the schema is no JSON".to_owned())?;
    if schema["type"] != "record" {
        return Err("the schema is of no record".to_owned());
    }
    let mut named = Named::default();
    named.define(&schema, "");
    let fields = named.fields(&schema, 0)?;
    if fields.is_empty() {
        return Err("the schema names no fields".to_owned());
    }
    if fields.len() > COLUMNS_MAX {
        return Err(format!("a table has at most {COLUMNS_MAX} columns"));
    }
    let column = |(name, kind): (String, Kind)| Column {
        name,
        kind: kind.text(),
    };
    Ok(fields.into_iter().map(column).collect())
}

/// Are the columns that somebody wrote down those of the schema, whatever they say of nothing?
#[must_use]
pub fn are_those(said: &[Column], columns: &[Column]) -> bool {
    let bare = |kind: &str| {
        kind.replace(" NOT NULL", "")
            .replace([' ', '`'], "")
            .to_ascii_uppercase()
    };
    let same = |it: &Column| {
        let mut named = columns.iter().filter(|column| column.name == it.name);
        named
            .next()
            .is_some_and(|column| bare(&column.kind) == bare(&it.kind))
    };
    said.len() == columns.len() && said.iter().all(same)
}

/// A type without its `NOT NULL`.
struct Kind {
    word: String,
    nullable: bool,
}

impl Kind {
    fn of(word: impl Into<String>) -> Self {
        Self {
            word: word.into(),
            nullable: false,
        }
    }

    fn text(&self) -> String {
        if self.nullable {
            self.word.clone()
        } else {
            format!("{} NOT NULL", self.word)
        }
    }
}

/// Types that have a name, by their full names.
#[derive(Default)]
struct Named(BTreeMap<String, Value>);

impl Named {
    /// Notes all types with a name in a schema.
    fn define(&mut self, schema: &Value, space: &str) {
        match schema {
            Value::Array(all) => all.iter().for_each(|it| self.define(it, space)),
            Value::Object(_fields) => {
                let space = schema["namespace"].as_str().unwrap_or(space);
                if let Some(name) = schema["name"].as_str() {
                    let space = name.rsplit_once('.').map_or(space, |(before, _name)| before);
                    self.0.insert(full(name, space), schema.clone());
                    let fields = schema["fields"].as_array().into_iter().flatten();
                    for field in fields {
                        self.define(&field["type"], space);
                    }
                }
                for part in ["items", "values"] {
                    self.define(&schema[part], space);
                }
                if schema["type"].is_object() || schema["type"].is_array() {
                    self.define(&schema["type"], space);
                }
            }
            _word => {}
        }
    }

    fn fields(&self, record: &Value, depth: usize) -> Result<Vec<(String, Kind)>, String> {
        let fields = record["fields"].as_array().into_iter().flatten();
        fields
            .map(|field| {
                let name = field["name"].as_str().unwrap_or_default();
                let kind = self.kind(&field["type"], depth + 1);
                Ok((
                    name.to_owned(),
                    kind.map_err(|what| format!("field `{name}` {what}"))?,
                ))
            })
            .collect()
    }

    fn kind(&self, schema: &Value, depth: usize) -> Result<Kind, String> {
        if depth > DEPTH_MAX {
            return Err("has types within types without end".to_owned());
        }
        match schema {
            Value::String(word) => self.word(word, schema, depth),
            Value::Array(union) => {
                let others: Vec<&Value> = union.iter().filter(|it| *it != "null").collect();
                let [only] = others.as_slice() else {
                    return Err("is a union of several types, which is not read as a column".to_owned());
                };
                let kind = self.kind(only, depth + 1)?;
                Ok(Kind {
                    nullable: kind.nullable || union.len() > 1,
                    ..kind
                })
            }
            Value::Object(_fields) => match &schema["type"] {
                Value::String(word) => self.word(word, schema, depth),
                inner => self.kind(inner, depth + 1),
            },
            _odd => Err("has no type".to_owned()),
        }
    }

    fn word(&self, word: &str, schema: &Value, depth: usize) -> Result<Kind, String> {
        if let Some(logical) = schema["logicalType"].as_str()
            && let Some(kind) = logical_kind(word, logical, schema)?
        {
            return Ok(kind);
        }
        Ok(match word {
            "string" | "enum" => Kind::of("STRING"),
            "int" => Kind::of("INT"),
            "long" => Kind::of("BIGINT"),
            "float" => Kind::of("FLOAT"),
            "double" => Kind::of("DOUBLE"),
            "boolean" => Kind::of("BOOLEAN"),
            "bytes" => Kind::of("BYTES"),
            "fixed" => Kind::of(format!("VARBINARY({})", schema["size"])),
            "record" => {
                let fields = self.fields(schema, depth)?;
                let parts: Vec<String> = fields
                    .iter()
                    .map(|(name, kind)| format!("{} {}", quoted(name), kind.text()))
                    .collect();
                Kind::of(format!("ROW<{}>", parts.join(", ")))
            }
            "array" => Kind::of(format!(
                "ARRAY<{}>",
                self.kind(&schema["items"], depth + 1)?.text()
            )),
            "map" => {
                let values = self.kind(&schema["values"], depth + 1)?.text();
                Kind::of(format!("MAP<STRING NOT NULL, {values}>"))
            }
            name => {
                // Names without a namespace are looked for by their last part: a schema of ours has each once.
                let found = self.0.get(name).or_else(|| {
                    let mut named = self
                        .0
                        .iter()
                        .filter(|(full, _it)| full.rsplit('.').next() == Some(name));
                    named.next().map(|(_full, it)| it)
                });
                let found =
                    found.ok_or_else(|| format!("is a `{name}` of another schema, which is not read"))?;
                self.kind(found, depth + 1)?
            }
        })
    }
}

/// `None`: as the type that it stands on.
fn logical_kind(word: &str, logical: &str, schema: &Value) -> Result<Option<Kind>, String> {
    Ok(Some(Kind::of(match (word, logical) {
        ("int", "date") => "DATE".to_owned(),
        ("int", "time-millis") => "TIME(3)".to_owned(),
        ("long", "timestamp-millis") => "TIMESTAMP(3)".to_owned(),
        ("bytes" | "fixed", "decimal") => {
            let scale = schema["scale"].as_u64().unwrap_or(0);
            format!("DECIMAL({}, {scale})", schema["precision"])
        }
        ("long", _micros_or_local) => {
            return Err(format!("is a long ({logical}), which is not read as a column"));
        }
        _unknown => return Ok(None),
    })))
}

fn full(name: &str, space: &str) -> String {
    if name.contains('.') || space.is_empty() {
        name.to_owned()
    } else {
        format!("{space}.{name}")
    }
}
