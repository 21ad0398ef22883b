//! Which cluster a client means by the name that it asks for in its TLS handshake (SNI, RFC 6066).
//!
//! Below a domain of the customer's, with a wildcard certificate: `<label>.<domain>` is a cluster, `b<n>-<label>.<domain>` the same cluster's
//! broker node n. The label is the cluster's id without its kind. Any other name means no cluster, and the client's key says which.

use std::str::FromStr;

use kafka_protocol::protocol::StrBytes;

/// What stands before the label in an id.
const KIND: &str = "cluster_";
/// An id's second half: 26 characters of Crockford's base 32.
const LABEL: usize = 26;

/// A DNS name in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain(String);

/// Not a DNS name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a domain such as kafka.example.com")]
pub struct NotADomain;

impl std::fmt::Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Domain {
    type Err = NotADomain;
    fn from_str(text: &str) -> Result<Self, NotADomain> {
        let text = text.to_ascii_lowercase();
        let legal = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // Room for `b2147483647-`, a label and a dot.
        if text.len() > 200 || !text.split('.').all(legal) {
            return Err(NotADomain);
        }
        Ok(Self(text))
    }
}

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The cluster's id.
    pub cluster: String,
    /// The broker, if the name says one.
    pub node: Option<i32>,
    /// `<label>.<domain>`.
    pub front: StrBytes,
}

impl Domain {
    /// The name of a cluster, by its id.
    #[must_use]
    pub fn front(&self, cluster: &str) -> Option<String> {
        let label = cluster.strip_prefix(KIND)?;
        Some(format!("{label}.{}", self.0))
    }

    /// What a name means; nothing when it is not one of a cluster.
    #[must_use]
    pub fn meant(&self, name: &str) -> Option<Named> {
        let name = name.to_ascii_lowercase();
        let first = name.strip_suffix(&self.0)?.strip_suffix('.')?;
        let (node, label) = match first.split_once('-') {
            Some((node, label)) => {
                let digits = node.strip_prefix('b')?;
                // As we write it: no sign, no zero before it.
                let number: i32 = digits.parse().ok()?;
                (number.to_string() == digits && number >= 0).then_some(())?;
                (Some(number), label)
            }
            None => (None, first),
        };
        if label.len() != LABEL || !label.bytes().all(|it| it.is_ascii_alphanumeric()) {
            return None;
        }
        Some(Named {
            cluster: format!("{KIND}{label}"),
            node,
            front: StrBytes::from_string(format!("{label}.{}", self.0)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "01jabcdefghjkmnpqrstvwxyz0";

    #[test]
    fn a_label_is_a_cluster_and_a_number_before_it_a_broker() {
        let domain: Domain = "Kafka.example.com".parse().unwrap();
        let named = |name: &str| domain.meant(name).map(|it| (it.cluster, it.node));
        let cluster = format!("cluster_{A}");
        assert_eq!(
            named(&format!("{A}.kafka.example.com")),
            Some((cluster.clone(), None))
        );
        assert_eq!(
            named(&format!("b3-{A}.KAFKA.example.com")),
            Some((cluster, Some(3)))
        );
        let front = domain.meant(&format!("b3-{A}.kafka.example.com")).unwrap().front;
        assert_eq!(front.as_str(), format!("{A}.kafka.example.com"));
        assert_eq!(domain.front(&format!("cluster_{A}")).as_deref(), Some(&*front));
        assert_eq!(domain.front(A), None);
        for other in [
            "kafka.example.com".to_owned(),
            "gateway.kafka.example.com".to_owned(),
            format!("{A}.example.com"),
            format!("{A}kafka.example.com"),
            format!("x.{A}.kafka.example.com"),
            format!("b-{A}.kafka.example.com"),
            format!("b03-{A}.kafka.example.com"),
            format!("b+3-{A}.kafka.example.com"),
            format!("b-1-{A}.kafka.example.com"),
            format!("c3-{A}.kafka.example.com"),
            format!("{A}0.kafka.example.com"),
        ] {
            assert_eq!(named(&other), None, "{other}");
        }
    }

    #[test]
    fn a_domain_is_a_dns_name() {
        for wrong in [
            "",
            ".",
            "a..b",
            "-a.b",
            "a-.b",
            "a b",
            "*.a",
            &"a".repeat(64),
            &"a.".repeat(120),
        ] {
            assert_eq!(wrong.parse::<Domain>(), Err(NotADomain), "{wrong}");
        }
    }
}
