//! JSON (RFC 8259) as values, without a copy of what `serde_json` holds.

use super::{DecodeError, List, Map, Value};

/// Reads a JSON text. Nesting is bounded by `serde_json` (128); of a key that comes twice the last value holds.
///
/// # Errors
/// Where it is not JSON: line and column, not what stands there.
pub fn decode(payload: &[u8]) -> Result<serde_json::Value, DecodeError> {
    serde_json::from_slice(payload).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let what = match error.classify() {
            serde_json::error::Category::Eof => "the text ends within a value",
            _ => "the text is not JSON",
        };
        DecodeError::new("", format!("{what} (line {line}, column {column})"))
    })
}

/// A value as rules see it. Whole numbers are ints, those beyond 2^63 uints, all others doubles.
pub fn value(json: &serde_json::Value) -> Value<'_> {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => number
            .as_i64()
            .map(Value::Int)
            .or_else(|| number.as_u64().map(Value::Uint))
            .or_else(|| number.as_f64().map(Value::Double))
            .unwrap_or(Value::Null),
        serde_json::Value::String(text) => Value::text(text),
        serde_json::Value::Array(list) => Value::List(List::Json(list)),
        serde_json::Value::Object(map) => Value::Map(Map::Json(map)),
    }
}
