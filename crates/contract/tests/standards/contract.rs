//! Whole contracts, with every member that a document may have.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Number;
use weir_contract::document::{Classification, Document, Enforcement, Lifecycle, Reference, ServiceLevel};
use weir_contract::rules::{EnableAt, Metadata, Rule, RuleKind, RuleMode, RuleSet};
use weir_contract::{Format, Level};

use super::generated::{avro_type, json_schema, proto_file};

/// Words that YAML could take for something else, and characters of all sorts; never blank.
fn word() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "true",
        "null",
        "~",
        "1",
        "1.0",
        "0x1f",
        "1e3",
        "-",
        "- a",
        "a: b",
        "a #b",
        "*a",
        "&a",
        "!a",
        "|",
        ">",
        "'",
        "\"",
        "%",
        "@",
        "`",
        "yes",
        "2022-05-12",
        "12:30",
        "[a]",
        "{a}",
        " a",
        "a ",
        "a\n",
        "\na",
        "a\n\n b\n",
        "a\tb",
        "\u{feff}a",
        "\u{85}a",
        "\u{2028}a",
        "é😀",
        "\u{7f}a",
        "\u{1}a",
        "<<",
        "---",
        "...",
        "\\",
        "a\r\nb",
        "=",
        "?",
        "? a",
        ".inf",
        "0o7",
        "+1",
    ]);
    prop_oneof![
        2 => odd.prop_map(str::to_owned),
        3 => "[a-z][a-zA-Z0-9_. -]{0,12}[a-z]",
        1 => "\\PC{1,8}",
    ]
    .prop_filter("it is not blank", |word| !word.trim().is_empty())
}

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z_][a-zA-Z0-9_-]{0,8}"
}

fn opt<S: Strategy>(of: S) -> impl Strategy<Value = Option<S::Value>> {
    prop::option::of(of)
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        (0..10_000_u32)
            .prop_map(|value| Number::from_f64(f64::from(value) / 100.0).unwrap_or_else(|| value.into())),
        any::<f64>().prop_filter_map("it is finite", Number::from_f64),
    ]
}

