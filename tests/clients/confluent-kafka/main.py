"""confluent-kafka (librdkafka) through the gateway: `main.py SETTINGS [CHECK ...]`."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from confluent_kafka import (
    OFFSET_BEGINNING,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from checks import PATIENCE_S, Joined, equal, expect, idempotence, main, rebalance, until
from clients import Client, error_of, produce, read_from, take
from rights import administer, reader, stranger


def login(client, mechanism):
    settings = client.base()
    settings["sasl.mechanism"] = mechanism
    topics = AdminClient(settings).list_topics(timeout=PATIENCE_S).topics
    expect(client.settings.topic in topics, f"own topic is not listed: {sorted(topics)}")
    expect(client.settings.foreign_topic not in topics, "another tenant's topic is listed")


def by_token(client):
    """By short-lived tokens, which the client gets by itself."""
    settings = client.base()
    settings.update(
        {
            "sasl.mechanism": "OAUTHBEARER",
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.token.endpoint.url": client.settings.token_url,
            "sasl.oauthbearer.client.id": settings.pop("sasl.username"),
            "sasl.oauthbearer.client.secret": settings.pop("sasl.password"),
        }
    )
    topics = AdminClient(settings).list_topics(timeout=PATIENCE_S).topics
    expect(client.settings.topic in topics, f"own topic is not listed: {sorted(topics)}")
    expect(client.settings.foreign_topic not in topics, "another tenant's topic is listed")
    settings["sasl.oauthbearer.client.secret"] = "weirs_" + "0" * 49
    seen = []
    wrong = Producer({**settings, "error_cb": seen.append, "log_level": 0})

    def refused():
        wrong.poll(0.1)
        return [error for error in seen if error.code() == KafkaError._AUTHENTICATION]

    until("a refused token", PATIENCE_S, refused)


def wrong_password(client):
    for mechanism in ("PLAIN", "SCRAM-SHA-512"):
        seen = []
        settings = client.base()
        settings.update({"sasl.password": "wrong", "sasl.mechanism": mechanism, "error_cb": seen.append, "log_level": 0})
        producer = Producer(settings)

        def refused():
            producer.poll(0.1)
            return [error for error in seen if error.code() == KafkaError._AUTHENTICATION]

        until(f"an authentication error by {mechanism}", PATIENCE_S, refused)


def headers(client):
    topic = client.settings.topic
    sent = [("a", b"1"), ("a", b"2"), ("empty", b""), ("null", None), ("binary", bytes(range(256)))]
    [first] = produce(client.producer(), topic, [b"with headers"], headers=sent, key=b"\x00\xff")
    [message] = read_from(client, topic, 0, first, 1)
    equal(message.headers(), sent, "headers")
    equal(message.key(), b"\x00\xff", "key")


def codec(client, name):
    topic = client.settings.topic
    values = [f"{name} {number} ".encode() + b"x" * 500 for number in range(200)]
    offsets = produce(client.producer(compression_type=name, linger_ms=50), topic, values)
    found = read_from(client, topic, 0, offsets[0], len(values))
    equal([it.value() for it in found], values, "values")


def offsets_by_time(client):
    topic = client.settings.topic
    # Later than every other record, so that a topic in use serves too.
    base = int(time.time() * 1000) + 600_000
    producer = client.producer()
    places = [produce(producer, topic, [b"timed"], partition=2, timestamp=base + step * 1000)[0] for step in range(5)]
    consumer = client.consumer(client.name("times"))
    [at] = consumer.offsets_for_times([TopicPartition(topic, 2, base + 2500)], PATIENCE_S)
    equal(at.offset, places[3], "the first record not older than the time")
    low, high = consumer.get_watermark_offsets(TopicPartition(topic, 2), PATIENCE_S)
    expect(low <= places[0] and high == places[4] + 1, f"watermarks {low} and {high}")
    consumer.close()
    spec = {TopicPartition(topic, 2): OffsetSpec.latest()}
    admin = client.admin()
    [listed] = admin.list_offsets(spec, isolation_level=IsolationLevel.READ_UNCOMMITTED).values()
    equal(listed.result(PATIENCE_S).offset, high, "the end by ListOffsets")


def commit_and_fetch(client):
    topic, group = client.settings.topic, client.name("commits")
    offsets = produce(client.producer(), topic, [b"c"] * 10, partition=3)
    consumer = client.consumer(group)
    committed = [TopicPartition(topic, 3, offsets[4], metadata="half")]
    consumer.commit(offsets=committed, asynchronous=False)
    [back] = consumer.committed([TopicPartition(topic, 3)], PATIENCE_S)
    equal((back.offset, back.metadata), (offsets[4], "half"), "committed offset and metadata")
    [none] = consumer.committed([TopicPartition(topic, 0)], PATIENCE_S)
    expect(none.offset < 0, f"a partition without a commit has {none.offset}")
    consumer.close()
    asked = [ConsumerGroupTopicPartitions(group)]
    admin = client.admin()
    [listed] = admin.list_consumer_group_offsets(asked).values()
    found = {(it.topic, it.partition): it.offset for it in listed.result(PATIENCE_S).topic_partitions}
    equal(found, {(topic, 3): offsets[4]}, "offsets of the group by the admin client")


class Member(Joined):
    """Remembers what it read by (partition, offset)."""

    def step(self):
        message = self.consumer.poll(0.1)
        self.assigned = {it.partition for it in self.consumer.assignment()}
        if message is None:
            return
        if message.error():
            raise KafkaException(message.error())
        self.seen.append((message.partition(), message.offset()))
        self.consumer.commit(message, asynchronous=True)


def moving(client, **more):
    if "group_protocol" not in more:
        more["heartbeat_interval_ms"] = 200
    topic = client.settings.group_topic
    return rebalance(client, produce, lambda group: Member(client.consumer(group, **more), topic))


def describe_group(client):
    topic, group = client.settings.topic, client.name("described")
    consumer = client.consumer(group, client_id="the-client")
    consumer.subscribe([topic])
    until("an assignment", PATIENCE_S, lambda: consumer.poll(0.1) and consumer.assignment() or consumer.assignment())
    admin = client.admin()
    [found] = [it.result(PATIENCE_S) for it in admin.describe_consumer_groups([group]).values()]
    equal(found.group_id, group, "group id")
    equal(len(found.members), 1, "members")
    assigned = {(it.topic, it.partition) for it in found.members[0].assignment.topic_partitions}
    equal(assigned, {(topic, it) for it in range(4)}, "assignment")
    port = int(client.settings.bootstrap.rpartition(":")[2])
    expect(port <= found.coordinator.port < port + 100, f"coordinator at {found.coordinator}")
    names = {it.group_id for it in admin.list_consumer_groups().result(PATIENCE_S).valid}
    expect(group in names, f"the group is not listed: {sorted(names)}")
    consumer.close()


def transaction(client):
    topic, partition = client.settings.topic, 1
    producer = client.producer(transactional_id=client.name("tx"))
    producer.init_transactions(PATIENCE_S)
    producer.begin_transaction()
    kept = produce(producer, topic, [b"kept"] * 20, partition=partition)
    producer.commit_transaction(PATIENCE_S)
    producer.begin_transaction()
    dropped = produce(producer, topic, [b"dropped"] * 20, partition=partition)
    producer.abort_transaction(PATIENCE_S)
    producer.begin_transaction()
    last = produce(producer, topic, [b"last"], partition=partition)
    producer.commit_transaction(PATIENCE_S)
    found = read_from(client, topic, partition, kept[0], 21, isolation_level="read_committed")
    equal([it.value() for it in found], [b"kept"] * 20 + [b"last"], "read_committed")
    found = read_from(client, topic, partition, kept[0], 41, isolation_level="read_uncommitted")
    equal([it.offset() for it in found], kept + dropped + last, "read_uncommitted")


def consume_transform_produce(client):
    topic, group = client.settings.topic, client.name("ctp")
    inputs = produce(client.producer(), topic, [b"in"] * 10, partition=2)
    consumer = client.consumer(group, isolation_level="read_committed")
    consumer.assign([TopicPartition(topic, 2, inputs[0])])
    producer = client.producer(transactional_id=client.name("ctp"))
    producer.init_transactions(PATIENCE_S)
    for commits in (False, True):
        producer.begin_transaction()
        outputs = produce(producer, topic, [b"out"] * 10, partition=3)
        metadata = consumer.consumer_group_metadata()
        producer.send_offsets_to_transaction([TopicPartition(topic, 2, inputs[-1] + 1)], metadata, PATIENCE_S)
        if commits:
            producer.commit_transaction(PATIENCE_S)
        else:
            producer.abort_transaction(PATIENCE_S)
            [none] = consumer.committed([TopicPartition(topic, 2)], PATIENCE_S)
            expect(none.offset < 0, f"an aborted transaction committed {none.offset}")
    [at] = consumer.committed([TopicPartition(topic, 2)], PATIENCE_S)
    equal(at.offset, inputs[-1] + 1, "offset committed by the transaction")
    consumer.close()
    found = read_from(client, topic, 3, outputs[0], 10, isolation_level="read_committed")
    equal({it.value() for it in found}, {b"out"}, "outputs")


def fencing(client):
    name, topic = client.name("fenced"), client.settings.topic
    old = client.producer(transactional_id=name)
    old.init_transactions(PATIENCE_S)
    old.begin_transaction()
    old.produce(topic, b"of the old", partition=0)
    old.flush(PATIENCE_S)
    new = client.producer(transactional_id=name)
    new.init_transactions(PATIENCE_S)
    code = error_of(lambda: old.commit_transaction(PATIENCE_S))
    expect(code in (KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH), f"error {code}")


def foreign_topic(client):
    settings = client.settings
    admin = client.admin()
    found = admin.list_topics(settings.foreign_topic, timeout=PATIENCE_S).topics
    code = found[settings.foreign_topic].error
    expect(code is not None and code.code() == KafkaError.UNKNOWN_TOPIC_OR_PART, f"metadata says {code}")
    producer = client.producer(message_timeout_ms=3000, topic_metadata_propagation_max_ms=500)
    seen = error_of(lambda: produce(producer, settings.foreign_topic, [b"no"]))
    known = (KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_PARTITION, KafkaError._MSG_TIMED_OUT)
    expect(seen in known, f"error {seen}")


def same_names(client):
    """The other tenant's topic and group of the same names are others."""
    topic, group = client.settings.topic, client.name("twin")
    marker = f"mine-{client.settings.run}".encode()
    [offset] = produce(client.producer(), topic, [marker])
    [theirs] = produce(client.producer("other"), topic, [b"theirs"])
    mine = client.consumer(group)
    mine.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
    other = client.consumer(group, "other")
    [none] = other.committed([TopicPartition(topic, 0)], PATIENCE_S)
    expect(none.offset < 0, f"the other tenant's group of the same name has offset {none.offset}")
    other.commit(offsets=[TopicPartition(topic, 0, theirs)], asynchronous=False)
    [back] = mine.committed([TopicPartition(topic, 0)], PATIENCE_S)
    equal(back.offset, offset, "own offset after the other tenant's commit")
    partitions = len(other.list_topics(topic, PATIENCE_S).topics[topic].partitions)
    equal(partitions, 2, "partitions of the other tenant's topic")
    other.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    _low, high = other.get_watermark_offsets(TopicPartition(topic, 0), PATIENCE_S)
    found = take(other, high)
    expect(all(it.value() != marker for it in found), "the other tenant reads our record")
    mine.close()
    other.close()


