//! Rating: usage and price lists in, money out. Pure; the same inputs give the same cents in any order.
//!
//! Tiers count from the beginning of the calendar month (UTC), per tenant and meter. A *line* is one tenant, meter
//! and hour. Money is rounded to eight decimals once: what a card has charged since it came into force (or since the
//! month began) is rounded at the hour's end and at its beginning, and the line is the difference. So the hours of a
//! month sum exactly to the month's amount, rounded once. Parts of a line (topics, principals) share its amount by the largest remainder, so
//! that they sum exactly to it.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, Utc};
use rust_decimal::{Decimal, RoundingStrategy};
use uuid::Uuid;

use crate::resources::rate_card::{Meter, Model, Price};

/// Decimals of a line's amount.
pub const AMOUNT_DECIMALS: u32 = 8;
const AMOUNT_UNITS: u128 = 100_000_000;

/// Certain usage of one tenant on one meter in one hour. Several for one hour are added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourTotal {
    /// Whose.
    pub tenant: Uuid,
    /// The tenant's parent.
    pub organization: Uuid,
    /// Of what.
    pub meter: Meter,
    /// Beginning of the hour.
    pub hour: DateTime<Utc>,
    /// Bytes, records or requests.
    pub quantity: u128,
}

/// Whom a price list is for. The more specific one wins, meter by meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everybody.
    All,
    /// The tenants of one organization.
    Organization(Uuid),
    /// One tenant.
    Tenant(Uuid),
}

/// A price list, in force from a moment until the next one for the same audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Its id.
    pub id: Uuid,
    /// For whom.
    pub audience: Audience,
    /// ISO 4217.
    pub currency: String,
    /// First hour.
    pub effective_from: DateTime<Utc>,
    /// At most one for each meter.
    pub prices: Vec<Price>,
}

/// The rated hour of a tenant's meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whose.
    pub tenant: Uuid,
    /// Of what.
    pub meter: Meter,
    /// Beginning of the hour.
    pub hour: DateTime<Utc>,
    /// Bytes, records or requests.
    pub quantity: u128,
    /// Card and currency; `None` when no card is in force for the tenant.
    pub rated_by: Option<(Uuid, String)>,
    /// Money, eight decimals; zero when nothing rates it.
    pub amount: Decimal,
}

/// A quantity or an amount is beyond what 96 bits hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a quantity or an amount is too large to rate")]
pub struct TooLarge;

/// One tenant, meter and month: what tiers count over.
type Month = (Uuid, Meter, i32, u32);

/// Rates `totals`. For a right answer they hold the whole of each month concerned, at least up to the last hour
/// asked for; for the model VOLUME, the whole month.
///
/// # Errors
/// [`TooLarge`] on overflow.
pub fn rate(totals: &[HourTotal], cards: &[Card]) -> Result<Vec<Line>, TooLarge> {
    let mut months: BTreeMap<Month, (Uuid, BTreeMap<DateTime<Utc>, u128>)> = BTreeMap::new();
    for HourTotal {
        tenant,
        organization,
        meter,
        hour,
        quantity,
    } in totals
    {
        let month = (*tenant, *meter, hour.year(), hour.month());
        let (_, hours) = months
            .entry(month)
            .or_insert_with(|| (*organization, BTreeMap::new()));
        let sum = hours.entry(*hour).or_default();
        *sum = sum.checked_add(*quantity).ok_or(TooLarge)?;
    }
    let mut lines = Vec::new();
    for ((tenant, meter, ..), (organization, hours)) in months {
        lines.extend(rate_month(tenant, organization, meter, &hours, cards)?);
    }
    Ok(lines)
}

fn rate_month(
    tenant: Uuid,
    organization: Uuid,
    meter: Meter,
    hours: &BTreeMap<DateTime<Utc>, u128>,
    cards: &[Card],
) -> Result<Vec<Line>, TooLarge> {
    let whole = hours
        .values()
        .try_fold(0_u128, |sum, it| sum.checked_add(*it))
        .ok_or(TooLarge)?;
    let mut counted = 0_u128;
    // The card that rated the hour before, and the month's quantity when it began to.
    let mut stretch: Option<(Uuid, u128)> = None;
    let mut lines = Vec::with_capacity(hours.len());
    for (hour, quantity) in hours {
        let before = counted;
        counted = counted.checked_add(*quantity).ok_or(TooLarge)?;
        let (rated_by, amount) = match in_force(cards, tenant, organization, meter, *hour) {
            InForce::Priced(card, price) => {
                let began = match stretch {
                    Some((id, began)) if id == card.id => began,
                    _other => before,
                };
                stretch = Some((card.id, began));
                let charged = round(charge(price, began, before, whole)?);
                let amount = round(charge(price, began, counted, whole)?) - charged;
                (Some((card.id, card.currency.clone())), amount)
            }
            InForce::NotSold => continue,
            InForce::None => (None, Decimal::ZERO),
        };
        lines.push(Line {
            tenant,
            meter,
            hour: *hour,
            quantity: *quantity,
            rated_by,
            amount,
        });
    }
    Ok(lines)
}

enum InForce<'a> {
    Priced(&'a Card, &'a Price),
    /// There are cards for the tenant, and none of them prices the meter.
    NotSold,
    None,
}

