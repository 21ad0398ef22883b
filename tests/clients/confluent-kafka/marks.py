"""A topic under MARK: `marks.py SETTINGS [CHECK ...]`.

Producers notice nothing, nothing is missing, and a record that breaks the contract says so in headers behind its own."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from checks import equal, expect, main
from clients import Client
from dead_letters import ISOLATION, everything, of, pair, sent

MARKS = ["__weir.violation", "__weir.violation.part", "__weir.violation.rule", "__weir.violation.reason"]


def check(client, mark, good, bad):
    """All records in both isolations; the bad ones with their marks."""
    topic, count = client.settings.topic, len(good) + len(bad)
    for isolation in ISOLATION:
        seen = of(everything(client, topic, lambda found: len(of(found, mark)) >= count, isolation, 1.0), mark)
        equal(sorted(it.value() for it in seen), sorted(good + bad), f"what a consumer sees, {isolation}")
        for record in seen:
            names = [name for name, _value in record.headers()]
            equal(names, ["mark", *MARKS] if record.value() in bad else ["mark"], "headers")
            told = dict(record.headers())
            if record.value() in bad:
                equal([told[it] for it in MARKS[:3]], [b"CONDITION", b"VALUE", b"checked"], "the mark")
                expect(told[MARKS[3]], "a reason")


def records(client, mark, count, size=0):
    record = pair(client)
    made = lambda amount: [record(f"{mark}-{number}" + "x" * size, amount) for number in range(count)]
    return made(1.0), made(-1.0)


def codecs(client):
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        mark = client.name(codec)
        good, bad = records(client, mark, 10, 200)
        producer = client.producer(compression_type=codec, linger_ms=100)
        sent(client, producer, mark, good[:5] + bad + good[5:], 0)
        check(client, mark, good, bad)


def idempotence(client):
    mark = client.name("idempotence")
    good, bad = records(client, mark, 30)
    producer = client.producer(enable_idempotence=True, compression_type="lz4")
    offsets = []
    for pair_of in zip(good, bad):
        offsets += sent(client, producer, mark, pair_of, 1)
    equal([it - offsets[0] for it in offsets], list(range(60)), "nothing is lost and nothing doubled")
    check(client, mark, good, bad)


def transaction(client):
    mark = client.name("transaction")
    good, bad = records(client, mark, 3)
    producer = client.producer(transactional_id=client.name("marks"))
    producer.init_transactions(20)
    for pair_of in zip(good, bad):
        producer.begin_transaction()
        sent(client, producer, mark, pair_of, 2)
        producer.commit_transaction(20)
    check(client, mark, good, bad)


def checks(settings):
    client = Client(settings)
    named = {"codecs": codecs, "idempotence": idempotence, "transaction": transaction}
    return [(name, lambda check=check: check(client)) for name, check in named.items()]


if __name__ == "__main__":
    main(checks, lambda settings: [])
