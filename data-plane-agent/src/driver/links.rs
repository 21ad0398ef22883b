//! The driver's part for cluster links: what is to be done about those that have an end here, and how the ends that are read stand.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_proto::agent::v1::{ApiKey, ClusterLinkEnd, ClusterLinkStatus, Phase, Reason};
use weir_proto::lane::v1::Snapshot;

use super::Driver;
use crate::cluster_links::{Around, plans, source};
use crate::desired::Held;
use crate::platform::kafka::PoolAddress;
use crate::policy::Policy;

impl Driver {
    pub(super) fn turn_links(
        &self,
        policy: &Policy,
        held: Option<&Held>,
        snapshot: &Snapshot,
        pools: &BTreeMap<String, PoolAddress>,
    ) {
        let ground = &self.shared.links;
        let around = Around {
            admitted: &self.admitted,
            snapshot,
            pools,
            policy,
            shown: &self.reads_with,
        };
        let plans = plans(around);
        let (reads, writes) = (ClusterLinkEnd::Source, ClusterLinkEnd::Target);
        let mut ends = Vec::new();
        let wished = held.map_or(&[][..], |it| &it.state.cluster_links);
        for link in wished {
            let mut tell = |end: ClusterLinkEnd, status: Option<(Phase, Reason)>| {
                ends.push((link.id.clone(), i32::from(end)));
                if let Some((phase, reason)) = status {
                    ground.reports.tell(ClusterLinkStatus {
                        link_id: link.id.clone(),
                        end: end.into(),
                        phase: phase.into(),
                        reason: reason.into(),
                        ..ClusterLinkStatus::default()
                    });
                }
            };
            if let Some(wish) = &link.source {
                let admitted = self.admitted.cluster_links.iter();
                let mut admitted = admitted.filter(|it| it.id == link.id);
                let admitted = admitted.any(|it| it.source.is_some());
                let named = self.config.gateway_listener.sni_domain.is_some();
                tell(reads, Some(source(wish, admitted, named, policy)));
            }
            if link.target.is_some() {
                // A worker tells of the others.
                let refused = !plans.contains_key(&link.id);
                tell(writes, refused.then_some((Phase::Pending, Reason::PolicyRefused)));
            }
        }
        let before = ground.plans.borrow().clone().unwrap_or_default();
        for (id, _plan) in plans.iter().filter(|(id, plan)| before.get(*id) != Some(plan)) {
            ground.reports.outdate(id, writes.into());
        }
        ground.reports.named(held.map(|it| it.generation), &ends);
        ground.plans.send_if_modified(|now| {
            let changed = now.as_deref() != Some(&plans);
            if changed {
                *now = Some(Arc::new(plans));
            }
            changed
        });
    }

    /// Whether the customer has said whose this key is, if the other end of a link holds it.
    pub(super) fn is_confirmed(&self, key: &ApiKey, policy: &Policy) -> bool {
        policy.opens(&self.admitted.cluster_links, key)
    }
}
