//! Regular expressions of rules: matched in linear time, compiled once, bounded in size.
//!
//! The syntax is RE2's, as CEL wants it; the `regex` crate reads the same one and has no back references either.

use regex::{Regex, RegexBuilder};

use super::PATTERN_BYTES_MAX;

/// A pattern with what it costs.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    /// Steps for each byte of text. A search is at worst as long as text times automaton, so a larger automaton costs more.
    weight: usize,
}

impl Pattern {
    /// Compiles a pattern, or says in a sentence why not.
    pub fn compile(pattern: &str) -> Result<Self, String> {
        let mut limit = PATTERN_BYTES_MAX / 16;
        for weight in [1, 4] {
            if let Ok(regex) = build(pattern, limit) {
                return Ok(Self { regex, weight });
            }
            limit *= 4;
        }
        match build(pattern, limit) {
            Ok(regex) => Ok(Self { regex, weight: 16 }),
            Err(regex::Error::CompiledTooBig(_)) => Err(format!(
                "this pattern takes more than {limit} bytes when compiled; make it simpler"
            )),
            Err(other) => {
                // The crate's text repeats the pattern over several lines; its last line is the reason.
                let text = other.to_string();
                let reason = text
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ");
                Err(format!("this pattern is no regular expression of RE2: {reason}"))
            }
        }
    }

    /// Steps that a search in a text of this length is charged with.
    pub const fn cost(&self, text_bytes: usize) -> usize {
        1 + text_bytes.saturating_mul(self.weight)
    }

    /// Whether it occurs anywhere in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

fn build(pattern: &str, limit: usize) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .size_limit(limit)
        .dfa_size_limit(PATTERN_BYTES_MAX)
        .nest_limit(50)
        .build()
}
