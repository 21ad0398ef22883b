"""kafka-python through the gateway: `main.py SETTINGS [CHECK ...]`."""

import logging
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kafka import KafkaAdminClient, TopicPartition
from kafka import errors as kafka_errors
from kafka.admin import ConfigResource
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.structs import OffsetAndMetadata

from checks import PATIENCE_S, Failed, Joined, equal, expect, idempotence, logical, main, rebalance, until
from clients import Client, produce


def read_from(client, topic, partition, offset, count, **more):
    """Reads `count` records of a partition without a group's help."""
    consumer = client.consumer(None, **more)
    try:
        place = TopicPartition(topic, partition)
        consumer.assign([place])
        consumer.seek(place, offset)
        return take(consumer, count)
    finally:
        consumer.close()


def take(consumer, count):
    found = []
    end = time.monotonic() + PATIENCE_S
    while len(found) < count and time.monotonic() < end:
        for records in consumer.poll(300, max_records=count - len(found)).values():
            found.extend(records)
    equal(len(found), count, "records read")
    return found


def refused(kind, call):
    """The call must fail with this error."""
    try:
        call()
    except kind:
        return
    raise Failed(f"it succeeded, and should fail with {kind}")


def login(client, mechanism):
    admin = client.admin(mechanism=mechanism)
    topics = admin.list_topics()
    expect(client.settings.topic in topics, f"own topic is not listed: {sorted(topics)}")
    expect(client.settings.foreign_topic not in topics, "another tenant's topic is listed")
    cluster = admin.describe_cluster()
    expect(cluster["brokers"], f"no brokers: {cluster}")
    admin.close()


