//! Headers that say why a record is a dead letter, and where it comes from.

/// The rule that was broken; without one, the kind of the violation.
pub const RULE_NAME: &str = "__rule.name";
/// When rules run: at writing.
pub const RULE_MODE: &str = "__rule.mode";
/// The subject of the schema, where subjects go by topics.
pub const RULE_SUBJECT: &str = "__rule.subject";
/// Where it was to be written, as the tenant knows it.
pub const RULE_TOPIC: &str = "__rule.topic";
/// A sentence without values.
pub const RULE_EXCEPTION: &str = "__rule.exception";
/// The partition that it stands in.
pub const ORIGIN_PARTITION: &str = "__weir.origin.partition";
/// Its offset there.
pub const ORIGIN_OFFSET: &str = "__weir.origin.offset";
/// Its time there, in milliseconds since 1970.
pub const ORIGIN_TIMESTAMP: &str = "__weir.origin.timestamp";
/// Stands for a record that the dead-letter topic does not take: so many bytes it has.
pub const TOO_LARGE: &str = "__weir.too_large";
/// How often a redrive met it and could not deliver it.
pub const REDRIVEN: &str = "__weir.redriven";
/// Why the last redrive did not even judge it.
pub const NOT_REDRIVEN: &str = "__weir.not_redriven";
