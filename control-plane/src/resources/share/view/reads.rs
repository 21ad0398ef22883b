//! Which fields a filter reads: none that a mask of the same share hides, since which records are shown would tell of them.

use weir_actions::Step;
use weir_contract::rules::cel::ast::{Expr, Kind, Literal};
use weir_contract::rules::cel::parse;

use crate::kernel::{FieldError, code};

/// What expressions of steps see; the record is the first.
const VARIABLES: [&str; 7] = [
    "message",
    "key",
    "headers",
    "timestamp",
    "partition",
    "offset",
    "topic",
];

/// The place of the key among them.
const KEY: usize = 1;

/// A field by its names.
type Names = Vec<String>;

/// Collects filters that read what masks hide.
pub fn check_filters(at: &str, steps: &[Step], errors: &mut Vec<FieldError>) {
    let masks: Vec<_> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Mask(mask) => Some(mask),
            _ => None,
        })
        .collect();
    let hidden: Vec<Names> = masks
        .iter()
        .flat_map(|it| &it.fields)
        .map(|it| names(it))
        .collect();
    let by_tags = masks.iter().any(|it| !it.tags.is_empty());
    for (number, step) in steps.iter().enumerate() {
        let Step::Filter(filter) = step else { continue };
        // What cannot be parsed is the compiler's to tell.
        let Ok(parsed) = parse(&filter.condition, &VARIABLES) else {
            continue;
        };
        let mut read = Vec::new();
        collect(&parsed, &mut read);
        let clash = hidden.iter().find(|it| read.iter().any(|read| touch(it, read)));
        let detail = if let Some(field) = clash {
            format!(
                "The filter reads {}, which a mask of this share hides: which records are shown would tell of it.",
                field.join(".")
            )
        } else if by_tags && !read.is_empty() {
            "Beside a mask by tags nobody knows what the filter may read: name the masked fields.".to_owned()
        } else {
            continue;
        };
        errors.push(FieldError {
            pointer: format!("{at}/{number}/filter/where"),
            code: code::BAD_PROGRAM.to_owned(),
            detail,
        });
    }
}

/// Collects filters that read keys.
pub fn check_keys(at: &str, steps: &[Step], errors: &mut Vec<FieldError>) {
    for (number, step) in steps.iter().enumerate() {
        let Step::Filter(filter) = step else { continue };
        let Ok(parsed) = parse(&filter.condition, &VARIABLES) else {
            continue;
        };
        if mentions(&parsed, KEY) {
            let detail = "The filter reads the key, which this share does not show: which records are shown would tell of it. Show keys, \
                          or filter by something else.";
            errors.push(FieldError {
                pointer: format!("{at}/{number}/filter/where"),
                code: code::BAD_PROGRAM.to_owned(),
                detail: detail.to_owned(),
            });
        }
    }
}

/// The names of a path: between points, or in back ticks.
fn names(path: &str) -> Names {
    let (mut names, mut name, mut quoted) = (Vec::new(), String::new(), false);
    for letter in path.chars() {
        match letter {
            '`' => quoted = !quoted,
            '.' if !quoted => names.push(std::mem::take(&mut name)),
            other => name.push(other),
        }
    }
    names.push(name);
    names
}

/// Does one lie in the other?
fn touch(a: &[String], b: &[String]) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

/// The field that an expression is, from the record on; an element of a list counts as the list.
fn field(expr: &Expr) -> Option<Names> {
    match &expr.kind {
        Kind::Variable(0) => Some(Vec::new()),
        Kind::Select {
            operand, field: name, ..
        } => {
            let mut names = field(operand)?;
            names.push(name.to_string());
            Some(names)
        }
        Kind::Index(operand, index) => match &index.kind {
            Kind::Literal(Literal::Text(name)) => {
                let mut names = field(operand)?;
                names.push(name.clone());
                Some(names)
            }
            Kind::Literal(Literal::Int(_) | Literal::Uint(_)) => field(operand),
            _computed => None,
        },
        _ => None,
    }
}

