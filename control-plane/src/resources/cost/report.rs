//! Lines and parts in, grouped rows out. Pure; any grouping sums to the same total.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use uuid::Uuid;

use crate::kernel::{Id, Result};
use crate::resources::cost::api::{CostRow, CostTotal};
use crate::resources::cost::rating::{Audience, Card, HourTotal, Line, TooLarge, share};
use crate::resources::cost::shares::SharePart;
use crate::resources::rate_card::{Meter, RateCard};
use crate::resources::usage::{Bucket, Dimension, Direction, Filter, HourPart, HourSum, Report};

/// A price list as rating takes it.
pub fn card(card: RateCard) -> Card {
    let spec = card.spec;
    let audience = match (spec.tenant, spec.organization) {
        (Some(tenant), _) => Audience::Tenant(tenant.uuid()),
        (None, Some(organization)) => Audience::Organization(organization.uuid()),
        (None, None) => Audience::All,
    };
    Card {
        id: card.id.uuid(),
        audience,
        currency: spec.currency,
        effective_from: spec.effective_from,
        prices: spec.prices,
    }
}

/// An hour's sums as quantities of meters.
pub fn totals(sums: &[HourSum]) -> Vec<HourTotal> {
    let totals = sums.iter().flat_map(|sum| {
        meters(sum.direction, sum.bytes, sum.records, sum.requests).map(|(meter, quantity)| HourTotal {
            tenant: sum.tenant,
            // A tenant that is gone has no parent: no organization's card is for it.
            organization: sum.organization.unwrap_or_default(),
            meter,
            hour: sum.hour,
            quantity,
        })
    });
    totals.filter(|total| total.quantity > 0).collect()
}

fn meters(direction: Direction, bytes: i64, records: i64, requests: i64) -> [(Meter, u128); 3] {
    let count = |value: i64| u128::try_from(value).unwrap_or(0);
    let (bytes_meter, records_meter) = match direction {
        Direction::Produce => (Meter::ProduceBytes, Meter::ProduceRecords),
        Direction::Fetch => (Meter::FetchBytes, Meter::FetchRecords),
    };
    [
        (bytes_meter, count(bytes)),
        (records_meter, count(records)),
        (Meter::Requests, count(requests)),
    ]
}

/// What rows are told apart by. An absent part was not asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    bucket: Bucket,
    organization: Option<Uuid>,
    tenant: Option<Uuid>,
    environment: Option<Uuid>,
    cluster: Option<Uuid>,
    topic: Option<Uuid>,
    principal: Option<Uuid>,
    direction: Option<Direction>,
    share: Option<Uuid>,
    meter: Meter,
    currency: Option<String>,
}

/// Groups lines within the report's range, and what shares cost beside them. `parts` are all parts of these lines, or `None` when neither
/// grouping nor filter divides a tenant.
pub fn rows(
    report: &Report,
    lines: &[Line],
    parts: Option<&[HourPart]>,
    organizations: &BTreeMap<Uuid, Option<Uuid>>,
    shares: &[SharePart],
) -> Result<Vec<CostRow>, TooLarge> {
    let mut groups: BTreeMap<Key, (u128, Decimal)> = BTreeMap::new();
    for part in shares.iter().filter(|it| is_asked(report, it)) {
        add(&mut groups, share_key(report, part), part.quantity, part.amount)?;
    }
    let by_line = parts.map(parts_of_lines);
    for line in lines.iter().filter(|line| report.range.holds(line.hour)) {
        match &by_line {
            None => add(
                &mut groups,
                key(report, line, organizations, None),
                line.quantity,
                line.amount,
            )?,
            Some(by_line) => {
                let members = by_line
                    .get(&(line.tenant, line.hour, line.meter))
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                let weights: Vec<u128> = members.iter().map(|(_, quantity)| *quantity).collect();
                let shares = share(line.amount, &weights)?;
                for ((part, quantity), amount) in members.iter().zip(shares) {
                    if kept(&report.filter, part) {
                        add(
                            &mut groups,
                            key(report, line, organizations, Some(part)),
                            *quantity,
                            amount,
                        )?;
                    }
                }
            }
        }
    }
    groups
        .into_iter()
        .map(|(key, (quantity, amount))| row(key, quantity, amount))
        .collect()
}

/// Is a part of a share's money of a time and a side that the report is about?
fn is_asked(report: &Report, part: &SharePart) -> bool {
    let Filter {
        environment,
        cluster,
        topic,
        principal,
    } = report.filter;
    let within = |asked: Option<Uuid>, held: Option<Uuid>| asked.is_none() || asked == held;
    report.range.holds(part.hour)
        && within(report.reach.tenant, Some(part.tenant))
        && within(report.reach.organization, part.organization)
        && within(environment, part.environment)
        && within(cluster, Some(part.cluster))
        && within(topic, part.topic)
        && within(principal, part.principal)
}

