//! From rules to what is executed: expressions parsed, checked against the schema, names and patterns resolved.

use std::collections::BTreeSet;
use std::sync::Arc;

use prost_reflect::MessageDescriptor;

use super::cel::ast::Expr;
use super::cel::types::{Shapes, Type};
use super::cel::{self, CelError};
use super::check::{actions, check, lists};
use super::model::{Metadata, Rule, RuleKind, RuleMode, RuleSet};
use super::{Action, RuleProblem};
use crate::error::Position;
use crate::schema::Schema;
use crate::value;

/// The parameter by which an expression says that its `;` parts nothing.
const IGNORE_GUARD: &str = "cel.ignore.guard.separator";
/// What a rule about a record sees.
const MESSAGE: [&str; 1] = ["message"];
/// What a rule about a field sees, in the order of its variables' places.
pub(crate) const FIELD: [&str; 6] = ["message", "value", "tags", "name", "typeName", "fullName"];

/// A rule, ready to run.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub name: Arc<str>,
    /// What violations say; never longer than a line or two.
    pub told: String,
    pub kind: RuleKind,
    pub mode: RuleMode,
    pub engine: Engine,
    pub tags: BTreeSet<String>,
    /// When writing, when reading.
    pub on_success: [Action; 2],
    pub on_failure: [Action; 2],
}

/// What executes a rule.
#[derive(Debug)]
pub(crate) enum Engine {
    /// An expression over the record.
    Cel(Guarded),
    /// An expression over each field.
    CelField(Guarded),
    /// None that is known here.
    Foreign(String),
}

/// `guard ; body`
#[derive(Debug)]
pub(crate) struct Guarded {
    pub guard: Option<Expr>,
    pub body: Expr,
    /// The whole text, for positions.
    text: String,
    /// Where the body begins in it.
    body_at: usize,
}

impl Guarded {
    /// The place of a byte of the guard or of the body.
    pub fn position(&self, in_guard: bool, at: usize) -> Position {
        Position::of(&self.text, if in_guard { at } else { self.body_at + at })
    }
}

/// Compiles the domain rules of a set, and checks all others as far as they can be. Rules that are disabled are checked
/// and left out.
///
/// # Errors
/// Everything that is wrong, in order.
pub(crate) fn domain(
    set: &RuleSet,
    schema: &Schema,
    metadata: &Metadata,
) -> Result<Vec<Compiled>, Vec<RuleProblem>> {
    let mut problems = check(set);
    let (root, shapes) = types_of(schema);
    let mut compiled = Vec::new();
    for (list, rules) in lists(set) {
        // A migration rule sees a record of another version, an encoding rule no record at all.
        let root = if list == "domainRules" { &root } else { &Type::Any };
        for rule in rules {
            match one(rule, root, &shapes, metadata) {
                Ok(rule_compiled) if list == "domainRules" && !rule.disabled => compiled.push(rule_compiled),
                Ok(_) => {}
                Err((position, message)) => {
                    problems.push(RuleProblem {
                        position,
                        ..RuleProblem::new(list, &rule.name, message)
                    });
                }
            }
        }
    }
    if problems.is_empty() {
        Ok(compiled)
    } else {
        Err(problems)
    }
}

/// Whether a rule set can be registered with a schema.
///
/// # Errors
/// Everything that is wrong, in order.
pub fn compile(set: &RuleSet, schema: &Schema, metadata: &Metadata) -> Result<(), Vec<RuleProblem>> {
    domain(set, schema, metadata).map(|_compiled| ())
}

fn one(
    rule: &Rule,
    root: &Type,
    shapes: &Shapes,
    metadata: &Metadata,
) -> Result<Compiled, (Option<Position>, String)> {
    let expression = |variables: &[&str], types: &[Type], field: bool| {
        guarded(rule, variables, types, shapes, metadata, field)
    };
    // Upstream looks executors up by the type in capitals.
    let engine = match rule.rule_type.to_ascii_uppercase().as_str() {
        "CEL" => Engine::Cel(expression(&MESSAGE, std::slice::from_ref(root), false)?),
        "CEL_FIELD" => {
            let types = [
                Type::Any,
                Type::Any,
                Type::list(Type::Text),
                Type::Text,
                Type::Text,
                Type::Text,
            ];
            Engine::CelField(expression(&FIELD, &types, true)?)
        }
        _ => Engine::Foreign(rule.rule_type.clone()),
    };
    let plain = |message: String| (None, message);
    Ok(Compiled {
        name: rule.name.as_str().into(),
        told: told(rule),
        kind: rule.kind,
        mode: rule.mode,
        engine,
        tags: rule.tags.clone(),
        on_success: actions(rule.on_success.as_deref(), rule.mode, Action::None).map_err(plain)?,
        on_failure: actions(rule.on_failure.as_deref(), rule.mode, Action::Error).map_err(plain)?,
    })
}

