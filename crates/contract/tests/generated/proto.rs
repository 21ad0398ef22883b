//! Protobuf files.

use proptest::prelude::*;

const KINDS: [&str; 12] = [
    "int32",
    "uint64",
    "sint32",
    "bool",
    "string",
    "bytes",
    "fixed32",
    "double",
    "E",
    "N",
    "map<string, int32>",
    "map<int32, N>",
];

/// A file with two messages and an enum.
pub fn proto_file() -> impl Strategy<Value = String> {
    let field = (0..KINDS.len(), 0..3_usize, any::<bool>());
    let fields = prop::collection::btree_map(1..7_u32, field, 0..5);
    (fields.clone(), fields, any::<bool>(), 1..4_u32).prop_map(|(first, second, has_package, constants)| {
        let package = if has_package { "package p;\n" } else { "" };
        let constants: String = (0..constants).map(|number| format!("  C{number} = {number};\n")).collect();
        format!(
            "syntax = \"proto3\";\n{package}message M {{\n{}}}\nmessage N {{\n{}}}\nenum E {{\n{constants}}}\n",
            body(&first),
            body(&second)
        )
    })
}

fn body(fields: &std::collections::BTreeMap<u32, (usize, usize, bool)>) -> String {
    let (mut plain, mut chosen) = (String::new(), String::new());
    for (number, (kind, label, is_chosen)) in fields {
        let kind = KINDS[*kind];
        let is_map = kind.starts_with("map");
        if *is_chosen && !is_map {
            chosen.push_str(&format!("    {kind} f{number} = {number};\n"));
            continue;
        }
        let label = match label {
            1 if !is_map => "repeated ",
            2 if !is_map => "optional ",
            _ => "",
        };
        plain.push_str(&format!("  {label}{kind} f{number} = {number};\n"));
    }
    if !chosen.is_empty() {
        plain.push_str(&format!("  oneof choice {{\n{chosen}  }}\n"));
    }
    plain
}
