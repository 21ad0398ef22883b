//! Rating by example and by property.

use super::*;
use crate::resources::rate_card::{Tier, Unit};
use chrono::{TimeDelta, TimeZone as _};
use proptest::prelude::*;

const GIB: u128 = 1 << 30;
const TENANT: Uuid = Uuid::from_u128(7);
const ORGANIZATION: Uuid = Uuid::from_u128(1);

fn hour(day: u32, hour: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 10, day, hour, 0, 0).unwrap()
}

fn money_of(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn total(at: DateTime<Utc>, quantity: u128) -> HourTotal {
    HourTotal {
        tenant: TENANT,
        organization: ORGANIZATION,
        meter: Meter::ProduceBytes,
        hour: at,
        quantity,
    }
}

fn card(
    id: u128,
    audience: Audience,
    from: DateTime<Utc>,
    model: Model,
    tiers: &[(Option<&str>, &str)],
) -> Card {
    let tiers = tiers
        .iter()
        .map(|(up_to, unit_price)| Tier {
            up_to: up_to.map(money_of),
            unit_price: money_of(unit_price),
        })
        .collect();
    let price = Price {
        meter: Meter::ProduceBytes,
        unit: Unit::Gib,
        model,
        tiers,
    };
    price.check().unwrap();
    Card {
        id: Uuid::from_u128(id),
        audience,
        currency: "EUR".to_owned(),
        effective_from: from,
        prices: vec![price],
    }
}

fn amounts(totals: &[HourTotal], cards: &[Card]) -> Vec<String> {
    let lines = rate(totals, cards).unwrap();
    lines
        .iter()
        .map(|line| line.amount.normalize().to_string())
        .collect()
}

#[test]
fn per_unit() {
    let cards = [card(
        1,
        Audience::All,
        hour(1, 0),
        Model::PerUnit,
        &[(None, "0.10")],
    )];
    assert_eq!(
        amounts(&[total(hour(1, 0), 3 * GIB), total(hour(1, 1), GIB / 2)], &cards),
        ["0.3", "0.05"]
    );
}

#[test]
fn graduated_tiers_go_on_through_the_month_and_start_again_in_the_next() {
    let tiers = [(Some("10"), "1.00"), (Some("20"), "0.50"), (None, "0.10")];
    let cards = [card(1, Audience::All, hour(1, 0), Model::Graduated, &tiers)];
    let next_month = Utc.with_ymd_and_hms(2026, 11, 1, 0, 0, 0).unwrap();
    let totals = [
        total(hour(1, 0), 8 * GIB),
        total(hour(9, 5), 4 * GIB),
        total(hour(31, 23), 18 * GIB),
        total(next_month, GIB),
    ];
    // 8 x 1; 2 x 1 + 2 x 0.5; 8 x 0.5 + 10 x 0.1; and from the beginning.
    assert_eq!(amounts(&totals, &cards), ["8", "3", "5", "1"]);
}

#[test]
fn volume_prices_all_units_by_the_months_quantity() {
    let tiers = [(Some("10"), "1.00"), (None, "0.50")];
    let cards = [card(1, Audience::All, hour(1, 0), Model::Volume, &tiers)];
    assert_eq!(
        amounts(&[total(hour(1, 0), 6 * GIB), total(hour(2, 0), 4 * GIB)], &cards),
        ["6", "4"]
    );
    let over = [total(hour(1, 0), 6 * GIB), total(hour(2, 0), 4 * GIB + 2)];
    assert_eq!(amounts(&over, &cards), ["3", "2"]);
}

#[test]
fn a_begun_package_is_paid_once() {
    let cards = [card(
        1,
        Audience::All,
        hour(1, 0),
        Model::Package,
        &[(Some("5"), "2.00")],
    )];
    let totals = [
        total(hour(1, 0), 1),
        total(hour(1, 1), 5 * GIB - 1),
        total(hour(1, 2), 1),
        total(hour(1, 3), 10 * GIB),
    ];
    assert_eq!(amounts(&totals, &cards), ["2", "0", "2", "4"]);
}

#[test]
fn the_most_specific_card_in_force_rates() {
    let flat = |id, audience, day, price| card(id, audience, hour(day, 0), Model::PerUnit, &[(None, price)]);
    let cards = [
        flat(1, Audience::All, 1, "1"),
        flat(2, Audience::All, 10, "2"),
        flat(3, Audience::Organization(ORGANIZATION), 15, "3"),
        flat(4, Audience::Organization(Uuid::from_u128(99)), 15, "77"),
        flat(5, Audience::Tenant(TENANT), 20, "4"),
        flat(6, Audience::Tenant(Uuid::from_u128(99)), 20, "77"),
    ];
    let totals: Vec<_> = [1, 9, 10, 15, 20].map(|day| total(hour(day, 0), GIB)).into();
    assert_eq!(amounts(&totals, &cards), ["1", "1", "2", "3", "4"]);
    assert_eq!(amounts(&[total(hour(9, 23), GIB)], &cards), ["1"]);
}

#[test]
fn without_a_card_the_line_is_there_unrated() {
    let later = [card(1, Audience::All, hour(2, 0), Model::PerUnit, &[(None, "1")])];
    let lines = rate(&[total(hour(1, 0), GIB)], &later).unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (lines[0].rated_by.clone(), lines[0].amount),
        (None, Decimal::ZERO)
    );
    // A meter that the cards do not price is not sold, which is something else.
    let fetched = HourTotal {
        meter: Meter::FetchBytes,
        ..total(hour(3, 0), GIB)
    };
    assert_eq!(rate(&[fetched], &later).unwrap(), []);
}

