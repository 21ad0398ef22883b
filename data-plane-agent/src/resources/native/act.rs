//! Does what the difference asks for, after the customer's last word.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use weir_credentials::{NativeCredential, SealingKey, native_binding};
use weir_proto::agent::v1::Reason;

use super::diff::{Action, Plan};
use super::wish::Wish;
use super::written::Written;
use crate::platform::kafka::{Kafka, KafkaError, PoolAddress};
use crate::platform::native::{Acl, CLUSTER_AUTHORIZATION_FAILED, SECURITY_DISABLED, pattern};
use crate::policy::{Kind, Policy};

/// What an act works with.
pub struct Hands<'a> {
    /// The customer's word.
    pub policy: &'a Policy,
    /// Kafka.
    pub kafka: &'a dyn Kafka,
    /// Where it is.
    pub at: &'a PoolAddress,
    /// What opens passwords.
    pub key: &'a SealingKey,
    /// Which passwords were given.
    pub written: &'a mut Written,
}

/// What became of a plan.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Acted {
    /// Kafka was asked to change something, and did.
    pub changed: bool,
    /// Users that the policy stopped something for.
    pub forbidden: BTreeSet<String>,
    /// Users whose quotas the policy stopped.
    pub unlimited: BTreeSet<String>,
    /// Users that cannot be made, and why.
    pub stuck: BTreeMap<String, Reason>,
    /// Why the rest was not done.
    pub failed: Option<Reason>,
}

/// Takes the steps until one fails. What takes access away asks nobody.
///
/// # Errors
/// Only when the agent's own memory cannot be written; what Kafka says becomes [`Acted::failed`].
pub async fn act(plan: &Plan, wish: &Wish, hands: &mut Hands<'_>) -> io::Result<Acted> {
    let mut acted = Acted::default();
    let makes = plan.actions.iter().filter_map(|it| match it {
        Action::Put { user, exists } => Some((user, *exists)),
        _other => None,
    });
    // Who may not be made gets no rules either.
    for (user, exists) in makes {
        if !hands.policy.allows(Kind::NativeUser, user) {
            acted.forbidden.insert(user.clone());
        } else if !exists && credential(wish, user, hands.key).is_none() {
            acted.stuck.insert(user.clone(), Reason::SealedForAnother);
        }
    }
    for action in &plan.actions {
        if let Err(error) = one(action, wish, hands, &mut acted).await? {
            tracing::warn!(%error, cluster = wish.cluster_id, "Kafka did not do what was asked of its users");
            acted.failed = Some(reason(error));
            break;
        }
    }
    hands
        .written
        .retain(&wish.cluster_id, |name| wish.users.contains_key(name))?;
    Ok(acted)
}

async fn one(
    action: &Action,
    wish: &Wish,
    hands: &mut Hands<'_>,
    acted: &mut Acted,
) -> io::Result<Result<(), KafkaError>> {
    let (kafka, at) = (hands.kafka, hands.at);
    let stopped =
        |acted: &Acted, user: &str| acted.forbidden.contains(user) || acted.stuck.contains_key(user);
    let asked = match action {
        Action::Revoke(rules) | Action::Forget(rules) => kafka.delete_acls(at, rules).await,
        Action::RemoveUser { user, mechanisms } => kafka.remove_user(at, user, mechanisms).await,
        Action::Limit { user, set, remove } => {
            if !set.is_empty() && (stopped(acted, user) || !hands.policy.allows(Kind::NativeQuota, user)) {
                acted.unlimited.insert(user.clone());
                return Ok(Ok(()));
            }
            kafka.limit_user(at, user, set, remove).await
        }
        Action::Deny(rules) => {
            let rules = those(rules, |user, _rule| !stopped(acted, user));
            if rules.is_empty() {
                return Ok(Ok(()));
            }
            kafka.create_acls(at, &rules).await
        }
        Action::Put { user, exists } => {
            if stopped(acted, user) {
                return Ok(Ok(()));
            }
            let Some(user_wish) = wish.users.get(user) else {
                return Ok(Ok(()));
            };
            match credential(wish, user, hands.key) {
                Some(credential) => {
                    let put = kafka.put_user(at, user, &credential).await;
                    if put.is_err() {
                        return Ok(put);
                    }
                    acted.changed = true;
                }
                // It was made by an agent before this one, and its passwords never change.
                None if *exists => {}
                None => return Ok(Ok(())),
            }
            hands.written.note(&wish.cluster_id, user, user_wish)?;
            return Ok(Ok(()));
        }
        Action::Allow(rules) => {
            let mut refused = BTreeSet::new();
            let rules = those(rules, |user, rule| {
                let allowed = hands.policy.allows(Kind::NativeAcl, &said(rule));
                if !allowed {
                    refused.insert(user.to_owned());
                }
                allowed && !stopped(acted, user)
            });
            acted.forbidden.extend(refused);
            if rules.is_empty() {
                return Ok(Ok(()));
            }
            kafka.create_acls(at, &rules).await
        }
    };
    acted.changed |= asked.is_ok();
    Ok(asked)
}

fn those(rules: &[Acl], mut wanted: impl FnMut(&str, &Acl) -> bool) -> Vec<Acl> {
    let wanted = rules
        .iter()
        .filter(|rule| rule.user().is_some_and(|user| wanted(user, rule)));
    wanted.cloned().collect()
}

/// What a rule is about, as policies and role bindings write it.
fn said(rule: &Acl) -> String {
    if rule.pattern == pattern::PREFIXED {
        format!("{}*", rule.name)
    } else {
        rule.name.clone()
    }
}

fn credential(wish: &Wish, name: &str, key: &SealingKey) -> Option<NativeCredential> {
    let user = wish.users.get(name)?;
    let binding = native_binding(&wish.data_plane_id, &wish.cluster_id, &user.principal_id, name);
    let bytes = key.open(&binding, &user.sealed).ok()?;
    NativeCredential::from_bytes(&bytes)
}

/// The reason code for an error of Kafka's. Its words stay here.
#[must_use]
pub fn reason(error: KafkaError) -> Reason {
    match error {
        KafkaError::Refused(SECURITY_DISABLED) => Reason::NoAuthorizer,
        KafkaError::Refused(CLUSTER_AUTHORIZATION_FAILED) => Reason::LoginTooWeak,
        other => crate::resources::topic::reason(other),
    }
}

#[cfg(test)]
#[path = "act_tests.rs"]
mod tests;
