//! Two tenants with the same names on the same brokers: every request that the gateway advertises, in every version, is
//! sent as one of them, and no byte of any answer may tell of the other or of the brokers.

mod coordination;
mod requests;
mod secrets;

use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    AddPartitionsToTxnRequest, ApiKey, ConsumerGroupHeartbeatRequest, EndTxnRequest, FindCoordinatorRequest,
    InitProducerIdRequest, OffsetCommitRequest, ProducerId,
};
use kafka_protocol::protocol::StrBytes;
use requests::{Names, frames};
use secrets::{Secrets, snapshot, virtual_id};
use tokio::time::{Instant, sleep};
use uuid::Uuid;
use weir_kafka_wire::{Connection, kafka_protocol};
use weir_proto::lane::v1::{LogicalCluster, Snapshot};

use crate::kafka::Client;
use crate::scene::Scene;
use crate::stack;

const PATIENCE: Duration = Duration::from_secs(30);
/// After login these end the connection.
const OF_THE_LOGIN: [ApiKey; 2] = [ApiKey::SaslHandshake, ApiKey::SaslAuthenticate];
/// These make a group or a transactional id of whatever name: asked for others' names they would only make our own.
const MAKERS: [ApiKey; 6] = [
    ApiKey::OffsetCommit,
    ApiKey::TxnOffsetCommit,
    ApiKey::AddOffsetsToTxn,
    ApiKey::JoinGroup,
    ApiKey::InitProducerId,
    ApiKey::ConsumerGroupHeartbeat,
];

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A typed connection to the gateway.
async fn connect(user: &str) -> Connection {
    let bootstrap = stack::text(&format!("/kafka/{user}/bootstrap"));
    let (host, port) = bootstrap.rsplit_once(':').expect("host and port");
    let port: u16 = port.parse().expect("a port");
    let mut connection = Connection::connect(host, port)
        .await
        .expect("connect to the gateway");
    let login = (
        stack::text(&format!("/kafka/{user}/username")),
        stack::text(&format!("/kafka/{user}/password")),
    );
    connection.login_plain(&login.0, &login.1).await.expect("log in");
    connection
}

/// A commit in the group and an open transaction, so that there is something to tell.
async fn act(user: &str, topic: &str, group: &str, transaction: &str) -> (i64, i16) {
    let mut connection = connect(user).await;
    let partition = OffsetCommitRequestPartition::default().with_committed_offset(7);
    let commit = OffsetCommitRequestTopic::default()
        .with_name(text(topic).into())
        .with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(text(group).into())
        .with_topics(vec![commit]);
    let answer = connection.call(&request, 8).await.expect("commit an offset");
    assert_eq!(answer.topics[0].partitions[0].error_code, 0, "{answer:?}");
    let find = FindCoordinatorRequest::default()
        .with_key_type(1)
        .with_coordinator_keys(vec![text(transaction)]);
    let begin = InitProducerIdRequest::default()
        .with_transactional_id(Some(text(transaction).into()))
        .with_transaction_timeout_ms(60_000);
    let end = Instant::now() + PATIENCE;
    let begun = loop {
        // The first question for a coordinator makes the brokers' topic of transactions, which takes a moment.
        let _found = connection.call(&find, 4).await.expect("find the coordinator");
        let answer = connection.call(&begin, 4).await.expect("begin a transaction");
        if answer.error_code == 0 {
            break answer;
        }
        assert!(Instant::now() < end, "{answer:?}");
        sleep(Duration::from_millis(100)).await;
    };
    let topics = AddPartitionsToTxnTopic::default()
        .with_name(text(topic).into())
        .with_partitions(vec![0]);
    let request = AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(text(transaction).into())
        .with_v3_and_below_producer_id(begun.producer_id)
        .with_v3_and_below_producer_epoch(begun.producer_epoch)
        .with_v3_and_below_topics(vec![topics]);
    let answer = connection.call(&request, 3).await.expect("add a partition");
    let added = &answer.results_by_topic_v3_and_below[0].results_by_partition[0];
    assert_eq!(added.partition_error_code, 0, "{answer:?}");
    (*begun.producer_id, begun.producer_epoch)
}

async fn abort(user: &str, transaction: &str, (producer, epoch): (i64, i16)) {
    let request = EndTxnRequest::default()
        .with_transactional_id(text(transaction).into())
        .with_producer_id(ProducerId(producer))
        .with_producer_epoch(epoch);
    let answer = connect(user)
        .await
        .call(&request, 4)
        .await
        .expect("end the transaction");
    assert_eq!(answer.error_code, 0, "{answer:?}");
}

fn cluster_of<'a>(snapshot: &'a Snapshot, tenant: &str) -> &'a LogicalCluster {
    let id = stack::text(&format!("/ids/{tenant}.cluster"));
    let found = snapshot.clusters.iter().find(|it| it.id == id);
    found.expect("the gateway serves the cluster")
}

/// Our own names, and what a curious client may try: names and ids that are others' or the brokers'.
fn questions(snapshot: &Snapshot, own: &Names, topic: &str, foreign_topic: &str) -> Vec<Names> {
    let mut all = vec![own.clone()];
    for cluster in ["payments", "risk"].map(|it| cluster_of(snapshot, it)) {
        for known in cluster
            .topics
            .iter()
            .filter(|it| it.name == topic || it.name == foreign_topic)
        {
            let physical = Uuid::from_slice(&known.physical_id).unwrap_or_default();
            let of_topic = |name: &str, id: Uuid| Names {
                topic: name.to_owned(),
                topic_id: id,
                group: format!("{}{}", cluster.physical_prefix, own.group),
                transaction: format!("{}{}", cluster.physical_prefix, own.transaction),
                producer: own.producer,
            };
            all.push(of_topic(&known.physical_name, physical));
            all.push(of_topic(&known.name, virtual_id(&known.id)));
        }
    }
    all
}