#[test]
fn what_is_left_goes_to_the_largest_remainders() {
    let part = |amount: &str, weights: &[u128]| -> Vec<String> {
        let parts = share(money_of(amount), weights).unwrap();
        parts.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        part("0.00000010", &[1, 1, 1]),
        ["0.00000004", "0.00000003", "0.00000003"]
    );
    assert_eq!(part("0.00000002", &[1, 5, 4]), ["0", "0.00000001", "0.00000001"]);
    assert_eq!(part("1", &[0, 1]), ["0", "1"]);
    assert_eq!(share(Decimal::ZERO, &[0, 0]).unwrap(), [Decimal::ZERO; 2]);
    assert_eq!(share(Decimal::ONE, &[]), Err(TooLarge));
}

#[test]
fn absurd_quantities_are_refused_not_wrapped() {
    let cards = [card(
        1,
        Audience::All,
        hour(1, 0),
        Model::PerUnit,
        &[(None, "1000000000")],
    )];
    assert_eq!(
        rate(&[total(hour(1, 0), u128::MAX), total(hour(1, 0), 1)], &cards),
        Err(TooLarge)
    );
    assert_eq!(rate(&[total(hour(1, 0), u128::MAX / 2)], &cards), Err(TooLarge));
}

fn any_model() -> impl Strategy<Value = Card> {
    let price = (0_i64..2_000_000_000).prop_map(|units| Decimal::new(units, 9).to_string());
    let model = prop_oneof![
        Just(Model::PerUnit),
        Just(Model::Graduated),
        Just(Model::Volume),
        Just(Model::Package)
    ];
    (model, price.clone(), price, 1_u32..50).prop_map(|(model, one, two, bound)| {
        let bound = bound.to_string();
        let tiers = match model {
            Model::PerUnit => vec![(None, one.as_str())],
            Model::Package => vec![(Some(bound.as_str()), one.as_str())],
            Model::Graduated | Model::Volume => {
                vec![(Some(bound.as_str()), one.as_str()), (None, two.as_str())]
            }
        };
        card(1, Audience::All, hour(1, 0), model, &tiers)
    })
}

/// Windows of a month: hour of the month, quantity.
fn windows() -> impl Strategy<Value = Vec<(i64, u64)>> {
    prop::collection::vec((0_i64..744, 0_u64..20 << 30), 1..60)
}

fn totals_of(windows: &[(i64, u64)]) -> Vec<HourTotal> {
    windows
        .iter()
        .map(|(at, quantity)| total(hour(1, 0) + TimeDelta::hours(*at), u128::from(*quantity)))
        .collect()
}

proptest! {
    #[test]
    fn the_order_of_windows_is_irrelevant(windows in windows(), card in any_model(), turn in 0_usize..60) {
        let cards = [card];
        let mut turned = windows.clone();
        turned.rotate_left(turn % windows.len());
        turned.reverse();
        prop_assert_eq!(rate(&totals_of(&windows), &cards), rate(&totals_of(&turned), &cards));
    }

    #[test]
    fn hours_sum_to_the_month_rounded_once(windows in windows(), card in any_model()) {
        let lines = rate(&totals_of(&windows), std::slice::from_ref(&card)).unwrap();
        let sum: Decimal = lines.iter().map(|line| line.amount).sum();
        let whole: u128 = windows.iter().map(|(_, quantity)| u128::from(*quantity)).sum();
        let at_once = round(charge(&card.prices[0], 0, whole, whole).unwrap());
        prop_assert_eq!(sum, at_once);
        let counted: u128 = lines.iter().map(|line| line.quantity).sum();
        prop_assert_eq!(counted, whole);
        prop_assert!(lines.iter().all(|line| !line.amount.is_sign_negative() && line.amount.scale() <= 8));
    }

    #[test]
    fn splitting_a_window_changes_no_line(windows in windows(), card in any_model(), at in 0_usize..60) {
        let mut split = windows.clone();
        let (hour, quantity) = split[at % windows.len()];
        split[at % windows.len()] = (hour, quantity / 3);
        split.push((hour, quantity - quantity / 3));
        let cards = [card];
        prop_assert_eq!(rate(&totals_of(&windows), &cards), rate(&totals_of(&split), &cards));
    }

    #[test]
    fn a_later_hour_changes_no_earlier_one_unless_volume_says_so(
        windows in windows(),
        card in any_model().prop_filter("by volume", |card| card.prices[0].model != Model::Volume),
    ) {
        let cards = [card];
        let all = rate(&totals_of(&windows), &cards).unwrap();
        let early: Vec<_> = windows.iter().copied().filter(|(at, _)| *at < 300).collect();
        let first = rate(&totals_of(&early), &cards).unwrap();
        prop_assert_eq!(&all[..first.len()], &first[..]);
    }

    #[test]
    fn parts_sum_exactly_to_the_line(units in 0_i64..i64::MAX, weights in prop::collection::vec(0_u64.., 1..40)) {
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let weights: Vec<u128> = weights.iter().map(|weight| u128::from(*weight)).collect();
        let amount = Decimal::new(units, AMOUNT_DECIMALS);
        let parts = share(amount, &weights).unwrap();
        prop_assert_eq!(parts.iter().sum::<Decimal>(), amount);
        let whole: u128 = weights.iter().sum();
        for (part, weight) in parts.iter().zip(&weights) {
            // Each part is its exact share, up to one unit of the last decimal.
            let units_of_part = u128::try_from((part * Decimal::from(100_000_000)).mantissa()
                / 10_i128.pow((part * Decimal::from(100_000_000)).scale())).unwrap();
            let exact = u128::try_from(units).unwrap() * weight / whole;
            prop_assert!(units_of_part == exact || units_of_part == exact + 1);
            prop_assert!(*weight > 0 || part.is_zero());
        }
    }
}