class Heard(logging.Handler):
    """What the client logs: it tries again whatever the broker says, and tells why only there."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def wrong_password(client):
    heard = Heard()
    logging.getLogger("kafka").addHandler(heard)
    for mechanism in ("PLAIN", "SCRAM-SHA-256"):
        settings = client.base(mechanism=mechanism, password="wrong")
        heard.lines.clear()
        refused(kafka_errors.KafkaTimeoutError, lambda: KafkaAdminClient(bootstrap_timeout_ms=1500, **settings))
        expect(any("SaslAuthenticationFailed" in line for line in heard.lines), f"{mechanism}: {heard.lines}")
    logging.getLogger("kafka").removeHandler(heard)


def headers(client):
    topic = client.settings.topic
    sent = [("a", b"1"), ("a", b"2"), ("empty", b""), ("binary", bytes(range(256)))]
    producer = client.producer()
    [first] = produce(producer, topic, [b"with headers"], headers=sent, key=b"\x00\xff")
    [gone] = produce(producer, topic, [None], key=b"tombstone")
    found = read_from(client, topic, 0, first, 1)[0]
    equal(list(found.headers), sent, "headers")
    equal((found.key, found.value), (b"\x00\xff", b"with headers"), "key and value")
    equal(read_from(client, topic, 0, gone, 1)[0].value, None, "a null value")


def codec(client, name):
    topic = client.settings.topic
    values = [f"{name} {number} ".encode() + b"x" * 500 for number in range(200)]
    offsets = produce(client.producer(compression_type=name, linger_ms=50), topic, values)
    found = read_from(client, topic, 0, offsets[0], len(values))
    equal([it.value for it in found], values, "values")


def offsets_by_time(client):
    place = TopicPartition(client.settings.topic, 2)
    # Later than every other record, so that a topic in use serves too.
    base = int(time.time() * 1000) + 600_000
    producer = client.producer()
    at = [produce(producer, place.topic, [b"timed"], partition=2, timestamp_ms=base + n * 1000)[0] for n in range(5)]
    consumer = client.consumer(None)
    found = consumer.offsets_for_times({place: base + 2500})[place]
    equal(found.offset, at[3], "the first record not older than the time")
    expect(consumer.beginning_offsets([place])[place] <= at[0], "the beginning")
    equal(consumer.end_offsets([place])[place], at[4] + 1, "the end")
    consumer.close()


def commit_and_fetch(client):
    place, group = TopicPartition(client.settings.topic, 3), client.name("commits")
    offsets = produce(client.producer(), place.topic, [b"c"] * 10, partition=3)
    consumer = client.consumer(group)
    consumer.assign([place])
    consumer.commit({place: OffsetAndMetadata(offsets[4], "half", -1)})
    back = consumer.committed(place, metadata=True)
    equal((back.offset, back.metadata), (offsets[4], "half"), "committed offset and metadata")
    equal(consumer.committed(TopicPartition(place.topic, 0)), None, "a partition without a commit")
    consumer.close()
    admin = client.admin()
    listed = admin.list_group_offsets([group])[group]
    equal({place: it.offset for place, it in listed.items()}, {place: offsets[4]}, "offsets by the admin client")
    admin.close()


class Member(Joined):
    """Remembers what it read by (partition, offset)."""

    def step(self):
        for records in self.consumer.poll(100).values():
            self.seen.extend((it.partition, it.offset) for it in records)
        self.assigned = {it.partition for it in self.consumer.assignment()}
        self.consumer.commit_async()


def moving(client, **more):
    topic, more = client.settings.group_topic, {"heartbeat_interval_ms": 200, **more}
    return rebalance(client, produce, lambda group: Member(client.consumer(group, **more), topic))


def describe_group(client):
    topic, group = client.settings.topic, client.name("described")
    consumer = client.consumer(group)
    consumer.subscribe([topic])
    until("an assignment", PATIENCE_S, lambda: consumer.poll(100) or consumer.assignment())
    admin = client.admin()
    found = admin.describe_groups([group])[group]
    equal(found["group_id"], group, "group id")
    [member] = found["members"]
    equal(member["client_id"], "the-client", "client id")
    expect(topic in str(member["member_assignment"]), f"assignment {member['member_assignment']}")
    logical(found)
    names = {it["group_id"] for it in admin.list_groups()}
    expect(group in names, f"the group is not listed: {sorted(names)}")
    consumer.close()
    admin.close()


def transaction(client):
    topic, partition = client.settings.topic, 1
    producer = client.producer(transactional_id=client.name("tx"))
    producer.init_transactions()
    producer.begin_transaction()
    kept = produce(producer, topic, [b"kept"] * 20, partition=partition)
    producer.commit_transaction()
    producer.begin_transaction()
    dropped = produce(producer, topic, [b"dropped"] * 20, partition=partition)
    producer.abort_transaction()
    producer.begin_transaction()
    last = produce(producer, topic, [b"last"], partition=partition)
    producer.commit_transaction()
    found = read_from(client, topic, partition, kept[0], 21, isolation_level="read_committed")
    equal([it.value for it in found], [b"kept"] * 20 + [b"last"], "read_committed")
    found = read_from(client, topic, partition, kept[0], 41)
    equal([it.offset for it in found], kept + dropped + last, "read_uncommitted")


def described(client):
    """What the admin client tells of topics, producers and transactions: logical names only."""
    topic, name = client.settings.topic, client.name("told")
    producer = client.producer(transactional_id=name)
    producer.init_transactions()
    producer.begin_transaction()
    produce(producer, topic, [b"open"], partition=0)
    admin = client.admin()
    found = admin.describe_transactions([name])[name]
    expect(topic in str(found), f"the transaction's topic: {found}")
    listed = admin.list_transactions()
    expect(name in str(listed), f"the transaction is not listed: {listed}")
    held = admin.describe_producers([TopicPartition(topic, 0)])
    expect(held, "no producers are described")
    producer.commit_transaction()
    told = admin.describe_topic_partitions([topic])
    expect(topic in str(told), f"partitions of the topic: {told}")
    logical(found, listed, held, told)
    admin.close()


def consume_transform_produce(client):
    place, group = TopicPartition(client.settings.topic, 2), client.name("ctp")
    inputs = produce(client.producer(), place.topic, [b"in"] * 10, partition=2)
    consumer = client.consumer(group)
    consumer.assign([place])
    producer = client.producer(transactional_id=client.name("ctp"))
    producer.init_transactions()
    for commits in (False, True):
        producer.begin_transaction()
        outputs = produce(producer, place.topic, [b"out"] * 10, partition=3)
        producer.send_offsets_to_transaction({place: OffsetAndMetadata(inputs[-1] + 1, "", -1)}, group)
        if commits:
            producer.commit_transaction()
        else:
            producer.abort_transaction()
            equal(consumer.committed(place), None, "an aborted transaction's offset")
    until("the committed offset", PATIENCE_S, lambda: consumer.committed(place) == inputs[-1] + 1)
    consumer.close()
    found = read_from(client, place.topic, 3, outputs[0], 10, isolation_level="read_committed")
    equal({it.value for it in found}, {b"out"}, "outputs")


def foreign_topic(client):
    settings = client.settings
    admin = client.admin()
    [found] = admin.describe_topics([settings.foreign_topic])
    equal(found["error_code"], kafka_errors.UnknownTopicOrPartitionError.errno, "metadata's error")
    admin.close()
    kinds = (kafka_errors.KafkaTimeoutError, kafka_errors.UnknownTopicOrPartitionError)
    producer = client.producer(max_block_ms=1500)
    refused(kinds, lambda: produce(producer, settings.foreign_topic, [b"no"]))


def same_names(client):
    """The other tenant's topic and group of the same names are others."""
    place, group = TopicPartition(client.settings.topic, 0), client.name("twin")
    marker = f"mine-{client.settings.run}".encode()
    [offset] = produce(client.producer(), place.topic, [marker])
    [theirs] = produce(client.producer("other"), place.topic, [b"theirs"])
    mine, other = client.consumer(group), client.consumer(group, "other")
    mine.assign([place])
    other.assign([place])
    mine.commit({place: OffsetAndMetadata(offset, "", -1)})
    equal(other.committed(place), None, "the other tenant's group of the same name")
    other.commit({place: OffsetAndMetadata(theirs, "", -1)})
    equal(mine.committed(place), offset, "own offset after the other tenant's commit")
    equal(len(other.partitions_for_topic(place.topic)), 2, "partitions of the other tenant's topic")
    other.seek_to_beginning(place)
    begin, end = other.beginning_offsets([place])[place], other.end_offsets([place])[place]
    found = take(other, end - begin)
    expect(all(it.value != marker for it in found), "the other tenant reads our record")
    mine.close()
    other.close()


