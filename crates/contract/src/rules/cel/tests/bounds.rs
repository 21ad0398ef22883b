//! Steps, sizes, and expressions that nobody would write.

use super::super::types::{Shapes, Type};
use super::super::{Fault, Steps, TEXT_BYTES_MAX, check, evaluate, parse};
use super::{document, evaluated};
use crate::value::{Value, json};

#[test]
fn an_evaluation_ends_when_its_steps_are_used_up() {
    let list: Vec<u64> = (0..1000).collect();
    let document = serde_json::json!({"l": list, "s": "a".repeat(100_000)});
    for text in [
        "message.l.all(x, message.l.all(y, message.l.all(z, x + y + z >= 0)))",
        "message.l.map(x, message.l).map(l, l.map(y, y + 1)).size() > 0",
        "message.l.exists(x, message.l == [x])  || message.l.all(x, message.l == message.l)",
        "message.l.map(x, message.s + message.s).size() > 0",
        "message.l.map(x, message.s.replace('a', 'bbbbbbbb')).size() > 0",
        "message.l.all(x, message.s.matches('(a|b)*c') || true)",
        "message.l.all(x, size(message.s.split('')) > 0)",
        "message.l.all(x, !(x in message.l.map(y, y + 1000)))",
        "message.l.all(x, message.s == message.s + '')",
        "message.l.map(x, message.l + message.l).size() > 0",
        "false || message.l.all(x, message.l.all(y, message.l.exists(z, false)) || true)",
    ] {
        assert_eq!(evaluated(text, &document, 100_000), Err(Fault::Cost), "{text}");
    }
    assert_eq!(
        evaluated("message.l.all(x, x >= 0)", &document, 10_000).as_deref(),
        Ok("true")
    );
}

#[test]
fn steps_are_the_same_for_the_same_record() {
    let run = |steps: usize| evaluated("message.items.all(i, i.n > 0 && i.n < 10)", &document(), steps);
    let least = (1..1000).find(|steps| run(*steps).is_ok()).expect("it ends");
    assert_eq!(run(least - 1), Err(Fault::Cost));
    assert_eq!(run(least).as_deref(), Ok("true"));
}

#[test]
fn expressions_are_bounded_before_they_are_evaluated() {
    let deep = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    let negated = format!("{}1", "-".repeat(5000));
    let wide = format!("1{}", "+1".repeat(5000));
    let chain = format!("message{}", ".a".repeat(5000));
    let ternary = format!("{}1{}", "true ? ".repeat(3000), " : 1".repeat(3000));
    let lists = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let long = format!("'{}'", "a".repeat(TEXT_BYTES_MAX));
    let loops = "[1].all(a, [1].all(b, [1].all(c, [1].all(d, true))))".to_owned();
    let repeated = "'a'.matches('((a{1000}){1000}){1000}')".to_owned();
    for text in [deep, negated, wide, chain, ternary, lists, long, loops, repeated] {
        let error = parse(&text, &["message"]).expect_err("it is refused");
        assert!(error.message.len() < 200, "{}", error.message);
    }
    // Many conditions beside each other are not deep.
    let many = vec!["message.amount > 0"; 200].join(" && ");
    assert_eq!(evaluated(&many, &document(), 10_000).as_deref(), Ok("true"));
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn expression() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("message".to_owned()),
            Just("message.amount".to_owned()),
            Just("message.tags".to_owned()),
            Just("message.items".to_owned()),
            Just("message.name".to_owned()),
            Just("1".to_owned()),
            Just("2.5".to_owned()),
            Just("'a'".to_owned()),
            Just("[]".to_owned()),
            Just("null".to_owned()),
            Just("true".to_owned()),
        ];
        leaf.prop_recursive(6, 64, 4, |inner| {
            let pair = (inner.clone(), inner.clone());
            prop_oneof![
                (pair.clone(), "[-+*/%<>]|==|!=|<=|&&|[|][|]| in ")
                    .prop_map(|((a, b), operator)| format!("({a} {operator} {b})")),
                (pair.clone(), "all|exists|exists_one|map|filter")
                    .prop_map(|((a, b), name)| format!("{a}.{name}(x, {b})")),
                (pair.clone(), "startsWith|contains|split|join|indexOf")
                    .prop_map(|((a, b), name)| format!("{a}.{name}({b})")),
                (inner.clone(), "size|int|string|double|type|dyn|bytes|timestamp")
                    .prop_map(|(a, name)| format!("{name}({a})")),
                (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
                pair.prop_map(|(a, b)| format!("[{a}, {b}]")),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            if let Err(error) = parse(&text, &["message"]) {
                prop_assert!(error.at <= text.len());
            }
        }

        #[test]
        fn what_was_read_ends_within_its_steps_and_the_check_agrees(text in expression()) {
            let Ok(expr) = parse(&text, &["message"]) else { return Ok(()) };
            let document = document();
            let mut steps = Steps::new(5_000);
            let mut slots = vec![json::value(&document)];
            let result = evaluate(&expr, &mut slots, &mut steps);
            // What the check says of a value that exists must be what it is.
            if let (Ok(found), Ok(value)) = (check(&expr, &[Type::Any], &Shapes::default()), &result) {
                let fits = match found.present() {
                    Type::Bool => matches!(value, Value::Bool(_)),
                    Type::Int => matches!(value, Value::Int(_)),
                    Type::Text => matches!(value, Value::Text(_)),
                    Type::Double => matches!(value, Value::Double(_)),
                    Type::List(_) => matches!(value, Value::List(_)),
                    _ => true,
                };
                prop_assert!(fits || matches!(value, Value::Null), "{} is {:?} and {:?}", text, found, value);
            }
        }
    }
}
