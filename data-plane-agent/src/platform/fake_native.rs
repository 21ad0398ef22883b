//! Users, access rules and client quotas of the Kafka in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;

use futures_util::future::BoxFuture;
use weir_credentials::NativeCredential;

use super::fake::FakeKafka;
use super::kafka::{KafkaError, PoolAddress};
use super::native::{Acl, Limits, Native, SECURITY_DISABLED, SeenNative};

/// What the Kafka in memory keeps of one pool.
#[derive(Debug, Clone, Default)]
pub struct FakeNative {
    /// Users, rules and quotas.
    pub seen: SeenNative,
    /// What each user was last given.
    pub passwords: BTreeMap<String, NativeCredential>,
}

impl FakeKafka {
    /// Users, rules and quotas of a pool.
    #[must_use]
    pub fn native(&self, pool: &str) -> FakeNative {
        self.inner().native.get(pool).cloned().unwrap_or_default()
    }

    /// Changes users, rules and quotas behind the agent's back.
    pub fn meddle_native(&self, pool: &str, change: impl FnOnce(&mut FakeNative)) {
        change(self.inner().native.entry(pool.to_owned()).or_default());
    }

    /// This Kafka runs without an authorizer, or with one again.
    pub fn set_lawless(&self, lawless: bool) {
        self.inner().lawless = lawless;
    }

    fn change_native(
        &self,
        at: &PoolAddress,
        what: String,
        change: impl FnOnce(&mut FakeNative),
    ) -> BoxFuture<'static, Result<(), KafkaError>> {
        let mut inner = self.inner();
        let done = if inner.away {
            Err(KafkaError::Unreachable)
        } else if let Some(code) = inner.refusing {
            Err(KafkaError::Refused(code))
        } else {
            inner.log.push(what);
            change(inner.native.entry(at.pool_id.clone()).or_default());
            Ok(())
        };
        Box::pin(ready(done))
    }
}

impl Native for FakeKafka {
    fn native_of<'a>(
        &'a self,
        at: &'a PoolAddress,
        _node: i32,
        prefix: &'a str,
    ) -> BoxFuture<'a, Result<SeenNative, KafkaError>> {
        let inner = self.inner();
        if inner.away {
            return Box::pin(ready(Err(KafkaError::Unreachable)));
        }
        if inner.lawless {
            return Box::pin(ready(Err(KafkaError::Refused(SECURITY_DISABLED))));
        }
        let mut seen = inner
            .native
            .get(&at.pool_id)
            .map(|it| it.seen.clone())
            .unwrap_or_default();
        seen.users.retain(|name, _mechanisms| name.starts_with(prefix));
        seen.limits.retain(|name, _limits| name.starts_with(prefix));
        seen.acls
            .retain(|rule| rule.user().is_some_and(|it| it.starts_with(prefix)));
        Box::pin(ready(Ok(seen)))
    }

    fn put_user<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
        credential: &'a NativeCredential,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        self.change_native(at, format!("user {name}"), |native| {
            native.seen.users.insert(name.to_owned(), BTreeSet::from([1, 2]));
            native.passwords.insert(name.to_owned(), credential.clone());
        })
    }

    fn remove_user<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
        mechanisms: &'a BTreeSet<i8>,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        self.change_native(at, format!("no user {name}"), |native| {
            if let Some(held) = native.seen.users.get_mut(name) {
                held.retain(|it| !mechanisms.contains(it));
                if held.is_empty() {
                    native.seen.users.remove(name);
                    native.passwords.remove(name);
                }
            }
        })
    }

    fn create_acls<'a>(
        &'a self,
        at: &'a PoolAddress,
        rules: &'a [Acl],
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        self.change_native(at, format!("rules {}", rules.len()), |native| {
            native.seen.acls.extend(rules.iter().cloned());
        })
    }

    fn delete_acls<'a>(
        &'a self,
        at: &'a PoolAddress,
        rules: &'a [Acl],
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        self.change_native(at, format!("no rules {}", rules.len()), |native| {
            native.seen.acls.retain(|it| !rules.contains(it));
        })
    }

    fn limit_user<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
        set: &'a Limits,
        remove: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        self.change_native(at, format!("limits {name}"), |native| {
            let held = native.seen.limits.entry(name.to_owned()).or_default();
            held.retain(|key, _value| !remove.contains(key));
            held.extend(set.clone());
            if held.is_empty() {
                native.seen.limits.remove(name);
            }
        })
    }
}
