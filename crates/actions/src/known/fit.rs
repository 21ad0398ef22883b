//! Whether what comes out can be written by a schema.

use weir_contract::Format;
use weir_contract::rules::cel::types::Type;

use super::{Fields, Known};

/// The first part of `out` that cannot be written as `sink` wants it, as a sentence. What is not known fits.
pub(crate) fn misfit(out: &Known, sink: &Known, format: Format, required: &[String]) -> Option<String> {
    if let (Known::Record(fields), Format::Json) = (out, format)
        && !fields.open
        && let Some(name) = required.iter().find(|name| !fields.fields.contains_key(*name))
    {
        return Some(format!(
            "The sink's schema requires `{name}`, and no step gives it; add it with set or project."
        ));
    }
    compare(out, sink, format, &mut Vec::new())
}

fn compare(out: &Known, sink: &Known, format: Format, path: &mut Vec<String>) -> Option<String> {
    match (out, sink) {
        (Known::Any, _) | (_, Known::Any) => None,
        (Known::Plain(Type::Null), Known::Maybe(_)) => None,
        (Known::Maybe(out), Known::Maybe(sink)) => compare(out, sink, format, path),
        (out, Known::Maybe(sink)) => compare(out, sink, format, path),
        // A message leaves out what is null; otherwise null has no place, but perhaps never comes.
        (Known::Maybe(out), sink) => compare(out, sink, format, path),
        (Known::Plain(Type::Null), _) if format == Format::Protobuf => None,
        (Known::List(out), Known::List(sink)) | (Known::Map(out), Known::Map(sink)) => {
            compare(out, sink, format, path)
        }
        (Known::Record(out), Known::Record(sink)) => fields(out, sink, format, path),
        (Known::Record(_) | Known::Map(_), Known::Record(_) | Known::Map(_)) => None,
        (Known::Plain(out), Known::Plain(sink)) if plain(out, sink, format) => None,
        (out, sink) => Some(format!(
            "`{}` is {out}, and the sink's schema wants {sink}; convert it with cast or set.",
            path.join(".")
        )),
    }
}

fn fields(out: &Fields, sink: &Fields, format: Format, path: &mut Vec<String>) -> Option<String> {
    for (name, known) in &out.fields {
        path.push(name.clone());
        let wrong = match sink.fields.get(name) {
            Some(wanted) => compare(known, wanted, format, path),
            None if sink.open => None,
            None => Some(format!(
                "The sink's schema has no field `{}`; drop or rename it.",
                path.join(".")
            )),
        };
        if wrong.is_some() {
            return wrong;
        }
        path.pop();
    }
    if format != Format::Avro || out.open {
        return None;
    }
    let missing = |(name, wanted): &(&String, &Known)| {
        !out.fields.contains_key(*name)
            && !matches!(wanted, Known::Maybe(_) | Known::Any | Known::Plain(Type::Null))
    };
    let (name, _wanted) = sink.fields.iter().find(missing)?;
    path.push(name.clone());
    let name = path.join(".");
    Some(format!(
        "The sink's schema has a field `{name}`, and no step gives it; add it with set or project."
    ))
}

/// Whether a value of one type can be written as one of another.
fn plain(out: &Type, sink: &Type, format: Format) -> bool {
    match (out, sink) {
        (Type::Any, _) | (_, Type::Any) => true,
        (out, Type::Double) => out.is_number(),
        (Type::Double, Type::Int | Type::Uint) => false,
        (out, sink) if out.is_number() && sink.is_number() => true,
        (Type::Int | Type::Uint | Type::Number, Type::Timestamp) => format == Format::Avro,
        // JSON writes these as texts.
        (Type::Bytes | Type::Timestamp | Type::Duration, Type::Text) => format == Format::Json,
        (out, sink) => out == sink,
    }
}
