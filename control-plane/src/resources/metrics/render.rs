//! From rows to the Prometheus text format, by the library that serves `/metrics` too. Pure.

use std::collections::BTreeMap;

use metrics::{counter, gauge, with_local_recorder};
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::kernel::{Id, kind};
use crate::resources::metrics::store::{Broken, Lag, Numbers, QuotaNow, Throttled, Traffic};
use crate::resources::service_level::Scraped;

/// What stands for everything beyond the bound.
pub const OTHER: &str = "other";

/// The text of one scrape.
pub fn text(numbers: &Numbers) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    with_local_recorder(&recorder, || {
        describe();
        describe_levels();
        traffic(numbers);
        for quota in &numbers.quotas {
            limits(quota);
        }
        for waited in &numbers.throttled {
            throttled(waited);
        }
        for behind in &numbers.lags {
            lag(behind);
        }
        contracts(numbers);
        for kept in &numbers.levels {
            level(kept);
        }
    });
    handle.render()
}

fn describe() {
    for (name, help) in [
        (
            "weir_produce_bytes_total",
            "Bytes of record batches that brokers acknowledged, since the month began.",
        ),
        (
            "weir_produce_records_total",
            "Records that brokers acknowledged, since the month began.",
        ),
        (
            "weir_produce_requests_total",
            "Produce requests, since the month began.",
        ),
        (
            "weir_fetch_bytes_total",
            "Bytes of record batches that clients fetched, since the month began.",
        ),
        (
            "weir_fetch_records_total",
            "Records that clients fetched, since the month began.",
        ),
        (
            "weir_fetch_requests_total",
            "Answers to fetches with records, since the month began.",
        ),
    ] {
        metrics::describe_counter!(name, help);
    }
    for (name, help) in [
        ("weir_quota_limit", "What a quota allows, by dimension."),
        (
            "weir_quota_used",
            "What is used of a quota now, by dimension: rates are of the last ten seconds.",
        ),
        (
            "weir_quota_throttled_milliseconds",
            "For how long connections waited in the last minute, together.",
        ),
        (
            "weir_quota_would_throttle_milliseconds",
            "The same of quotas in SHADOW: what ENFORCE would have added.",
        ),
        (
            "weir_quota_refused",
            "Connections, topics and produce requests that quotas refused in the last minute.",
        ),
        (
            "weir_connections",
            "Open connections of service accounts that a quota is for.",
        ),
        (
            "weir_consumer_group_lag_records",
            "Records that the group of an alert rule of the kind LAG is behind; absent when nobody knows.",
        ),
        (
            "weir_contract_judged_records",
            "Records that were judged by a topic's contract in the last whole minute.",
        ),
        ("weir_contract_violating_records", "Those of them that broke it."),
        (
            "weir_contract_violations",
            "How often a service account broke which rule in the last whole minute.",
        ),
    ] {
        metrics::describe_gauge!(name, help);
    }
}

fn describe_levels() {
    for (name, help) in [
        (
            "weir_service_level_breached",
            "1 while a promise of the topic is not kept, 0 while it is.",
        ),
        (
            "weir_service_level_age_seconds",
            "How old the newest record was, of the promise of freshness.",
        ),
        (
            "weir_service_level_ratio",
            "The measured share, of the promises of completeness and availability.",
        ),
        (
            "weir_service_level_budget_remaining_ratio",
            "The share of the bad minutes allowed in thirty days that is left.",
        ),
    ] {
        metrics::describe_gauge!(name, help);
    }
}

type Series = (String, String, String);

/// The names of a row; what is gone is named by its id.
fn names(row: &Traffic) -> Series {
    let topic = || Id::<kind::Topic>::from_uuid(row.topic_id).to_string();
    let account = || Id::<kind::ServiceAccount>::from_uuid(row.principal_id).to_string();
    let cluster = || Id::<kind::Cluster>::from_uuid(row.cluster_id).to_string();
    (
        row.cluster.clone().unwrap_or_else(cluster),
        row.topic.clone().unwrap_or_else(topic),
        row.principal.clone().unwrap_or_else(account),
    )
}