/// What upstream's exception says of a rule: its doc, else its expression.
fn told(rule: &Rule) -> String {
    let text = rule
        .doc
        .as_deref()
        .filter(|doc| !doc.is_empty())
        .or(rule.expr.as_deref())
        .unwrap_or_default();
    let mut told: String = text.chars().take(300).collect();
    if told.len() < text.len() {
        told.push_str("...");
    }
    told
}

fn guarded(
    rule: &Rule,
    variables: &[&str],
    types: &[Type],
    shapes: &Shapes,
    metadata: &Metadata,
    field: bool,
) -> Result<Guarded, (Option<Position>, String)> {
    let text = rule.expr.as_deref().filter(|expr| !expr.trim().is_empty());
    let text = text.ok_or_else(|| (None, "the expression is missing".to_owned()))?;
    let ignored = rule
        .params
        .get(IGNORE_GUARD)
        .or_else(|| metadata.properties.get(IGNORE_GUARD));
    let parted = if ignored.is_some_and(|it| it.eq_ignore_ascii_case("true")) {
        None
    } else {
        text.split_once(';')
    };
    let (guard, body) = parted.map_or((None, text), |(guard, body)| (Some(guard), body));
    let body_at = text.len() - body.len();
    let place =
        |offset: usize| move |error: CelError| (Some(Position::of(text, offset + error.at)), error.message);
    let wrong = |at: usize, message: String| (Some(Position::of(text, at)), message);
    let guard = match guard.filter(|guard| !guard.trim().is_empty()) {
        None => None,
        Some(guard) => {
            let expr = cel::parse(guard, variables).map_err(place(0))?;
            let found = cel::check(&expr, types, shapes).map_err(place(0))?;
            if !matches!(found.present(), Type::Bool | Type::Any) {
                return Err(wrong(
                    expr.at,
                    format!("the guard before `;` must be a bool, and this is {found}"),
                ));
            }
            Some(expr)
        }
    };
    let expr = cel::parse(body, variables).map_err(place(body_at))?;
    let found = cel::check(&expr, types, shapes).map_err(place(body_at))?;
    let at = body_at + expr.at;
    match (rule.kind, found.present()) {
        (_, Type::Any) | (RuleKind::Condition, Type::Bool) => {}
        (RuleKind::Condition, _) => {
            return Err(wrong(
                at,
                format!("a CONDITION must be a bool, and this is {found}"),
            ));
        }
        (RuleKind::Transform, Type::List(_) | Type::Map(..) | Type::Record(_) | Type::Type) if field => {
            return Err(wrong(
                at,
                format!("a field is transformed into a single value, and this is {found}"),
            ));
        }
        (RuleKind::Transform, Type::Map(..) | Type::Record(_)) => {}
        (RuleKind::Transform, _) if !field && matches!(types, [Type::Record(_)]) => {
            return Err(wrong(
                at,
                format!("a record is transformed into a map, and this is {found}"),
            ));
        }
        (RuleKind::Transform, _) => {}
    }
    Ok(Guarded {
        guard,
        body: expr,
        text: text.to_owned(),
        body_at,
    })
}

/// What a schema says of its records before there is one.
pub(crate) fn types_of(schema: &Schema) -> (Type, Shapes) {
    match schema {
        Schema::Avro(schema) => value::avro::Plan::new(schema).types(),
        Schema::Json(schema) => super::json_types::of(schema),
        Schema::Protobuf(schema) => match root_message(schema) {
            Some(message) => value::protobuf::types(&message),
            None => (Type::Any, Shapes::default()),
        },
    }
}

/// The first message of the file: what the indexes of a framed record name by the shortcut `0`.
pub(crate) fn root_message(schema: &crate::protobuf::ProtobufSchema) -> Option<MessageDescriptor> {
    schema.pool.get_file_by_name(&schema.file)?.messages().next()
}
