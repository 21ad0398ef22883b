//! From roles to Kafka's access rules, and what keeps a user away from everybody else's names. Pure.

use std::collections::BTreeSet;

use weir_proto::agent::v1::AccessRole;

use crate::platform::native::{Acl, operation, pattern, permission, resource};

fn rule(user: &str, kind: i8, name: &str, form: i8, allowed: bool, operation: i8) -> Acl {
    Acl {
        principal: format!("User:{user}"),
        host: "*".to_owned(),
        resource: kind,
        name: name.to_owned(),
        pattern: form,
        operation,
        permission: if allowed {
            permission::ALLOW
        } else {
            permission::DENY
        },
    }
}

/// The rule by which a user is known to be this cluster's. It denies a topic that nobody can make.
pub(super) fn mark(user: &str, cluster_suffix: &str) -> Acl {
    let name = format!("__weir-{cluster_suffix}");
    rule(
        user,
        resource::TOPIC,
        &name,
        pattern::LITERAL,
        false,
        operation::DESCRIBE,
    )
}

/// What no grant reaches, since in Kafka a denial outweighs it: Kafka's own topics (who reads `__consumer_offsets` reads what
/// all groups do), and whatever stands behind the prefix of another cluster.
pub(super) fn walls(user: &str, prefixes: &[String]) -> BTreeSet<Acl> {
    let wall = |kind, name: &str| rule(user, kind, name, pattern::PREFIXED, false, operation::ALL);
    let kinds = [resource::TOPIC, resource::GROUP, resource::TRANSACTIONAL_ID];
    let others = prefixes
        .iter()
        .flat_map(|prefix| kinds.map(|kind| wall(kind, prefix)));
    others.chain([wall(resource::TOPIC, "__")]).collect()
}

/// What a role lets a user do under a pattern of role bindings: a name, or a prefix when it ends in `*`. What gateways turn
/// into wishes (to create, change or delete a topic) no role lets a user do at the brokers: it is done through the API.
pub(super) fn grant(user: &str, pattern_text: &str, role: AccessRole) -> BTreeSet<Acl> {
    let (name, form) = match pattern_text.strip_suffix('*') {
        Some("") => ("*", pattern::LITERAL),
        Some(prefix) => (prefix, pattern::PREFIXED),
        None => (pattern_text, pattern::LITERAL),
    };
    // A name with a star in it would mean everything to Kafka, or nothing.
    if name.is_empty() || (name.contains('*') && name != "*") {
        return BTreeSet::new();
    }
    let allow = |kind, operation| rule(user, kind, name, form, true, operation);
    let reads = [
        allow(resource::TOPIC, operation::READ),
        allow(resource::TOPIC, operation::DESCRIBE_CONFIGS),
        allow(resource::GROUP, operation::READ),
    ];
    let writes = [
        allow(resource::TOPIC, operation::WRITE),
        allow(resource::TRANSACTIONAL_ID, operation::WRITE),
        allow(resource::GROUP, operation::DELETE),
    ];
    match role {
        AccessRole::Unspecified => BTreeSet::new(),
        AccessRole::Reader => reads.into(),
        AccessRole::Developer | AccessRole::Admin => reads.into_iter().chain(writes).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(rules: &BTreeSet<Acl>) -> Vec<(i8, &str, i8, i8)> {
        rules
            .iter()
            .map(|it| (it.resource, it.name.as_str(), it.pattern, it.operation))
            .collect()
    }

    #[test]
    fn patterns_become_kafkas_own() {
        let reads = |name, form| {
            vec![
                (resource::TOPIC, name, form, operation::READ),
                (resource::TOPIC, name, form, operation::DESCRIBE_CONFIGS),
                (resource::GROUP, name, form, operation::READ),
            ]
        };
        for (text, name, form) in [
            ("*", "*", pattern::LITERAL),
            ("pay*", "pay", pattern::PREFIXED),
            ("orders", "orders", pattern::LITERAL),
        ] {
            let rules = grant("key_1", text, AccessRole::Reader);
            assert_eq!(says(&rules), reads(name, form), "{text}");
            assert!(rules.iter().all(Acl::allows));
        }
        for nothing in ["", "a*b", "a**"] {
            assert!(grant("key_1", nothing, AccessRole::Admin).is_empty(), "{nothing}");
        }
        assert!(grant("key_1", "*", AccessRole::Unspecified).is_empty());
    }

    #[test]
    fn no_role_makes_changes_or_deletes_topics_or_sees_the_whole_kafka() {
        for role in [AccessRole::Reader, AccessRole::Developer, AccessRole::Admin] {
            for rule in grant("key_1", "*", role) {
                let of_topics = [operation::READ, operation::WRITE, operation::DESCRIBE_CONFIGS];
                assert!(
                    rule.resource != resource::TOPIC || of_topics.contains(&rule.operation),
                    "{rule:?}"
                );
                assert_ne!(rule.operation, operation::ALL);
                assert!(
                    [resource::TOPIC, resource::GROUP, resource::TRANSACTIONAL_ID].contains(&rule.resource)
                );
            }
        }
    }
}
