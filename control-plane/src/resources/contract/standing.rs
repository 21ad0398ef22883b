//! What a contract's properties say of it: how far it is in its life, and who may see what it describes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
pub use weir_contract::document::{CLASSIFICATION, LIFECYCLE, OWNER};

use crate::resources::contract::wish::Metadata;

/// How far a contract is in its life. New stages may appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ContractLifecycle {
    /// It may still change in any way.
    Draft,
    /// Others rely on it.
    Stable,
    /// Others should turn to something else.
    Deprecated,
    /// Nobody should use it any more.
    Retired,
}

impl ContractLifecycle {
    const ALL: [Self; 4] = [Self::Draft, Self::Stable, Self::Deprecated, Self::Retired];

    /// As the property is written, in capitals.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Stable => "STABLE",
            Self::Deprecated => "DEPRECATED",
            Self::Retired => "RETIRED",
        }
    }

    /// Reads a property, in capitals or not; what is none of these says nothing.
    #[must_use]
    pub fn read(property: Option<&String>) -> Option<Self> {
        let told = property?;
        Self::ALL
            .into_iter()
            .find(|it| told.eq_ignore_ascii_case(it.name()))
    }

    /// What a version's metadata say; what they call sensitive says nothing.
    #[must_use]
    pub fn of(metadata: Option<&Metadata>) -> Option<Self> {
        let metadata = metadata?;
        if metadata
            .sensitive
            .as_ref()
            .is_some_and(|it| it.contains(LIFECYCLE))
        {
            return None;
        }
        Self::read(metadata.properties.as_ref()?.get(LIFECYCLE))
    }
}

/// Who may see what a contract describes. New classes may appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ContractClassification {
    /// Everybody.
    Public,
    /// Everybody of one's own.
    Internal,
    /// Those who need it.
    Confidential,
    /// Those who are named.
    Restricted,
}

impl ContractClassification {
    const ALL: [Self; 4] = [Self::Public, Self::Internal, Self::Confidential, Self::Restricted];

    /// As the property is written, in capitals.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "PUBLIC",
            Self::Internal => "INTERNAL",
            Self::Confidential => "CONFIDENTIAL",
            Self::Restricted => "RESTRICTED",
        }
    }

    /// Reads a property, in capitals or not; what is none of these says nothing.
    #[must_use]
    pub fn read(property: Option<&String>) -> Option<Self> {
        let told = property?;
        Self::ALL
            .into_iter()
            .find(|it| told.eq_ignore_ascii_case(it.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_read_as_people_write_them_and_other_words_say_nothing() {
        let text = |text: &str| Some(text.to_owned());
        for (written, read) in [
            ("stable", Some(ContractLifecycle::Stable)),
            ("RETIRED", Some(ContractLifecycle::Retired)),
            ("Draft", Some(ContractLifecycle::Draft)),
            ("beta", None),
            ("", None),
        ] {
            assert_eq!(ContractLifecycle::read(text(written).as_ref()), read, "{written}");
        }
        let read = |it: &str| ContractClassification::read(text(it).as_ref());
        assert_eq!(read("confidential"), Some(ContractClassification::Confidential));
        assert_eq!((read("secret"), ContractClassification::read(None)), (None, None));
        // The API writes what the property may say.
        for stage in ContractLifecycle::ALL {
            assert_eq!(serde_json::to_value(stage).unwrap(), stage.name());
        }
        for class in ContractClassification::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.name());
        }
    }
}
