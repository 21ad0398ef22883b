//! What the check says before any record comes.

use super::super::ast::Expr;
use super::super::types::{Shape, Shapes, Type};
use super::super::{CelError, check, parse};

fn shapes() -> Shapes {
    let fields = [
        ("amount", Type::Int),
        ("price", Type::Double),
        ("count", Type::Number),
        ("name", Type::Text),
        ("note", Type::Text.maybe()),
        ("when", Type::Timestamp),
        ("tags", Type::list(Type::Text)),
        ("items", Type::list(Type::Record(0))),
        ("by", Type::map(Type::Int)),
        ("any", Type::Any),
        ("ok", Type::Bool),
        ("raw", Type::Bytes),
    ];
    let fields = fields
        .into_iter()
        .map(|(name, found)| (name.to_owned(), found))
        .collect();
    Shapes {
        shapes: vec![Shape {
            name: "the record Payment".to_owned(),
            fields,
            open: false,
        }],
    }
}

fn checked(text: &str) -> Result<Type, CelError> {
    let expr: Expr = parse(text, &["message"]).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    check(&expr, &[Type::Record(0)], &shapes())
}

#[test]
fn what_must_go_wrong_for_every_record_is_an_error_of_the_check() {
    for (text, at, expected) in [
        (
            "message.amuont > 0",
            8,
            "the record Payment has no field `amuont`; it has amount, any, by",
        ),
        ("message.items[0].nmae == ''", 17, "has no field `nmae`"),
        ("message.items.all(i, i.nope)", 23, "has no field `nope`"),
        ("message['nope'] == 1", 8, "has no field `nope`"),
        ("has(message.nope)", 0, "has no field `nope`"),
        ("message.name > 1", 13, "orders two values of one type"),
        ("message.amount == 'a'", 15, "compares values of one type"),
        (
            "message.amount + message.price",
            15,
            "does not go with these types; convert one",
        ),
        ("message.amount + 1.5", 15, "does not go with these types"),
        ("message.name + null", 13, "does not go with these types"),
        (
            "message.amount && true",
            8,
            "a bool is wanted here, and this is an int",
        ),
        ("!message.name", 9, "a bool is wanted here, and this is a string"),
        (
            "message.tags.all(t, t)",
            20,
            "a bool is wanted here, and this is a string",
        ),
        (
            "message.amount.all(t, true)",
            8,
            "only lists and maps can be gone through",
        ),
        ("message.tags['a']", 13, "a list is indexed by an int"),
        ("message.by[1]", 11, "the keys of this map are a string"),
        (
            "1 in message.tags",
            2,
            "looks for a value among values of its type",
        ),
        ("1 in message.name", 2, "looks into a list or the keys of a map"),
        (
            "message.amount.startsWith('a')",
            15,
            "`startsWith` takes a string, and this is an int",
        ),
        (
            "message.name.startsWith(1)",
            13,
            "argument 1 of `startsWith` is a string",
        ),
        ("size(message.amount) == 1", 0, "`size` is for texts"),
        (
            "message.name.getHours() == 1",
            13,
            "`getHours` takes a timestamp or a duration",
        ),
        ("message.amount.x", 15, "`.x` is asked of an int"),
        ("-message.name", 0, "`-` is for int and double"),
        ("message.ok ? 1 : message.nope", 25, "has no field `nope`"),
        ("message.tags.join(1)", 13, "argument 1 of `join`"),
    ] {
        let error = checked(text).expect_err(text);
        assert!(error.message.contains(expected), "{text}: {}", error.message);
        assert_eq!(error.at, at, "{text}");
    }
}

#[test]
fn what_the_schema_leaves_open_is_left_open() {
    for (text, expected) in [
        ("message.amount > 0 && message.price > 0", Type::Bool),
        ("message.amount == 1.5", Type::Bool),
        ("message.count * 2.0 > 1", Type::Bool),
        ("message.note == null || message.note.size() > 3", Type::Bool),
        ("message.note.startsWith('a')", Type::Bool),
        ("message.any.a.b[1] + 1", Type::Any),
        ("message.any.all(x, x)", Type::Bool),
        ("message.items.map(i, i.amount)", Type::list(Type::Int)),
        ("message.items.filter(i, i.ok)[0].name", Type::Text),
        ("message.ok ? message.amount : message.price", Type::Number),
        ("message.ok ? message.amount : 'a'", Type::Any),
        ("message.when - message.when", Type::Duration),
        ("message.when.getFullYear()", Type::Int),
        ("message.by['a'] + message.by.b", Type::Int),
        ("dyn(message.amount) == 'a'", Type::Bool),
        ("message.raw == b'a' && size(message.raw) == 1", Type::Bool),
        ("message.tags.join(', ')", Type::Text),
        (
            "{'a': message.amount}",
            Type::Map(Type::Any.into(), Type::Any.into()),
        ),
        ("message.exists(k, k == 'name')", Type::Bool),
    ] {
        assert_eq!(checked(text), Ok(expected), "{text}");
    }
}
