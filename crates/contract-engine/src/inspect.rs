//! Whether a draft is sound, and the fields that its schema has.

use serde::Serialize;
use weir_contract::columns::{self, Column};
use weir_contract::rules;
use weir_contract::verdict::JudgeLimits;

use crate::draft::{Draft, Problem, problems};

#[derive(Debug, Default, Serialize)]
pub struct Inspected {
    ok: bool,
    problems: Vec<Problem>,
    /// The schema's fields, those inside of others after them; also while rules are not sound.
    columns: Vec<Field>,
}

#[derive(Debug, Serialize)]
struct Field {
    /// As tags name it.
    path: String,
    name: String,
    /// How many fields it stands in.
    depth: usize,
    #[serde(rename = "type")]
    kind: String,
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    doc: Option<String>,
    /// Those that the draft's metadata gives it by its full name.
    tags: Vec<String>,
}

pub fn inspect(draft: &Draft) -> Inspected {
    let document = draft.clone().document();
    let schema = match document.parsed_schema() {
        Ok(schema) => schema,
        // What is wrong with rules beside their expressions is told all the same: one round of mending less.
        Err(error) => {
            let mut found = problems(error);
            found.extend(rules::check(&document.rule_set).into_iter().map(Problem::from));
            return Inspected {
                problems: found,
                ..Inspected::default()
            };
        }
    };
    let mut fields = Vec::new();
    flatten(&columns::columns(&schema), 0, &mut fields);
    for field in &mut fields {
        if let Some(tags) = document.metadata.tags.get(&field.path) {
            field.tags = tags.iter().cloned().collect();
        }
    }
    // The registry looks at every list, the gateway compiles what it runs: both may refuse.
    let mut found: Vec<Problem> = rules::compile(&document.rule_set, &schema, &document.metadata)
        .err()
        .into_iter()
        .flatten()
        .map(Problem::from)
        .collect();
    if found.is_empty()
        && let Err(error) = document.compile(JudgeLimits::DEFAULT)
    {
        found = problems(error);
    }
    Inspected {
        ok: found.is_empty(),
        problems: found,
        columns: fields,
    }
}

fn flatten(columns: &[Column], depth: usize, fields: &mut Vec<Field>) {
    for column in columns {
        fields.push(Field {
            path: column.full_name.clone(),
            name: column.name.clone(),
            depth,
            kind: column.physical.clone(),
            required: column.required,
            doc: column.doc.clone(),
            tags: Vec::new(),
        });
        flatten(&column.columns, depth + 1, fields);
    }
}
