//! What shares cost: a charge to who reads and the same amount as credit to who shares, from the same hours and prices. Pure.
//!
//! A *line* is one share and hour. Bytes are rounded as a card's are (see `rating`): what a price has charged since it counted, or since the month
//! began, is rounded at the hour's end and at its beginning, and the line is the difference. A month's fee falls on its hours in equal parts, on
//! those in which the share was mounted; an hour that is begun counts. The credit is the line itself with the other sign, so both sides cancel out
//! whatever they are grouped by.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::resources::cost::rating::{TooLarge, round, share as divide};
use crate::resources::rate_card::Meter;
use crate::resources::share::bill::{MountedTime, Parties, PriceFrom, ShareUse};
use crate::resources::usage::{TimeRange, month_end, month_start};

/// 2^30 bytes.
const GIB: u64 = 1 << 30;

/// Money of one share in one hour, for one side of it, divided as finely as that side may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharePart {
    /// By which share.
    pub share: Uuid,
    /// Beginning of the hour.
    pub hour: DateTime<Utc>,
    /// Charged or credited, by bytes or by time.
    pub meter: Meter,
    /// Whose.
    pub tenant: Uuid,
    /// The tenant's parent, where it is known.
    pub organization: Option<Uuid>,
    /// Of the reader, or none.
    pub environment: Option<Uuid>,
    /// Where it was read, or where it is shared.
    pub cluster: Uuid,
    /// What was read, or what is shared; none of a month's fee.
    pub topic: Option<Uuid>,
    /// By whom; none of the provider, which is not told.
    pub principal: Option<Uuid>,
    /// Bytes, or hours.
    pub quantity: u128,
    /// ISO 4217.
    pub currency: String,
    /// Eight decimals; a credit is below zero.
    pub amount: Decimal,
}

/// A share, the month that an hour is of, and the hour: of what is read, or from which a price counts.
type ShareMonth = (Uuid, DateTime<Utc>, DateTime<Utc>);

/// The price in force at an hour.
fn in_force(prices: &[PriceFrom], share: Uuid, hour: DateTime<Utc>) -> Option<&PriceFrom> {
    let of = prices
        .iter()
        .filter(|it| it.share == share && it.effective_from <= hour);
    of.max_by_key(|it| it.effective_from)
        .filter(|it| it.price.is_some())
}

/// Rates what was read and how long it was mounted. `uses` and `times` hold the whole of each month concerned, at least up to the last hour
/// asked for.
///
/// # Errors
/// [`TooLarge`] on overflow.
pub fn rate(
    uses: &[ShareUse],
    times: &[MountedTime],
    prices: &[PriceFrom],
    now: DateTime<Utc>,
) -> Result<Vec<SharePart>, TooLarge> {
    let mut parts = Vec::new();
    by_bytes(uses, prices, &mut parts)?;
    by_time(times, prices, now, &mut parts)?;
    Ok(parts)
}

fn by_bytes(uses: &[ShareUse], prices: &[PriceFrom], parts: &mut Vec<SharePart>) -> Result<(), TooLarge> {
    let mut hours: BTreeMap<ShareMonth, Vec<&ShareUse>> = BTreeMap::new();
    for used in uses.iter().filter(|it| it.bytes > 0) {
        let key = (used.parties.share, month_start(used.hour), used.hour);
        hours.entry(key).or_default().push(used);
    }
    // The share, month and price that the hour before was of, and the bytes since.
    let mut stretch: Option<(ShareMonth, u128)> = None;
    for ((share, month, hour), mut members) in hours {
        let Some(found) = in_force(prices, share, hour) else {
            continue;
        };
        let Some(price) = &found.price else { continue };
        // Ties of remainders go to the first: an order of their own makes that independent of how rows were read.
        members.sort_by_key(|it| (it.parties.cluster, it.topic, it.principal));
        let weights: Vec<u128> = members
            .iter()
            .map(|it| u128::from(it.bytes.unsigned_abs()))
            .collect();
        let bytes = weights
            .iter()
            .try_fold(0_u128, |sum, it| sum.checked_add(*it))
            .ok_or(TooLarge)?;
        let key = (share, month, found.effective_from);
        let before = stretch
            .filter(|(held, _)| *held == key)
            .map_or(0, |(_, since)| since);
        let after = before.checked_add(bytes).ok_or(TooLarge)?;
        stretch = Some((key, after));
        let charged = |bytes: u128| -> Result<Decimal, TooLarge> {
            let bytes = i128::try_from(bytes).map_err(|_over| TooLarge)?;
            let bytes = Decimal::try_from_i128_with_scale(bytes, 0).map_err(|_over| TooLarge)?;
            let exact = bytes
                .checked_mul(price.per_gib)
                .and_then(|it| it.checked_div(Decimal::from(GIB)));
            exact.map(round).ok_or(TooLarge)
        };
        let amount = charged(after)? - charged(before)?;
        let amounts = divide(amount, &weights)?;
        for ((used, quantity), amount) in members.into_iter().zip(weights).zip(amounts) {
            let both = both_sides(
                &used.parties,
                hour,
                &price.currency,
                (Meter::ShareFetchBytes, Meter::ShareFetchBytesCredit),
                quantity,
                amount,
            );
            for mut part in both {
                if part.meter == Meter::ShareFetchBytes {
                    part.environment = Some(used.environment);
                    part.topic = Some(used.topic);
                    part.principal = Some(used.principal);
                } else {
                    part.topic = Some(used.shown_topic);
                }
                parts.push(part);
            }
        }
    }
    Ok(())
}

