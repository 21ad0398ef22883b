//! Who writes to a topic, who reads from it, what governs it; and nobody of another tenant.

use chrono::Utc;
use serde_json::{Value, json};
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::ask::Question;
use weir_proto::agent::v1::control_frame::Frame as Down;
use weir_proto::agent::v1::{
    Answer, AnswerCode, GroupAnswer, GroupPosition, GroupState, GroupSummary, GroupsAnswer,
};
use weir_proto::ask::Addressee;

use crate::harness::Caller;
use crate::streams::id;
use crate::topic_contracts::{Tenant, World, avro};

struct Drawn {
    world: World,
    guest: Tenant,
    topic: String,
    dead: String,
    theirs: String,
    writer: String,
    spy: String,
}

async fn made(caller: &Caller, path: &str, spec: Value) -> String {
    id(&caller.post(path, &json!({"spec": spec})).await.expect(201))
}

impl Drawn {
    async fn make() -> Self {
        let world = World::make().await;
        let owner = &world.owner;
        owner.register("payments-value", &avro("Payment", &["a"])).await;
        owner
            .register("payments-value", &avro("Payment", &["a", "b"]))
            .await;
        owner.register("other-value", &avro("Other", &["a"])).await;
        let dead = made(
            &owner.admin,
            "/v1/topics",
            json!({"cluster": owner.cluster, "name": "dead"}),
        )
        .await;
        let contract = json!({"enforcement": "DLQ", "dead_letter_topic": dead});
        let topic = owner.topic("payments", contract).await;
        let writer = made(&owner.admin, "/v1/service-accounts", json!({"name": "writer"})).await;
        let reader = made(&owner.admin, "/v1/service-accounts", json!({"name": "reader"})).await;
        let guest = world.guest().await;
        guest.register("payments-value", &avro("Payment", &["a"])).await;
        let theirs = guest.topic("payments", json!({"enforcement": "REJECT"})).await;
        let spy = made(&guest.admin, "/v1/service-accounts", json!({"name": "spy"})).await;
        let drawn = Self {
            world,
            guest,
            topic,
            dead,
            theirs,
            writer,
            spy,
        };
        drawn.moved(&drawn.topic, &drawn.writer, "PRODUCE", 0, 70).await;
        drawn.moved(&drawn.topic, &drawn.writer, "PRODUCE", 30, 900).await;
        drawn.moved(&drawn.topic, &reader, "FETCH", 2, 40).await;
        drawn.moved(&drawn.dead, &reader, "FETCH", 9 * 24, 40).await;
        // What an agent says of a principal is not always so.
        drawn.moved(&drawn.topic, &drawn.spy, "FETCH", 1, 5).await;
        drawn.moved(&drawn.theirs, &drawn.spy, "PRODUCE", 1, 5).await;
        drawn
    }

    /// What the agents' door counted, so many hours ago.
    async fn moved(&self, topic: &str, account: &str, direction: &str, hours: i32, bytes: i64) {
        sqlx::query(
            "INSERT INTO usage_hour (tenant_id, hour, cluster_id, topic_id, principal_id, direction, environment_id,
                 data_plane_id, bytes, records, requests, uncertain_bytes)
             SELECT t.tenant_id, date_trunc('hour', now()) - make_interval(hours => $3), c.id, t.id, $2, $4, c.environment_id,
                 c.data_plane_id, $5, 1, 1, 0
             FROM topic t JOIN cluster c ON c.id = t.cluster_id WHERE t.id = $1",
        )
        .bind(uuid_of(topic))
        .bind(uuid_of(account))
        .bind(hours)
        .bind(direction)
        .bind(bytes)
        .execute(&mut self.world.bench.database.owner().await)
        .await
        .expect("usage");
    }

    async fn around(&self, query: &str) -> Value {
        let path = format!("/v1/lineage?{query}");
        self.world.owner.admin.get(&path).await.expect(200)
    }
}

fn uuid_of(text: &str) -> uuid::Uuid {
    weir_control_plane::kernel::parse_id(text).expect("an id").1
}

