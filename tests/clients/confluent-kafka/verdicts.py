"""Contracts and records of a file through the registry and the gateway: `verdicts.py PAIRS SETTINGS [CHECK ...]`.

A line of the file is a contract with its records and what the library says of each. The records are sent as the bytes that they
are, each in a batch of its own, for an invalid one takes its whole batch along."""

import base64
import json
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from confluent_kafka import KafkaError
from confluent_kafka.schema_registry import RuleSet, Schema

from checks import PATIENCE_S, equal, expect, main
from clients import Client, read_from
from registry import fresh, registry

FORMATS = ("JSON", "AVRO", "PROTOBUF")
PARTITION = 1


class Pairs:
    """The file, and what was told of its records so far."""

    def __init__(self, client, path):
        self.client = client
        self.contracts = [json.loads(line) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]
        self.accepted = []

    def registered(self):
        """All of them, as versions of the topic's one subject."""
        own, subject = registry(self.client), fresh(self.client)
        own.set_compatibility(subject, "NONE")
        for it in self.contracts:
            it["id"] = own.register_schema(subject, Schema(it["schema"], it["format"], [], None, RuleSet.from_dict(it["rules"])))
        ids = {it["id"] for it in self.contracts}
        equal(len(ids), len(self.contracts), "ids")
        return f"{len(ids)} contracts"

    def judged(self, kind):
        """The producer is told of each record what the library says of it."""
        producer, told = self.client.producer(batch_num_messages=1, linger_ms=0), {}
        sent = [(it, record) for it in self.contracts if it["format"] == kind for record in it["records"]]
        for number, (it, record) in enumerate(sent):
            # Of Protobuf, the first message of the file.
            frame = struct.pack(">bI", 0, it["id"]) + (b"\0" if kind == "PROTOBUF" else b"")
            value = frame + base64.b64decode(record["payload"])

            def delivered(error, message, number=number, value=value):
                told[number] = error.code() if error else None
                if not error:
                    self.accepted.append((message.offset(), value))

            producer.produce(self.client.settings.topic, value, partition=PARTITION, on_delivery=delivered)
            producer.poll(0)
        equal(producer.flush(3 * PATIENCE_S), 0, "records without an answer")
        valid = 0
        for number, (it, record) in enumerate(sent):
            found = told[number]
            expect(found in (None, KafkaError.INVALID_RECORD), f"error {found} of {record} under {it['schema']}")
            equal(found is None, record["valid"], f"{record} under {it['schema']} with {it['rules']}")
            valid += found is None
        return f"{len(sent)} records, {valid} of them valid"

    def in_the_topic(self):
        """What was accepted is there, and nothing else."""
        low = min(offset for offset, _value in self.accepted)
        found = read_from(self.client, self.client.settings.topic, PARTITION, low, len(self.accepted))
        equal([(it.offset(), it.value()) for it in found], sorted(self.accepted), "what is in the topic")
        offsets = [it.offset() for it in found]
        equal(offsets, list(range(low, low + len(found))), "offsets")
        return f"{len(found)} records"


def checks(settings):
    pairs = Pairs(Client(settings), PATH)
    judged = [(kind, lambda kind=kind: pairs.judged(kind)) for kind in FORMATS]
    return [("registered", pairs.registered), *judged, ("in the topic", pairs.in_the_topic)]


if __name__ == "__main__":
    PATH = sys.argv.pop(1)
    main(checks, lambda settings: [])
