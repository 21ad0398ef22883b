//! The quotas of a snapshot, by whom they are for.

use std::collections::HashMap;
use std::sync::Arc;

use weir_proto::agent::v1::{Mount, Quota, QuotaLimits, QuotaMode, QuotaSubject};
use weir_proto::lane::v1::BudgetDimension;

use super::bucket::{BURST_MIN, Nanos};

/// What is limited. The first two can have floors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dimension {
    /// Bytes of record batches that are produced.
    Ingress,
    /// Bytes of records that are fetched.
    Egress,
    /// Requests of any kind.
    Requests,
    /// Partitions that are created or deleted.
    Mutations,
    /// Connections at one time; not a rate.
    Connections,
}

impl Dimension {
    /// All of them, each at its own index.
    pub const ALL: [Self; 5] = [
        Self::Ingress,
        Self::Egress,
        Self::Requests,
        Self::Mutations,
        Self::Connections,
    ];
    /// Its index in arrays.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// As the lane calls it.
    #[must_use]
    pub const fn on_the_lane(self) -> BudgetDimension {
        match self {
            Self::Ingress => BudgetDimension::Ingress,
            Self::Egress => BudgetDimension::Egress,
            Self::Requests => BudgetDimension::Requests,
            Self::Mutations => BudgetDimension::PartitionMutations,
            Self::Connections => BudgetDimension::Connections,
        }
    }
}

/// Whose a quota is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Each principal has a budget of its own.
    Own,
    /// Some principals share one.
    Shared,
    /// Everybody on the cluster shares one.
    Tenant,
}

/// One quota.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its `TypeID`.
    pub id: Arc<str>,
    /// The cluster that it is for.
    pub cluster: Arc<str>,
    /// Whose it is.
    pub reach: Reach,
    /// Those it names.
    pub members: Vec<Arc<str>>,
    /// Does it only count?
    pub shadow: bool,
    /// By dimension; 0: no limit.
    pub limits: [u64; 5],
    /// By dimension; 0: none.
    pub floors: [u64; 2],
    /// Bytes that the cluster may hold; 0: no limit.
    pub storage: u64,
    /// Unused time that is saved up.
    pub burst: Nanos,
}

/// The quotas of one cluster.
#[derive(Debug, Default)]
struct OfCluster {
    of_principal: HashMap<Arc<str>, Arc<Rule>>,
    default: Option<Arc<Rule>>,
    shared: Vec<Arc<Rule>>,
    tenant: Option<Arc<Rule>>,
}

/// All quotas of a snapshot.
#[derive(Debug, Default)]
pub struct Rules {
    clusters: HashMap<Arc<str>, OfCluster>,
    by_id: HashMap<Arc<str>, Arc<Rule>>,
}

impl Rules {
    /// Compiles them. What this version does not understand limits nothing.
    #[must_use]
    pub fn build(quotas: &[Quota]) -> Self {
        let mut rules = Self::default();
        for quota in quotas {
            let Some(rule) = rule(quota) else {
                tracing::warn!(quota = quota.id, "a quota of a later version is not enforced");
                continue;
            };
            let rule = Arc::new(rule);
            rules.by_id.insert(Arc::clone(&rule.id), Arc::clone(&rule));
            let cluster = rules.clusters.entry(Arc::clone(&rule.cluster)).or_default();
            match quota.subject() {
                QuotaSubject::Principals => {
                    for member in &rule.members {
                        cluster.of_principal.insert(Arc::clone(member), Arc::clone(&rule));
                    }
                }
                QuotaSubject::Default => cluster.default = Some(rule),
                QuotaSubject::Shared => cluster.shared.push(rule),
                QuotaSubject::Tenant => cluster.tenant = Some(rule),
                QuotaSubject::Unspecified => {}
            }
        }
        rules
    }

