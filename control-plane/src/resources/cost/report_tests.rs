//! Costs by any grouping: the same sums, whoever looks, however it is cut.

use super::*;
use crate::resources::cost::rating::rate;
use crate::resources::rate_card::{Model, Price, Tier, Unit};
use crate::resources::usage::{Granularity, Grouping, Reach, TimeRange};
use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use proptest::prelude::*;

fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 10, 1, 0, 0, 0).unwrap()
}

/// Hour of the month, tenant, cluster, topic, principal, produce or fetch, bytes, records.
type Window = (i64, u128, u128, u128, u128, bool, i64, i64);

fn windows() -> impl Strategy<Value = Vec<Window>> {
    let one = (
        0_i64..744,
        1_u128..3,
        1_u128..3,
        1_u128..5,
        1_u128..4,
        any::<bool>(),
        0_i64..1 << 33,
        0_i64..5_000,
    );
    prop::collection::vec(one, 1..40)
}

fn parts(windows: &[Window]) -> Vec<HourPart> {
    let mut sums: BTreeMap<_, (i64, i64, i64)> = BTreeMap::new();
    for (hour, tenant, cluster, topic, principal, produce, bytes, records) in windows {
        let key = (*hour, *tenant, *cluster, *topic, *principal, *produce);
        let sum = sums.entry(key).or_default();
        *sum = (sum.0 + bytes, sum.1 + records, sum.2 + 1);
    }
    let part =
        |((hour, tenant, cluster, topic, principal, produce), counts): (_, (i64, i64, i64))| HourPart {
            hour: start() + TimeDelta::hours(hour),
            tenant: Uuid::from_u128(tenant),
            environment: Uuid::from_u128(100 + tenant),
            // A cluster is one tenant's.
            cluster: Uuid::from_u128(10 * tenant + cluster),
            topic: Uuid::from_u128(topic),
            principal: Uuid::from_u128(principal),
            direction: if produce {
                Direction::Produce
            } else {
                Direction::Fetch
            },
            bytes: counts.0,
            records: counts.1,
            requests: counts.2,
        };
    sums.into_iter().map(part).collect()
}

fn sums_of(parts: &[HourPart]) -> Vec<HourSum> {
    let sum = |part: &HourPart| HourSum {
        hour: part.hour,
        organization: Some(Uuid::from_u128(1)),
        tenant: part.tenant,
        direction: part.direction,
        bytes: part.bytes,
        records: part.records,
        requests: part.requests,
    };
    parts.iter().map(sum).collect()
}

fn cards() -> Vec<Card> {
    let tier = |up_to: Option<i64>, price: &str| Tier {
        up_to: up_to.map(Decimal::from),
        unit_price: price.parse().unwrap(),
    };
    let price = |meter, unit, model, tiers| Price {
        meter,
        unit,
        model,
        tiers,
    };
    let general = vec![
        price(
            Meter::ProduceBytes,
            Unit::Gib,
            Model::Graduated,
            vec![tier(Some(3), "0.117"), tier(None, "0.03")],
        ),
        price(
            Meter::FetchBytes,
            Unit::Gib,
            Model::Volume,
            vec![tier(Some(9), "0.07"), tier(None, "0.05")],
        ),
        price(
            Meter::Requests,
            Unit::MillionRequests,
            Model::PerUnit,
            vec![tier(None, "0.333")],
        ),
    ];
    let own = vec![price(
        Meter::ProduceRecords,
        Unit::MillionRecords,
        Model::Package,
        vec![tier(None, "0.0100001")],
    )];
    let card = |id, audience, prices| Card {
        id: Uuid::from_u128(id),
        audience,
        currency: "EUR".to_owned(),
        effective_from: start(),
        prices,
    };
    vec![
        card(1, Audience::All, general),
        card(2, Audience::Tenant(Uuid::from_u128(2)), own),
    ]
}

fn report(group_by: &str, granularity: Granularity, filter: Filter) -> Report {
    Report {
        range: TimeRange {
            start: start(),
            end: start() + TimeDelta::days(31),
        },
        granularity,
        grouping: Grouping::parse(Some(group_by)).unwrap(),
        filter,
        reach: Reach {
            organization: None,
            tenant: None,
        },
    }
}