fn by_time(
    times: &[MountedTime],
    prices: &[PriceFrom],
    now: DateTime<Utc>,
    parts: &mut Vec<SharePart>,
) -> Result<(), TooLarge> {
    let mut hours: BTreeMap<(Uuid, DateTime<Utc>), &Parties> = BTreeMap::new();
    for MountedTime {
        parties,
        range: TimeRange { start, end },
    } in times
    {
        let mut hour = *start;
        while hour < *end && hour < now {
            hours.entry((parties.share, hour)).or_insert(parties);
            hour += TimeDelta::hours(1);
        }
    }
    // Of one share and month: how many of its hours were charged before at the same price.
    let mut seen: Option<(ShareMonth, i64)> = None;
    for ((share, hour), parties) in hours {
        let Some(found) = in_force(prices, share, hour) else {
            continue;
        };
        let Some(price) = found.price.as_ref().filter(|it| !it.per_month.is_zero()) else {
            continue;
        };
        let month = month_start(hour);
        let length = (month_end(month + TimeDelta::hours(1)) - month).num_hours();
        let key = (share, month, found.effective_from);
        let before = seen
            .filter(|(held, _)| *held == key)
            .map_or(0, |(_, count)| count);
        seen = Some((key, before + 1));
        let charged = |count: i64| -> Result<Decimal, TooLarge> {
            let exact = Decimal::from(count)
                .checked_mul(price.per_month)
                .and_then(|it| it.checked_div(Decimal::from(length)));
            exact.map(round).ok_or(TooLarge)
        };
        let amount = charged(before + 1)? - charged(before)?;
        parts.extend(both_sides(
            parties,
            hour,
            &price.currency,
            (Meter::ShareHours, Meter::ShareHoursCredit),
            1,
            amount,
        ));
    }
    Ok(())
}

/// The charge, and the credit that is the same with the other sign.
fn both_sides(
    parties: &Parties,
    hour: DateTime<Utc>,
    currency: &str,
    (charge, credit): (Meter, Meter),
    quantity: u128,
    amount: Decimal,
) -> [SharePart; 2] {
    let side = |meter, tenant, organization, cluster, amount| SharePart {
        share: parties.share,
        hour,
        meter,
        tenant,
        organization,
        environment: None,
        cluster,
        topic: None,
        principal: None,
        quantity,
        currency: currency.to_owned(),
        amount,
    };
    [
        side(
            charge,
            parties.consumer,
            parties.consumer_organization,
            parties.cluster,
            amount,
        ),
        side(
            credit,
            parties.provider,
            parties.provider_organization,
            parties.shown_cluster,
            -amount,
        ),
    ]
}

/// The shares that somebody's rows are of, without repetition.
pub fn shares_of(uses: &[ShareUse], times: &[MountedTime]) -> Vec<Uuid> {
    let of_uses = uses.iter().map(|it| it.parties.share);
    let of_times = times.iter().map(|it| it.parties.share);
    of_uses
        .chain(of_times)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

#[cfg(test)]
#[path = "shares_tests.rs"]
mod tests;