async fn log_in() -> Client {
    let mut client = Client::connect().await;
    let user = (
        stack::text("/kafka/payments/username"),
        stack::text("/kafka/payments/password"),
    );
    assert_eq!(client.login(&user.0, &user.1).await, Some(0));
    client
}

/// Sends a frame as payments and gives the answer's bytes; on a new connection when the gateway ended the old one.
async fn ask(client: &mut Client, frame: &Bytes) -> Option<Vec<u8>> {
    client.raw(frame).await;
    let answer = client.answer().await;
    if answer.is_none() {
        *client = log_in().await;
    }
    answer
}

#[tokio::test]
async fn no_answer_tells_of_another_tenant_or_of_the_brokers() {
    let scene = Scene::new("isolation").await;
    let run = &scene.run;
    let (group, transaction) = (format!("group-{run}"), format!("transaction-{run}"));
    let (hidden_group, hidden_transaction) = (format!("hidden-{run}"), format!("concealed-{run}"));
    let producer = act("payments", &scene.topic, &group, &transaction).await;
    let twin = act("risk", &scene.topic, &group, &transaction).await;
    let hidden = act("risk", &scene.foreign_topic, &hidden_group, &hidden_transaction).await;

    let snapshot = snapshot();
    let own_cluster = cluster_of(&snapshot, "payments");
    let own_topic = own_cluster.topics.iter().find(|it| it.name == scene.topic);
    let own = Names {
        topic: scene.topic.clone(),
        topic_id: virtual_id(&own_topic.expect("the own topic is served").id),
        group: group.clone(),
        transaction: transaction.clone(),
        producer,
    };
    let names = [
        scene.foreign_topic.clone(),
        hidden_group,
        hidden_transaction.clone(),
    ];
    let secrets = Secrets::of(&snapshot, own_cluster, &names).await;
    assert!(secrets.count() > 10, "there is something to hide");

    let ranges = connect("payments").await.versions().await.expect("ApiVersions");
    let mut client = log_in().await;
    let (mut looked_at, mut told) = (0, Vec::new());
    for names in questions(&snapshot, &own, &scene.topic, &scene.foreign_topic) {
        for (api_key, (least, greatest)) in &ranges {
            let kind = ApiKey::try_from(*api_key).ok();
            let curious = names.group != own.group;
            let left_out = |it| OF_THE_LOGIN.contains(&it) || curious && MAKERS.contains(&it);
            if kind.is_some_and(left_out) {
                continue;
            }
            // Advertised from 0 as a sign of compression, and not served.
            let least = if kind == Some(ApiKey::Produce) { 3 } else { *least };
            for version in least..=*greatest {
                for frame in frames(&names, *api_key, version) {
                    let Some(answer) = ask(&mut client, &frame).await else {
                        assert!(curious, "{kind:?} {version} is advertised and not answered");
                        continue;
                    };
                    looked_at += 1;
                    let shown = secrets.shown_in(&answer, &frame);
                    if !shown.is_empty() {
                        told.push(format!("{kind:?} {version} about {}: {shown:?}", names.topic));
                    }
                }
            }
        }
    }
    abort("payments", &transaction, producer).await;
    abort("risk", &transaction, twin).await;
    abort("risk", &hidden_transaction, hidden).await;
    scene.clear().await;
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert!(looked_at > 500, "only {looked_at} answers");
}

#[tokio::test]
async fn a_pattern_of_a_consumer_group_finds_own_topics_only() {
    let scene = Scene::new("pattern").await;
    let snapshot = snapshot();
    let own: Vec<Uuid> = cluster_of(&snapshot, "payments")
        .topics
        .iter()
        .map(|it| virtual_id(&it.id))
        .collect();
    let mut connection = connect("payments").await;
    let member = text(&Uuid::new_v4().to_string());
    let mut request = ConsumerGroupHeartbeatRequest::default()
        .with_group_id(text(&format!("pattern-{}", scene.run)).into())
        .with_member_id(member)
        .with_rebalance_timeout_ms(5000)
        .with_subscribed_topic_regex(Some(StrBytes::from_static_str(".*")))
        .with_topic_partitions(Some(Vec::new()));
    let end = Instant::now() + PATIENCE;
    let assigned: Vec<Uuid> = loop {
        let answer = connection.call(&request, 1).await.expect("a heartbeat");
        assert_eq!(answer.error_code, 0, "{answer:?}");
        request.member_epoch = answer.member_epoch;
        if let Some(assignment) = answer.assignment.filter(|it| !it.topic_partitions.is_empty()) {
            break assignment.topic_partitions.iter().map(|it| it.topic_id).collect();
        }
        assert!(Instant::now() < end, "no assignment");
        sleep(Duration::from_millis(100)).await;
    };
    request.member_epoch = -1;
    let _left = connection.call(&request, 1).await.expect("leave");
    scene.clear().await;
    assert!(
        assigned.iter().all(|it| own.contains(it)),
        "{assigned:?} of {own:?}"
    );
    assert!(assigned.len() >= 2, "both own topics match: {assigned:?}");
}
