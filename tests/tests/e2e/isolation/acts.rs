//! What both tenants do before the questions, so that there is something to tell.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use uuid::Uuid;
use weir_kafka_wire::kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use weir_kafka_wire::kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use weir_kafka_wire::kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use weir_kafka_wire::kafka_protocol::messages::{
    AddPartitionsToTxnRequest, ConsumerGroupHeartbeatRequest, EndTxnRequest, FindCoordinatorRequest,
    InitProducerIdRequest, OffsetCommitRequest, OffsetFetchRequest, ProducerId,
};
use weir_kafka_wire::kafka_protocol::protocol::StrBytes;
use weir_kafka_wire::{Connection, Options};

use super::coordination::consumers_of;
use crate::frameworks::kcat;
use crate::rights::Login;
use crate::stack;

const PATIENCE: Duration = Duration::from_secs(30);
/// What every tenant committed.
const COMMITTED: i64 = 7;

pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// What a tenant's client writes and calls itself.
pub(super) fn marker(user: &str, run: &str) -> String {
    format!("{user}-of-{run}")
}

/// A typed connection to the gateway.
pub(super) async fn connect(user: &str) -> Connection {
    connect_as(user, &Options::default()).await
}

async fn connect_as(user: &str, options: &Options) -> Connection {
    let bootstrap = stack::text(&format!("/kafka/{user}/bootstrap"));
    let (host, port) = bootstrap.rsplit_once(':').expect("host and port");
    let port: u16 = port.parse().expect("a port");
    let mut connection = Connection::connect_with(host, port, options.clone())
        .await
        .expect("connect to the gateway");
    let login = (
        stack::text(&format!("/kafka/{user}/username")),
        stack::text(&format!("/kafka/{user}/password")),
    );
    connection.login_plain(&login.0, &login.1).await.expect("log in");
    connection
}

/// A record, a commit in the group, a member of a group of KIP-848 and an open transaction.
pub(super) async fn act(user: &str, topic: &str, group: &str, transaction: &str, run: &str) -> (i64, i16) {
    let marker = marker(user, run);
    let records = [format!("key\t{marker}")];
    kcat::produce(user, &Login::of_story(user), topic, &records).await;
    let options = Options {
        client_id: marker,
        ..Options::default()
    };
    let mut connection = connect_as(user, &options).await;
    join(&mut connection, &consumers_of(group), topic).await;
    let partition = OffsetCommitRequestPartition::default().with_committed_offset(COMMITTED);
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

pub(super) async fn abort(user: &str, transaction: &str, (producer, epoch): (i64, i16)) {
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

/// A member that stays until its session ends, 45 seconds later.
async fn join(connection: &mut Connection, group: &str, topic: &str) {
    let request = ConsumerGroupHeartbeatRequest::default()
        .with_group_id(text(group).into())
        .with_member_id(text(&Uuid::new_v4().to_string()))
        .with_rebalance_timeout_ms(5000)
        .with_subscribed_topic_names(Some(vec![text(topic).into()]))
        .with_topic_partitions(Some(Vec::new()));
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = connection.call(&request, 1).await.expect("join the group");
        if answer.error_code == 0 {
            return;
        }
        // The brokers' topic of offsets is made by the first question for a group.
        let find = FindCoordinatorRequest::default().with_coordinator_keys(vec![text(group)]);
        let _found = connection.call(&find, 4).await.expect("find the coordinator");
        assert!(Instant::now() < end, "{answer:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Nothing that others asked for moved a tenant's offset.
pub(super) async fn assert_committed(user: &str, topic: &str, group: &str) {
    let asked = OffsetFetchRequestTopic::default()
        .with_name(text(topic).into())
        .with_partition_indexes(vec![0]);
    let request = OffsetFetchRequest::default()
        .with_group_id(text(group).into())
        .with_topics(Some(vec![asked]));
    let answer = connect(user)
        .await
        .call(&request, 7)
        .await
        .expect("fetch offsets");
    let offset = answer.topics[0].partitions[0].committed_offset;
    assert_eq!(offset, COMMITTED, "{user}: {answer:?}");
}
