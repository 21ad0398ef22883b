//! The difference against a Kafka in memory: it is reached, nobody else's is touched, and no step in between lets in a stranger.

use super::*;
use crate::platform::native::{operation, pattern, permission, resource};
use crate::resources::native::wish;
use proptest::prelude::*;
use weir_proto::agent::v1::{
    AccessRole, ApiKey, Cluster, ClusterAccess, DesiredState, Grant, Quota, QuotaLimits, QuotaMode,
    QuotaSubject,
};

const CLUSTER: &str = "cluster_01h2xcejqtf2nbrexx3vqjhp41";
const OTHER: &str = "cluster_01h2xcejqtf2nbrexx3vqjhp42";

fn key(number: u8) -> String {
    format!("key_01h2xcejqtf2nbrexx3vqjhp{number:02}")
}

fn rule(user: &str, kind: i8, name: &str, form: i8, permission: i8, operation: i8) -> Acl {
    Acl {
        principal: format!("User:{user}"),
        host: "*".to_owned(),
        resource: kind,
        name: name.to_owned(),
        pattern: form,
        operation,
        permission,
    }
}

/// Keys of two accounts; grants and a quota of the first.
fn state(keys: &[(u8, bool)], patterns: &[&str], rate: u64) -> DesiredState {
    let principal = |first: bool| if first { "sa_1" } else { "sa_2" }.to_owned();
    let cluster = |id: &str, access: ClusterAccess| Cluster {
        id: id.to_owned(),
        broker_pool_id: "pool_1".to_owned(),
        access: access.into(),
        ..Default::default()
    };
    DesiredState {
        data_plane_id: "data_plane_1".to_owned(),
        clusters: vec![
            cluster(CLUSTER, ClusterAccess::Native),
            cluster(OTHER, ClusterAccess::Gateway),
        ],
        api_keys: keys
            .iter()
            .map(|(number, first)| ApiKey {
                id: key(*number),
                principal_id: principal(*first),
                cluster_id: CLUSTER.to_owned(),
                sealed: vec![*number],
                ..Default::default()
            })
            .collect(),
        grants: patterns
            .iter()
            .map(|it| Grant {
                principal_id: principal(true),
                cluster_id: CLUSTER.to_owned(),
                pattern: (*it).to_owned(),
                role: AccessRole::Developer.into(),
            })
            .collect(),
        quotas: vec![Quota {
            cluster_id: CLUSTER.to_owned(),
            subject: QuotaSubject::Principals.into(),
            principal_ids: vec![principal(true)],
            mode: QuotaMode::Enforce.into(),
            limits: Some(QuotaLimits {
                ingress_bytes_per_second: rate,
                ..Default::default()
            }),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn wish_of(state: &DesiredState, exclusive: bool) -> Wish {
    wish(&state.clusters[0], state, 2, exclusive, 1_000).unwrap()
}

fn apply(seen: &mut SeenNative, action: &Action) {
    match action {
        Action::Revoke(rules) | Action::Forget(rules) => seen.acls.retain(|it| !rules.contains(it)),
        Action::Deny(rules) | Action::Allow(rules) => seen.acls.extend(rules.iter().cloned()),
        Action::RemoveUser { user, mechanisms } => {
            if let Some(held) = seen.users.get_mut(user) {
                held.retain(|it| !mechanisms.contains(it));
            }
            seen.users.retain(|_name, held| !held.is_empty());
        }
        Action::Limit { user, set, remove } => {
            let held = seen.limits.entry(user.clone()).or_default();
            held.retain(|key, _value| !remove.contains(key));
            held.extend(set.clone());
            seen.limits.retain(|_name, held| !held.is_empty());
        }
        Action::Put { user, exists: _ } => {
            seen.users.insert(user.clone(), BTreeSet::from(MECHANISMS));
        }
    }
}

fn settle(wish: &Wish, seen: &mut SeenNative) {
    for action in diff(wish, seen, |_name, _user| false).actions {
        apply(seen, &action);
    }
}

#[test]
fn a_wish_becomes_users_with_walls_around_what_is_not_theirs() {
    let state = state(&[(1, true)], &["*"], 4096);
    let mut seen = SeenNative::default();
    let wish = wish_of(&state, true);
    settle(&wish, &mut seen);
    let user = key(1);
    let prefix = "w01h2xcejqtf2nbrexx3vqjhp42-";
    for kind in [resource::TOPIC, resource::GROUP, resource::TRANSACTIONAL_ID] {
        let wall = rule(
            &user,
            kind,
            prefix,
            pattern::PREFIXED,
            permission::DENY,
            operation::ALL,
        );
        assert!(seen.acls.contains(&wall), "{kind}");
    }
    let own = rule(
        &user,
        resource::TOPIC,
        "__",
        pattern::PREFIXED,
        permission::DENY,
        operation::ALL,
    );
    assert!(seen.acls.contains(&own));
    let all = rule(
        &user,
        resource::TOPIC,
        "*",
        pattern::LITERAL,
        permission::ALLOW,
        operation::WRITE,
    );
    assert!(seen.acls.contains(&all));
    // Two brokers: each lets half through.
    assert_eq!(
        seen.limits[&user],
        Limits::from([("producer_byte_rate".to_owned(), 2048.0)])
    );
    assert_eq!(diff(&wish, &seen, |_name, _user| true), Plan::default());
    let again = diff(&wish, &seen, |_name, _user| false).actions;
    assert_eq!(
        again,
        [Action::Put { user, exists: true }],
        "a lost memory writes the passwords again"
    );
}

#[test]
fn a_key_that_ended_or_was_revoked_leaves_nothing_behind() {
    let full = state(&[(1, true), (2, false)], &["pay*"], 4096);
    let mut seen = SeenNative::default();
    settle(&wish_of(&full, false), &mut seen);
    let mut ended = full.clone();
    ended.api_keys[0].expires_at_unix_seconds = 1_000;
    ended.api_keys.remove(1);
    let wish = wish_of(&ended, false);
    assert!(wish.users.is_empty());
    settle(&wish, &mut seen);
    assert_eq!(seen, SeenNative::default());
    let mut gone = full;
    gone.clusters[0].deleted = true;
    assert!(wish_of(&gone, false).users.is_empty());
}

#[test]
fn what_bears_another_mark_or_none_is_nobodys_business() {
    let wish = wish_of(&state(&[(1, true)], &["*"], 0), false);
    let theirs = SeenNative {
        users: BTreeMap::from([(key(1), BTreeSet::from([1])), (key(9), BTreeSet::from([2]))]),
        acls: BTreeSet::from([rule(
            &key(9),
            resource::TOPIC,
            "__weir-01h2xcejqtf2nbrexx3vqjhp42",
            pattern::LITERAL,
            permission::DENY,
            operation::DESCRIBE,
        )]),
        limits: BTreeMap::from([(key(9), Limits::from([("consumer_byte_rate".to_owned(), 1.0)]))]),
    };
    let plan = diff(&wish, &theirs, |_name, _user| false);
    assert_eq!(plan.actions, []);
    assert_eq!(plan.refused, BTreeMap::from([(key(1), Reason::NotOurs)]));
    let exclusive = Wish {
        exclusive: true,
        ..wish
    };
    let plan = diff(&exclusive, &theirs, |_name, _user| false);
    assert!(
        plan.actions
            .iter()
            .any(|it| matches!(it, Action::RemoveUser { user, .. } if *user == key(9))),
        "on brokers of the agent's own nobody else makes users"
    );
}

#[test]
fn a_wish_cannot_name_the_brokers_own_login_or_an_administrator() {
    for name in [
        "weir-internal",
        "admin",
        "key_",
        "key_../x",
        "KEY_01h2xcejqtf2nbrexx3vqjhp41",
    ] {
        let mut state = state(&[(1, true)], &["*"], 0);
        state.api_keys[0].id = name.to_owned();
        assert!(wish_of(&state, true).users.is_empty(), "{name}");
    }
}

fn noise() -> impl Strategy<Value = SeenNative> {
    let user = prop_oneof![(1_u8..6).prop_map(key), Just("alice".to_owned())];
    let acl = (user.clone(), 2_i8..6, "[a-c_]{1,3}", 3_i8..5, 2_i8..4, 2_i8..9).prop_map(
        |(user, kind, name, form, permission, operation)| {
            rule(&user, kind, &name, form, permission, operation)
        },
    );
    let mark = (1_u8..6)
        .prop_map(|it| crate::resources::native::rules::mark(&key(it), "01h2xcejqtf2nbrexx3vqjhp41"));
    (
        prop::collection::btree_map(user.clone(), prop::collection::btree_set(1_i8..3, 1..3), 0..5),
        prop::collection::btree_set(prop_oneof![acl, mark], 0..12),
        prop::collection::btree_map(
            user,
            Just(Limits::from([("consumer_byte_rate".to_owned(), 7.0)])),
            0..4,
        ),
    )
        .prop_map(|(users, acls, limits)| SeenNative { users, acls, limits })
}

proptest! {
    #[test]
    fn every_wish_is_reached_and_no_step_lets_in_who_is_not_wished(
        keys in prop::collection::btree_map(1_u8..6, any::<bool>(), 0..4),
        patterns in prop::sample::subsequence(vec!["*", "a*", "b", "__*", "w*"], 0..4),
        exclusive: bool,
        start in noise(),
    ) {
        let keys: Vec<(u8, bool)> = keys.into_iter().collect();
        let wish = wish_of(&state(&keys, &patterns, 9000), exclusive);
        let marked = |seen: &SeenNative, user: &str| seen.acls.contains(&wish.mark(user));
        let foreign = |user: &str| !is_user(user) || !(exclusive || marked(&start, user));
        let plan = diff(&wish, &start, |_name, _user| false);
        let mut seen = start.clone();
        for action in &plan.actions {
            apply(&mut seen, action);
            // Whatever is cut off here: nobody has a new right without the walls, or without being wished.
            for rule in seen.acls.difference(&start.acls).filter(|it| it.allows()) {
                let user = rule.user().unwrap();
                let wished = wish.users.get(user);
                prop_assert!(wished.is_some_and(|it| it.walls.is_subset(&seen.acls) && it.grants.contains(rule)));
            }
            for user in seen.users.keys().filter(|it| !start.users.contains_key(*it)) {
                prop_assert!(marked(&seen, user) && wish.users[user].walls.is_subset(&seen.acls));
            }
        }
        // Others have what they had.
        for rule in start.acls.iter().filter(|it| foreign(it.user().unwrap()) && !wish.users.contains_key(it.user().unwrap())) {
            prop_assert!(seen.acls.contains(rule));
        }
        for (user, held) in start.users.iter().filter(|(user, _)| foreign(user)) {
            prop_assert_eq!(seen.users.get(user), Some(held));
        }
        // What is wished is there, or it is said why not; a second look finds nothing to do.
        for (name, user) in &wish.users {
            if !plan.refused.contains_key(name) {
                let held: BTreeSet<Acl> = seen.acls.iter().filter(|it| it.user() == Some(name)).cloned().collect();
                let wished: BTreeSet<Acl> =
                    user.walls.iter().chain(&user.grants).chain([&user.mark]).cloned().collect();
                prop_assert_eq!(held, wished);
                prop_assert_eq!(seen.limits.get(name).cloned().unwrap_or_default(), user.limits.clone());
            }
        }
        let after = diff(&wish, &seen, |_name, _user| true);
        prop_assert_eq!(after.actions, vec![]);
        prop_assert_eq!(after.refused, plan.refused);
    }
}
