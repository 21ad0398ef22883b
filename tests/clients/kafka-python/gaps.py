"""What `gaps.py` of confluent-kafka left, by kafka-python: `gaps.py SETTINGS`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from kafka import TopicPartition

from checks import PATIENCE_S, equal, main, until
from clients import Client, produce

QUIET_MS = 3000


def gaps(client):
    """The good records, none of what is withheld, and what comes behind it."""
    topic = client.settings.topic
    consumer = client.consumer(None)
    place = TopicPartition(topic, 3)
    consumer.assign([place])
    consumer.seek(place, 0)
    found = []

    def poll(timeout_ms=200):
        for records in consumer.poll(timeout_ms=timeout_ms).values():
            found.extend(records)

    def several(count):
        until(f"{count} records", PATIENCE_S, lambda: poll() or len(found) >= count)

    try:
        before = until("the end", PATIENCE_S, lambda: consumer.end_offsets([place])[place])
        several(2)
        # What is at the end is behind it, too.
        until("the end of the log", PATIENCE_S, lambda: poll() or consumer.position(place) == before)
        count = len(found)
        poll(QUIET_MS)
        equal(len(found), count, "nothing comes out of a gap")
        [offset] = produce(client.producer(), topic, [found[0].value], partition=3)
        several(count + 1)
        equal((found[-1].offset, found[-1].value), (offset, found[0].value), "the record behind the gap")
    finally:
        consumer.close()
    return f"offsets {[it.offset for it in found]}"


def checks(settings):
    client = Client(settings)
    yield "gaps", lambda: gaps(client)


main(checks, lambda settings: [])