def patterns(client):
    """A regular expression under KIP-848, resolved by the gateway: own topics only."""
    settings = client.settings
    consumer = client.consumer(client.name("pattern"), group_protocol="consumer")
    consumer.subscribe([f"^(conformance|foreign)-{settings.run}$"])
    until("an assignment", PATIENCE_S, lambda: consumer.poll(0.1) and consumer.assignment() or consumer.assignment())
    equal({it.topic for it in consumer.assignment()}, {settings.topic}, "topics that match")
    consumer.close()


def beside(settings):
    client = Client(settings)
    yield "rebalance", lambda: moving(client)
    cooperative = {"partition_assignment_strategy": "cooperative-sticky"}
    yield "rebalance cooperative", lambda: moving(client, **cooperative)
    yield "rebalance KIP-848", lambda: moving(client, group_protocol="consumer")


def checks(settings):
    client = Client(settings)
    yield from [(f"login {it}", lambda it=it: login(client, it)) for it in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")]
    yield "login OAUTHBEARER", lambda: by_token(client)
    yield "wrong password", lambda: wrong_password(client)
    yield "headers", lambda: headers(client)
    yield from [(f"codec {it}", lambda it=it: codec(client, it)) for it in ("none", "gzip", "snappy", "lz4", "zstd")]
    yield "idempotence", lambda: idempotence(client, produce)
    yield "offsets by time", lambda: offsets_by_time(client)
    yield "commit and fetch", lambda: commit_and_fetch(client)
    yield "describe group", lambda: describe_group(client)
    yield "pattern KIP-848", lambda: patterns(client)
    yield "transaction", lambda: transaction(client)
    yield "consume transform produce", lambda: consume_transform_produce(client)
    yield "fencing", lambda: fencing(client)
    yield "foreign topic", lambda: foreign_topic(client)
    yield "same names", lambda: same_names(client)
    yield "administration", lambda: administer(client)
    yield "reader", lambda: reader(client)
    yield "stranger", lambda: stranger(client)


main(checks, beside)
