//! What of shared records is encrypted before a broker has it, and when its keys are exchanged. The keys are the agent's: none is ever here.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Error, Result, code};
use crate::resources::share::model::{Share, SharedTopic};

/// What is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SharedEncryption {
    /// What of the values.
    pub values: EncryptedValues,
}

/// What of values is encrypted. Keys and headers of records are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EncryptedValues {
    /// Each as a whole.
    Whole,
}

impl SharedEncryption {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.values {
            EncryptedValues::Whole => "WHOLE",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub const fn stored(_name: &str) -> Self {
        Self {
            values: EncryptedValues::Whole,
        }
    }
}

/// Once somebody reads it encrypted, it stays so: turning it off would write in clear what he was told is not.
///
/// # Errors
/// 409 when it is taken away.
pub fn check_stays(before: &Share, topics: &[SharedTopic]) -> Result<()> {
    let off = before.spec.topics.iter().any(|held| {
        let now = topics.iter().find(|it| it.topic == held.topic);
        held.encryption.is_some() && now.is_some_and(|it| it.encryption.is_none())
    });
    if off {
        let detail =
            "What its recipient took encrypted stays encrypted. Revoke the share, or make another one.";
        return Err(Error::conflict(code::WRONG_PHASE, detail));
    }
    Ok(())
}

/// Other keys can be had where there are some.
///
/// # Errors
/// 409 when nothing is encrypted.
pub fn check_any(share: &Share) -> Result<()> {
    if share.is_encrypted() {
        return Ok(());
    }
    let detail = "Nothing of the share is encrypted: it has no keys.";
    Err(Error::conflict(code::WRONG_PHASE, detail))
}
