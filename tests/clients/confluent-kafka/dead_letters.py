"""A topic under DLQ, whose dead letters go to the topic for groups: `dead_letters.py SETTINGS [CHECK ...]`.

Producers notice nothing; consumers see what is good; each bad record is in the dead-letter topic once, as it was sent."""

import collections
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from confluent_kafka import TopicPartition

from checks import equal, expect, main
from clients import Client, produce
from contract import by_avro, register, serialized
from registry import AVRO

ISOLATION = ("read_committed", "read_uncommitted")
# What the copier adds, in its order; the rest of a letter's headers are its producer's.
ADDED = [
    "__rule.name",
    "__rule.mode",
    "__rule.subject",
    "__rule.topic",
    "__rule.exception",
    "__weir.origin.partition",
    "__weir.origin.offset",
    "__weir.origin.timestamp",
]
PATIENCE_S = 60
# Whoever copies twice has done so by then.
AFTER_S = 3


def everything(client, topic, enough, isolation="read_committed", quiet_s=0.0):
    """All records of a topic, until there are enough and nothing comes for a while."""
    consumer = client.consumer(client.name("reads"), isolation_level=isolation)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(4)])
    found, last, end = [], time.monotonic(), time.monotonic() + PATIENCE_S
    try:
        while time.monotonic() < end and not (enough(found) and time.monotonic() - last > quiet_s):
            record = consumer.poll(0.2)
            if record is not None and record.error() is None:
                found.append(record)
                last = time.monotonic()
        return found
    finally:
        consumer.close()


def of(records, mark):
    return [it for it in records if ("mark", mark.encode()) in (it.headers() or [])]


def letters(client, mark, count):
    topic = client.settings.group_topic
    return of(everything(client, topic, lambda found: len(of(found, mark)) >= count, quiet_s=AFTER_S), mark)


def pair(client):
    register(client, AVRO, "AVRO", "message.amount > 0.0")
    serializer = by_avro(client)
    return lambda name, amount: serialized(client, serializer, {"id": name, "amount": amount})


def check(client, mark, good, bad):
    """Consumers see the good, in both isolations; each bad one is a letter once."""
    topic = client.settings.topic
    for isolation in ISOLATION:
        seen = of(everything(client, topic, lambda found: len(of(found, mark)) >= len(good), isolation, 1.0), mark)
        equal(sorted(it.value() for it in seen), sorted(good), f"what a consumer sees, {isolation}")
    found = letters(client, mark, len(bad))
    equal(
        collections.Counter(it.value() for it in found),
        collections.Counter(bad),
        "dead letters",
    )
    for letter in found:
        headers = letter.headers()
        equal([name for name, _value in headers], ["mark", *ADDED], "headers of a letter")
        told = dict(headers)
        equal(told["__rule.name"], b"checked", "the rule")
        equal(told["__rule.mode"], b"WRITE", "its mode")
        equal(told["__rule.topic"], topic.encode(), "the topic, by the tenant's name")
        equal(told["__rule.subject"], f"{topic}-value".encode(), "the subject")
        expect(b"checked" in told["__rule.exception"], told["__rule.exception"].decode())
        equal(letter.key(), b"key", "its key")


def sent(client, producer, mark, records, partition):
    headers = [("mark", mark.encode())]
    return produce(producer, client.settings.topic, records, partition=partition, key=b"key", headers=headers)


def codecs(client):
    record = pair(client)
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        mark = client.name(codec)
        good = [record(f"{mark}-{number}" + "x" * 200, 1.0) for number in range(10)]
        bad = [record(f"{mark}-{number}" + "x" * 200, -1.0) for number in range(5)]
        producer = client.producer(compression_type=codec, linger_ms=100)
        sent(client, producer, mark, good[:5] + bad + good[5:], 0)
        check(client, mark, good, bad)


def idempotence(client):
    record, mark = pair(client), client.name("idempotence")
    good = [record(f"{mark}-{number}", 1.0) for number in range(30)]
    bad = [record(f"{mark}-{number}", -1.0) for number in range(30)]
    producer = client.producer(enable_idempotence=True, compression_type="lz4")
    offsets = []
    for at in range(30):
        offsets += sent(client, producer, mark, [good[at], bad[at]], 1)
    equal([it - offsets[0] for it in offsets], list(range(60)), "nothing is lost and nothing doubled")
    check(client, mark, good, bad)


def transaction(client):
    """What is given up never arrives."""
    record, mark = pair(client), client.name("transaction")
    producer = client.producer(transactional_id=client.name("letters"))
    producer.init_transactions(20)
    good, bad = [], []
    for number in range(6):
        values = record(f"{mark}-{number}", 1.0), record(f"{mark}-{number}", -1.0)
        producer.begin_transaction()
        sent(client, producer, mark, values, 2)
        if number % 2:
            producer.abort_transaction(20)
        else:
            producer.commit_transaction(20)
            good.append(values[0])
            bad.append(values[1])
    found = letters(client, mark, len(bad))
    equal(sorted(it.value() for it in found), sorted(bad), "dead letters of what was committed")
    seen = everything(client, client.settings.topic, lambda found: len(of(found, mark)) >= len(good), ISOLATION[0], 1.0)
    equal(sorted(it.value() for it in of(seen, mark)), sorted(good), "what a consumer sees")


def checks(settings):
    client = Client(settings)
    named = {"codecs": codecs, "idempotence": idempotence, "transaction": transaction}
    return [(name, lambda check=check: check(client)) for name, check in named.items()]


if __name__ == "__main__":
    main(checks, lambda settings: [])
