//! Who waits for whom.

use weir_proto::agent::v1::{Quota, QuotaLimits, QuotaMode, QuotaSubject};

use super::super::bucket::BURST_MIN;
use super::super::rules::Rules;
use super::super::rules::tests::quota;
use super::super::{Mute, Quotas};
use super::*;

const KIB: u64 = 1024;

fn limits(ingress: u64) -> Option<QuotaLimits> {
    Some(QuotaLimits {
        ingress_bytes_per_second: ingress,
        ..QuotaLimits::default()
    })
}

fn produced(bytes: u64) -> Cost {
    Cost {
        requests: 1,
        ingress: bytes,
        ..Cost::default()
    }
}

fn limited(id: &str, subject: QuotaSubject, principals: &[&str], ingress: u64) -> Quota {
    Quota {
        limits: limits(ingress),
        ..quota(id, subject, principals)
    }
}

struct World {
    quotas: Quotas,
    rules: Rules,
}

impl World {
    fn of(quotas: &[Quota]) -> Self {
        let world = Self {
            quotas: Quotas::default(),
            rules: Rules::build(quotas),
        };
        world.quotas.install(1, &world.rules);
        world
    }

    fn toll(&self, principal: &str) -> Toll {
        self.quotas.toll(1, &self.rules, "c", &Arc::from(principal))
    }
}

/// Bytes that each of these gets in `seconds`, when all send requests of `size` as fast as they may.
fn race(tolls: &[&Toll], size: u64, seconds: u64, now: Nanos) -> Vec<u64> {
    let mut ready = vec![now; tolls.len()];
    let mut got = vec![0; tolls.len()];
    loop {
        let next = ready
            .iter()
            .copied()
            .enumerate()
            .min_by_key(|(_at, ready)| *ready);
        let (at, moment) = next.unwrap();
        if moment >= now + seconds * SECOND {
            return got;
        }
        got[at] += size;
        ready[at] = tolls[at]
            .pay(moment, produced(size))
            .until
            .max(moment + 1_000_000);
    }
}

fn close(got: u64, wanted: u64) -> bool {
    got.abs_diff(wanted) * 100 <= wanted * 3
}

#[test]
fn each_principal_has_the_default_for_itself() {
    let world = World::of(&[limited("default", QuotaSubject::Default, &[], 100 * KIB)]);
    let (a, b, again) = (world.toll("a"), world.toll("b"), world.toll("a"));
    let now = world.quotas.now();
    let got = race(&[&a, &again, &b], KIB, 20, now);
    assert!(
        close(got[0] + got[1], 2000 * KIB),
        "two connections of one principal share: {got:?}"
    );
    assert!(close(got[0], got[1]), "in turns: {got:?}");
    assert!(close(got[2], 2000 * KIB), "{got:?}");
}

#[test]
fn the_tightest_of_all_that_match_wins() {
    let world = World::of(&[
        limited("own", QuotaSubject::Principals, &["a", "b"], 100 * KIB),
        limited("shared", QuotaSubject::Shared, &["a", "b"], 120 * KIB),
        limited("tenant", QuotaSubject::Tenant, &[], 150 * KIB),
    ]);
    let tolls = ["a", "b", "c"].map(|it| world.toll(it));
    let now = world.quotas.now();
    let alone = race(&[&tolls[0]], KIB, 20, now);
    assert!(close(alone[0], 2000 * KIB), "its own: {alone:?}");
    let later = now + 100 * SECOND;
    let pair = race(&[&tolls[0], &tolls[1]], KIB, 20, later);
    assert!(close(pair[0] + pair[1], 2400 * KIB), "the shared one: {pair:?}");
    let later = later + 100 * SECOND;
    let all = race(&[&tolls[0], &tolls[1], &tolls[2]], KIB, 20, later);
    assert!(close(all.iter().sum(), 3000 * KIB), "the tenant's: {all:?}");
}

#[test]
fn a_floor_is_left_when_the_shared_budget_is_used_up() {
    let mut own = limited("own", QuotaSubject::Principals, &["small"], 80 * KIB);
    own.floors = limits(40 * KIB);
    let tenant = limited("tenant", QuotaSubject::Tenant, &[], 100 * KIB);
    let world = World::of(&[own, tenant]);
    let small = world.toll("small");
    let large: Vec<Toll> = (0..9).map(|_connection| world.toll("large")).collect();
    let mut tolls = vec![&small];
    tolls.extend(&large);
    let now = world.quotas.now();
    let got = race(&tolls, KIB, 30, now);
    let all: u64 = got.iter().sum();
    assert!(close(all, 3000 * KIB), "the budget holds: {got:?}");
    assert!(
        got[0] >= 1164 * KIB,
        "one against nine, and it has its floor: {got:?}"
    );
    // Alone it has more than its floor, and that is not held against it afterwards.
    let later = now + 100 * SECOND;
    assert!(close(race(&[&small], KIB, 10, later)[0], 800 * KIB));
    let got = race(&tolls, KIB, 5, later + 10 * SECOND);
    assert!(got[0] >= 190 * KIB, "{got:?}");
}