fn traffic(numbers: &Numbers) {
    let mut rest = [0_i64; 6];
    let mut series: BTreeMap<Series, [i64; 6]> = BTreeMap::new();
    // Two objects may have had one name: their amounts are one series.
    for row in &numbers.traffic {
        let held = series.entry(names(row)).or_default();
        add(held, row.counts());
        add(&mut rest, row.counts());
    }
    let beyond: Vec<i64> = numbers
        .total
        .iter()
        .zip(rest)
        .map(|(all, told)| all - told)
        .collect();
    if beyond.iter().any(|it| *it > 0) {
        let held = series
            .entry((OTHER.into(), OTHER.into(), OTHER.into()))
            .or_default();
        add(held, [0, 1, 2, 3, 4, 5].map(|at| beyond[at].max(0)));
    }
    for ((cluster, topic, account), amounts) in series {
        let labels = [
            ("cluster", cluster),
            ("topic", topic),
            ("service_account", account),
        ];
        for (name, amount) in [
            "weir_produce_bytes_total",
            "weir_produce_records_total",
            "weir_produce_requests_total",
            "weir_fetch_bytes_total",
            "weir_fetch_records_total",
            "weir_fetch_requests_total",
        ]
        .into_iter()
        .zip(amounts)
        {
            if amount > 0 {
                counter!(name, &labels).absolute(amount.unsigned_abs());
            }
        }
    }
}

fn add(held: &mut [i64; 6], more: [i64; 6]) {
    for (held, more) in held.iter_mut().zip(more) {
        *held = held.saturating_add(more);
    }
}

fn limits(quota: &QuotaNow) {
    let id = Id::<kind::Quota>::from_uuid(quota.id).to_string();
    for (dimension, limit, used) in quota.dimensions() {
        let Some(limit) = limit else { continue };
        let labels = [
            ("quota", id.clone()),
            ("cluster", quota.cluster.clone()),
            ("subject", quota.subject.clone()),
            ("mode", quota.mode.clone()),
            ("dimension", dimension.to_owned()),
        ];
        gauge!("weir_quota_limit", &labels).set(limit as f64);
        gauge!("weir_quota_used", &labels).set(used);
    }
}

fn throttled(row: &Throttled) {
    let account = Id::<kind::ServiceAccount>::from_uuid(row.principal_id).to_string();
    let labels = [
        ("quota", Id::<kind::Quota>::from_uuid(row.quota_id).to_string()),
        ("cluster", row.cluster.clone()),
        ("service_account", row.principal.clone().unwrap_or(account)),
    ];
    gauge!("weir_quota_throttled_milliseconds", &labels).set(row.throttled_ms as f64);
    gauge!("weir_quota_would_throttle_milliseconds", &labels).set(row.would_throttle_ms as f64);
    gauge!("weir_quota_refused", &labels).set(row.refused as f64);
    gauge!("weir_connections", &labels).set(row.connections as f64);
}

fn lag(row: &Lag) {
    let labels = [
        ("cluster", row.cluster.clone()),
        ("rule", Id::<kind::AlertRule>::from_uuid(row.rule_id).to_string()),
        ("group", row.group.clone()),
        ("topic", row.topic.clone().unwrap_or_default()),
    ];
    gauge!("weir_consumer_group_lag_records", &labels).set(row.records as f64);
}

fn contracts(numbers: &Numbers) {
    for row in &numbers.judged {
        let labels = [("cluster", row.cluster.clone()), ("topic", row.topic.clone())];
        gauge!("weir_contract_judged_records", &labels).set(row.records as f64);
        gauge!("weir_contract_violating_records", &labels).set(row.violating as f64);
    }
    for row in &numbers.violations {
        // Two accounts may have had one name.
        gauge!("weir_contract_violations", &broken(row)).increment(row.records as f64);
    }
}

/// What nobody knows has no series: `absent()` finds it.
fn level(row: &Scraped) {
    let labels = [("cluster", row.cluster.clone()), ("topic", row.topic.clone())];
    let levels = [labels[0].clone(), labels[1].clone(), ("level", row.name.clone())];
    gauge!("weir_service_level_budget_remaining_ratio", &levels).set(row.remaining_ratio);
    if row.state == "NO_DATA" {
        return;
    }
    let breached = if row.state == "BREACHED" { 1.0 } else { 0.0 };
    gauge!("weir_service_level_breached", &levels).set(breached);
    match row.value {
        None => {}
        Some(seconds) if row.name == "freshness" => {
            gauge!("weir_service_level_age_seconds", &labels).set(seconds);
        }
        Some(percent) => gauge!("weir_service_level_ratio", &levels).set(percent / 100.0),
    }
}

