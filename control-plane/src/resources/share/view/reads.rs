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

fn collect(expr: &Expr, read: &mut Vec<Names>) {
    if let Some(names) = field(expr) {
        read.push(names);
        return;
    }
    match &expr.kind {
        Kind::Literal(_) | Kind::Variable(_) => {}
        Kind::Select { operand: inner, .. } | Kind::Not(inner) | Kind::Negate(inner) => collect(inner, read),
        Kind::Index(a, b) | Kind::Binary(_, a, b) => {
            collect(a, read);
            collect(b, read);
        }
        Kind::Call { args: parts, .. } | Kind::And(parts) | Kind::Or(parts) | Kind::List(parts) => {
            parts.iter().for_each(|it| collect(it, read));
        }
        Kind::Choose(parts) => parts.iter().for_each(|it| collect(it, read)),
        Kind::Map(entries) => entries.iter().for_each(|(key, value)| {
            collect(key, read);
            collect(value, read);
        }),
        Kind::Loop(inner) => {
            collect(&inner.range, read);
            if let Some(filter) = &inner.filter {
                collect(filter, read);
            }
            collect(&inner.body, read);
        }
    }
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
