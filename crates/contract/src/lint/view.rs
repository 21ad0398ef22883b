//! A contract as lint rules see it: one variable, with what the registry knows of it and the fields of its schema in one list.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::columns::{Column, ColumnKind, columns_within};
use crate::limits::Limits;
use crate::rules::cel::types::{Shape, Shapes, Type};
use crate::rules::{Metadata, Rule, RuleSet};
use crate::schema::Schema;
use crate::value::{Key, Map, TagPatterns, Text, Value};

/// What rules call it.
pub(super) const VARIABLE: &str = "contract";
/// How often paths of tags with wildcards are held against fields.
const MATCHES_MAX: usize = 1_000_000;

/// A contract that is linted.
#[derive(Debug, Clone, Copy)]
pub struct LintSubject<'s> {
    /// The subject.
    pub subject: &'s str,
    /// The number of the version.
    pub version: i32,
    /// The level that holds.
    pub compatibility: &'s str,
    /// The schema.
    pub schema: &'s Schema,
    /// Tags and properties; sensitive ones are left out.
    pub metadata: &'s Metadata,
    /// The rules.
    pub rule_set: &'s RuleSet,
}

/// A field.
#[derive(Debug)]
struct Field {
    path: String,
    kind: &'static str,
    doc: String,
    tags: BTreeSet<String>,
    nullable: bool,
}

/// Everything that rules may ask for.
#[derive(Debug)]
pub(super) struct Gathered {
    /// All but the fields, of which there may be many.
    about: Json,
    fields: Vec<Field>,
}

/// What is known of a contract before there is one.
pub(super) fn types() -> (Type, Shapes) {
    let text = || Type::Text;
    let (contract, tag, field, rule) = (0, 1, 2, 3);
    let shape = |name: &str, fields: Vec<(&str, Type)>| Shape {
        name: name.to_owned(),
        fields: fields
            .into_iter()
            .map(|(name, of)| (name.to_owned(), of))
            .collect(),
        open: false,
    };
    let mut known: Vec<(&str, Type)> = TEXTS.iter().map(|name| (*name, text())).collect();
    known.extend([
        ("version", Type::Int),
        ("properties", Type::map(text())),
        ("tags", Type::list(Type::Record(tag))),
        ("fields", Type::list(Type::Record(field))),
        ("rules", Type::list(Type::Record(rule))),
    ]);
    let rules = ["name", "kind", "mode", "type", "expr", "doc"].map(|name| (name, text()));
    let shapes = vec![
        shape(VARIABLE, known),
        shape("tag", vec![("path", text()), ("tag", text())]),
        shape(
            "field",
            vec![
                ("path", text()),
                ("type", text()),
                ("doc", text()),
                ("tags", Type::list(text())),
                ("nullable", Type::Bool),
            ],
        ),
        shape("rule", rules.to_vec()),
    ];
    (Type::Record(contract), Shapes { shapes })
}

/// The plain texts of a contract; empty where it says nothing.
const TEXTS: [&str; 7] = [
    "subject",
    "schema_type",
    "owner",
    "lifecycle",
    "classification",
    "description",
    "compatibility",
];

impl Gathered {
    /// Reads what rules may ask for.
    ///
    /// # Errors
    /// Why it is not read: its tags would have to be held against its fields too often.
    pub(super) fn of(subject: &LintSubject<'_>) -> Result<Self, String> {
        let LintSubject {
            subject,
            version,
            compatibility,
            schema,
            metadata,
            rule_set,
        } = *subject;
        let shown = |name: &String| !metadata.sensitive.contains(name);
        let properties: BTreeMap<&String, &String> = metadata
            .properties
            .iter()
            .filter(|(name, _value)| shown(name))
            .collect();
        let property = |name: &str| {
            properties
                .iter()
                .find(|(it, _value)| it.as_str() == name)
                .map_or("", |(_name, value)| value.as_str())
        };
        let tags = metadata.tags.iter();
        let tags: Vec<Json> = tags
            .flat_map(|(path, tags)| tags.iter().map(move |tag| json!({"path": path, "tag": tag})))
            .collect();
        let lists = [
            &rule_set.domain_rules,
            &rule_set.migration_rules,
            &rule_set.encoding_rules,
        ];
        let rules: Vec<Json> = lists.into_iter().flatten().map(rule).collect();
        let about = json!({
            "subject": subject,
            "version": version,
            "schema_type": schema.format().as_str(),
            "owner": property("owner"),
            "lifecycle": property("lifecycle").to_ascii_uppercase(),
            "classification": property("classification").to_ascii_uppercase(),
            "description": property("description"),
            "compatibility": compatibility,
            "properties": properties,
            "tags": tags,
            "rules": rules,
        });
        Ok(Self {
            about,
            fields: fields(schema, metadata)?,
        })
    }