#[test]
fn shadow_delays_nobody_and_counts_what_it_would_have() {
    let shadow = Quota {
        mode: QuotaMode::Shadow.into(),
        ..limited("shadow", QuotaSubject::Default, &[], KIB)
    };
    let world = World::of(&[shadow]);
    let toll = world.toll("a");
    let (now, mute) = (world.quotas.now(), Mute::default());
    for request in 0..10 {
        let wait = toll.pay(now, produced(KIB));
        mute.owe(now, &wait);
        assert_eq!((wait.until, mute.until(now)), (0, None), "{request}");
    }
    let held = toll.claims[0].tally.drain();
    assert_eq!(held.waited_ms, 0);
    assert_eq!(held.would_wait_ms, 9900, "ten seconds less what was saved up");
    assert_eq!(held.used[Dimension::Ingress.index()], 10 * KIB);
    assert_eq!(held.used[Dimension::Requests.index()], 10);
    assert_eq!(toll.fetch_bytes_max(), None);
}

#[test]
fn a_mute_is_bounded_counted_once_and_told_in_milliseconds() {
    let world = World::of(&[limited("own", QuotaSubject::Principals, &["a"], KIB)]);
    let toll = world.toll("a");
    let (now, mute) = (world.quotas.now(), Mute::default());
    mute.owe(now, &toll.pay(now, produced(KIB)));
    assert_eq!(mute.left_ms(now), 900);
    mute.owe(now, &toll.pay(now, produced(KIB)));
    assert_eq!(mute.left_ms(now), 1900);
    assert_eq!(mute.left_ms(now + SECOND), 900);
    assert_eq!(mute.until(now + 2 * SECOND), None);
    assert_eq!(
        toll.claims[0].tally.drain().waited_ms,
        1900,
        "not both waits, but the longer"
    );
    mute.owe(now, &toll.pay(now, produced(1 << 40)));
    assert_eq!(mute.until(now), Some(now + MUTE_MAX), "clients must not give up");
}

#[test]
fn a_changed_limit_takes_hold_at_once_and_keeps_the_level() {
    let world = World::of(&[limited("own", QuotaSubject::Principals, &["a"], 100 * KIB)]);
    let toll = world.toll("a");
    let now = world.quotas.now();
    let burst = 10 * KIB;
    assert_eq!(toll.pay(now, produced(110 * KIB)).until, now + SECOND);
    // The connection still holds the toll of the earlier snapshot.
    let after = Rules::build(&[limited("own", QuotaSubject::Principals, &["a"], 1000 * KIB)]);
    world.quotas.install(2, &after);
    let until = toll.pay(now, produced(1)).until;
    assert!(
        until < now + SECOND / 5,
        "the debt is paid ten times faster: {}",
        until - now
    );
    assert!(until > now, "and is not forgotten");
    // An earlier snapshot, looked at late, does not turn it back.
    let late = world.quotas.toll(1, &world.rules, "c", &Arc::from("a"));
    assert!(close(race(&[&late], KIB, 10, now + 60 * SECOND)[0], 10_000 * KIB));
    assert!(burst > 0 && BURST_MIN < SECOND);
    // Without the quota nothing is left of it.
    world.quotas.install(3, &Rules::default());
    assert!(
        world
            .quotas
            .toll(3, &Rules::default(), "c", &Arc::from("a"))
            .is_free()
    );
}

#[test]
fn requests_are_limited_whatever_they_are_and_fetches_ask_for_what_they_may_have() {
    let own = Quota {
        limits: Some(QuotaLimits {
            requests_per_second: 10,
            egress_bytes_per_second: 1_000_000,
            ..QuotaLimits::default()
        }),
        ..quota("own", QuotaSubject::Principals, &["a"])
    };
    let world = World::of(&[own]);
    let (toll, now) = (world.toll("a"), world.quotas.now());
    let request = Cost {
        requests: 1,
        ..Cost::default()
    };
    assert_eq!(toll.pay(now, request).until, 0);
    assert_eq!(toll.pay(now, request).until, now + SECOND / 10);
    assert_eq!(toll.fetch_bytes_max(), Some(100_000));
    assert_eq!(world.toll("b").fetch_bytes_max(), None);
}

