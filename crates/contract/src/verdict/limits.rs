//! How much a verdict may cost. Time and memory grow with the record and with nothing else.

/// Bounds of one verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgeLimits {
    /// Bytes of a payload; a larger one is not decodable.
    pub payload_bytes: usize,
    /// How deep a record may nest. JSON stops at 128 and Protobuf at 100 by themselves.
    pub depth: usize,
    /// Steps that one rule may take, whatever the record is.
    pub rule_steps: usize,
    /// Steps more for each byte of the record.
    pub rule_steps_per_byte: usize,
    /// Steps that all rules together may take.
    pub steps: usize,
    /// Steps more for each byte of the record.
    pub steps_per_byte: usize,
}

impl JudgeLimits {
    /// What is used where nobody says otherwise.
    pub const DEFAULT: Self = Self {
        payload_bytes: 64 << 20,
        depth: 64,
        rule_steps: 20_000,
        rule_steps_per_byte: 8,
        steps: 100_000,
        steps_per_byte: 16,
    };

    pub(super) const fn for_rule(&self, payload_bytes: usize) -> usize {
        self.rule_steps
            .saturating_add(self.rule_steps_per_byte.saturating_mul(payload_bytes))
    }

    pub(super) const fn for_all(&self, payload_bytes: usize) -> usize {
        self.steps
            .saturating_add(self.steps_per_byte.saturating_mul(payload_bytes))
    }
}

impl Default for JudgeLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
