//! Logical clusters: a part of a pool that gateways show to one tenant. Nothing to do in Kafka; what is in it has rooms of its own.

use weir_proto::agent::v1::{Cluster, Generation, ItemStatus, Phase, Reason};

use super::{Served, Verdict};

/// What a cluster's status depends on.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its pool serves clients.
    pub pool_ready: bool,
    /// Topics of it that are not destroyed yet.
    pub topics_left: usize,
    /// Why nothing can be done for it where its clients are at the brokers themselves.
    pub stuck: Option<Reason>,
    /// What the gateways hold of it.
    pub served: Served,
    /// It was READY before.
    pub was_ready: bool,
    /// Where clients find it.
    pub bootstrap: (&'a str, u16),
}

/// The cluster's status. `admitted` is the version in force, if the customer let one in.
#[must_use]
pub fn status(
    wish: &Cluster,
    admitted: Option<&Cluster>,
    refused: bool,
    seen: Seen<'_>,
    observed: Generation,
) -> ItemStatus {
    let verdict = match admitted {
        // The customer never let it in; its tombstone then has nothing to destroy.
        None if wish.deleted && !refused => Verdict::new(Phase::Deleted, Reason::Unspecified),
        None => Verdict::new(Phase::Pending, Reason::PolicyRefused),
        Some(cluster) if cluster.deleted && seen.topics_left > 0 => {
            Verdict::new(Phase::Deleting, seen.stuck.unwrap_or(Reason::Unspecified))
        }
        Some(cluster) if cluster.deleted => Verdict::new(Phase::Deleted, Reason::Unspecified),
        Some(_cluster) if !seen.pool_ready && seen.was_ready => {
            Verdict::new(Phase::Degraded, Reason::PoolNotReady)
        }
        Some(_cluster) if !seen.pool_ready => Verdict::new(Phase::Provisioning, Reason::PoolNotReady),
        Some(_cluster) => match seen.stuck {
            Some(reason) if seen.was_ready => Verdict::new(Phase::Degraded, reason),
            Some(reason) => Verdict::new(Phase::Failed, reason),
            None => seen.served.verdict(seen.was_ready),
        },
    };
    let (host, port) = seen.bootstrap;
    ItemStatus {
        gateways_acknowledged: seen.served.acknowledged(),
        bootstrap_host: host.to_owned(),
        bootstrap_port: u32::from(port),
        ..verdict.status(&wish.id, observed, refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_gone_only_when_its_topics_are() {
        let now = Generation { epoch: 1, n: 1 };
        let served = Served::Gateways {
            live: 1,
            acknowledged: 1,
        };
        let say = |deleted, pool_ready, topics_left| {
            let cluster = Cluster {
                id: "cluster_1".to_owned(),
                deleted,
                ..Default::default()
            };
            let seen = Seen {
                pool_ready,
                topics_left,
                stuck: None,
                served,
                was_ready: false,
                bootstrap: ("127.0.0.1", 9),
            };
            status(&cluster, Some(&cluster), false, seen, now).phase()
        };
        assert_eq!(say(false, true, 3), Phase::Ready);
        assert_eq!(say(false, false, 3), Phase::Provisioning);
        assert_eq!(say(true, true, 1), Phase::Deleting);
        assert_eq!(say(true, true, 0), Phase::Deleted);
    }
}
