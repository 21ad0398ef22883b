//! Who finds a topic in the catalog, and as what.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{FieldError, Id, TenantId, code, kind};
use crate::resources::share::model::{ShareId, SharePrice};
use crate::resources::share::request::AccessRequestId;
use crate::resources::share::validate;
use crate::resources::topic::TopicId;

/// Id of a data product.
pub type DataProductId = Id<kind::DataProduct>;

const NAME_MAX: usize = 100;
const DESCRIPTION_MAX: usize = 4000;
const TENANTS_MAX: usize = 100;

/// Who finds a topic in the catalog.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Visibility {
    /// Nobody but its own tenant.
    #[default]
    Private,
    /// The tenants that are named.
    Listed,
    /// Every tenant of the installation.
    Public,
}

impl Visibility {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Private => "PRIVATE",
            Self::Listed => "LISTED",
            Self::Public => "PUBLIC",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "LISTED" => Self::Listed,
            "PUBLIC" => Self::Public,
            _ => Self::Private,
        }
    }
}

/// Who finds a topic in the catalog, and as what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicVisibilitySpec {
    /// Who finds it.
    pub visibility: Visibility,
    /// What it is called there; needed unless it is PRIVATE.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub name: String,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 4000)]
    pub description: String,
    /// What it would cost; a share by request costs this unless its approval says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub price: Option<SharePrice>,
    /// Of LISTED: the tenants that find it.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    pub tenants: BTreeSet<TenantId>,
}

/// Collects what is wrong with it.
pub fn check(spec: &TopicVisibilitySpec, errors: &mut Vec<FieldError>) {
    let TopicVisibilitySpec {
        visibility,
        name,
        description,
        price,
        tenants,
    } = spec;
    let mut bad = |pointer: &str, code: &str, detail: String| {
        errors.push(FieldError {
            pointer: pointer.to_owned(),
            code: code.to_owned(),
            detail,
        });
    };
    if name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        let detail = format!("The name has at most {NAME_MAX} characters, on one line.");
        bad("/name", code::OUT_OF_RANGE, detail);
    } else if name.trim().is_empty() && *visibility != Visibility::Private {
        bad("/name", code::REQUIRED, "What others find has a name.".to_owned());
    }
    if description.chars().count() > DESCRIPTION_MAX || description.contains('\0') {
        let detail = format!("The text has at most {DESCRIPTION_MAX} characters, and no NUL.");
        bad("/description", code::OUT_OF_RANGE, detail);
    }
    match visibility {
        Visibility::Listed if tenants.is_empty() || tenants.len() > TENANTS_MAX => {
            let detail = format!("LISTED names 1 to {TENANTS_MAX} tenants that find it.");
            bad("/tenants", code::OUT_OF_RANGE, detail);
        }
        Visibility::Private | Visibility::Public if !tenants.is_empty() => {
            let detail = "Only LISTED names tenants.".to_owned();
            bad("/tenants", code::OUT_OF_RANGE, detail);
        }
        _ => {}
    }
    if let Some(price) = price {
        validate::price("/price", price, errors);
    }
}

/// A row.
#[derive(Debug, Clone)]
pub struct Product {
    /// Id.
    pub id: DataProductId,
    /// Whose topic it is.
    pub owner: TenantId,
    /// The topic.
    pub topic: TopicId,
    /// What is wished; which tenants it names only its owner sees.
    pub spec: TopicVisibilitySpec,
    /// Rises with each change.
    pub generation: i64,
    /// When it was first described.
    pub created_at: DateTime<Utc>,
    /// When that last changed.
    pub updated_at: DateTime<Utc>,
}

impl Product {
    /// Does this tenant find it?
    #[must_use]
    pub fn shows_to(&self, tenant: TenantId) -> bool {
        match self.spec.visibility {
            Visibility::Private => false,
            Visibility::Listed => self.spec.tenants.contains(&tenant),
            Visibility::Public => true,
        }
    }
}

/// What one who finds it has to do with it already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// A request that waits for its answer.
    pub request: Option<AccessRequestId>,
    /// A share of its topic that has not ended.
    pub share: Option<ShareId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(visibility: Visibility, name: &str, tenants: usize) -> Vec<String> {
        let spec = TopicVisibilitySpec {
            visibility,
            name: name.to_owned(),
            tenants: (0..tenants).map(|_| TenantId::generate()).collect(),
            ..TopicVisibilitySpec::default()
        };
        let mut errors = Vec::new();
        check(&spec, &mut errors);
        errors.into_iter().map(|it| it.pointer).collect()
    }

    #[test]
    fn what_others_find_has_a_name_and_says_who() {
        assert_eq!(wrong(Visibility::Private, "", 0), [""; 0]);
        assert_eq!(wrong(Visibility::Public, " ", 0), ["/name"]);
        assert_eq!(wrong(Visibility::Public, "Card payments", 1), ["/tenants"]);
        assert_eq!(wrong(Visibility::Listed, "Card payments", 0), ["/tenants"]);
        assert_eq!(wrong(Visibility::Listed, "Card payments", 2), [""; 0]);
        assert_eq!(wrong(Visibility::Listed, "Card\npayments", 2), ["/name"]);
    }
}
