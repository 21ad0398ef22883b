//! Which wishes are refused, and where the finger points.

use serde_json::{Value, json};

use super::*;
use crate::kernel::{ClusterId, ServiceAccountId};

fn spec(subject: Value, limits: Value, floors: Value) -> QuotaSpec {
    let spec =
        json!({"cluster": ClusterId::generate(), "subject": subject, "limits": limits, "floors": floors});
    serde_json::from_value(spec).unwrap()
}

fn wrong(spec: &QuotaSpec) -> Vec<(String, String)> {
    let mut errors = Vec::new();
    validate(spec, &mut errors);
    errors.into_iter().map(|it| (it.pointer, it.code)).collect()
}

fn named() -> Value {
    json!({"kind": "PRINCIPALS", "principals": [ServiceAccountId::generate()]})
}

fn one(pointer: &str, code: &str) -> Vec<(String, String)> {
    vec![(pointer.to_owned(), code.to_owned())]
}

#[test]
fn a_quota_limits_something_and_by_numbers_that_can_be_kept() {
    let limits = |limits: Value| wrong(&spec(json!({"kind": "TENANT"}), limits, json!({})));
    assert!(limits(json!({"ingress_bytes_per_second": 1024})).is_empty());
    assert!(limits(json!({"requests_per_second": 1, "connections": 1})).is_empty());
    assert_eq!(limits(json!({})), one("/spec/limits", code::REQUIRED));
    for (name, value) in [
        ("ingress_bytes_per_second", 1023_i64),
        ("egress_bytes_per_second", 0),
        ("egress_bytes_per_second", 1 << 41),
        ("requests_per_second", 0),
        ("connections", -1),
        ("partition_mutations_per_second", 0),
    ] {
        let found = limits(json!({name: value}));
        assert_eq!(found, one(&format!("/spec/limits/{name}"), code::OUT_OF_RANGE));
    }
    let mut long = spec(json!({"kind": "DEFAULT"}), json!({"connections": 1}), json!({}));
    long.burst_seconds = 61;
    assert_eq!(wrong(&long), one("/spec/burst_seconds", code::OUT_OF_RANGE));
}

#[test]
fn storage_is_limited_for_the_whole_cluster() {
    let limits = json!({"storage_bytes": 1 << 20});
    let tenant = json!({"kind": "TENANT"});
    assert!(wrong(&spec(tenant.clone(), limits.clone(), json!({}))).is_empty());
    let at = "/spec/limits/storage_bytes";
    let shared = json!({"kind": "SHARED", "principals": [ServiceAccountId::generate()]});
    for subject in [named(), shared, json!({"kind": "DEFAULT"})] {
        assert_eq!(
            wrong(&spec(subject, limits.clone(), json!({}))),
            one(at, code::OUT_OF_RANGE)
        );
    }
    for bytes in [0_i64, (1 << 20) - 1, (1 << 50) + 1] {
        let limits = json!({"storage_bytes": bytes});
        assert_eq!(
            wrong(&spec(tenant.clone(), limits, json!({}))),
            one(at, code::OUT_OF_RANGE)
        );
    }
}

#[test]
fn a_floor_is_at_most_its_limit_and_promised_to_somebody_who_is_known() {
    let limits = json!({"ingress_bytes_per_second": 5000});
    let floor = |bytes: i64| json!({"ingress_bytes_per_second": bytes});
    assert!(wrong(&spec(named(), limits.clone(), floor(5000))).is_empty());
    let at = "/spec/floors/ingress_bytes_per_second";
    assert_eq!(
        wrong(&spec(named(), limits.clone(), floor(5001))),
        one(at, code::OUT_OF_RANGE)
    );
    for kind in ["DEFAULT", "TENANT"] {
        let subject = json!({"kind": kind});
        assert_eq!(
            wrong(&spec(subject, limits.clone(), floor(2000))),
            one(at, code::OUT_OF_RANGE)
        );
    }
    let other = json!({"egress_bytes_per_second": 5000});
    assert_eq!(
        wrong(&spec(named(), other, floor(2000))),
        one("/spec/limits/ingress_bytes_per_second", code::REQUIRED)
    );
}

#[test]
fn principals_are_named_once_and_the_kind_stays() {
    let limits = json!({"connections": 1});
    let account = ServiceAccountId::generate();
    let twice = json!({"kind": "SHARED", "principals": [account, account]});
    assert_eq!(
        wrong(&spec(twice, limits.clone(), json!({}))),
        one("/spec/subject/principals/1", code::OUT_OF_RANGE)
    );
    let nobody = json!({"kind": "PRINCIPALS", "principals": []});
    assert_eq!(
        wrong(&spec(nobody, limits.clone(), json!({}))),
        one("/spec/subject/principals", code::OUT_OF_RANGE)
    );
    let mut errors = Vec::new();
    let tenant = spec(json!({"kind": "TENANT"}), limits.clone(), json!({}));
    validate_change(&spec(named(), limits, json!({})), &tenant, &mut errors);
    assert_eq!(
        (errors[0].pointer.as_str(), errors[0].code.as_str()),
        ("/spec/subject/kind", code::IMMUTABLE)
    );
}

#[test]
fn a_subject_has_the_fields_of_its_kind_and_no_other() {
    let read = |subject: Value| serde_json::from_value::<QuotaSubject>(subject);
    assert_eq!(read(json!({"kind": "TENANT"})).unwrap(), QuotaSubject::Tenant {});
    assert!(read(json!({"kind": "TENANT", "principals": []})).is_err());
    assert!(read(json!({"kind": "PRINCIPALS"})).is_err());
    assert!(read(json!({"kind": "EVERYBODY"})).is_err());
    let shown = serde_json::to_value(QuotaSubject::Default {}).unwrap();
    assert_eq!(shown, json!({"kind": "DEFAULT"}));
}
