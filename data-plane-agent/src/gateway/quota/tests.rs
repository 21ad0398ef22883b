//! Seats, and what is written into answers.

use bytes::Bytes;
use kafka_protocol::messages::{FetchRequest, FetchResponse, ProduceRequest, ProduceResponse};
use weir_kafka_wire::message::frame_response;
use weir_kafka_wire::pieces::fetch_response;
use weir_proto::agent::v1::{Quota, QuotaLimits, QuotaMode, QuotaSubject};

use super::rules::tests::quota;
use super::*;

fn seats(id: &str, subject: QuotaSubject, principals: &[&str], connections: u64) -> Quota {
    Quota {
        limits: Some(QuotaLimits {
            connections,
            ..QuotaLimits::default()
        }),
        ..quota(id, subject, principals)
    }
}

#[test]
fn a_connection_too_many_finds_no_seat_until_one_is_free() {
    let quotas = Quotas::default();
    let rules = Rules::build(&[
        seats("default", QuotaSubject::Default, &[], 2),
        seats("tenant", QuotaSubject::Tenant, &[], 3),
    ]);
    quotas.install(1, &rules);
    let seat = |principal: &str| quotas.seat(1, &rules, "c", &Arc::from(principal));
    let (first, second) = (seat("a").unwrap(), seat("a").unwrap());
    assert!(seat("a").is_none(), "its own limit");
    let third = seat("b").unwrap();
    assert!(seat("b").is_none(), "the tenant's");
    assert!(quotas.seat(1, &rules, "other", &Arc::from("a")).is_some());
    drop(first);
    assert!(seat("b").is_some());
    drop((second, third));
}

#[test]
fn in_shadow_every_connection_finds_a_seat() {
    let quotas = Quotas::default();
    let rules = Rules::build(&[Quota {
        mode: QuotaMode::Shadow.into(),
        ..seats("tenant", QuotaSubject::Tenant, &[], 1)
    }]);
    let held: Vec<_> = (0..3)
        .map(|_connection| quotas.seat(1, &rules, "c", &Arc::from("a")).unwrap())
        .collect();
    let report = quotas.report().unwrap();
    assert_eq!(
        (report.uses[0].connections, report.uses[0].connections_refused),
        (3, 2)
    );
    assert_eq!(quotas.report(), None, "told once");
    drop(held);
}

#[test]
fn the_throttle_time_is_written_where_the_answer_has_it() {
    let response = ProduceResponse::default().with_throttle_time_ms(7);
    for version in [3, 13] {
        let told = |throttle_ms| {
            let mut frame = [frame_response::<ProduceRequest>(version, 1, &response).unwrap()];
            throttle::put(&mut frame, 0, version, throttle_ms);
            frame[0].clone()
        };
        let more = ProduceResponse::default().with_throttle_time_ms(900);
        assert_eq!(
            told(900),
            frame_response::<ProduceRequest>(version, 1, &more).unwrap()
        );
        let same = frame_response::<ProduceRequest>(version, 1, &response).unwrap();
        assert_eq!(told(5), same, "the broker asked for more");
        assert_eq!(told(0), same);
    }
}

#[test]
fn a_fetch_answer_in_pieces_is_told_too() {
    let mut frame = fetch_response(16, 9, &FetchResponse::default()).unwrap();
    throttle::put(&mut frame, 1, 16, 900);
    let told = FetchResponse::default().with_throttle_time_ms(900);
    let whole = frame_response::<FetchRequest>(16, 9, &told).unwrap();
    assert_eq!(Bytes::from(frame.concat()), whole);
}

/// Quotas with a megabyte per second of ingress for a tenant.
fn limited() -> (Quotas, Rules) {
    let quotas = Quotas::default();
    let limits = Some(QuotaLimits {
        ingress_bytes_per_second: 1_000_000,
        ..QuotaLimits::default()
    });
    let rules = Rules::build(&[Quota {
        limits,
        ..quota("tenant", QuotaSubject::Tenant, &[])
    }]);
    quotas.install(1, &rules);
    (quotas, rules)
}

/// A lease of that budget.
fn lent(sequence: u64, gateways: u32, share_ppm: u32) -> Leases {
    Leases {
        sequence,
        term_ms: 2000,
        gateways,
        leases: vec![weir_proto::lane::v1::Lease {
            quota_id: "tenant".to_owned(),
            principal_id: String::new(),
            dimension: weir_proto::lane::v1::BudgetDimension::Ingress.into(),
            share_ppm,
        }],
    }
}

fn ingress(bytes: u64) -> Cost {
    Cost {
        ingress: bytes,
        ..Cost::default()
    }
}

#[test]
fn a_part_of_a_budget_is_leased_used_and_given_back() {
    let (quotas, rules) = limited();
    assert_eq!(quotas.request().needs, [], "nobody uses it");
    let toll = quotas.toll(1, &rules, "c", &Arc::from("a"));
    let cost = ingress(1_100_000);
    let now = quotas.now();
    assert_eq!(toll.pay(now, cost).until, now + bucket::SECOND);
    let request = quotas.request();
    assert_eq!(request.needs[0].quota_id, "tenant");
    assert_eq!(request.needs[0].dimensions[0].wanted_ppm, 1_000_000);
    quotas.leased(&lent(request.sequence, 4, 500_000));
    let wait = toll.pay(quotas.now(), Cost::default());
    assert_eq!(wait.until, 0, "what costs nothing does not wait");
    let half = ingress(1);
    let until = toll.pay(now, half).until;
    assert!(
        until > now + 18 * bucket::SECOND / 10,
        "at half the rate the debt takes twice as long: {}",
        until - now
    );
    assert_eq!(quotas.look_at_the_clock(), 4);
}

#[test]
fn whoever_begins_on_a_gateway_that_was_idle_waits_for_the_lease_and_not_for_the_little_that_it_held() {
    let (quotas, rules) = limited();
    let idle = quotas.request();
    quotas.leased(&Leases {
        sequence: idle.sequence,
        term_ms: 2000,
        gateways: 4,
        leases: Vec::new(),
    });
    let toll = quotas.toll(1, &rules, "c", &Arc::from("a"));
    let cost = ingress(100_000);
    let now = quotas.now();
    let first = toll.pay(now, cost).until;
    assert!(
        first > now && first <= now + 5 * bucket::SECOND / 4,
        "not for half a minute"
    );
    assert_eq!(
        toll.pay(now + bucket::SECOND / 10, cost).until,
        first,
        "nor the next one"
    );
    let late = now + 2 * bucket::SECOND;
    assert_eq!(
        toll.pay(late, cost).until,
        late + toll::MUTE_MAX,
        "none came: the debt is waited for"
    );
    let _drained = quotas.request();
    let muted = quotas.request();
    assert_eq!(
        muted.needs[0].dimensions[0].wanted_ppm, 1_000_000,
        "a muted client says nothing and waits all the same"
    );
}

#[test]
fn a_part_of_nothing_is_not_without_limit() {
    let (quotas, rules) = limited();
    let toll = quotas.toll(1, &rules, "c", &Arc::from("a"));
    let request = quotas.request();
    quotas.leased(&lent(request.sequence, 2, 0));
    let now = quotas.now();
    let cost = ingress(10_000);
    assert!(toll.pay(now, cost).until > now, "others hold all of it");
}
