//! Contracts between the control plane, the agent and its gateways: schemas go down, counts come up, examples stay.

use weir_proto::agent::v1::agent_frame::Frame;
use weir_proto::agent::v1::{
    AgentFrame, ContractReport, Enforcement, PartContract, RecordPart, Schema, TopicContract, TopicJudged,
    ViolationCount, ViolationKind,
};
use weir_proto::lane::v1::{ContractWindow, ViolationExample};

use crate::harness::{Harness, LIMIT, topic, wish};
use crate::inside::get;

const TOPIC: &str = "topic_01t";
const SCHEMA: &str = "schema_01s";

fn window(records: u64, violating: u64) -> ContractWindow {
    ContractWindow {
        report: Some(ContractReport {
            started_at_unix_ms: 1_000,
            ended_at_unix_ms: 3_000,
            topics: vec![TopicJudged {
                topic_id: TOPIC.to_owned(),
                records,
                violating,
                last_record_at_unix_ms: 2_500,
            }],
            violations: vec![ViolationCount {
                topic_id: TOPIC.to_owned(),
                principal_id: "service_account_01s".to_owned(),
                part: RecordPart::Value.into(),
                schema: SCHEMA.to_owned(),
                kind: ViolationKind::Condition.into(),
                rule: 1,
                enforcement: Enforcement::Reject.into(),
                records: violating,
            }],
        }),
        examples: vec![ViolationExample {
            topic_id: TOPIC.to_owned(),
            part: RecordPart::Value.into(),
            schema: SCHEMA.to_owned(),
            kind: ViolationKind::Condition.into(),
            rule: 1,
            rule_name: "small".to_owned(),
            reason: "rule `small` is not met".to_owned(),
            record: "{amount: int}".to_owned(),
            at_unix_ms: 2_000,
            ..ViolationExample::default()
        }],
    }
}

/// What was told of the topic so far: records judged, and violations.
fn told(frames: &[AgentFrame]) -> (u64, u64) {
    let reports = frames.iter().filter_map(|it| match &it.frame {
        Some(Frame::Contracts(report)) => Some(report),
        _other => None,
    });
    reports.fold((0, 0), |(judged, violating), report| {
        let records: u64 = report.topics.iter().map(|it| it.records).sum();
        let violations: u64 = report.violations.iter().map(|it| it.records).sum();
        (judged + records, violating + violations)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_reaches_gateways_and_only_counts_come_home() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let mut one = harness.gateway("gw_1", true).await;
    let two = harness.gateway("gw_2", true).await;
    let mut promising = topic(TOPIC, "orders", 1);
    promising.contract = Some(TopicContract {
        enforcement: Enforcement::Reject.into(),
        value: Some(PartContract {
            schema_ids: vec![SCHEMA.to_owned()],
            ..PartContract::default()
        }),
        ..TopicContract::default()
    });
    let mut wished = wish(vec![promising.clone()]);
    wished.schemas = vec![Schema {
        id: SCHEMA.to_owned(),
        schema_id: 7,
        text: "true".to_owned(),
        ..Schema::default()
    }];
    let plane = &harness.control_plane;
    plane.wish(plane.seal(1, 1, &wished)).await;
    let snapshot = one
        .snapshot(LIMIT, |it| it.clusters.iter().any(|it| !it.topics.is_empty()))
        .await
        .unwrap();
    assert_eq!(snapshot.clusters[0].topics[0].contract, promising.contract);
    assert_eq!(snapshot.schemas, wished.schemas);

    one.judged(window(100, 3)).await.unwrap();
    two.judged(window(50, 2)).await.unwrap();
    let all = |frames: &[AgentFrame]| (told(frames) == (150, 5)).then_some(());
    plane.until("both gateways' counts", LIMIT, all).await;
    let json: serde_json::Value =
        serde_json::from_str(&get(&harness, "/v1/contract-violations").await).unwrap();
    assert_eq!(json["violations"].as_array().unwrap().len(), 1, "one of its sort");
    assert_eq!(json["violations"][0]["record"], "{amount: int}");
    agent.shutdown().await.unwrap();
}
