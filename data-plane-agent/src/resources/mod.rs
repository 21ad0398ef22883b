//! The rooms: one folder per noun, each observe (read), diff (pure), act (write), status (pure), as far as it needs them.

use weir_proto::agent::v1::{Generation, ItemStatus, Phase, Reason};

pub mod api_key;
pub mod broker_pool;
pub mod cluster;
pub mod compute_pool;
pub mod job;
pub mod native;
pub mod quota;
pub mod topic;

/// What every status says besides the item's own part.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Where the item stands.
    pub phase: Phase,
    /// Why it is not READY.
    pub reason: Reason,
}

impl Verdict {
    /// A verdict.
    #[must_use]
    pub const fn new(phase: Phase, reason: Reason) -> Self {
        Self { phase, reason }
    }

    /// All is as wished.
    #[must_use]
    pub const fn ready() -> Self {
        Self::new(Phase::Ready, Reason::Unspecified)
    }

    /// The status of an item. A refusal by the customer's policy is said beside the phase that the item keeps.
    #[must_use]
    pub fn status(&self, id: &str, observed: Generation, refused: bool) -> ItemStatus {
        ItemStatus {
            id: id.to_owned(),
            phase: self.phase.into(),
            reason: if refused {
                Reason::PolicyRefused
            } else {
                self.reason
            }
            .into(),
            observed: Some(observed),
            policy_accepted: !refused,
            ..Default::default()
        }
    }
}

/// Who serves an item, and since which wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// Gateways.
    Gateways {
        /// Attached now.
        live: u32,
        /// Those among them that obey a snapshot with the item as it is wished.
        acknowledged: u32,
    },
    /// The brokers themselves: what they have is served.
    Direct,
}

impl Served {
    /// READY when every live gateway, and at least one, acknowledged. `was_ready` tells an outage from a beginning.
    #[must_use]
    pub fn verdict(self, was_ready: bool) -> Verdict {
        let waiting = if was_ready {
            Phase::Degraded
        } else {
            Phase::Provisioning
        };
        match self {
            Self::Gateways { live: 0, .. } => Verdict::new(waiting, Reason::NoGateway),
            Self::Gateways { live, acknowledged } if acknowledged < live => {
                Verdict::new(waiting, Reason::GatewayNotAcknowledged)
            }
            Self::Gateways { .. } | Self::Direct => Verdict::ready(),
        }
    }

    /// Gateways attached now.
    #[must_use]
    pub const fn live(self) -> u32 {
        match self {
            Self::Gateways { live, .. } => live,
            Self::Direct => 0,
        }
    }

    /// Gateways that acknowledged.
    #[must_use]
    pub const fn acknowledged(self) -> u32 {
        match self {
            Self::Gateways { acknowledged, .. } => acknowledged,
            Self::Direct => 0,
        }
    }
}

/// Is `id` safe to name a file or folder? Ids come signed, but not from us.
#[must_use]
pub fn is_plain_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=80).contains(&id.len()) && id.bytes().all(plain)
}

/// What stands before a tenant's names on the brokers: `w<suffix of the cluster's id>-`; nothing when the id is not of that form.
#[must_use]
pub fn physical_prefix(cluster_id: &str) -> Option<String> {
    let (_kind, suffix) = cluster_id.rsplit_once('_')?;
    (is_plain_id(cluster_id) && !suffix.is_empty()).then(|| format!("w{suffix}-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_needs_every_live_gateway_and_at_least_one() {
        let say = |live, acknowledged, was_ready| Served::Gateways { live, acknowledged }.verdict(was_ready);
        assert_eq!(Served::Direct.verdict(false), Verdict::ready());
        assert_eq!(say(2, 2, false), Verdict::ready());
        assert_eq!(
            say(2, 1, false),
            Verdict::new(Phase::Provisioning, Reason::GatewayNotAcknowledged)
        );
        assert_eq!(
            say(0, 0, false),
            Verdict::new(Phase::Provisioning, Reason::NoGateway)
        );
        assert_eq!(say(0, 0, true), Verdict::new(Phase::Degraded, Reason::NoGateway));
    }

    #[test]
    fn ids_that_could_leave_their_folder_are_not_plain() {
        assert!(is_plain_id("pool_01jabc"));
        for bad in ["", "../x", "a/b", "A", "a.b", &"x".repeat(81)] {
            assert!(!is_plain_id(bad), "{bad}");
        }
        assert_eq!(physical_prefix("cluster_01jabc"), Some("w01jabc-".to_owned()));
        assert_eq!(physical_prefix("cluster_"), None);
        assert_eq!(physical_prefix("plain"), None);
    }
}