    /// With those of shares, by the shares' ids: over all clusters in which one is shown, for everybody who reads it there.
    #[must_use]
    pub fn with_shares<'a>(mut self, mounts: impl Iterator<Item = &'a Mount>) -> Self {
        let egress = Dimension::Egress.index();
        for mount in mounts.filter(|it| it.fetch_bytes_per_second > 0) {
            let mut limits = [0; 5];
            // One share has one quota; should two be told, the lower one holds.
            let held = self
                .by_id
                .get(mount.share_id.as_str())
                .map_or(u64::MAX, |it| it.limits[egress]);
            limits[egress] = mount.fetch_bytes_per_second.min(held);
            let id: Arc<str> = mount.share_id.as_str().into();
            let rule = Rule {
                id: Arc::clone(&id),
                cluster: "".into(),
                reach: Reach::Tenant,
                members: Vec::new(),
                shadow: false,
                limits,
                floors: [0; 2],
                storage: 0,
                burst: BURST_MIN,
            };
            self.by_id.insert(id, Arc::new(rule));
        }
        self
    }

    /// Those that apply to a principal on a cluster, the narrowest first. A quota of its own stands in for the default.
    #[must_use]
    pub fn of(&self, cluster: &str, principal: &str) -> Vec<Arc<Rule>> {
        let Some(cluster) = self.clusters.get(cluster) else {
            return Vec::new();
        };
        let own = cluster.of_principal.get(principal).or(cluster.default.as_ref());
        let shared = cluster
            .shared
            .iter()
            .filter(|rule| rule.members.iter().any(|member| &**member == principal));
        own.into_iter()
            .chain(shared)
            .chain(&cluster.tenant)
            .cloned()
            .collect()
    }

    /// The quota of this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<Rule>> {
        self.by_id.get(id)
    }
}

fn rule(quota: &Quota) -> Option<Rule> {
    let Quota {
        id,
        cluster_id,
        subject: _,
        principal_ids,
        mode: _,
        limits,
        floors,
        burst_ms,
    } = quota;
    let reach = match quota.subject() {
        QuotaSubject::Principals | QuotaSubject::Default => Reach::Own,
        QuotaSubject::Shared => Reach::Shared,
        QuotaSubject::Tenant => Reach::Tenant,
        QuotaSubject::Unspecified => return None,
    };
    let shadow = match quota.mode() {
        QuotaMode::Enforce => false,
        QuotaMode::Shadow => true,
        QuotaMode::Unspecified => return None,
    };
    let floors = in_order(floors.as_ref());
    // Of a wider subject than one that writes, storage means nothing: brokers do not know whose bytes they hold.
    let storage = limits
        .filter(|_limits| reach == Reach::Tenant)
        .map_or(0, |it| it.storage_bytes);
    Some(Rule {
        id: id.as_str().into(),
        cluster: cluster_id.as_str().into(),
        reach,
        members: principal_ids.iter().map(|it| it.as_str().into()).collect(),
        shadow,
        limits: in_order(limits.as_ref()),
        floors: [floors[0], floors[1]],
        storage,
        burst: (Nanos::from(*burst_ms) * 1_000_000).max(BURST_MIN),
    })
}

fn in_order(limits: Option<&QuotaLimits>) -> [u64; 5] {
    let QuotaLimits {
        ingress_bytes_per_second,
        egress_bytes_per_second,
        requests_per_second,
        connections,
        partition_mutations_per_second,
        storage_bytes: _,
    } = limits.copied().unwrap_or_default();
    let mut out = [0; 5];
    out[Dimension::Ingress.index()] = ingress_bytes_per_second;
    out[Dimension::Egress.index()] = egress_bytes_per_second;
    out[Dimension::Requests.index()] = requests_per_second;
    out[Dimension::Mutations.index()] = partition_mutations_per_second;
    out[Dimension::Connections.index()] = connections;
    out
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A quota on cluster `c` that is enforced, without limits.
    #[must_use]
    pub fn quota(id: &str, subject: QuotaSubject, principals: &[&str]) -> Quota {
        Quota {
            id: id.to_owned(),
            cluster_id: "c".to_owned(),
            subject: subject.into(),
            principal_ids: principals.iter().map(|it| (*it).to_owned()).collect(),
            mode: QuotaMode::Enforce.into(),
            ..Quota::default()
        }
    }

    fn ids(rules: &Rules, cluster: &str, principal: &str) -> Vec<String> {
        rules
            .of(cluster, principal)
            .iter()
            .map(|it| it.id.to_string())
            .collect()
    }

    #[test]
    fn an_own_quota_stands_in_for_the_default_and_wider_ones_apply_besides() {
        let rules = Rules::build(&[
            quota("default", QuotaSubject::Default, &[]),
            quota("own", QuotaSubject::Principals, &["a", "b"]),
            quota("shared", QuotaSubject::Shared, &["b", "z"]),
            quota("tenant", QuotaSubject::Tenant, &[]),
            Quota {
                mode: 99,
                ..quota("later", QuotaSubject::Tenant, &[])
            },
        ]);
        assert_eq!(ids(&rules, "c", "a"), ["own", "tenant"]);
        assert_eq!(ids(&rules, "c", "b"), ["own", "shared", "tenant"]);
        assert_eq!(ids(&rules, "c", "z"), ["default", "shared", "tenant"]);
        assert_eq!(ids(&rules, "c", "other"), ["default", "tenant"]);
        assert_eq!(ids(&rules, "d", "a"), [""; 0]);
    }
}
