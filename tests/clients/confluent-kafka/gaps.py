"""A topic under DLQ with batches of which nothing is left: `gaps.py SETTINGS`. `gaps` of other clients read what it leaves."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from confluent_kafka import Consumer, TopicPartition

from checks import equal, expect, main
from clients import Client
from dead_letters import AFTER_S, PATIENCE_S, pair, sent


def gaps(client):
    """Batches of which nothing is left, between others and at the end: what other clients read in `gaps` of their own."""
    record, topic, mark = pair(client), client.settings.topic, client.name("gaps")
    producer = client.producer(linger_ms=0)

    def send(amounts):
        for amount in amounts:
            # A batch of its own for each.
            sent(client, producer, mark, [record(client.name("gap"), amount)], 3)

    send([1.0] + 5 * [-1.0] + [1.0] + 5 * [-1.0])
    errors = []
    settings = client.base(group_id=client.name("gaps"), enable_auto_commit=False)
    consumer = Consumer({**settings, "error_cb": errors.append})
    consumer.assign([TopicPartition(topic, 3, 0)])
    try:
        equal([it.offset() for it in taken(consumer, 2, AFTER_S)], [0, 6], "offsets of the good")
        send([1.0, -1.0, 1.0])
        equal([it.offset() for it in taken(consumer, 2, 0)], [12, 14], "behind the gap")
        send(3 * [-1.0])
        equal(taken(consumer, 0, AFTER_S), [], "nothing more")
        equal(errors, [], "errors of the client")
    finally:
        consumer.close()


def taken(consumer, count, quiet_s):
    """So many records, and what comes within a while after them."""
    found, end, quiet = [], time.monotonic() + PATIENCE_S, None
    while time.monotonic() < (quiet or end):
        record = consumer.poll(0.2)
        if record is not None:
            expect(record.error() is None, str(record.error()))
            found.append(record)
        if len(found) >= count and quiet is None:
            quiet = time.monotonic() + quiet_s
    return found


def checks(settings):
    client = Client(settings)
    return [("gaps", lambda: gaps(client))]


if __name__ == "__main__":
    main(checks, lambda settings: [])
