//! What topics promise, as it is told.

use serde_json::json;

use super::*;
use crate::link::desired::build::{Rows, build};
use crate::resources::cluster::ClusterAccess;

const TENANT: Uuid = Uuid::from_u128(0x10);
const CLUSTER: Uuid = Uuid::from_u128(0x30);

fn cluster() -> ClusterRow {
    ClusterRow {
        id: CLUSTER,
        tenant_id: TENANT,
        environment_id: Uuid::from_u128(0x11),
        environment_name: "prod".into(),
        broker_pool_id: Uuid::from_u128(0x20),
        name: "cards".into(),
        access: ClusterAccess::Gateway,
        adopts: false,
        kafka_cluster_id: "AAAAAAAAAAAAAAAAAAAAAA".into(),
        deleted: false,
    }
}

fn topic(id: u128, name: &str, contract: Value) -> TopicRow {
    TopicRow {
        id: Uuid::from_u128(id),
        cluster_id: CLUSTER,
        name: name.into(),
        partitions: 1,
        retention_ms: 1,
        retention_bytes: -1,
        cleanup_policy: "DELETE".into(),
        max_message_bytes: 1,
        configs: BTreeMap::new(),
        adopted: false,
        changed_settings: Vec::new(),
        contract: serde_json::from_value(contract).unwrap(),
        mount: None,
        mirror: None,
        deleted: false,
    }
}

fn named(subject: &str) -> Source {
    Source {
        tenant: TENANT,
        environment: Uuid::from_u128(0x11),
        subjects: Subjects::Named(subject.into()),
    }
}

fn member(schema: u128, json: bool) -> Member {
    Member {
        schema: Uuid::from_u128(schema),
        json,
    }
}

fn schema(id: u128, references: Vec<(String, Uuid)>) -> SchemaRow {
    SchemaRow {
        id: Uuid::from_u128(id),
        schema_id: 100_000_007,
        guid: Uuid::from_u128(0xABCD),
        format: "AVRO".into(),
        text: "\"string\"".into(),
        metadata: Some(json!({"properties": {"owner": "cards"}})),
        rule_set: None,
        references,
    }
}

#[test]
fn what_is_wanted_follows_the_strategies_of_living_topics_that_judge() {
    let both = json!({"enforcement": "REJECT", "key": {"strategy": "RECORD_NAME"}, "value": {}});
    let mut gone = topic(3, "gone", json!({"enforcement": "REJECT"}));
    gone.deleted = true;
    let topics = [
        topic(1, "orders", both.clone()),
        topic(2, "refunds", both),
        gone,
        topic(4, "idle", json!({"enforcement": "OFF"})),
        topic(5, "plain", Value::Null),
        topic(
            6,
            "events",
            json!({"enforcement": "MARK", "value": {"strategy": "TOPIC_RECORD_NAME"}}),
        ),
    ];
    let of = |subjects| Source {
        subjects,
        ..named("")
    };
    let expected = BTreeMap::from([
        (named("orders-value"), 1),
        (named("refunds-value"), 1),
        (of(Subjects::Records), 2),
        (of(Subjects::RecordsOf("events".into())), 1),
    ]);
    assert_eq!(wanted(&[cluster()], &topics), expected);
}

#[test]
fn topics_and_schemas_are_told_together() {
    let dead_letters = crate::resources::topic::TopicId::from_uuid(Uuid::from_u128(0x52));
    let contract =
        json!({"enforcement": "DLQ", "value": {"unframed": "JSON"}, "dead_letter_topic": dead_letters});
    let mut contracts = Contracts {
        members: BTreeMap::from([(
            named("orders-value"),
            vec![member(9, true), member(8, false), member(9, true)],
        )]),
        schemas: vec![
            schema(9, vec![("Card".into(), Uuid::from_u128(7))]),
            schema(7, Vec::new()),
            schema(8, Vec::new()),
        ],
    };
    let state = |contracts, contract| {
        let rows = Rows {
            clusters: vec![cluster()],
            topics: vec![topic(1, "orders", contract)],
            contracts,
            ..Rows::default()
        };
        build(DataPlaneId::from_uuid(Uuid::from_u128(1)), "https://weir", rows)
    };
    let told = state(std::mem::take(&mut contracts), contract);
    let promise = told.topics[0].contract.as_ref().unwrap();
    assert_eq!(promise.enforcement(), wire::Enforcement::Dlq);
    assert_eq!(promise.dead_letter_topic_id, dead_letters.to_string());
    assert_eq!(promise.key, None);
    let value = promise.value.as_ref().unwrap();
    let id = |bits| schema_id(Uuid::from_u128(bits));
    assert_eq!(value.schema_ids, [id(8), id(9)]);
    assert_eq!(value.unframed_schema_id, id(9));
    assert_eq!(value.subject, "orders-value");
    let ids: Vec<&String> = told.schemas.iter().map(|it| &it.id).collect();
    assert_eq!(ids, [&id(7), &id(8), &id(9)]);
    let of_nine = &told.schemas[2];
    assert_eq!(
        (of_nine.references[0].name.as_str(), &of_nine.references[0].id),
        ("Card", &id(7))
    );
    assert_eq!((of_nine.schema_id, of_nine.guid.len()), (100_000_007, 16));
    assert_eq!(of_nine.metadata, r#"{"properties":{"owner":"cards"}}"#);
    assert_eq!(
        (of_nine.rule_set.as_str(), of_nine.format()),
        ("", SchemaFormat::Avro)
    );

    // Nothing stands in the subject: then nothing is valid. Without enforcement nothing is asked of records at all.
    let empty = state(Contracts::default(), json!({"enforcement": "REJECT"}));
    let promise = empty.topics[0].contract.clone().unwrap();
    let nothing = PartContract {
        subject: "orders-value".into(),
        ..PartContract::default()
    };
    assert_eq!(promise.value, Some(nothing));
    let off = state(Contracts::default(), json!({"enforcement": "OFF"}));
    let promise = off.topics[0].contract.clone().unwrap();
    assert_eq!(
        (promise.enforcement(), promise.value),
        (wire::Enforcement::Off, None)
    );
}

#[test]
fn unframed_records_are_judged_only_by_a_newest_version_that_is_json() {
    let promise = |members, unframed| {
        let contracts = Contracts {
            members: BTreeMap::from([(named("orders-value"), members)]),
            schemas: Vec::new(),
        };
        contracts
            .part(&named("orders-value"), unframed)
            .unframed_schema_id
    };
    let newest_json = || vec![member(9, true), member(8, false)];
    let newest_avro = || vec![member(9, false), member(8, true)];
    assert_eq!(
        promise(newest_json(), Unframed::Json),
        schema_id(Uuid::from_u128(9))
    );
    assert_eq!(promise(newest_json(), Unframed::Refused), "");
    assert_eq!(promise(newest_avro(), Unframed::Json), "");
    assert_eq!(promise(Vec::new(), Unframed::Json), "");
}
