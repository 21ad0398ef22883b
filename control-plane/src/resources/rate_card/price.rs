//! The words of a price list: meters, units, pricing models, tiers.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Meter {
    /// Bytes of record batches written by producers.
    ProduceBytes,
    /// Bytes of record batches delivered to consumers.
    FetchBytes,
    /// Records written by producers.
    ProduceRecords,
    /// Records delivered to consumers.
    FetchRecords,
    /// Produce and fetch requests that carried records.
    Requests,
    /// Bytes read through mounts, at the price of their share; no card prices them.
    ShareFetchBytes,
    /// The same, credited to whoever shares.
    ShareFetchBytesCredit,
    /// Hours of a mounted share, at its monthly price; no card prices them.
    ShareHours,
    /// The same, credited to whoever shares.
    ShareHoursCredit,
}

impl Meter {
    /// All that cards price, in their order.
    pub const ALL: [Self; 5] = [
        Self::ProduceBytes,
        Self::FetchBytes,
        Self::ProduceRecords,
        Self::FetchRecords,
        Self::Requests,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProduceBytes => "PRODUCE_BYTES",
            Self::FetchBytes => "FETCH_BYTES",
            Self::ProduceRecords => "PRODUCE_RECORDS",
            Self::FetchRecords => "FETCH_RECORDS",
            Self::Requests => "REQUESTS",
            Self::ShareFetchBytes => "SHARE_FETCH_BYTES",
            Self::ShareFetchBytesCredit => "SHARE_FETCH_BYTES_CREDIT",
            Self::ShareHours => "SHARE_HOURS",
            Self::ShareHoursCredit => "SHARE_HOURS_CREDIT",
        }
    }

    /// May this meter be priced in `unit`?
    #[must_use]
    pub const fn takes(self, unit: Unit) -> bool {
        matches!(
            (self, unit),
            (Self::ProduceBytes | Self::FetchBytes, Unit::Byte | Unit::Gib)
                | (
                    Self::ProduceRecords | Self::FetchRecords,
                    Unit::Record | Unit::MillionRecords
                )
                | (Self::Requests, Unit::Request | Unit::MillionRequests)
        )
    }
}

/// What a price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = PriceUnit)]
pub enum Unit {
    /// One byte.
    Byte,
    /// 2^30 bytes.
    Gib,
    /// One record.
    Record,
    /// 10^6 records.
    MillionRecords,
    /// One request.
    Request,
    /// 10^6 requests.
    MillionRequests,
}

impl Unit {
    /// How many counted things one unit holds.
    #[must_use]
    pub const fn size(self) -> u64 {
        match self {
            Self::Byte | Self::Record | Self::Request => 1,
            Self::Gib => 1 << 30,
            Self::MillionRecords | Self::MillionRequests => 1_000_000,
        }
    }
}

/// How tiers turn a month's quantity into money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = PricingModel)]
pub enum Model {
    /// One price for every unit.
    PerUnit,
    /// Each unit at the price of the tier that it falls into.
    Graduated,
    /// All units of the month at the price of the tier that the month's quantity reaches.
    Volume,
    /// A price for each begun package of `up_to` units (one unit when it is absent).
    Package,
}

/// One step of a price. `up_to` counts units from the month's beginning; the last tier has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PriceTier)]
pub struct Tier {
    /// The tier's upper end in units, inclusive.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "rust_decimal::serde::str_option"
    )]
    #[schema(value_type = Option<String>, nullable = false)]
    pub up_to: Option<Decimal>,
    /// Price of one unit (of one package in the model PACKAGE).
    #[serde(with = "rust_decimal::serde::str")]
    #[schema(value_type = String)]
    pub unit_price: Decimal,
}

/// The price of one meter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MeterPrice)]
pub struct Price {
    /// What is counted.
    pub meter: Meter,
    /// What `unit_price` is for.
    pub unit: Unit,
    /// How tiers apply.
    pub model: Model,
    /// Ascending; the last one is open.
    pub tiers: Vec<Tier>,
}

/// Why a price makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPrice {
    /// Bytes priced by the record, and the like.
    #[error("the unit does not fit the meter")]
    Unit,
    /// PER_UNIT and PACKAGE have one tier, the others one to twenty.
    #[error("the model does not take this number of tiers")]
    TierCount,
    /// Not ascending, not positive, or the last one closed.
    #[error("tiers must ascend from above zero, and only the last one is open")]
    TierBounds,
    /// Negative, or too large, or with more than 12 decimals.
    #[error("a unit price is between 0 and 1000000000 with at most 12 decimals")]
    UnitPrice,
}

const TIERS_MAX: usize = 20;
const DECIMALS_MAX: u32 = 12;
const PRICE_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
const UP_TO_MAX: Decimal = Decimal::from_parts(0xffff_ffff, 0x0000_ffff, 0, false, 0);

