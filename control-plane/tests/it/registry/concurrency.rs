//! Registrations at the same moment.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;

use super::{record, register};
use crate::harness::Bench;

#[tokio::test]
async fn one_schema_registered_by_many_at_once_has_one_id_and_one_version() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    let schema = record(&["id"]);
    let calls = (0..12).map(|_| register(&admin, "p", &schema));
    let ids: BTreeSet<i64> = join_all(calls).await.into_iter().collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let versions = admin.get("/registry/subjects/p/versions?deleted=true").await;
    assert_eq!(versions.expect(200), json!([1]));
    // And under many subjects.
    let names: Vec<String> = (0..12).map(|at| format!("s{at}")).collect();
    let calls = names.iter().map(|name| register(&admin, name, "\"int\""));
    let ids: BTreeSet<i64> = join_all(calls).await.into_iter().collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
}

#[tokio::test]
async fn different_schemas_of_one_subject_follow_each_other() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    // Each may follow each, so that all get in, one after the other.
    let schemas: Vec<String> = (0..8).map(|at| record(&["id", &format!("f{at}=-")])).collect();
    let ids = join_all(schemas.iter().map(|schema| register(&admin, "p", schema))).await;
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 8);
    let versions = admin.get("/registry/subjects/p/versions").await;
    assert_eq!(versions.expect(200), json!([1, 2, 3, 4, 5, 6, 7, 8]));
}

#[tokio::test]
async fn of_two_that_exclude_each_other_one_gets_in() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    for round in 0..5 {
        let path = format!("/registry/subjects/r{round}/versions");
        let (one, two) = (json!({"schema": "\"int\""}), json!({"schema": "\"string\""}));
        let (first, second) = tokio::join!(admin.post(&path, &one), admin.post(&path, &two));
        let mut statuses = [first.status.as_u16(), second.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "the second was checked against the first");
    }
}

#[tokio::test]
async fn what_is_deleted_and_referred_to_at_once_is_either_there_or_refused() {
    let bench = Bench::start().await;
    let (admin, _) = bench.tenant("DEVELOPER").await;
    for round in 0..5 {
        let subject = format!("payment{round}");
        register(&admin, &subject, &record(&["id"])).await;
        let schema = json!({"type": "record", "name": "Order", "fields": [{"name": "p", "type": "Payment"}]});
        let body = json!({"schema": schema.to_string(),
            "references": [{"name": "Payment", "subject": subject, "version": 1}]});
        let (order, path) = (
            format!("/registry/subjects/o{round}/versions"),
            format!("/registry/subjects/{subject}"),
        );
        let (registered, deleted) = tokio::join!(admin.post(&order, &body), admin.delete(&path));
        let both = (registered.status.as_u16(), deleted.status.as_u16());
        assert!(matches!(both, (200, 422) | (422, 200)), "{both:?}");
    }
}
