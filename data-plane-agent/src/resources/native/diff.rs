//! What it takes to turn the users, rules and quotas that are seen into those that are wished. Pure.
//!
//! The order is the point: what takes away comes first; what keeps a user out is there before it can log in, and what lets it in
//! comes last. Of a user that goes, the mark goes last. So whatever is cut off in the middle lets in nobody who is not wished,
//! and is found again.

use std::collections::{BTreeMap, BTreeSet};

use weir_proto::agent::v1::Reason;

use super::wish::{User, Wish, is_user};
use crate::platform::native::{Acl, Limits, SeenNative};

/// Both mechanisms of a SCRAM user, as Kafka numbers them.
const MECHANISMS: [i8; 2] = [1, 2];

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Remove rules that let in.
    Revoke(Vec<Acl>),
    /// Remove these mechanisms of a user.
    RemoveUser {
        /// Its name.
        user: String,
        /// Those that it has.
        mechanisms: BTreeSet<i8>,
    },
    /// Set and remove client quotas.
    Limit {
        /// Whose.
        user: String,
        /// To be set.
        set: Limits,
        /// To be removed.
        remove: BTreeSet<String>,
    },
    /// Remove rules that keep out, of users that are gone or names that nobody has.
    Forget(Vec<Acl>),
    /// Write rules that keep out.
    Deny(Vec<Acl>),
    /// Make a user, or give it its password again.
    Put {
        /// Its name.
        user: String,
        /// Kafka has it with both mechanisms.
        exists: bool,
    },
    /// Write rules that let in.
    Allow(Vec<Acl>),
}

/// What is to be done, and about whom.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// In order.
    pub actions: Vec<Action>,
    /// Users that are not as they are wished.
    pub unsettled: BTreeSet<String>,
    /// Users that are not touched, and why.
    pub refused: BTreeMap<String, Reason>,
}

/// The steps. `is_written`: was this user given just these passwords?
#[must_use]
pub fn diff(wish: &Wish, seen: &SeenNative, is_written: impl Fn(&str, &User) -> bool) -> Plan {
    let mut of: BTreeMap<&str, BTreeSet<&Acl>> = BTreeMap::new();
    for rule in &seen.acls {
        if let Some(user) = rule.user().filter(|user| is_user(user)) {
            of.entry(user).or_default().insert(rule);
        }
    }
    let none = BTreeSet::new();
    let rules_of = |user: &str| of.get(user).unwrap_or(&none);
    let ours = |user: &str| wish.exclusive || rules_of(user).contains(&wish.mark(user));
    let mut steps = Steps::default();
    let known = of
        .keys()
        .copied()
        .chain(seen.users.keys().map(String::as_str))
        .chain(seen.limits.keys().map(String::as_str));
    let gone: BTreeSet<&str> = known
        .filter(|user| is_user(user) && !wish.users.contains_key(*user) && ours(user))
        .collect();
    for user in gone {
        steps.end(user, wish, seen, rules_of(user));
    }
    for (name, user) in &wish.users {
        let there = seen.users.contains_key(name) || !rules_of(name).is_empty();
        if there && !ours(name) {
            steps.plan.refused.insert(name.clone(), Reason::NotOurs);
            continue;
        }
        steps.keep(name, user, seen, rules_of(name), is_written(name, user));
    }
    steps.finish()
}

/// Steps by their place in the order.
#[derive(Default)]
struct Steps {
    plan: Plan,
    revoke: Vec<Acl>,
    remove: Vec<Action>,
    unlimit: Vec<Action>,
    forget: Vec<Acl>,
    forget_marks: Vec<Acl>,
    mark: Vec<Acl>,
    deny: Vec<Acl>,
    limit: Vec<Action>,
    put: Vec<Action>,
    allow: Vec<Acl>,
}