fn mutations(per_second: u64, mode: QuotaMode) -> Quota {
    Quota {
        mode: mode.into(),
        limits: Some(QuotaLimits {
            partition_mutations_per_second: per_second,
            ..QuotaLimits::default()
        }),
        ..quota("q", QuotaSubject::Default, &[])
    }
}

#[test]
fn whoever_owes_no_partitions_may_take_more_than_there_are_and_owes_then() {
    let world = World::of(&[mutations(2, QuotaMode::Enforce)]);
    let (toll, now) = (world.toll("a"), world.quotas.now());
    assert!(toll.mutate(now, 10).is_ok());
    let wait = toll.mutate(now, 1).unwrap_err();
    // Ten partitions at two a second, less what was saved up.
    assert_eq!(wait.until, now + 5 * SECOND - BURST_MIN);
    assert!(toll.mutate(now + 4 * SECOND, 1).is_err());
    assert!(
        toll.mutate(now + 5 * SECOND, 1).is_ok(),
        "what was refused costs nothing"
    );
    let told = world.quotas.report().unwrap();
    assert_eq!(
        (told.uses[0].partition_mutations, told.uses[0].mutations_refused),
        (11, 2)
    );
    assert!(world.toll("b").mutate(now, 1).is_ok(), "another's budget");
    let great = world.toll("c");
    assert!(great.mutate(now, 1_000_000).is_ok());
    let wait = great.mutate(now, 1).unwrap_err();
    assert_eq!(
        wait.until,
        now + MUTE_MAX,
        "a connection is silent for so long at most"
    );
    assert!(great.mutate(now + 3000 * SECOND, 1).is_err(), "the debt is kept");
    assert!(
        great.mutate(now + MUTATIONS_DEBT_MAX, 1).is_ok(),
        "but not for ever"
    );
}

#[test]
fn in_shadow_mutations_are_counted_and_let() {
    let world = World::of(&[mutations(2, QuotaMode::Shadow)]);
    let (toll, now) = (world.toll("a"), world.quotas.now());
    for _topic in 0..3 {
        assert!(toll.mutate(now, 10).is_ok());
    }
    let told = world.quotas.report().unwrap();
    assert_eq!(told.uses[0].mutations_refused, 2);
    assert!(told.uses[0].would_throttle_ms > 9_000, "{told:?}");
    assert_eq!(told.uses[0].throttled_ms, 0);
}

fn stored(bytes: u64, mode: QuotaMode) -> Quota {
    Quota {
        mode: mode.into(),
        limits: Some(QuotaLimits {
            storage_bytes: bytes,
            ..QuotaLimits::default()
        }),
        ..quota("q", QuotaSubject::Tenant, &[])
    }
}

fn measured(world: &World, bytes: u64) {
    world.quotas.stored(&weir_proto::lane::v1::StorageUse {
        clusters: vec![weir_proto::lane::v1::ClusterStorage {
            cluster_id: "c".to_owned(),
            bytes,
        }],
    });
}

#[test]
fn nothing_more_is_stored_once_the_cluster_is_full() {
    let world = World::of(&[stored(1000, QuotaMode::Enforce)]);
    let (toll, now) = (world.toll("a"), world.quotas.now());
    assert!(toll.store(now, 5000).is_ok(), "nobody has measured yet");
    measured(&world, 900);
    let now = world.quotas.now();
    assert!(toll.store(now, 100).is_ok());
    assert_eq!(toll.store(now, 1), Err(1000), "what was let in since counts");
    assert_eq!(world.toll("b").store(now, 1), Err(1000), "for everybody");
    measured(&world, 400);
    assert!(toll.store(world.quotas.now(), 1).is_ok(), "something was deleted");
    let told = world.quotas.report().unwrap();
    let refused: u64 = told.uses.iter().map(|it| it.storage_refused).sum();
    assert_eq!(refused, 2);
}

#[test]
fn in_shadow_a_full_cluster_stores_on_and_is_counted() {
    let world = World::of(&[stored(1000, QuotaMode::Shadow)]);
    let toll = world.toll("a");
    measured(&world, 1000);
    assert!(toll.store(world.quotas.now(), 1).is_ok());
    assert_eq!(world.quotas.report().unwrap().uses[0].storage_refused, 1);
}
