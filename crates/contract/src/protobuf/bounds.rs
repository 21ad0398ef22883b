//! What can be counted in a text before it is parsed: how deep it nests and how much it declares.

use crate::error::{Position, SchemaError};
use crate::limits::Limits;

/// How deep messages, options and their values may nest: what decoders of descriptors bear.
const DEPTH: usize = 30;

/// Counts braces, angles and semicolons outside of strings and comments.
pub(super) fn admit(text: &str, limits: &Limits) -> Result<(), SchemaError> {
    let (mut depth, mut blocks, mut statements) = (0_usize, 0_usize, 0_usize);
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => at = end_of(text, at, "\n"),
            b'/' if bytes.get(at + 1) == Some(&b'*') => at = end_of(text, at + 2, "*/"),
            quote @ (b'"' | b'\'') => at = end_of_string(bytes, at + 1, quote),
            b'{' | b'[' => {
                depth += 1;
                blocks += 1;
                if depth > DEPTH.min(limits.depth) {
                    return Err(too_large(text, at, "nested too deep"));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b';' => statements += 1,
            _ => {}
        }
        if blocks > limits.names + limits.fields || statements > limits.fields {
            return Err(too_large(text, at, "too many messages, enums and fields"));
        }
        at += 1;
    }
    Ok(())
}

fn too_large(text: &str, at: usize, message: &str) -> SchemaError {
    SchemaError::too_large("", message).at(Position::of(text, at))
}

fn end_of(text: &str, at: usize, mark: &str) -> usize {
    text.get(at..)
        .and_then(|rest| rest.find(mark))
        .map_or(text.len(), |found| at + found + mark.len() - 1)
}

fn end_of_string(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while at < bytes.len() && bytes[at] != quote && bytes[at] != b'\n' {
        at += 1 + usize::from(bytes[at] == b'\\');
    }
    at
}
