//! Charges and credits of shares: the same cents on both sides, however hours come.

use chrono::TimeZone as _;
use proptest::prelude::*;

use super::*;
use crate::resources::share::SharePrice;

fn at(hour: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 10, 1, 0, 0, 0).unwrap() + TimeDelta::hours(hour)
}

fn parties() -> Parties {
    Parties {
        share: Uuid::from_u128(1),
        provider: Uuid::from_u128(2),
        provider_organization: None,
        consumer: Uuid::from_u128(3),
        consumer_organization: None,
        shown_cluster: Uuid::from_u128(4),
        cluster: Uuid::from_u128(5),
    }
}

fn used(hour: i64, principal: u128, bytes: i64) -> ShareUse {
    ShareUse {
        parties: parties(),
        hour: at(hour),
        environment: Uuid::from_u128(6),
        topic: Uuid::from_u128(7),
        shown_topic: Uuid::from_u128(8),
        principal: Uuid::from_u128(principal),
        bytes,
    }
}

fn price(from: i64, per_gib: &str, per_month: &str) -> PriceFrom {
    PriceFrom {
        share: Uuid::from_u128(1),
        effective_from: at(from),
        price: Some(SharePrice {
            currency: "EUR".into(),
            per_gib: per_gib.parse().unwrap(),
            per_month: per_month.parse().unwrap(),
        }),
    }
}

fn sum(parts: &[SharePart], meter: Meter) -> Decimal {
    parts
        .iter()
        .filter(|it| it.meter == meter)
        .map(|it| it.amount)
        .sum()
}

#[test]
fn a_price_counts_from_its_hour_on() {
    let gib = i64::try_from(GIB).unwrap();
    let uses = [used(1, 1, gib), used(2, 1, 2 * gib), used(0, 1, gib)];
    let prices = [price(1, "0.50", "0"), price(2, "0.10", "0")];
    let parts = rate(&uses, &[], &prices, at(10)).unwrap();
    assert_eq!(
        sum(&parts, Meter::ShareFetchBytes),
        "0.7".parse().unwrap(),
        "nothing before the first"
    );
    let credit = parts
        .iter()
        .find(|it| it.meter == Meter::ShareFetchBytesCredit)
        .unwrap();
    assert_eq!(
        (credit.tenant, credit.topic, credit.principal),
        (Uuid::from_u128(2), Some(Uuid::from_u128(8)), None)
    );
}

#[test]
fn a_whole_month_is_its_fee_and_a_part_of_it_is_less() {
    let time = |from: i64, to: i64| MountedTime {
        parties: parties(),
        range: TimeRange {
            start: at(from),
            end: at(to),
        },
    };
    let prices = [price(-1, "0", "10")];
    let whole = rate(&[], &[time(0, 744)], &prices, at(2000)).unwrap();
    assert_eq!(sum(&whole, Meter::ShareHours), "10".parse().unwrap());
    assert_eq!(sum(&whole, Meter::ShareHoursCredit), "-10".parse().unwrap());
    let twice = rate(&[], &[time(0, 372), time(0, 372)], &prices, at(2000)).unwrap();
    assert_eq!(
        sum(&twice, Meter::ShareHours),
        "5".parse().unwrap(),
        "an hour counts once"
    );
    let running = rate(&[], &[time(0, 744)], &prices, at(186)).unwrap();
    assert_eq!(sum(&running, Meter::ShareHours), "2.5".parse().unwrap());
}

proptest! {
    #[test]
    fn the_credit_is_the_charge(rows in prop::collection::vec((0_i64..744, 1_u128..4, 0_i64..1 << 40), 1..40),
                                cents in 0_i64..100_000, from in 0_i64..744) {
        let uses: Vec<ShareUse> = rows.iter().map(|(hour, principal, bytes)| used(*hour, *principal, *bytes)).collect();
        let per_gib = Decimal::new(cents, 4).to_string();
        let prices = [price(-1, "0.1234567", "1"), price(from, &per_gib, "3.33")];
        let times = [MountedTime { parties: parties(), range: TimeRange { start: at(3), end: at(700) } }];
        let parts = rate(&uses, &times, &prices, at(5000)).unwrap();
        prop_assert_eq!(sum(&parts, Meter::ShareFetchBytes), -sum(&parts, Meter::ShareFetchBytesCredit));
        prop_assert_eq!(sum(&parts, Meter::ShareHours), -sum(&parts, Meter::ShareHoursCredit));
        let mut turned = uses;
        turned.reverse();
        let again = rate(&turned, &times, &prices, at(5000)).unwrap();
        let total = |parts: &[SharePart]| parts.iter().map(|it| it.quantity).sum::<u128>();
        prop_assert_eq!(sum(&again, Meter::ShareFetchBytes), sum(&parts, Meter::ShareFetchBytes));
        prop_assert_eq!(total(&again), total(&parts));
    }
}