def administer(client):
    """An administrator makes a topic, changes it, makes it grow, and deletes it."""
    admin, name = client.admin("administrator"), f"made-{client.settings.run}-python"

    def retention():
        found = admin.describe_configs([ConfigResource("TOPIC", name)], config_filter="all")
        return found["topic"][name]["retention.ms"]["value"]

    admin.create_topics({name: {"num_partitions": 2, "configs": {"retention.ms": "7200000"}}})
    equal(retention(), "7200000", "retention as it was made")
    admin.create_partitions({name: 3})
    [told] = admin.describe_topics([name])
    equal(len(told["partitions"]), 3, "partitions")
    changed = admin.alter_configs([ConfigResource("TOPIC", name, {"retention.ms": "3600000"})])
    equal(changed["topic"][name], "OK", "the change")
    equal(retention(), "3600000", "retention as it was changed")
    admin.delete_topics([name])
    expect(name not in admin.list_topics(), "it is deleted, and listed")
    refused(
        kafka_errors.TopicAuthorizationFailedError,
        lambda: client.admin("reader").create_topics({name: {"num_partitions": 2}}),
    )


def reader(client):
    topic = client.settings.topic
    [offset] = produce(client.producer(), topic, [b"for readers"])
    producer = client.producer("reader", enable_idempotence=False)
    refused(kafka_errors.TopicAuthorizationFailedError, lambda: produce(producer, topic, [b"no"]))
    [found] = read_from(client, topic, 0, offset, 1, user="reader")
    equal(found.value, b"for readers", "read by a reader")
    producer = client.producer("reader", transactional_id=client.name("no"))
    refused(kafka_errors.TransactionalIdAuthorizationFailedError, producer.init_transactions)


def stranger(client):
    """May read one topic, and is no member of any group."""
    settings = client.settings
    [offset] = produce(client.producer(), settings.topic, [b"for strangers"])
    equal(read_from(client, settings.topic, 0, offset, 1, user="stranger")[0].value, b"for strangers", "its topic")
    [hidden] = client.admin("stranger").describe_topics([settings.group_topic])
    equal(hidden["error_code"], kafka_errors.TopicAuthorizationFailedError.errno, "another topic")
    consumer = client.consumer(client.name("no"), user="stranger")
    consumer.subscribe([settings.topic])
    refused(kafka_errors.GroupAuthorizationFailedError, lambda: take(consumer, 1))
    consumer.close()


def beside(settings):
    client = Client(settings)
    yield "rebalance", lambda: moving(client)
    cooperative = {"partition_assignment_strategy": [CooperativeStickyAssignor]}
    yield "rebalance cooperative", lambda: moving(client, **cooperative)


def checks(settings):
    client = Client(settings)
    yield from [(f"login {it}", lambda it=it: login(client, it)) for it in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")]
    yield "wrong password", lambda: wrong_password(client)
    yield "headers", lambda: headers(client)
    yield from [(f"codec {it}", lambda it=it: codec(client, it)) for it in ("gzip", "snappy", "lz4", "zstd")]
    yield "idempotence", lambda: idempotence(client, produce)
    yield "offsets by time", lambda: offsets_by_time(client)
    yield "commit and fetch", lambda: commit_and_fetch(client)
    yield "describe group", lambda: describe_group(client)
    yield "transaction", lambda: transaction(client)
    yield "described", lambda: described(client)
    yield "consume transform produce", lambda: consume_transform_produce(client)
    yield "foreign topic", lambda: foreign_topic(client)
    yield "same names", lambda: same_names(client)
    yield "administration", lambda: administer(client)
    yield "reader", lambda: reader(client)
    yield "stranger", lambda: stranger(client)


main(checks, beside)
