//! Expressions by table: parsing, checking, evaluation, bounds.

mod bounds;
mod check;

use super::*;
use crate::value::{Value, json};

fn evaluated(text: &str, document: &serde_json::Value, steps: usize) -> Result<String, Fault> {
    let expr = parse(text, &["message"]).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let mut slots = vec![json::value(document)];
    let value = evaluate(&expr, &mut slots, &mut Steps::new(steps))?;
    Ok(shown(&value))
}

/// A value as text, for tables.
fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => format!("{number}u"),
        Value::Double(number) => format!("{number:?}"),
        Value::Text(text) => format!("{:?}", text.as_str()),
        Value::Bytes(bytes) => format!("b{:?}", String::from_utf8_lossy(bytes.as_slice())),
        Value::Timestamp(moment) => time::write_timestamp(*moment),
        Value::Duration(span) => time::write_duration(*span),
        Value::Type(name) => (*name).to_owned(),
        Value::List(list) => {
            let items: Vec<String> = (0..list.len())
                .filter_map(|index| list.get(index))
                .map(|it| shown(&it))
                .collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) => {
            let items: Vec<String> = map
                .entries()
                .iter()
                .map(|(key, value)| format!("{}: {}", shown(&key.value()), shown(value)))
                .collect();
            format!("{{{}}}", items.join(", "))
        }
    }
}

fn document() -> serde_json::Value {
    serde_json::json!({
        "amount": 12, "price": 2.5, "name": "Ann", "tags": ["a", "b", "b"], "none": null, "ok": true,
        "items": [{"n": 1}, {"n": 2}, {"n": 3}], "by": {"x": 1, "y": 2}, "big": 18_446_744_073_709_551_615_u64
    })
}

