//! Words with an order: the further, the stricter.

use serde::{Deserialize, Serialize};

/// How far a contract has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Lifecycle {
    /// May change in any way.
    Draft,
    /// Changes by its compatibility level.
    Stable,
    /// Still kept; use another.
    Deprecated,
    /// Not kept any more.
    Retired,
}

/// Who may see the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Classification {
    /// Everybody.
    Public,
    /// Everybody in the organization.
    Internal,
    /// Those who need it.
    Confidential,
    /// Those who are named.
    Restricted,
}

/// What happens to a record that breaks the contract; as a topic's `enforcement`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Enforcement {
    /// Nothing.
    Off,
    /// It is counted.
    Shadow,
    /// It is counted, and says so in a header.
    Mark,
    /// It is withheld from consumers and copied into the dead-letter topic.
    Dlq,
    /// Its batch is refused.
    Reject,
}

macro_rules! words {
    ($type:ident: $($variant:ident = $word:literal),* $(,)?) => {
        impl $type {
            /// Every word, the least first.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As documents write it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),*
                }
            }

            /// Reads a word, in capitals or not.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.as_str().eq_ignore_ascii_case(name))
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(Lifecycle: Draft = "DRAFT", Stable = "STABLE", Deprecated = "DEPRECATED", Retired = "RETIRED");
words!(Classification: Public = "PUBLIC", Internal = "INTERNAL", Confidential = "CONFIDENTIAL", Restricted = "RESTRICTED");
words!(Enforcement: Off = "OFF", Shadow = "SHADOW", Mark = "MARK", Dlq = "DLQ", Reject = "REJECT");