/// The names of nodes by their kind.
fn names(lineage: &Value) -> Vec<String> {
    let nodes = lineage["nodes"].as_array().expect("nodes").iter();
    let name = |it: &Value| format!("{} {}", it["kind"], it["name"]).replace('"', "");
    nodes.map(name).collect()
}

/// Edges by the names of what they connect.
fn edges(lineage: &Value) -> Vec<String> {
    let nodes = lineage["nodes"].as_array().expect("nodes");
    let name = |id: &Value| {
        let node = nodes
            .iter()
            .find(|it| it["id"] == *id)
            .expect("a node of each edge");
        node["name"].as_str().expect("a name").to_owned()
    };
    let edges = lineage["edges"].as_array().expect("edges").iter();
    let edge = |it: &Value| {
        let kind = it["kind"].as_str().expect("a kind");
        format!("{} {kind} {}", name(&it["from"]), name(&it["to"]))
    };
    let mut edges: Vec<_> = edges.map(edge).collect();
    edges.sort();
    edges
}

#[tokio::test]
async fn a_topic_shows_who_writes_who_reads_and_what_governs_it() {
    let drawn = Drawn::make().await;
    let lineage = drawn.around(&format!("topic_id={}", drawn.topic)).await;
    assert_eq!(
        names(&lineage),
        [
            "CONTRACT payments-value",
            "TOPIC dead",
            "TOPIC payments",
            "SERVICE_ACCOUNT (deleted)",
            "SERVICE_ACCOUNT reader",
            "SERVICE_ACCOUNT writer"
        ],
        "{lineage:#}"
    );
    assert_eq!(
        edges(&lineage),
        [
            "payments CONSUMES (deleted)",
            "payments CONSUMES reader",
            "payments DEAD_LETTERS dead",
            "payments-value GOVERNS payments",
            "writer PRODUCES payments"
        ],
        "nobody read the dead letters this week"
    );
    assert_eq!(
        (&lineage["groups"], &lineage["truncated"]),
        (&json!("UNKNOWN"), &json!(false))
    );
    let nodes = lineage["nodes"].as_array().expect("nodes");
    assert_eq!(
        (&nodes[0]["detail"], &nodes[2]["detail"]),
        (&json!("version 2"), &json!("DLQ"))
    );
    assert_eq!(
        (&nodes[3]["object_id"], &nodes[5]["object_id"]),
        (&Value::Null, &json!(drawn.writer))
    );
    let produced = lineage["edges"].as_array().expect("edges").iter();
    let produced: Vec<_> = produced.filter(|it| it["kind"] == "PRODUCES").collect();
    assert_eq!(produced[0]["bytes_last_day"], 70, "yesterday's do not count");
    let seen: chrono::DateTime<Utc> = produced[0]["last_seen_at"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("a time");
    assert!(Utc::now() - seen < chrono::TimeDelta::hours(2), "{seen}");
    // Around the dead letters, the topic that they come from.
    let dead = drawn.around(&format!("topic_id={}", drawn.dead)).await;
    assert!(
        edges(&dead).contains(&"payments DEAD_LETTERS dead".to_owned()),
        "{dead:#}"
    );
    let cluster = drawn
        .around(&format!("cluster_id={}", drawn.world.owner.cluster))
        .await;
    assert_eq!(edges(&cluster), edges(&lineage));
    let contract = nodes[0]["object_id"].as_str().expect("an id");
    let contract = drawn.around(&format!("contract_id={contract}")).await;
    assert_eq!(edges(&contract), edges(&lineage));
    let admin = &drawn.world.owner.admin;
    for wrong in [
        "".to_owned(),
        format!("topic_id={}&cluster_id=x", drawn.topic),
        "topic_id=x".to_owned(),
    ] {
        admin
            .get(&format!("/v1/lineage?{wrong}"))
            .await
            .expect_problem(422, "invalid");
    }
}

#[tokio::test]
async fn nobody_of_another_tenant_is_in_it() {
    let drawn = Drawn::make().await;
    let (owner, guest) = (&drawn.world.owner, &drawn.guest);
    let contracts = owner.admin.get("/v1/contracts").await.expect(200);
    for object in [
        format!("topic_id={}", drawn.topic),
        format!("cluster_id={}", owner.cluster),
        format!("contract_id={}", id(&contracts["data"][0])),
    ] {
        let text = drawn.around(&object).await.to_string();
        for foreign in [&drawn.theirs, &drawn.spy, &guest.cluster, &"spy".to_owned()] {
            assert!(!text.contains(foreign), "{foreign} in {text}");
        }
        let path = format!("/v1/lineage?{object}");
        guest.admin.get(&path).await.expect_problem(404, "not_found");
    }
    let path = format!("/v1/lineage?topic_id={}", drawn.theirs);
    let theirs = guest.admin.get(&path).await.expect(200);
    assert_eq!(
        edges(&theirs),
        ["payments-value GOVERNS payments", "spy PRODUCES payments"]
    );
}

#[tokio::test]
async fn groups_are_asked_of_the_agent_and_only_topics_asked_about_are_told() {
    let drawn = Drawn::make().await;
    let mut agent = drawn.world.agent().await;
    let (topic, theirs) = (drawn.topic.clone(), drawn.theirs.clone());
    let (data_plane, key) = (
        drawn.world.data_plane.clone(),
        drawn.world.identity.signing_key.clone(),
    );
    let answering = tokio::spawn(async move {
        // Groups once, each of the three groups once.
        for _question in 0..4 {
            let signed = loop {
                match agent.session.hear().await.expect("a question") {
                    Down::Ask(signed) => break signed,
                    _other => {}
                }
            };
            let to = Addressee {
                data_plane_id: &data_plane,
                session: 0,
                taken: 0,
            };
            let ask = weir_proto::ask::open(&key, &signed, to, Utc::now().timestamp()).expect("a question");
            let mut answer = answer(ask.question.expect("a question"), &topic, &theirs);
            answer.ask_id = ask.ask_id;
            agent.session.say(Up::Answer(answer)).await;
        }
        agent
    });
    let lineage = drawn.around(&format!("topic_id={}", drawn.topic)).await;
    let _agent = answering.await.expect("asked");
    assert_eq!(lineage["groups"], "KNOWN");
    assert_eq!(lineage["truncated"], true, "one of them was not told of");
    let groups: Vec<_> = names(&lineage)
        .into_iter()
        .filter(|it| it.starts_with("CONSUMER_GROUP"))
        .collect();
    assert_eq!(groups, ["CONSUMER_GROUP billing"], "{lineage:#}");
    assert!(edges(&lineage).contains(&"payments CONSUMES billing".to_owned()));
    assert!(!lineage.to_string().contains(&drawn.theirs));
}

/// Three groups: of the topic, of another tenant's, and one that is gone.
fn answer(question: Question, topic: &str, theirs: &str) -> Answer {
    let summary = |group: &str| GroupSummary {
        group_id: group.to_owned(),
        state: GroupState::Stable.into(),
        ..GroupSummary::default()
    };
    let of = |topic: &str| GroupPosition {
        topic_id: topic.to_owned(),
        committed_offset: 3,
        ..GroupPosition::default()
    };
    let ok = Answer {
        code: AnswerCode::Ok.into(),
        ..Answer::default()
    };
    match question {
        Question::Groups(_all) => Answer {
            groups: Some(GroupsAnswer {
                groups: ["billing", "foreign", "gone"].map(summary).to_vec(),
                ..GroupsAnswer::default()
            }),
            ..ok
        },
        Question::Group(it) if it.group_id == "gone" => Answer {
            code: AnswerCode::NotFound.into(),
            ..Answer::default()
        },
        Question::Group(it) => {
            let positions = match it.group_id.as_str() {
                "billing" => vec![of(topic), of(theirs), of("topic_?")],
                _foreign => vec![of(theirs)],
            };
            Answer {
                group: Some(GroupAnswer {
                    summary: Some(summary(&it.group_id)),
                    positions,
                    ..GroupAnswer::default()
                }),
                ..ok
            }
        }
        other => panic!("not asked for: {other:?}"),
    }
}