fn broken(row: &Broken) -> [(&'static str, String); 5] {
    let account = Id::<kind::ServiceAccount>::from_uuid(row.principal_id).to_string();
    [
        ("cluster", row.cluster.clone()),
        ("topic", row.topic.clone()),
        ("service_account", row.principal.clone().unwrap_or(account)),
        ("violation", row.violation.clone()),
        ("rule", row.rule.clone().unwrap_or_default()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::metrics::store::Judged;
    use uuid::Uuid;

    fn row(topic: &str, bytes: i64) -> Traffic {
        Traffic {
            cluster_id: Uuid::nil(),
            topic_id: Uuid::nil(),
            principal_id: Uuid::nil(),
            cluster: Some("cards".into()),
            topic: Some(topic.into()),
            principal: None,
            produce_bytes: bytes,
            produce_records: 1,
            produce_requests: 1,
            fetch_bytes: 0,
            fetch_records: 0,
            fetch_requests: 0,
        }
    }

    fn broken(records: i64) -> Broken {
        Broken {
            cluster: "cards".into(),
            topic: "payments".into(),
            principal_id: Uuid::nil(),
            principal: Some("loader".into()),
            violation: "CONDITION".into(),
            rule: Some("positive".into()),
            records,
        }
    }

    fn promise(name: &str, state: &str, value: Option<f64>) -> Scraped {
        Scraped {
            cluster: "cards".into(),
            topic: "payments".into(),
            name: name.into(),
            state: state.into(),
            value,
            remaining_ratio: 0.5,
        }
    }

    #[test]
    fn what_is_beyond_the_bound_is_other_and_names_are_escaped() {
        let told = text(&Numbers {
            traffic: vec![row("payments", 7), row("payments", 3), row("a\"b", 1)],
            total: [111, 3, 3, 0, 0, 0],
            quotas: vec![QuotaNow {
                id: Uuid::nil(),
                cluster: "cards".into(),
                subject: "TENANT".into(),
                mode: "ENFORCE".into(),
                storage_bytes: Some(1000),
                stored: Some(250),
                ..QuotaNow::default()
            }],
            throttled: Vec::new(),
            lags: vec![Lag {
                rule_id: Uuid::nil(),
                cluster: "cards".into(),
                group: "billing\"".into(),
                topic: None,
                records: 42,
            }],
            judged: vec![Judged {
                cluster: "cards".into(),
                topic: "payments".into(),
                records: 50,
                violating: 4,
            }],
            violations: vec![broken(3), broken(1)],
            levels: vec![
                promise("freshness", "BREACHED", Some(301.0)),
                promise("completeness", "NO_DATA", None),
            ],
        });
        let line = |start: &str| {
            let found = told.lines().find(|it| it.starts_with(start));
            found.unwrap_or_else(|| panic!("{start} in {told}")).to_owned()
        };
        let own = line("weir_produce_bytes_total{cluster=\"cards\",topic=\"payments\"");
        assert!(own.ends_with(" 10"), "{own}");
        let other = line("weir_produce_bytes_total{cluster=\"other\",topic=\"other\"");
        assert!(other.ends_with(" 100"), "{other}");
        assert!(told.contains("topic=\"a\\\"b\""), "{told}");
        assert!(!told.contains("weir_fetch_bytes_total{"), "nothing was fetched");
        assert!(told.contains("# TYPE weir_quota_used gauge"));
        assert!(line("weir_quota_used{").ends_with(" 250"));
        let behind = line("weir_consumer_group_lag_records{cluster=\"cards\",rule=\"alert_rule_");
        assert!(
            behind.ends_with("group=\"billing\\\"\",topic=\"\"} 42"),
            "{behind}"
        );
        assert!(line("weir_quota_limit{").contains("dimension=\"storage_bytes\""));
        assert!(line("weir_contract_judged_records{").ends_with(" 50"));
        assert!(line("weir_contract_violating_records{").ends_with(" 4"));
        assert!(line("weir_service_level_age_seconds{").ends_with(" 301"));
        assert!(line("weir_service_level_breached{").ends_with("level=\"freshness\"} 1"));
        assert_eq!(told.matches("weir_service_level_breached{").count(), 1, "{told}");
        assert_eq!(
            told.matches("weir_service_level_budget_remaining_ratio{").count(),
            2
        );
        let of = line("weir_contract_violations{");
        assert!(of.contains("rule=\"positive\"") && of.ends_with(" 4"), "{of}");
    }
}
