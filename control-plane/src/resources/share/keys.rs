//! What a share shows of records' keys.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is shown of records' keys. They often are what a mask is to hide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SharedKeys {
    /// As they are.
    Shown,
    /// HMAC-SHA-256 under a key of the share, 64 hexadecimal digits: equal keys stay equal, for this share alone.
    Hashed,
    /// None.
    Withheld,
}

impl SharedKeys {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shown => "SHOWN",
            Self::Hashed => "HASHED",
            Self::Withheld => "WITHHELD",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "SHOWN" => Self::Shown,
            "WITHHELD" => Self::Withheld,
            _ => Self::Hashed,
        }
    }
}
