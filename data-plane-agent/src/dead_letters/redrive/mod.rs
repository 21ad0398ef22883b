//! Dead letters sent again: each is judged by the contract that is in force now, and goes into its topic, or to the end of
//! the dead-letter topic with what is wrong now (docs/decisions/0038-redriven-letters-are-judged-again.md).
//!
//! [`origins`] says where letters may go, [`judge`] what becomes of each, [`run`] does it in transactions, [`account`] tells
//! how it goes, [`kept`] remembers how far it came when Kafka forgets.

mod account;
mod judge;
mod kept;
mod origins;
mod run;

#[cfg(test)]
mod scene;
#[cfg(test)]
mod tests;

use serde::Deserialize;

pub use account::{Account, Phase, Progress};
pub use kept::Kept;
pub use run::Run;

/// What is to be redriven.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wish {
    /// Judge and count; write nothing, move nothing.
    pub dry_run: bool,
    /// Only letters of this rule; others are written again as they are.
    pub rule: Option<String>,
}
