//! The Common Expression Language, as far as rules need it: parsed with positions, checked against the schema,
//! evaluated in a bounded number of steps (docs/decisions/0025).

mod arithmetic;
pub mod ast;
mod calls;
mod check;
mod convert;
mod eval;
mod formats;
mod functions;
pub(crate) mod lexer;
mod literal;
mod loops;
mod parser;
mod pattern;
mod receivers;
mod time;
pub mod types;

#[cfg(test)]
mod tests;

pub use check::check;
pub use eval::{Fault, Steps, evaluate};
pub use parser::parse;

use crate::value::Timestamp;

/// A point in time as RFC 3339 writes it, if it can.
pub(crate) fn timestamp_text(moment: Timestamp) -> Option<String> {
    time::is_within(moment).then(|| time::write_timestamp(moment))
}

/// A span in seconds, with an `s` behind.
pub(crate) fn duration_text(span: i128) -> String {
    time::write_duration(span)
}

/// Bytes of one expression.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Parts of one expression.
pub const PARTS_MAX: usize = 2_000;
/// How deep an expression may nest.
pub const DEPTH_MAX: usize = 64;
/// How many loops may stand in one another. Steps bound a loop whatever it is; this says so at registration.
pub const LOOPS_MAX: usize = 3;
/// Bytes that the compiled form of one pattern may take.
pub const PATTERN_BYTES_MAX: usize = 256 * 1024;

/// What is wrong with an expression, and at which byte of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CelError {
    /// The byte.
    pub at: usize,
    /// A sentence: what is wrong and what to do.
    pub message: String,
}

impl CelError {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
        }
    }
}