/// The price in force at `hour`: the tenant's own card, else its organization's, else the general one.
fn in_force<'a>(
    cards: &'a [Card],
    tenant: Uuid,
    organization: Uuid,
    meter: Meter,
    hour: DateTime<Utc>,
) -> InForce<'a> {
    let mut any = false;
    for audience in [
        Audience::Tenant(tenant),
        Audience::Organization(organization),
        Audience::All,
    ] {
        let newest = cards
            .iter()
            .filter(|card| card.audience == audience && card.effective_from <= hour)
            .max_by_key(|card| (card.effective_from, card.id));
        let Some(card) = newest else { continue };
        any = true;
        if let Some(price) = card.prices.iter().find(|price| price.meter == meter) {
            return InForce::Priced(card, price);
        }
    }
    if any { InForce::NotSold } else { InForce::None }
}

/// The exact charge for the month's quantity between `before` and `after`; `whole` is the month's own.
fn charge(price: &Price, before: u128, after: u128, whole: u128) -> Result<Decimal, TooLarge> {
    match price.model {
        Model::PerUnit => {
            let unit_price = price.tiers.first().map_or(Decimal::ZERO, |tier| tier.unit_price);
            per_unit(price, after - before, unit_price)
        }
        Model::Volume => {
            let reached = price.tiers.iter().find(|tier| {
                tier.up_to
                    .and_then(|up_to| counted_things(price, up_to))
                    .is_none_or(|bound| whole <= bound)
            });
            let unit_price = reached.map_or(Decimal::ZERO, |tier| tier.unit_price);
            per_unit(price, after - before, unit_price)
        }
        Model::Graduated => graduated(price, before, after),
        Model::Package => {
            let Some(tier) = price.tiers.first() else {
                return Ok(Decimal::ZERO);
            };
            let units = tier.up_to.unwrap_or(Decimal::ONE);
            let size = counted_things(price, units).ok_or(TooLarge)?.max(1);
            let packages = after.div_ceil(size) - before.div_ceil(size);
            decimal(packages)?.checked_mul(tier.unit_price).ok_or(TooLarge)
        }
    }
}

fn graduated(price: &Price, before: u128, after: u128) -> Result<Decimal, TooLarge> {
    let mut sum = Decimal::ZERO;
    let mut floor = 0_u128;
    for tier in &price.tiers {
        let ceiling = match tier.up_to {
            Some(up_to) => counted_things(price, up_to).ok_or(TooLarge)?,
            None => u128::MAX,
        };
        let (from, to) = (before.max(floor), after.min(ceiling));
        if from < to {
            let part = per_unit(price, to - from, tier.unit_price)?;
            sum = sum.checked_add(part).ok_or(TooLarge)?;
        }
        floor = ceiling;
    }
    Ok(sum)
}

fn per_unit(price: &Price, quantity: u128, unit_price: Decimal) -> Result<Decimal, TooLarge> {
    decimal(quantity)?
        .checked_mul(unit_price)
        .and_then(|it| it.checked_div(Decimal::from(price.unit.size())))
        .ok_or(TooLarge)
}

/// A tier's bound in counted things; a part of one does not count.
fn counted_things(price: &Price, units: Decimal) -> Option<u128> {
    use rust_decimal::prelude::ToPrimitive as _;
    units
        .checked_mul(Decimal::from(price.unit.size()))?
        .floor()
        .to_u128()
}

fn decimal(quantity: u128) -> Result<Decimal, TooLarge> {
    i128::try_from(quantity)
        .ok()
        .and_then(|it| Decimal::try_from_i128_with_scale(it, 0).ok())
        .ok_or(TooLarge)
}

/// To what a line is told in.
pub fn round(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(AMOUNT_DECIMALS, RoundingStrategy::MidpointAwayFromZero)
}

/// Divides `amount` (eight decimals, not negative) in proportion to `weights`; the parts sum exactly to it.
/// What is left after rounding down goes to the largest remainders, and among equals to the first.
///
/// # Errors
/// [`TooLarge`] on overflow, or when there is money and no weight to put it on.
pub fn share(amount: Decimal, weights: &[u128]) -> Result<Vec<Decimal>, TooLarge> {
    use rust_decimal::prelude::ToPrimitive as _;
    let units = amount
        .checked_mul(Decimal::from(100_000_000_u64))
        .and_then(|it| it.to_u128())
        .ok_or(TooLarge)?;
    let total = weights
        .iter()
        .try_fold(0_u128, |sum, it| sum.checked_add(*it))
        .ok_or(TooLarge)?;
    if total == 0 {
        return if units == 0 {
            Ok(vec![Decimal::ZERO; weights.len()])
        } else {
            Err(TooLarge)
        };
    }
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    let mut left = units;
    for (index, weight) in weights.iter().enumerate() {
        let exact = units.checked_mul(*weight).ok_or(TooLarge)?;
        let whole = exact / total;
        left -= whole;
        parts.push(whole);
        remainders.push((std::cmp::Reverse(exact % total), index));
    }
    remainders.sort_unstable();
    // Fewer units are left than there are parts with a remainder.
    for (_, index) in remainders {
        if left == 0 {
            break;
        }
        parts[index] += 1;
        left -= 1;
    }
    parts.into_iter().map(money).collect()
}

fn money(units: u128) -> Result<Decimal, TooLarge> {
    let whole = decimal(units / AMOUNT_UNITS)?;
    let fraction = decimal(units % AMOUNT_UNITS)?;
    let fraction = fraction
        .checked_div(Decimal::from(100_000_000_u64))
        .ok_or(TooLarge)?;
    whole.checked_add(fraction).ok_or(TooLarge)
}

#[cfg(test)]
#[path = "rating_tests.rs"]
mod tests;
