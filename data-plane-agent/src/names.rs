//! Under which name a broker knows a group or a transactional id of one logical cluster.

/// How many characters of a `TypeID` stand in a prefix.
const SUFFIX_LENGTH: usize = 26;

/// The rule of one logical cluster.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Naming {
    /// Stands before every name, or before those that would look like another cluster's.
    prefix: String,
    /// Names are the broker's own: the cluster adopts what an attached Kafka has.
    own_names: bool,
}

impl Naming {
    /// A rule.
    #[must_use]
    pub const fn new(prefix: String, own_names: bool) -> Self {
        Self { prefix, own_names }
    }

    /// What stands before the cluster's names.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// As the broker knows it.
    #[must_use]
    pub fn out(&self, logical: &str) -> String {
        if self.own_names && !is_prefixed(logical) {
            logical.to_owned()
        } else {
            format!("{}{logical}", self.prefix)
        }
    }

    /// As clients know it; `None` when it is another cluster's.
    #[must_use]
    pub fn back<'a>(&self, physical: &'a str) -> Option<&'a str> {
        if self.prefix.is_empty() {
            // Without a prefix nothing could be kept apart.
            return None;
        }
        let under_prefix = physical.strip_prefix(self.prefix.as_str());
        if !self.own_names {
            return under_prefix;
        }
        match under_prefix {
            // Only names that look like another cluster's stand behind the prefix.
            Some(logical) => is_prefixed(logical).then_some(logical),
            None => (!is_prefixed(physical)).then_some(physical),
        }
    }
}

/// Does it begin as the names of a cluster with a prefix do: `w<26 characters of a TypeID>-`?
#[must_use]
pub fn is_prefixed(name: &str) -> bool {
    let bytes = name.as_bytes();
    let digit = |byte: &u8| byte.is_ascii_digit() || (byte.is_ascii_lowercase() && !b"ilou".contains(byte));
    bytes.first() == Some(&b'w')
        && bytes.get(SUFFIX_LENGTH + 1) == Some(&b'-')
        && bytes[1..=SUFFIX_LENGTH].iter().all(digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OURS: &str = "w01h2xcejqtf2nbrexx3vqjhp41-";
    const THEIRS: &str = "w01h2xcejqtf2nbrexx3vqjhp42-";

    #[test]
    fn with_a_prefix_only_what_stands_behind_it_is_ours() {
        let naming = Naming::new(OURS.to_owned(), false);
        assert_eq!(naming.out("app"), format!("{OURS}app"));
        assert_eq!(naming.back(&format!("{OURS}app")), Some("app"));
        assert_eq!(naming.back("app"), None);
        assert_eq!(naming.back(&format!("{THEIRS}app")), None);
    }

    #[test]
    fn own_names_stay_and_another_clusters_can_be_neither_seen_nor_reached() {
        let naming = Naming::new(OURS.to_owned(), true);
        assert_eq!(naming.out("billing"), "billing");
        assert_eq!(naming.back("billing"), Some("billing"));
        let theirs = format!("{THEIRS}app");
        assert_eq!(naming.back(&theirs), None);
        assert_eq!(
            naming.out(&theirs),
            format!("{OURS}{theirs}"),
            "a name of our own"
        );
        assert_eq!(naming.back(&naming.out(&theirs)), Some(theirs.as_str()));
        assert_eq!(
            naming.back(&format!("{OURS}app")),
            None,
            "nobody makes such a name here"
        );
    }

    proptest! {
        #[test]
        fn every_name_comes_back_and_no_two_meet(
            names in prop::collection::vec("(w01h2xcejqtf2nbrexx3vqjhp4[12]-)?[a-z0-9.-]{0,9}", 2..6),
            own: bool,
        ) {
            let naming = Naming::new(OURS.to_owned(), own);
            for a in &names {
                let physical = naming.out(a);
                prop_assert_eq!(naming.back(&physical), Some(a.as_str()));
                for b in &names {
                    prop_assert_eq!(a == b, naming.out(a) == naming.out(b));
                }
                let other = Naming::new(THEIRS.to_owned(), false);
                let theirs = other.out(a);
                prop_assert_eq!(naming.back(&theirs), None);
            }
        }
    }
}
