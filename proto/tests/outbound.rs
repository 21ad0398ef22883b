//! What may leave the customer's network: every field that an agent can send is listed and classed in `outbound-fields.txt`.
//!
//! `WEIR_BLESS=1` appends new fields as `UNCLASSED`, which this test refuses: a person has to say what a field is.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};

/// What leaves: the frames of the session, and the two requests beside it.
const OUTBOUND: [&str; 3] = [
    "weir.agent.v1.AgentFrame",
    "weir.agent.v1.EnrollRequest",
    "weir.agent.v1.RenewRequest",
];
const CLASSES: [&str; 8] = [
    "id", "name", "count", "enum", "duration", "time", "derived", "program",
];

fn here(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn pool() -> DescriptorPool {
    let files = protox::compile(
        [here("agent/v1/link.proto"), here("lane/v1/lane.proto")],
        [here(".")],
    )
    .unwrap();
    DescriptorPool::from_file_descriptor_set(files).unwrap()
}

/// Every leaf below `message`, as `path -> type`.
///
/// # Panics
/// On a field of type `bytes`: nothing opaque leaves.
fn walk(message: &MessageDescriptor, path: &str, above: &[String], found: &mut BTreeMap<String, String>) {
    assert!(
        !above.contains(&message.full_name().to_owned()),
        "{path} is recursive: unbounded"
    );
    let above: Vec<String> = above
        .iter()
        .cloned()
        .chain([message.full_name().to_owned()])
        .collect();
    for field in message.fields() {
        let path = format!("{path}.{}", field.name());
        match field.kind() {
            Kind::Message(inner) => walk(&inner, &path, &above, found),
            Kind::Bytes => panic!("{path} is of type bytes: nothing opaque may leave"),
            kind => {
                found.insert(path, type_name(&field, &kind));
            }
        }
    }
}

fn type_name(field: &FieldDescriptor, kind: &Kind) -> String {
    let name = match kind {
        Kind::Enum(words) => words.name().to_owned(),
        other => format!("{other:?}").to_lowercase(),
    };
    if field.is_list() {
        format!("repeated-{name}")
    } else {
        name
    }
}

fn outbound() -> BTreeMap<String, String> {
    let pool = pool();
    let mut found = BTreeMap::new();
    for name in OUTBOUND {
        let message = pool.get_message_by_name(name).unwrap();
        walk(&message, message.name(), &[], &mut found);
    }
    found
}

#[test]
fn every_outbound_field_is_listed_and_classed() {
    let fields = outbound();
    let path = here("outbound-fields.txt");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let mut listed: BTreeMap<String, (String, String)> = BTreeMap::new();
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let [field, kind, class] = parts[..] else {
            panic!("not `path type class`: {line}");
        };
        let twice = listed.insert(field.to_owned(), (kind.to_owned(), class.to_owned()));
        assert!(twice.is_none(), "{field} is listed twice");
    }
    if std::env::var_os("WEIR_BLESS").is_some() {
        let mut blessed = text.clone();
        for (field, kind) in fields.iter().filter(|(field, _)| !listed.contains_key(*field)) {
            blessed.push_str(&format!("{field} {kind} UNCLASSED\n"));
        }
        std::fs::write(&path, blessed).unwrap();
    }
    let compiled: BTreeSet<&String> = fields.keys().collect();
    let written: BTreeSet<&String> = listed.keys().collect();
    let missing: Vec<_> = compiled.difference(&written).collect();
    assert!(
        missing.is_empty(),
        "fields may leave that are not in outbound-fields.txt (WEIR_BLESS=1 appends them, class them by hand): {missing:?}"
    );
    let stale: Vec<_> = written.difference(&compiled).collect();
    assert!(
        stale.is_empty(),
        "outbound-fields.txt lists fields that do not exist: {stale:?}"
    );
    for (field, (kind, class)) in &listed {
        assert_eq!(kind, &fields[field], "the type of {field} changed");
        assert!(
            CLASSES.contains(&class.as_str()),
            "{field} has no class: `{class}`"
        );
        assert_eq!(
            class == "enum",
            kind == "bool" || kind.contains(char::is_uppercase),
            "{field}: the class enum is for words from a closed list, and for yes or no"
        );
        // Text that leaves is an identifier, a name that a person gave, or one that the policy may withhold; never prose.
        assert!(
            !kind.ends_with("string") || ["id", "name", "program"].contains(&class.as_str()),
            "{field}: text may only be an id or a name"
        );
    }
}

#[test]
fn the_published_descriptor_is_the_compiled_one() {
    let published = DescriptorPool::decode(weir_proto::PUBLISHED_DESCRIPTOR).unwrap();
    let compiled = pool();
    for name in OUTBOUND {
        let fields = |pool: &DescriptorPool| {
            let mut found = BTreeMap::new();
            let message = pool.get_message_by_name(name).unwrap();
            walk(&message, message.name(), &[], &mut found);
            found
        };
        assert_eq!(fields(&published), fields(&compiled));
    }
}

#[test]
#[should_panic(expected = "nothing opaque may leave")]
fn a_message_with_bytes_could_not_leave() {
    let message = pool().get_message_by_name("weir.agent.v1.ControlFrame").unwrap();
    walk(&message, "ControlFrame", &[], &mut BTreeMap::new());
}