fn share_key(report: &Report, part: &SharePart) -> Key {
    let by = |dimension, id: Option<Uuid>| id.filter(|_| report.grouping.by(dimension));
    Key {
        bucket: Bucket::of(part.hour, report.granularity),
        organization: by(Dimension::Organization, part.organization),
        tenant: by(Dimension::Tenant, Some(part.tenant)),
        environment: by(Dimension::Environment, part.environment),
        cluster: by(Dimension::Cluster, Some(part.cluster)),
        topic: by(Dimension::Topic, part.topic),
        principal: by(Dimension::Principal, part.principal),
        direction: report
            .grouping
            .by(Dimension::Direction)
            .then_some(Direction::Fetch),
        share: by(Dimension::Share, Some(part.share)),
        meter: part.meter,
        currency: Some(part.currency.clone()),
    }
}

type LineKey = (Uuid, chrono::DateTime<chrono::Utc>, Meter);

fn parts_of_lines(parts: &[HourPart]) -> BTreeMap<LineKey, Vec<(&HourPart, u128)>> {
    let mut by_line: BTreeMap<LineKey, Vec<(&HourPart, u128)>> = BTreeMap::new();
    for part in parts {
        for (meter, quantity) in meters(part.direction, part.bytes, part.records, part.requests) {
            if quantity > 0 {
                by_line
                    .entry((part.tenant, part.hour, meter))
                    .or_default()
                    .push((part, quantity));
            }
        }
    }
    // Ties of remainders go to the first: an order of their own makes that independent of how rows were read.
    for members in by_line.values_mut() {
        members.sort_by_key(|(part, _)| (part.cluster, part.topic, part.principal, part.direction));
    }
    by_line
}

fn kept(filter: &Filter, part: &HourPart) -> bool {
    let Filter {
        environment,
        cluster,
        topic,
        principal,
    } = filter;
    environment.is_none_or(|it| it == part.environment)
        && cluster.is_none_or(|it| it == part.cluster)
        && topic.is_none_or(|it| it == part.topic)
        && principal.is_none_or(|it| it == part.principal)
}

fn key(
    report: &Report,
    line: &Line,
    organizations: &BTreeMap<Uuid, Option<Uuid>>,
    part: Option<&HourPart>,
) -> Key {
    let by = |dimension| report.grouping.by(dimension);
    let of = |dimension, id: fn(&HourPart) -> Uuid| part.filter(|_| by(dimension)).map(id);
    Key {
        bucket: Bucket::of(line.hour, report.granularity),
        organization: by(Dimension::Organization)
            .then(|| organizations.get(&line.tenant).copied().flatten())
            .flatten(),
        tenant: by(Dimension::Tenant).then_some(line.tenant),
        environment: of(Dimension::Environment, |part| part.environment),
        cluster: of(Dimension::Cluster, |part| part.cluster),
        topic: of(Dimension::Topic, |part| part.topic),
        principal: of(Dimension::Principal, |part| part.principal),
        direction: part
            .filter(|_| by(Dimension::Direction))
            .map(|part| part.direction),
        share: None,
        meter: line.meter,
        currency: line.rated_by.as_ref().map(|(_, currency)| currency.clone()),
    }
}

fn add(
    groups: &mut BTreeMap<Key, (u128, Decimal)>,
    key: Key,
    quantity: u128,
    amount: Decimal,
) -> Result<(), TooLarge> {
    let sum = groups.entry(key).or_default();
    sum.0 = sum.0.checked_add(quantity).ok_or(TooLarge)?;
    sum.1 = sum.1.checked_add(amount).ok_or(TooLarge)?;
    Ok(())
}

fn row(key: Key, quantity: u128, amount: Decimal) -> Result<CostRow, TooLarge> {
    let Key {
        bucket,
        organization,
        tenant,
        environment,
        cluster,
        topic,
        principal,
        direction,
        share,
        meter,
        currency,
    } = key;
    Ok(CostRow {
        start: bucket.start,
        end: bucket.end,
        organization: organization.map(Id::from_uuid),
        tenant: tenant.map(Id::from_uuid),
        environment: environment.map(Id::from_uuid),
        cluster: cluster.map(Id::from_uuid),
        topic: topic.map(Id::from_uuid),
        principal: principal.map(Id::from_uuid),
        direction,
        share: share.map(Id::from_uuid),
        meter,
        quantity: u64::try_from(quantity).map_err(|_over| TooLarge)?,
        amount: amount.normalize().to_string(),
        unrated: currency.is_none(),
        currency,
    })
}

/// The sums of all rows, one for each currency.
pub fn sums(lines: &[CostRow]) -> Result<Vec<CostTotal>, TooLarge> {
    let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
    for row in lines {
        if let Some(currency) = &row.currency {
            let amount: Decimal = row.amount.parse().map_err(|_not_ours| TooLarge)?;
            let sum = sums.entry(currency).or_default();
            *sum = sum.checked_add(amount).ok_or(TooLarge)?;
        }
    }
    let total = |(currency, amount): (&str, Decimal)| CostTotal {
        currency: currency.to_owned(),
        amount: amount.normalize().to_string(),
    };
    Ok(sums.into_iter().map(total).collect())
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
