//! Quotas of a data plane's clusters, as its gateways keep them. Pure.

use uuid::Uuid;
use weir_proto::agent::v1::{Quota, QuotaLimits, QuotaMode, QuotaSubject};

use crate::kernel::{ClusterId, Id, ServiceAccountId, kind};

#[derive(Debug)]
pub(in crate::link) struct QuotaRow {
    pub(in crate::link) id: Uuid,
    pub(in crate::link) cluster_id: Uuid,
    pub(in crate::link) subject: String,
    pub(in crate::link) mode: String,
    pub(in crate::link) ingress_bytes_per_second: Option<i64>,
    pub(in crate::link) egress_bytes_per_second: Option<i64>,
    pub(in crate::link) requests_per_second: Option<i64>,
    pub(in crate::link) connections: Option<i64>,
    pub(in crate::link) partition_mutations_per_second: Option<i64>,
    pub(in crate::link) storage_bytes: Option<i64>,
    pub(in crate::link) floor_ingress_bytes_per_second: Option<i64>,
    pub(in crate::link) floor_egress_bytes_per_second: Option<i64>,
    pub(in crate::link) burst_seconds: i32,
    pub(in crate::link) principals: Vec<Uuid>,
}

/// A row as it is sent.
pub(super) fn quota(row: QuotaRow) -> Quota {
    let QuotaRow {
        id,
        cluster_id,
        subject,
        mode,
        ingress_bytes_per_second,
        egress_bytes_per_second,
        requests_per_second,
        connections,
        partition_mutations_per_second,
        storage_bytes,
        floor_ingress_bytes_per_second,
        floor_egress_bytes_per_second,
        burst_seconds,
        principals,
    } = row;
    let subject = match subject.as_str() {
        "PRINCIPALS" => QuotaSubject::Principals,
        "DEFAULT" => QuotaSubject::Default,
        "SHARED" => QuotaSubject::Shared,
        _ => QuotaSubject::Tenant,
    };
    let mode = match mode.as_str() {
        "SHADOW" => QuotaMode::Shadow,
        _ => QuotaMode::Enforce,
    };
    let amount = |value: Option<i64>| value.map_or(0, i64::unsigned_abs);
    let mut principal_ids: Vec<String> = principals
        .into_iter()
        .map(|it| ServiceAccountId::from_uuid(it).to_string())
        .collect();
    principal_ids.sort();
    Quota {
        id: Id::<kind::Quota>::from_uuid(id).to_string(),
        cluster_id: ClusterId::from_uuid(cluster_id).to_string(),
        subject: subject.into(),
        principal_ids,
        mode: mode.into(),
        limits: Some(QuotaLimits {
            ingress_bytes_per_second: amount(ingress_bytes_per_second),
            egress_bytes_per_second: amount(egress_bytes_per_second),
            requests_per_second: amount(requests_per_second),
            connections: amount(connections),
            partition_mutations_per_second: amount(partition_mutations_per_second),
            storage_bytes: amount(storage_bytes),
        }),
        floors: Some(QuotaLimits {
            ingress_bytes_per_second: amount(floor_ingress_bytes_per_second),
            egress_bytes_per_second: amount(floor_egress_bytes_per_second),
            ..QuotaLimits::default()
        }),
        burst_ms: burst_seconds.unsigned_abs().saturating_mul(1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_sent_whole_and_its_principals_in_order() {
        let sent = quota(QuotaRow {
            id: Uuid::from_u128(1),
            cluster_id: Uuid::from_u128(2),
            subject: "SHARED".into(),
            mode: "SHADOW".into(),
            ingress_bytes_per_second: Some(4096),
            egress_bytes_per_second: None,
            requests_per_second: Some(7),
            connections: Some(8),
            partition_mutations_per_second: Some(9),
            storage_bytes: Some(1 << 30),
            floor_ingress_bytes_per_second: Some(2048),
            floor_egress_bytes_per_second: None,
            burst_seconds: 3,
            principals: vec![Uuid::from_u128(9), Uuid::from_u128(5)],
        });
        assert_eq!(
            (sent.subject(), sent.mode()),
            (QuotaSubject::Shared, QuotaMode::Shadow)
        );
        let limits = sent.limits.unwrap();
        assert_eq!(
            (limits.ingress_bytes_per_second, limits.egress_bytes_per_second),
            (4096, 0)
        );
        assert_eq!((limits.requests_per_second, limits.connections), (7, 8));
        assert_eq!(
            (limits.partition_mutations_per_second, limits.storage_bytes),
            (9, 1 << 30)
        );
        assert_eq!(sent.floors.unwrap().ingress_bytes_per_second, 2048);
        assert_eq!(sent.burst_ms, 3000);
        assert!(sent.principal_ids.is_sorted() && sent.principal_ids.len() == 2);
    }
}