    /// The contract as a value.
    pub(super) fn value(&self) -> Value<'_> {
        let fields = self.fields.iter().map(Field::value).collect();
        let mut entries = match crate::value::json::value(&self.about) {
            Value::Map(about) => about.entries(),
            _ => Vec::new(),
        };
        entries.push((key("fields"), Value::list(fields)));
        Value::Map(Map::of(entries))
    }
}

const fn key(name: &str) -> Key<'_> {
    Key::Text(Text::Borrowed(name))
}

impl Field {
    fn value(&self) -> Value<'_> {
        let Self {
            path,
            kind,
            doc,
            tags,
            nullable,
        } = self;
        let tags = tags.iter().map(|it| Value::text(it)).collect();
        Value::Map(Map::of(vec![
            (key("path"), Value::text(path)),
            (key("type"), Value::text(kind)),
            (key("doc"), Value::text(doc)),
            (key("tags"), Value::list(tags)),
            (key("nullable"), Value::Bool(*nullable)),
        ]))
    }
}

fn rule(rule: &Rule) -> Json {
    json!({
        "name": rule.name,
        "kind": rule.kind,
        "mode": rule.mode,
        "type": rule.rule_type,
        "expr": rule.expr.as_deref().unwrap_or_default(),
        "doc": rule.doc.as_deref().unwrap_or_default(),
    })
}

/// All fields of a schema, each before those that it has itself.
fn fields(schema: &Schema, metadata: &Metadata) -> Result<Vec<Field>, String> {
    let mut fields = Vec::new();
    // The columns are at most a dozen levels deep.
    flatten(columns_within(schema, Limits::DEFAULT.fields), &mut fields);
    let wild = |path: &str| path.contains(['*', '?']);
    let wild: BTreeMap<String, BTreeSet<String>> = metadata
        .tags
        .iter()
        .filter(|(path, _tags)| wild(path))
        .map(|(path, tags)| (path.clone(), tags.clone()))
        .collect();
    if wild.len().saturating_mul(fields.len()) > MATCHES_MAX {
        return Err(
            "the contract has too many tags with wildcards for its many fields to be linted".to_owned(),
        );
    }
    let patterns = TagPatterns::new(&wild)?;
    for field in &mut fields {
        if !wild.is_empty() {
            field.tags.append(&mut patterns.of(&field.path));
        }
        if let Some(tags) = metadata.tags.get(&field.path) {
            field.tags.extend(tags.iter().cloned());
        }
    }
    Ok(fields)
}

fn flatten(columns: Vec<Column>, fields: &mut Vec<Field>) {
    for column in columns {
        fields.push(Field {
            path: column.full_name,
            kind: column.kind.as_str().unwrap_or("any"),
            doc: column.doc.unwrap_or_default(),
            tags: column.tags,
            nullable: !column.required,
        });
        flatten(column.columns, fields);
    }
}

/// A contract of so many fields, on which a rule's cost is tried.
pub(super) fn sample(fields: usize) -> Gathered {
    let text = |name: &str| (name.to_owned(), Json::String(format!("{name} of a contract")));
    let mut about: serde_json::Map<String, Json> = TEXTS.iter().map(|name| text(name)).collect();
    about.insert("version".into(), json!(1));
    about.insert("properties".into(), json!({"owner": "a team"}));
    about.insert("tags".into(), json!([{"path": "a.b", "tag": "PII"}]));
    about.insert("rules".into(), json!([{"name": "a", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "true", "doc": "a"}]));
    let field = |at: usize| Field {
        path: format!("bank.Payment.field_{at}"),
        kind: ColumnKind::String.as_str().unwrap_or_default(),
        doc: "What the field is for.".to_owned(),
        tags: BTreeSet::from(["PII".to_owned()]),
        nullable: at.is_multiple_of(2),
    };
    Gathered {
        about: Json::Object(about),
        fields: (0..fields).map(field).collect(),
    }
}
