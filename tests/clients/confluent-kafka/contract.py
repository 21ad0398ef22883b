"""A topic that refuses what breaks its contract, whatever the client's own rules say: `contract.py SETTINGS [CHECK ...]`.

The serializers here execute no rules: what is refused is refused by the gateway."""

import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.schema_registry import Rule, RuleKind, RuleMode, RuleSet, Schema
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from checks import Failed, equal, expect, main
from clients import Client, produce, read_from
from registry import AVRO, JSON, fresh, payment, registry

INVALID_RECORD = KafkaError.INVALID_RECORD
# The id is that of the schema's text; with the latest version would come its rules, which the client would want to execute.
LOOKED_UP = {"auto.register.schemas": False}


def register(client, text, kind, expression, references=()):
    """The topic's value subject, with this schema and this condition alone."""
    own, subject = registry(client), fresh(client)
    rule = Rule("checked", None, RuleKind.CONDITION, RuleMode.WRITE, "CEL", None, None, expression, None, "ERROR", False)
    return own.register_schema(subject, Schema(text, kind, list(references), None, RuleSet(None, [rule])))


def by_avro(client):
    return AvroSerializer(registry(client), AVRO, conf=LOOKED_UP)


def serialized(client, serializer, value):
    return serializer(value, SerializationContext(client.settings.topic, MessageField.VALUE))


def refused(client, record, producer=None, **more):
    """The producer is told that the record is invalid; what else is told of it."""
    try:
        produce(producer or client.producer(), client.settings.topic, [record], **more)
    except KafkaException as error:
        equal(error.args[0].code(), INVALID_RECORD, str(error))
        return str(error)
    raise Failed("the gateway took it")


def passes(client, record, producer=None, partition=0, **more):
    topic = client.settings.topic
    offset = produce(producer or client.producer(), topic, [record], partition=partition, **more)[0]
    found = read_from(client, topic, partition, offset, 1)
    equal(found[0].value(), record, "what is in the topic")


def avro(client):
    register(client, AVRO, "AVRO", "message.amount > 0.0")
    serializer = by_avro(client)
    refused(client, serialized(client, serializer, {"id": "a", "amount": -5.0}))
    passes(client, serialized(client, serializer, {"id": "b", "amount": 5.0}))


def json(client):
    register(client, JSON, "JSON", "message.amount > 0")
    serializer = JSONSerializer(JSON, registry(client), conf=LOOKED_UP)
    refused(client, serialized(client, serializer, {"id": "a", "amount": -5}))
    passes(client, serialized(client, serializer, {"id": "b", "amount": 5}))


def protobuf(client):
    own, subject, kind = registry(client), fresh(client), payment()
    ProtobufSerializer(kind, own)(kind(id="x"), SerializationContext(client.settings.topic, MessageField.VALUE))
    latest = own.get_latest_version(subject).schema
    register(client, latest.schema_str, "PROTOBUF", "message.id != ''", latest.references)
    serializer = ProtobufSerializer(kind, own, LOOKED_UP)
    refused(client, serialized(client, serializer, kind(id="", amount={"cents": 5})))
    passes(client, serialized(client, serializer, kind(id="b", amount={"cents": 5})))


def registered_and_sent(client):
    """A serializer registers a schema with its first record: that one is not too early."""
    subject, own = fresh(client), registry(client)
    own.set_compatibility(subject, "NONE")
    for number in range(5):
        text = AVRO.replace('"amount"', f'"amount{number}"')
        record = serialized(client, AvroSerializer(own, text), {"id": "a", f"amount{number}": 1.0})
        passes(client, record)


def no_record_of_it(client):
    number = register(client, AVRO, "AVRO", "true")
    for record in [
        b"hello",
        b"",
        struct.pack(">bI", 0, 2**31 - 1) + b"\x02a",
        struct.pack(">bI", 0, number),
        struct.pack(">bI", 0, number) + b"\xff" * 20,
    ]:
        refused(client, record)


def codecs(client):
    register(client, AVRO, "AVRO", "message.amount > 0.0")
    serializer = by_avro(client)
    bad, good = (serialized(client, serializer, {"id": "a" * 500, "amount": amount}) for amount in (-1.0, 1.0))
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        producer = client.producer(compression_type=codec, linger_ms=50)
        refused(client, bad, producer)
        passes(client, good, producer)


def idempotence(client):
    """After a refusal the same producer goes on, and loses and doubles nothing."""
    register(client, AVRO, "AVRO", "message.amount > 0.0")
    serializer = by_avro(client)
    bad, good = (serialized(client, serializer, {"id": "a", "amount": amount}) for amount in (-1.0, 1.0))
    producer = client.producer(enable_idempotence=True)
    before = produce(producer, client.settings.topic, [good], partition=3)[0]
    for _round in range(3):
        refused(client, bad, producer, partition=3)
        passes(client, good, producer, partition=3)
    after = produce(producer, client.settings.topic, [good], partition=3)[0]
    equal(after - before, 4, "offsets from the first to the last")


def transaction(client):
    """A transaction with a bad record is aborted; the producer commits others."""
    register(client, AVRO, "AVRO", "message.amount > 0.0")
    serializer = by_avro(client)
    bad, good = (serialized(client, serializer, {"id": "a", "amount": amount}) for amount in (-1.0, 1.0))
    topic = client.settings.topic
    producer = client.producer(transactional_id=client.name("contract"))
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(topic, good, partition=2)
    producer.flush(20)
    refused(client, bad, producer, partition=2)
    producer.abort_transaction(20)
    offset = committed(producer, topic, good)
    found = read_from(client, topic, 2, offset, 1, isolation_level="read_committed")
    expect(found[0].value() == good, "the committed record is read")


def committed(producer, topic, record):
    """librdkafka (2.16) purges the records of the transaction after one with an invalid record, too, also when a broker refused that
    one by itself; the next one is well."""
    for last in (False, True):
        producer.begin_transaction()
        try:
            offset = produce(producer, topic, [record], partition=2)[0]
            producer.commit_transaction(20)
            return offset
        except KafkaException:
            if last:
                raise
            producer.abort_transaction(20)


def checks(settings):
    client = Client(settings)
    named = {
        "avro": avro,
        "json": json,
        "protobuf": protobuf,
        "registered and sent": registered_and_sent,
        "no record of it": no_record_of_it,
        "codecs": codecs,
        "idempotence": idempotence,
        "transaction": transaction,
    }
    return [(name, lambda check=check: check(client)) for name, check in named.items()]


if __name__ == "__main__":
    main(checks, lambda settings: [])