/// Each from <https://github.com/google/cel-spec/blob/master/doc/langdef.md> or its conformance tests
/// (`tests/simple/testdata/*.textproto`), but for the last group, which is upstream's library of text forms.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn expressions_have_the_values_of_the_specification() {
    for (text, expected) in [
        // Literals and operators: langdef.md, "Values" and "List of Standard Definitions".
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("-7 / 2", "-3"),
        ("-7 % 2", "-1"),
        ("7u % 4u", "3u"),
        ("1.5 + 1.0", "2.5"),
        ("0x1F", "31"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("1e3", "1000.0"),
        (".5", "0.5"),
        ("'a' + \"b\"", "\"ab\""),
        (r#"r"\d" + '\n\x41\u00e9\101'"#, "\"\\\\d\\nAéA\""),
        ("'''a'b'''", "\"a'b\""),
        ("b'ab' + b'\\377'", "b\"ab\u{fffd}\""),
        ("[1, 2] + [3]", "[1, 2, 3]"),
        ("{'a': 1, 2: 'b'}", "{\"a\": 1, 2: \"b\"}"),
        ("true ? 1 : 2", "1"),
        ("false ? 1 : true ? 2 : 3", "2"),
        ("!false && !!true", "true"),
        ("1 == 1.0 && 1u == 1 && 1.0 == 1u", "true"),
        ("1 < 1.5 && 2u > 1.5 && -1 < 0u", "true"),
        ("'1' == 1", "false"),
        ("null == message.none", "true"),
        ("[1, 2.0] == [1.0, 2u]", "true"),
        ("{'a': 1} == {'a': 1.0}", "true"),
        ("'a' < 'b' && b'a' < b'b' && false < true", "true"),
        ("0.0 / 0.0 == 0.0 / 0.0", "false"),
        ("type(1) == int && type(type(1)) == type", "true"),
        // Absorbed errors: langdef.md, "Logical Operators".
        ("1 / 0 == 1 || true", "true"),
        ("true || 1 / 0 == 1", "true"),
        ("false && message.missing == 1", "false"),
        ("message.missing == 1 && false", "false"),
        // Fields, indexes, membership: langdef.md, "Field Selection".
        ("message.amount > 10", "true"),
        ("message['amount']", "12"),
        ("message.items[1].n", "2"),
        ("message.items[1.0].n", "2"),
        ("has(message.name) && !has(message.missing)", "true"),
        ("has(message.none)", "true"),
        ("'a' in message.tags", "true"),
        ("'x' in message.by", "true"),
        ("3 in [1, 2]", "false"),
        ("message.big == 18446744073709551615u", "true"),
        // Macros: langdef.md, "Macros".
        ("message.items.all(i, i.n > 0)", "true"),
        ("message.items.exists(i, i.n == 3)", "true"),
        ("message.tags.exists_one(t, t == 'a')", "true"),
        ("message.tags.exists_one(t, t == 'b')", "false"),
        ("message.items.map(i, i.n * 2)", "[2, 4, 6]"),
        ("message.items.map(i, i.n > 1, i.n)", "[2, 3]"),
        ("message.items.filter(i, i.n > 1).map(i, i.n)", "[2, 3]"),
        ("message.by.all(k, message.by[k] > 0)", "true"),
        ("message.items.all(i, i.n == 2 ? false : i.missing == 1)", "false"),
        ("[1, 0].all(x, 4 / x > 5)", "false"),
        ("[0, 1].exists(x, 4 / x > 3)", "true"),
        ("[[1, 2], [3]].map(l, l.map(x, x + size(l)))", "[[3, 4], [4]]"),
        ("[1].map(x, [2].map(x, x))", "[[2]]"),
        // Functions: langdef.md, "Functions".
        (
            "size('aé') == 2 && size(b'ab') == 2 && message.tags.size() == 3 && size({'a': 1}) == 1",
            "true",
        ),
        (
            "message.name.startsWith('A') && message.name.endsWith('n') && message.name.contains('nn')",
            "true",
        ),
        ("message.name.matches('^A.n$') && matches('xAnnx', 'Ann')", "true"),
        ("message.name.matches('^a')", "false"),
        ("int('-7') + int(2.9) + int(3u)", "-2"),
        ("uint(7) + uint('1')", "8u"),
        ("double('1.5') + double(1)", "2.5"),
        (
            "string(1) + string(1u) + string(true) + string(b'x')",
            "\"11truex\"",
        ),
        ("bytes('é') == b'é'", "true"),
        ("bool('true')", "true"),
        (
            "timestamp('2024-02-29T12:00:00Z') + duration('36h')",
            "2024-03-02T00:00:00Z",
        ),
        (
            "timestamp('2024-01-01T00:00:00Z') < timestamp('2024-01-01T00:00:00.1Z')",
            "true",
        ),
        ("timestamp('2024-01-01T00:00:00Z').getFullYear('-01:00')", "2023"),
        (
            "timestamp('2024-03-01T00:00:00Z') - timestamp('2024-02-28T00:00:00Z')",
            "172800s",
        ),
        ("duration('90s').getMinutes()", "1"),
        ("int(timestamp('1970-01-01T00:01:00Z'))", "60"),
        ("message.`name`", "\"Ann\""),
        ("1 // what follows is a comment\n + 1", "2"),
        // The library of texts: cel-go, ext/strings.go.
        ("' aB '.trim().lowerAscii() + 'c'.upperAscii()", "\"abC\""),
        ("'a,b,,c'.split(',')", "[\"a\", \"b\", \"\", \"c\"]"),
        ("['a', 'b'].join('-')", "\"a-b\""),
        ("'aXbX'.replace('X', 'yy')", "\"ayybyy\""),
        ("'héllo'.substring(1, 3) + 'héllo'.substring(4)", "\"élo\""),
        (
            "'héllo'.indexOf('l') + 'héllo'.lastIndexOf('l') + 'a'.indexOf('z')",
            "4",
        ),
        ("'héllo'.charAt(1)", "\"é\""),
        ("'a@example.com'.isEmail() && !'a'.isUuid()", "true"),
    ] {
        assert_eq!(
            evaluated(text, &document(), 10_000).as_deref(),
            Ok(expected),
            "{text}"
        );
    }
}

#[test]
fn errors_say_what_was_expected_and_nothing_of_the_record() {
    for (text, expected) in [
        ("message.missing", "there is no `missing`"),
        ("message.name.x", "`.x` is asked of string"),
        ("message.items[3]", "the index is outside of the list"),
        ("message.by['secret']", "there is no such key"),
        ("1 / 0", "a division by zero"),
        ("9223372036854775807 + 1", "an int overflows"),
        ("-(-9223372036854775807 - 1)", "an int overflows"),
        ("0u - 1u", "a uint overflows"),
        (
            "message.amount + message.price",
            "`+` does not go with int and double",
        ),
        ("message.name > 1", "string and int have no order"),
        ("message.name > 1.0", "string and double have no order"),
        ("int(message.name)", "this string is no int"),
        ("int(1e30)", "this double is no int"),
        ("!message.amount", "a bool is wanted and int stands there"),
        ("message.amount.all(x, true)", "int cannot be gone through"),
        (
            "timestamp('9999-12-31T23:59:59Z') + duration('1s')",
            "a timestamp overflows",
        ),
        ("[1, 2].exists(x, x.y)", "`.y` is asked of int"),
        ("'abc'.substring(2, 1)", "the position is outside of the text"),
        (
            "timestamp('2024-01-01T00:00:00Z').getHours('Mars/Base')",
            "a time zone is UTC or an offset such as +02:00",
        ),
    ] {
        match evaluated(text, &document(), 10_000) {
            Err(Fault::Failed { reason, .. }) => assert_eq!(reason, expected, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_cannot_be_read_is_told_with_its_place() {
    for (text, at, expected) in [
        ("", 0, "a value is expected here, not the end"),
        (
            "message.",
            8,
            "the name of a field or function is expected here, not the end",
        ),
        (
            "message..a",
            8,
            "the name of a field or function is expected here, not `.`",
        ),
        (
            "mesage.a",
            0,
            "`mesage` is not known here; a rule of this type sees message",
        ),
        ("message.a = 1", 10, "equality is written `==`"),
        ("message.a ; 1 ; 2", 10, "a second `;`"),
        ("(1", 2, "`)` is expected here, not the end"),
        ("[1, 2", 5, "`]` is expected here, not the end"),
        ("'abc", 0, "this text does not end"),
        (
            "'a\nb'",
            0,
            "a text in single quotation marks must end on its line",
        ),
        (r"'\q'", 1, r"\q is no escape"),
        (r"'\ud800'", 1, "this escape wants 4 digits of a character"),
        ("9223372036854775808", 0, "this number does not fit into an int"),
        ("99999999999999999999", 0, "this number does not fit into 64 bits"),
        ("1 # 2", 2, "the character '#' means nothing in CEL"),
        ("message.a.b()", 10, "there is no function `b`"),
        ("now()", 0, "there is no function `now`"),
        ("message.size(1)", 8, "`size` takes 0 arguments, not 1"),
        ("contains('a', 'b')", 0, "`contains` is written x.contains()"),
        ("message.int()", 8, "`int` is written int(x)"),
        ("has(message)", 0, "`has` takes one field"),
        (
            "message.all(1, true)",
            8,
            "`all` begins with the name of its variable",
        ),
        (
            "message.all(x)",
            12,
            "`all` wants a name, a comma and an expression",
        ),
        (
            "'a'.matches('(')",
            12,
            "this pattern is no regular expression of RE2: unclosed group",
        ),
        (
            "'a'.matches('(?=a)')",
            12,
            "this pattern is no regular expression of RE2",
        ),
        (
            "'a'.matches(message.p)",
            20,
            "the pattern of `matches` must be a constant",
        ),
        ("Foo{a: 1}", 0, "`Foo` is not known here"),
        ("message{a: 1}", 0, "rules do not build messages"),
        ("for", 0, "`for` is a reserved word"),
        ("1 2", 2, "a number is not expected here"),
    ] {
        let error = parse(text, &["message"]).expect_err(text);
        assert!(error.message.contains(expected), "{text}: {}", error.message);
        assert_eq!(error.at, at, "{text}");
    }
}
