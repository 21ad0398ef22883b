//! What the customer's policy says of quotas.

use weir_proto::agent::v1::{Cluster, DesiredState, Quota, QuotaLimits, QuotaMode, QuotaSubject};

use crate::policy::{Policy, admit};

fn quota(id: &str, ingress: u64) -> Quota {
    Quota {
        id: id.to_owned(),
        cluster_id: "cluster_1".to_owned(),
        subject: QuotaSubject::Shared.into(),
        principal_ids: vec!["a".to_owned()],
        mode: QuotaMode::Enforce.into(),
        limits: Some(QuotaLimits {
            ingress_bytes_per_second: ingress,
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn with(quotas: &[Quota], cluster_deleted: bool) -> DesiredState {
    DesiredState {
        clusters: vec![Cluster {
            id: "cluster_1".to_owned(),
            deleted: cluster_deleted,
            ..Default::default()
        }],
        quotas: quotas.to_vec(),
        ..Default::default()
    }
}

#[test]
fn a_refused_raise_keeps_the_quota_and_a_cut_cannot_be_refused() {
    let policy = Policy::parse("refuse = [\"quota.raise\"]").unwrap();
    let before = with(
        &[quota("more", 100), quota("less", 100), quota("gone", 100)],
        false,
    );
    let wish = with(&[quota("less", 50), quota("more", 200), quota("new", 70)], false);
    let admitted = admit(&before, &wish, &policy);
    assert_eq!(
        admitted.state.quotas,
        [
            quota("gone", 100),
            quota("less", 50),
            quota("more", 100),
            quota("new", 70)
        ]
    );
    assert_eq!(admitted.refused, ["more".to_owned()].into());
    let free = admit(&before, &wish, &Policy::default());
    assert_eq!(
        free.state.quotas.len(),
        3,
        "without a policy the wish is admitted"
    );
    let without = admit(&before, &with(&[], true), &policy);
    assert_eq!(without.state.quotas, [], "quotas go with their cluster");
}
