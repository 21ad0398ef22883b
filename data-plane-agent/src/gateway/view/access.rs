//! What a principal may do on one cluster.

use std::collections::HashMap;

use weir_proto::agent::v1::AccessRole;

/// What is asked of a topic, a group or a transactional id. In the order of the roles that allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// See it.
    Describe,
    /// Fetch from a topic, take part in a group.
    Read,
    /// Produce to a topic, run transactions, delete a group.
    Write,
    /// Create, change and delete a topic.
    Administer,
}

impl Operation {
    fn needs(self) -> AccessRole {
        match self {
            Self::Describe | Self::Read => AccessRole::Reader,
            Self::Write => AccessRole::Developer,
            Self::Administer => AccessRole::Admin,
        }
    }
}

/// The grants of one principal on one cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    exact: HashMap<String, i32>,
    prefixes: Vec<(String, i32)>,
    highest: i32,
}

impl Access {
    /// Adds a grant: `pattern` is a name, or a prefix when it ends in `*`.
    pub fn add(&mut self, pattern: &str, role: AccessRole) {
        let role = role as i32;
        self.highest = self.highest.max(role);
        match pattern.strip_suffix('*') {
            Some(prefix) => self.prefixes.push((prefix.to_owned(), role)),
            None => {
                let held = self.exact.entry(pattern.to_owned()).or_default();
                *held = role.max(*held);
            }
        }
    }

    /// May the principal do this to the object of this logical name?
    #[must_use]
    pub fn may(&self, operation: Operation, name: &str) -> bool {
        let needed = operation.needs() as i32;
        self.exact.get(name).is_some_and(|role| *role >= needed)
            || self
                .prefixes
                .iter()
                .any(|(prefix, role)| *role >= needed && name.starts_with(prefix.as_str()))
    }

    /// May the principal do this to everything on the cluster, also to what does not exist yet?
    #[must_use]
    pub fn may_everywhere(&self, operation: Operation) -> bool {
        let needed = operation.needs() as i32;
        self.prefixes
            .iter()
            .any(|(prefix, role)| prefix.is_empty() && *role >= needed)
    }

    /// May the principal do this to anything on the cluster? Kafka asks it for idempotent producers without a
    /// transactional id.
    #[must_use]
    pub fn may_anywhere(&self, operation: Operation) -> bool {
        self.highest >= operation.needs() as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(grants: &[(&str, AccessRole)]) -> Access {
        let mut access = Access::default();
        for (pattern, role) in grants {
            access.add(pattern, *role);
        }
        access
    }

    #[test]
    fn nothing_is_allowed_without_a_grant() {
        let access = access(&[]);
        assert!(!access.may(Operation::Describe, "orders"));
        assert!(!access.may_anywhere(Operation::Describe));
    }

    #[test]
    fn a_literal_matches_itself_only_and_a_star_every_continuation() {
        let access = access(&[("orders", AccessRole::Reader), ("pay*", AccessRole::Developer)]);
        assert!(access.may(Operation::Read, "orders"));
        assert!(!access.may(Operation::Read, "orders2"));
        assert!(!access.may(Operation::Read, "order"));
        assert!(access.may(Operation::Write, "pay"));
        assert!(access.may(Operation::Write, "payments"));
        assert!(!access.may(Operation::Write, "repay"));
    }

    #[test]
    fn roles_rise_from_reader_to_admin() {
        for (role, read, write, administer) in [
            (AccessRole::Unspecified, false, false, false),
            (AccessRole::Reader, true, false, false),
            (AccessRole::Developer, true, true, false),
            (AccessRole::Admin, true, true, true),
        ] {
            let access = access(&[("*", role)]);
            assert_eq!(access.may(Operation::Describe, "x"), read);
            assert_eq!(access.may(Operation::Read, "x"), read);
            assert_eq!(access.may(Operation::Write, "x"), write);
            assert_eq!(access.may(Operation::Administer, "x"), administer);
            assert_eq!(access.may_anywhere(Operation::Write), write);
            assert_eq!(access.may_everywhere(Operation::Administer), administer);
        }
    }

    #[test]
    fn a_part_is_not_everywhere() {
        let access = access(&[("x*", AccessRole::Admin), ("*", AccessRole::Reader)]);
        assert!(access.may_anywhere(Operation::Administer));
        assert!(!access.may_everywhere(Operation::Administer));
        assert!(access.may_everywhere(Operation::Read));
    }

    #[test]
    fn the_strongest_of_several_grants_counts() {
        let access = access(&[
            ("x", AccessRole::Developer),
            ("x", AccessRole::Reader),
            ("y*", AccessRole::Reader),
            ("yz", AccessRole::Admin),
        ]);
        assert!(access.may(Operation::Write, "x"));
        assert!(access.may(Operation::Write, "yz"));
        assert!(!access.may(Operation::Write, "yy"));
    }
}