impl Steps {
    /// A user that nobody wishes any more.
    fn end(&mut self, name: &str, wish: &Wish, seen: &SeenNative, rules: &BTreeSet<&Acl>) {
        self.plan.unsettled.insert(name.to_owned());
        let mark = wish.mark(name);
        for rule in rules {
            let place = match rule {
                rule if rule.allows() => &mut self.revoke,
                rule if **rule == mark => &mut self.forget_marks,
                _wall => &mut self.forget,
            };
            place.push((*rule).clone());
        }
        if let Some(mechanisms) = seen.users.get(name) {
            self.remove.push(Action::RemoveUser {
                user: name.to_owned(),
                mechanisms: mechanisms.clone(),
            });
        }
        if let Some(limits) = seen.limits.get(name) {
            self.unlimit.push(Action::Limit {
                user: name.to_owned(),
                set: Limits::new(),
                remove: limits.keys().cloned().collect(),
            });
        }
    }

    /// A user that is wished.
    fn keep(&mut self, name: &str, user: &User, seen: &SeenNative, rules: &BTreeSet<&Acl>, is_written: bool) {
        let before = self.count();
        for rule in rules.iter().copied() {
            let wished = *rule == user.mark || user.walls.contains(rule) || user.grants.contains(rule);
            match (wished, rule.allows()) {
                (true, _any) => {}
                (false, true) => self.revoke.push(rule.clone()),
                (false, false) => self.forget.push(rule.clone()),
            }
        }
        let missing = |rule: &&Acl| !rules.contains(*rule);
        self.mark.extend(Some(&user.mark).filter(missing).cloned());
        self.deny.extend(user.walls.iter().filter(missing).cloned());
        self.allow.extend(user.grants.iter().filter(missing).cloned());
        self.limit_as(name, user, seen);
        let exists = seen
            .users
            .get(name)
            .is_some_and(|held| MECHANISMS.iter().all(|it| held.contains(it)));
        if !exists || !is_written {
            let user = name.to_owned();
            self.put.push(Action::Put { user, exists });
        }
        if self.count() > before {
            self.plan.unsettled.insert(name.to_owned());
        }
    }

    fn limit_as(&mut self, name: &str, user: &User, seen: &SeenNative) {
        let none = Limits::new();
        let held = seen.limits.get(name).unwrap_or(&none);
        let set: Limits = user
            .limits
            .iter()
            .filter(|(key, value)| held.get(*key) != Some(*value))
            .map(|(key, value)| (key.clone(), *value))
            .collect();
        let remove: BTreeSet<String> = held
            .keys()
            .filter(|key| !user.limits.contains_key(*key))
            .cloned()
            .collect();
        if !set.is_empty() || !remove.is_empty() {
            let user = name.to_owned();
            self.limit.push(Action::Limit { user, set, remove });
        }
    }

    fn count(&self) -> usize {
        let rules = [&self.revoke, &self.forget, &self.mark, &self.deny, &self.allow];
        rules.iter().map(|it| it.len()).sum::<usize>() + self.limit.len() + self.put.len()
    }

    fn finish(self) -> Plan {
        let Self {
            mut plan,
            revoke,
            remove,
            unlimit,
            forget,
            forget_marks,
            mark,
            deny,
            limit,
            put,
            allow,
        } = self;
        let some =
            |rules: Vec<Acl>, action: fn(Vec<Acl>) -> Action| (!rules.is_empty()).then(|| action(rules));
        plan.actions.extend(some(revoke, Action::Revoke));
        plan.actions.extend(remove);
        plan.actions.extend(unlimit);
        plan.actions.extend(some(forget, Action::Forget));
        plan.actions.extend(some(forget_marks, Action::Forget));
        plan.actions.extend(some(mark, Action::Deny));
        plan.actions.extend(some(deny, Action::Deny));
        plan.actions.extend(limit);
        plan.actions.extend(put);
        plan.actions.extend(some(allow, Action::Allow));
        plan
    }
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