/// What an expression is made of, as far as it reads something.
fn parts(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        Kind::Literal(_) | Kind::Variable(_) => Vec::new(),
        Kind::Select { operand: inner, .. } | Kind::Not(inner) | Kind::Negate(inner) => vec![inner],
        Kind::Index(a, b) | Kind::Binary(_, a, b) => vec![a, b],
        Kind::Call { args: parts, .. } | Kind::And(parts) | Kind::Or(parts) | Kind::List(parts) => {
            parts.iter().collect()
        }
        Kind::Choose(parts) => parts.iter().collect(),
        Kind::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
        Kind::Loop(inner) => {
            let filter = inner.filter.iter();
            filter.chain([&inner.range, &inner.body]).collect()
        }
    }
}

fn collect(expr: &Expr, read: &mut Vec<Names>) {
    match field(expr) {
        Some(names) => read.push(names),
        None => parts(expr).into_iter().for_each(|it| collect(it, read)),
    }
}

/// Is this variable read anywhere?
fn mentions(expr: &Expr, variable: usize) -> bool {
    matches!(expr.kind, Kind::Variable(it) if it == variable)
        || parts(expr).into_iter().any(|it| mentions(it, variable))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(filter: &str, masked: &str) -> bool {
        let steps = [
            json!({"filter": {"where": filter}}),
            json!({"mask": {"fields": [masked], "how": "REDACT"}}),
        ];
        let steps: Vec<Step> = steps
            .into_iter()
            .map(|it| serde_json::from_value(it).unwrap())
            .collect();
        let mut errors = Vec::new();
        check_filters("/steps", &steps, &mut errors);
        !errors.is_empty()
    }

    #[test]
    fn a_filter_reads_nothing_that_a_mask_hides() {
        for (filter, masked) in [
            ("message.card == '4111'", "card"),
            ("message['card'] == '4111'", "card"),
            ("has(message.card)", "card"),
            ("message.amount > 1 && message.card.startsWith('4')", "card"),
            ("message.customer == {}", "customer.name"),
            ("message.customer.name == 'Ann'", "customer"),
            ("message.items.exists(it, it.price > 1)", "items.price"),
            ("message.items[0].price > 1", "items.price"),
            ("message == {}", "card"),
            ("message[string(key)] == 'x'", "card"),
            ("[message.card].size() == 1", "card"),
            ("message['a.b'] == 1", "`a.b`"),
        ] {
            assert!(refused(filter, masked), "{filter} beside a mask of {masked}");
        }
        for (filter, masked) in [
            ("message.amount > 1", "card"),
            ("message.customer.city == 'Bern'", "customer.name"),
            ("key == 'card'", "card"),
            ("message.cardinal == 1", "card"),
        ] {
            assert!(!refused(filter, masked), "{filter} beside a mask of {masked}");
        }
    }

    #[test]
    fn a_filter_reads_no_key_that_is_not_shown() {
        let filter = |text: &str| {
            let steps = [serde_json::from_value(json!({"filter": {"where": text}})).unwrap()];
            let mut errors = Vec::new();
            check_keys("/steps", &steps, &mut errors);
            errors.into_iter().map(|it| it.pointer).collect::<Vec<_>>()
        };
        for text in [
            "key == b'1'",
            "message.amount > 1 && string(key).startsWith('4')",
            "message.ids.exists(it, it == string(key))",
            "{'a': key}.size() == 1",
            "message[string(key)] == 'x'",
        ] {
            assert_eq!(filter(text), ["/steps/0/filter/where"], "{text}");
        }
        for text in [
            "message.key == 1",
            "message.ids.exists(key, key == 'a')",
            "topic == 'key'",
        ] {
            assert_eq!(filter(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn beside_a_mask_by_tags_no_filter_reads_the_record() {
        let mask = json!({"mask": {"tags": ["PII"], "how": "REDACT"}});
        for (filter, wrong) in [("message.amount > 1", 1), ("partition == 1", 0)] {
            let steps = [json!({"filter": {"where": filter}}), mask.clone()];
            let steps: Vec<Step> = steps
                .into_iter()
                .map(|it| serde_json::from_value(it).unwrap())
                .collect();
            let mut errors = Vec::new();
            check_filters("/steps", &steps, &mut errors);
            assert_eq!(errors.len(), wrong, "{filter}");
        }
    }
}
