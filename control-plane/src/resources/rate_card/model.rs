//! What a rate card is.

use chrono::{DateTime, Datelike as _, SubsecRound as _, Timelike as _, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{FieldError, Id, Labels, check_name, code, kind};
use crate::resources::rate_card::price::Price;

/// Id of a rate card.
pub type RateCardId = Id<kind::RateCard>;

const PRICES_MAX: usize = 16;

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateCardSpec {
    /// Unique.
    #[schema(pattern = "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
    pub name: String,
    /// For the tenants of this organization; with `tenant` absent too, for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub organization: Option<Id<kind::Organization>>,
    /// For this tenant. A tenant's own card goes before its organization's, and that before the general one, meter by
    /// meter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub tenant: Option<Id<kind::Tenant>>,
    /// ISO 4217, for example EUR.
    #[schema(pattern = "^[A-Z]{3}$")]
    pub currency: String,
    /// First moment, on a whole hour; until the next card for the same audience.
    pub effective_from: DateTime<Utc>,
    /// At most one for each meter. A meter that no card in force prices is not charged.
    #[schema(max_items = 16)]
    pub prices: Vec<Price>,
}

/// A row.
#[derive(Debug, Clone)]
pub struct RateCard {
    /// Id.
    pub id: RateCardId,
    /// What is wished.
    pub spec: RateCardSpec,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When spec or labels last changed.
    pub updated_at: DateTime<Utc>,
}

impl RateCard {
    /// Its hierarchical name.
    #[must_use]
    pub fn resource_name(&self) -> String {
        format!("rate_card={}", self.spec.name)
    }
}

/// Collects what is wrong with a spec.
pub fn validate(spec: &RateCardSpec, errors: &mut Vec<FieldError>) {
    let RateCardSpec {
        name,
        organization,
        tenant,
        currency,
        effective_from,
        prices,
    } = spec;
    let mut bad = |pointer: String, code: &str, detail: String| {
        errors.push(FieldError {
            pointer,
            code: code.to_owned(),
            detail,
        });
    };
    if organization.is_some() && tenant.is_some() {
        let detail = "A card is for an organization, for a tenant, or for everybody: give at most one.";
        bad("/spec/tenant".into(), code::INVALID, detail.into());
    }
    if currency.len() != 3 || !currency.bytes().all(|it| it.is_ascii_uppercase()) {
        bad(
            "/spec/currency".into(),
            code::OUT_OF_RANGE,
            "A currency is three capital letters (ISO 4217).".into(),
        );
    }
    let whole_hour = effective_from.minute() == 0
        && effective_from.second() == 0
        && *effective_from == effective_from.trunc_subsecs(0);
    if !whole_hour || !(2000..3000).contains(&effective_from.year()) {
        let detail = "A card begins on a whole hour (UTC) between the years 2000 and 3000.";
        bad("/spec/effective_from".into(), code::OUT_OF_RANGE, detail.into());
    }
    if prices.is_empty() || prices.len() > PRICES_MAX {
        bad(
            "/spec/prices".into(),
            code::OUT_OF_RANGE,
            format!("A card has 1 to {PRICES_MAX} prices."),
        );
    }
    for (at, price) in prices.iter().enumerate().take(PRICES_MAX) {
        if let Err(error) = price.check() {
            bad(format!("/spec/prices/{at}"), code::INVALID, format!("{error}."));
        }
        if prices[..at].iter().any(|other| other.meter == price.meter) {
            let detail = "A meter has one price on a card.";
            bad(format!("/spec/prices/{at}/meter"), code::INVALID, detail.into());
        }
    }
    check_name("/spec/name", name, errors);
}