fn service_levels() -> impl Strategy<Value = Vec<ServiceLevel>> {
    let unit = prop::sample::select(vec!["ms", "s", "m", "h", "d", "rows"]).prop_map(str::to_owned);
    let more = (number(), opt(unit), opt(word()));
    prop::collection::btree_map((word(), opt(word())), more, 0..4).prop_map(|levels| {
        let level = |((name, element), (value, unit, description))| ServiceLevel {
            name,
            value,
            unit,
            element,
            description,
        };
        levels.into_iter().map(level).collect()
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let kind = prop::sample::select(vec![RuleKind::Condition, RuleKind::Transform]);
    let mode = prop::sample::select(vec![
        RuleMode::Write,
        RuleMode::Read,
        RuleMode::WriteRead,
        RuleMode::Upgrade,
        RuleMode::UpDown,
    ]);
    let words = (opt(word()), name(), opt(word()), opt(word()), opt(word()));
    let more = (
        prop::collection::btree_set(word(), 0..3),
        prop::collection::btree_map(word(), word(), 0..3),
        any::<bool>(),
    );
    (name(), kind, mode, words, more).prop_map(|(name, kind, mode, words, more)| {
        let (doc, rule_type, expr, on_success, on_failure) = words;
        let (tags, params, disabled) = more;
        Rule {
            name,
            doc,
            kind,
            mode,
            rule_type,
            tags,
            params,
            expr,
            on_success,
            on_failure,
            disabled,
        }
    })
}

fn rule_set() -> impl Strategy<Value = RuleSet> {
    let rules = || prop::collection::vec(rule(), 0..3);
    let place = prop::sample::select(vec![
        EnableAt::All,
        EnableAt::Client,
        EnableAt::Gateway,
        EnableAt::None,
    ]);
    (rules(), rules(), rules(), opt(place)).prop_map(
        |(migration_rules, domain_rules, encoding_rules, enable_at)| RuleSet {
            migration_rules,
            domain_rules,
            encoding_rules,
            enable_at,
        },
    )
}

fn metadata() -> impl Strategy<Value = Metadata> {
    let path = prop_oneof![word(), Just("$.a".to_owned()), Just("$.b".to_owned())];
    let tags = prop::collection::btree_map(path, prop::collection::btree_set(word(), 0..3), 0..3);
    let properties = prop::collection::btree_map(word(), word(), 0..3);
    let sensitive = prop::collection::btree_set(word(), 0..2);
    (tags, properties, sensitive).prop_map(|(tags, properties, sensitive)| Metadata {
        tags,
        properties,
        sensitive,
    })
}

/// The root with a name space within its name, beside it, or with an alias elsewhere: Avro allows all of it.
fn renamed(schema: &mut serde_json::Value, how: u8) {
    let Some(name) = schema
        .get("name")
        .and_then(|name| name.as_str().map(str::to_owned))
    else {
        return;
    };
    match how {
        1 => schema["name"] = format!("some.space.{name}").into(),
        2 => schema["namespace"] = "some.space".into(),
        3 => schema["aliases"] = vec!["older.space.Name"].into(),
        _ => {}
    }
}

/// A schema in any language, written compactly or with spaces.
fn schema() -> impl Strategy<Value = (Format, String)> {
    let spaced = |value: &serde_json::Value, spaces: bool| {
        if spaces {
            format!("{value:#}\n")
        } else {
            value.to_string()
        }
    };
    prop_oneof![
        (avro_type(), any::<bool>(), 0..4_u8).prop_map(move |(it, spaces, named)| {
            let mut value = serde_json::from_str(&it.text()).unwrap_or_default();
            renamed(&mut value, named);
            (Format::Avro, spaced(&value, spaces))
        }),
        (json_schema(), any::<bool>()).prop_map(move |(it, spaces)| (Format::Json, spaced(&it, spaces))),
        proto_file().prop_map(|text| (Format::Protobuf, text)),
    ]
}

fn references() -> impl Strategy<Value = Vec<Reference>> {
    let more = (opt(word()), opt(1..9_u32));
    prop::collection::btree_map("x[a-z]{2,5}", more, 0..2).prop_map(|references| {
        let reference = |(name, (subject, version)): (String, _)| Reference {
            schema: Some("true".to_owned()),
            name,
            subject,
            version,
        };
        references.into_iter().map(reference).collect()
    })
}

fn one_of<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = Option<T>> {
    opt(prop::sample::select(all))
}

/// Any contract.
pub fn document() -> impl Strategy<Value = Document> {
    let subject = prop_oneof![
        word(),
        name().prop_map(|topic| format!("{topic}-value")),
        name().prop_map(|topic| format!("{topic}-key")),
    ];
    let words = (opt(1..u32::MAX), opt(word()), opt(word()));
    let marks = (
        one_of(Lifecycle::ALL),
        one_of(Classification::ALL),
        one_of(Enforcement::ALL),
        one_of(&Level::ALL),
    );
    let parts = (metadata(), rule_set(), service_levels(), references());
    (subject, schema(), words, marks, parts).prop_map(
        |(subject, (schema_type, schema), words, marks, parts)| {
            let (version, description, owner) = words;
            let (lifecycle, classification, enforcement, compatibility) = marks;
            let (metadata, rule_set, service_levels, references) = parts;
            Document {
                subject,
                version,
                description,
                owner,
                lifecycle,
                classification,
                compatibility,
                enforcement,
                schema_type,
                schema,
                // What another language would refer to is no schema of it.
                references: if schema_type == Format::Json {
                    references
                } else {
                    Vec::new()
                },
                metadata,
                rule_set,
                service_levels,
                carried: BTreeMap::new(),
            }
        },
    )
}