fn costs(report: &Report, parts: &[HourPart]) -> Vec<CostRow> {
    let lines = rate(&totals(&sums_of(parts)), &cards()).unwrap();
    let organizations = parts
        .iter()
        .map(|part| (part.tenant, Some(Uuid::from_u128(1))))
        .collect();
    let divided = report.grouping.divides_tenants() || report.filter.divides_tenants();
    rows(report, &lines, divided.then_some(parts), &organizations, &[]).unwrap()
}

fn by_meter(rows: &[CostRow]) -> BTreeMap<Meter, (u64, Decimal)> {
    let mut sums: BTreeMap<Meter, (u64, Decimal)> = BTreeMap::new();
    for row in rows {
        let sum = sums.entry(row.meter).or_default();
        *sum = (
            sum.0 + row.quantity,
            sum.1 + row.amount.parse::<Decimal>().unwrap(),
        );
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_grouping_sums_to_the_same_total(windows in windows(), monthly: bool) {
        let parts = parts(&windows);
        let whole = costs(&report("", Granularity::Monthly, Filter::default()), &parts);
        let granularity = if monthly { Granularity::Monthly } else { Granularity::Hourly };
        for group_by in ["organization", "tenant", "environment", "cluster,principal", "topic", "principal", "direction",
            "organization,tenant,environment,cluster,topic,principal,direction"] {
            let rows = costs(&report(group_by, granularity, Filter::default()), &parts);
            prop_assert_eq!(by_meter(&rows), by_meter(&whole), "{}", group_by);
            prop_assert_eq!(sums(&rows).unwrap(), sums(&whole).unwrap(), "{}", group_by);
        }
    }

    #[test]
    fn the_order_of_windows_changes_nothing(windows in windows(), turn in 0_usize..40) {
        let mut turned = windows.clone();
        turned.rotate_left(turn % windows.len());
        let asked = report("cluster,topic,principal", Granularity::Daily, Filter::default());
        let mut shuffled = parts(&turned);
        shuffled.reverse();
        prop_assert_eq!(costs(&asked, &parts(&windows)), costs(&asked, &shuffled));
    }

    #[test]
    fn a_filtered_row_reads_as_in_the_whole(windows in windows(), topic in 1_u128..5) {
        let parts = parts(&windows);
        let filter = Filter { topic: Some(Uuid::from_u128(topic)), ..Filter::default() };
        let all = costs(&report("topic", Granularity::Daily, Filter::default()), &parts);
        let filtered = costs(&report("topic", Granularity::Daily, filter), &parts);
        let expected: Vec<_> = all.into_iter().filter(|row| row.topic.map(Id::uuid) == filter.topic).collect();
        prop_assert_eq!(filtered, expected);
    }

    #[test]
    fn a_tenant_pays_the_same_whoever_else_is_there(windows in windows()) {
        let all = parts(&windows);
        let alone: Vec<_> = all.iter().filter(|part| part.tenant == Uuid::from_u128(2)).cloned().collect();
        let asked = report("tenant,cluster", Granularity::Daily, Filter::default());
        let own = costs(&asked, &all).into_iter().filter(|row| row.tenant.map(Id::uuid) == Some(Uuid::from_u128(2)));
        prop_assert_eq!(own.collect::<Vec<_>>(), costs(&asked, &alone));
    }
}

#[test]
fn without_cards_rows_are_there_and_cost_nothing() {
    let parts = parts(&[(0, 1, 1, 1, 1, true, 5, 2)]);
    let lines = rate(&totals(&sums_of(&parts)), &[]).unwrap();
    let rows = rows(
        &report("topic", Granularity::Daily, Filter::default()),
        &lines,
        Some(&parts),
        &BTreeMap::new(),
        &[],
    )
    .unwrap();
    let shown: Vec<_> = rows
        .iter()
        .map(|row| (row.meter, row.quantity, row.amount.as_str(), row.unrated))
        .collect();
    assert_eq!(
        shown,
        [
            (Meter::ProduceBytes, 5, "0", true),
            (Meter::ProduceRecords, 2, "0", true),
            (Meter::Requests, 1, "0", true)
        ]
    );
    assert_eq!(sums(&rows).unwrap(), []);
}