impl Price {
    /// Checks unit, tiers and prices.
    ///
    /// # Errors
    /// [`BadPrice`] names the first thing that is wrong.
    pub fn check(&self) -> Result<(), BadPrice> {
        let Self {
            meter,
            unit,
            model,
            tiers,
        } = self;
        if !meter.takes(*unit) {
            return Err(BadPrice::Unit);
        }
        let tiers_max = match model {
            Model::PerUnit | Model::Package => 1,
            Model::Graduated | Model::Volume => TIERS_MAX,
        };
        let Some((last, lower)) = tiers.split_last() else {
            return Err(BadPrice::TierCount);
        };
        if tiers.len() > tiers_max {
            return Err(BadPrice::TierCount);
        }
        let priced = |tier: &Tier| {
            let fits = tier.unit_price.scale() <= DECIMALS_MAX && tier.unit_price <= PRICE_MAX;
            fits && !tier.unit_price.is_sign_negative()
        };
        if !tiers.iter().all(priced) {
            return Err(BadPrice::UnitPrice);
        }
        let mut floor = Decimal::ZERO;
        for tier in lower {
            let up_to = tier.up_to.ok_or(BadPrice::TierBounds)?;
            if up_to <= floor || !bounded(up_to) {
                return Err(BadPrice::TierBounds);
            }
            floor = up_to;
        }
        match (model, last.up_to) {
            (_, None) => Ok(()),
            // A package is a whole number of units.
            (Model::Package, Some(size))
                if size >= Decimal::ONE && size.fract().is_zero() && bounded(size) =>
            {
                Ok(())
            }
            (_, Some(_closed)) => Err(BadPrice::TierBounds),
        }
    }
}

fn bounded(up_to: Decimal) -> bool {
    up_to <= UP_TO_MAX && up_to.scale() <= DECIMALS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(meter: Meter, unit: Unit, model: Model, tiers: &[(Option<i64>, i64)]) -> Price {
        let tiers = tiers
            .iter()
            .map(|(up_to, unit_price)| Tier {
                up_to: up_to.map(Decimal::from),
                unit_price: Decimal::from(*unit_price),
            })
            .collect();
        Price {
            meter,
            unit,
            model,
            tiers,
        }
    }

    #[test]
    fn prices_are_checked() {
        use {Meter::*, Model::*, Unit::*};
        let check =
            |meter, unit, model, tiers: &[(Option<i64>, i64)]| price(meter, unit, model, tiers).check();
        assert_eq!(check(ProduceBytes, Gib, PerUnit, &[(None, 1)]), Ok(()));
        assert_eq!(
            check(
                FetchBytes,
                Gib,
                Graduated,
                &[(Some(10), 2), (Some(20), 1), (None, 0)]
            ),
            Ok(())
        );
        assert_eq!(check(Requests, Request, Package, &[(Some(1000), 1)]), Ok(()));
        assert_eq!(check(Requests, Gib, PerUnit, &[(None, 1)]), Err(BadPrice::Unit));
        assert_eq!(check(ProduceBytes, Gib, PerUnit, &[]), Err(BadPrice::TierCount));
        assert_eq!(
            check(ProduceBytes, Gib, PerUnit, &[(Some(1), 1), (None, 1)]),
            Err(BadPrice::TierCount)
        );
        assert_eq!(
            check(ProduceBytes, Gib, Volume, &[(Some(5), 1)]),
            Err(BadPrice::TierBounds)
        );
        assert_eq!(
            check(
                ProduceBytes,
                Gib,
                Volume,
                &[(Some(5), 1), (Some(5), 1), (None, 1)]
            ),
            Err(BadPrice::TierBounds)
        );
        assert_eq!(
            check(ProduceBytes, Gib, Volume, &[(Some(0), 1), (None, 1)]),
            Err(BadPrice::TierBounds)
        );
        assert_eq!(
            check(ProduceBytes, Gib, PerUnit, &[(None, -1)]),
            Err(BadPrice::UnitPrice)
        );
        assert_eq!(
            check(Requests, Request, Package, &[(Some(0), 1)]),
            Err(BadPrice::TierBounds)
        );
    }

    #[test]
    fn words_on_the_wire() {
        for meter in Meter::ALL {
            assert_eq!(serde_json::to_value(meter).unwrap(), meter.as_str());
        }
        assert_eq!(
            serde_json::to_value(Unit::MillionRecords).unwrap(),
            "MILLION_RECORDS"
        );
        assert_eq!(serde_json::to_value(Model::PerUnit).unwrap(), "PER_UNIT");
        let tier: Tier = serde_json::from_str(r#"{"unit_price":"0.10"}"#).unwrap();
        assert_eq!(serde_json::to_string(&tier).unwrap(), r#"{"unit_price":"0.10"}"#);
    }
}
