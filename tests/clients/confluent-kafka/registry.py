"""confluent-kafka's serializers through the registry and the gateway: `registry.py SETTINGS [CHECK ...]`."""

import pathlib
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from confluent_kafka.schema_registry import (
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    SchemaRegistryError,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from checks import Failed, equal, expect, main
from clients import Client, produce, read_from

AVRO = """{"type": "record", "name": "Payment", "namespace": "example",
 "fields": [{"name": "id", "type": "string"}, {"name": "amount", "type": "double"}]}"""
JSON = """{"$schema": "http://json-schema.org/draft-07/schema#", "title": "Payment", "type": "object",
 "properties": {"id": {"type": "string"}, "amount": {"type": "number"}}, "required": ["id"]}"""


def registry(client, user="owner"):
    """With the credentials in the URL, as every client can be told them."""
    login = client.settings.users[user]
    name, secret = (urllib.parse.quote(login[it], safe="") for it in ("username", "password"))
    scheme, rest = client.settings.registry.split("://", 1)
    return SchemaRegistryClient({"url": f"{scheme}://{name}:{secret}@{rest}"})


def by_user_info(client, user="owner"):
    login = client.settings.users[user]
    info = f"{login['username']}:{login['password']}"
    return SchemaRegistryClient({"url": client.settings.registry, "basic.auth.user.info": info})


def refused(code, call):
    try:
        call()
    except SchemaRegistryError as error:
        equal(error.error_code, code, str(error))
        return error
    raise Failed(f"was not refused with {code}")


def there_and_back(client, serializer, deserializer, values, partition):
    """Serialized, produced through the gateway, consumed and deserialized by who has an empty cache."""
    topic = client.settings.topic
    context = SerializationContext(topic, MessageField.VALUE)
    sent = [serializer(value, context) for value in values]
    equal(sent[0][0], 0, "the magic byte")
    offsets = produce(client.producer(), topic, sent, partition=partition)
    found = read_from(client, topic, partition, offsets[0], len(sent))
    return [deserializer(it.value(), context) for it in found]


def fresh(client):
    """The topic's value subject, empty: each format has it for itself."""
    subject = f"{client.settings.topic}-value"
    own = by_user_info(client)
    try:
        own.delete_subject(subject)
        own.delete_subject(subject, permanent=True)
    except SchemaRegistryError as error:
        equal(error.http_status_code, 404, "nothing is there")
    return subject


def avro(client):
    subject = fresh(client)
    values = [{"id": f"p{number}", "amount": number / 2} for number in range(20)]
    back = there_and_back(
        client, AvroSerializer(registry(client), AVRO), AvroDeserializer(registry(client)), values, 0
    )
    equal(back, values, "values")
    equal(by_user_info(client).get_versions(subject), [1], "versions")


def json(client):
    subject = fresh(client)
    values = [{"id": f"p{number}", "amount": number} for number in range(20)]
    own = registry(client)
    back = there_and_back(
        client,
        JSONSerializer(JSON, own),
        JSONDeserializer(None, schema_registry_client=registry(client)),
        values,
        1,
    )
    equal(back, values, "values")
    equal(own.get_latest_version(subject).schema.schema_type, "JSON", "the type")


def payment():
    """A message as `protoc` would have generated it, and one that it imports."""
    money = descriptor_pb2.FileDescriptorProto(name="money.proto", package="example", syntax="proto3")
    message = money.message_type.add(name="Money")
    field = descriptor_pb2.FieldDescriptorProto
    message.field.add(name="cents", number=1, type=field.TYPE_INT64, label=field.LABEL_OPTIONAL)
    file = descriptor_pb2.FileDescriptorProto(
        name="payment.proto", package="example", syntax="proto3", dependency=["money.proto"]
    )
    message = file.message_type.add(name="Payment")
    message.field.add(name="id", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    message.field.add(
        name="amount",
        number=2,
        type=field.TYPE_MESSAGE,
        type_name=".example.Money",
        label=field.LABEL_OPTIONAL,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(money)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("example.Payment"))


def protobuf(client):
    subject = fresh(client)
    kind = payment()
    values = [kind(id=f"p{number}", amount={"cents": number}) for number in range(20)]
    own = registry(client)
    serializer = ProtobufSerializer(kind, own)
    deserializer = ProtobufDeserializer(kind, schema_registry_client=registry(client))
    back = there_and_back(client, serializer, deserializer, values, 2)
    equal([(it.id, it.amount.cents) for it in back], [(it.id, it.amount.cents) for it in values], "values")
    latest = own.get_latest_version(subject).schema
    equal((latest.schema_type, len(latest.references)), ("PROTOBUF", 1), "type and references")
    expect("message Payment" in latest.schema_str, f"the text is a .proto: {latest.schema_str}")


def compatibility(client):
    own, subject = registry(client), client.name("compatibility")
    own.register_schema(subject, Schema(AVRO, "AVRO"))
    added = AVRO.replace('"double"}', '"double"}, {"name": "card", "type": "string"}')
    expect(not own.test_compatibility(subject, Schema(added, "AVRO")), "a field without a default fits")
    error = refused(409, lambda: own.register_schema(subject, Schema(added, "AVRO")))
    expect("card" in str(error), f"does not say what breaks: {error}")
    own.set_compatibility(subject, "NONE")
    equal(own.get_compatibility(subject), "NONE", "the level")
    own.register_schema(subject, Schema(added, "AVRO"))
    equal(own.get_versions(subject), [1, 2], "versions")
    found = own.lookup_schema(subject, Schema(AVRO, "AVRO"))
    equal(found.version, 1, "the version that is looked up")
    refused(40403, lambda: own.lookup_schema(subject, Schema('"int"', "AVRO")))
    equal(own.delete_subject(subject), [1, 2], "what is deleted")


def references(client):
    own, name = registry(client), client.name("payment")
    own.register_schema(name, Schema(AVRO, "AVRO"))
    order = '{"type": "record", "name": "Order", "fields": [{"name": "payment", "type": "example.Payment"}]}'
    reference = SchemaReference("example.Payment", name, 1)
    other = client.name("order")
    number = own.register_schema(other, Schema(order, "AVRO", [reference]))
    found = by_user_info(client).get_schema(number)
    equal([(it.name, it.subject, it.version) for it in found.references], [("example.Payment", name, 1)], "references")
    refused(42206, lambda: own.delete_subject(name))
    equal(own.get_referenced_by(name, 1), [number], "who refers to it")


def rights(client):
    own, reading = registry(client), registry(client, "reader")
    subject = client.name("rights")
    number = own.register_schema(subject, Schema(AVRO, "AVRO"))
    expect("Payment" in reading.get_schema(number).schema_str, "a reader reads")
    refused(40301, lambda: reading.register_schema(client.name("more"), Schema(AVRO, "AVRO")))
    foreign = registry(client, "other")
    refused(40403, lambda: foreign.get_schema(number))
    expect(subject not in foreign.get_subjects(), "another tenant's subject is listed")
    theirs = foreign.register_schema(subject, Schema(AVRO, "AVRO"))
    expect(theirs != number, "two tenants share an id")


def checks(settings):
    client = Client(settings)
    named = {
        "avro": avro,
        "json": json,
        "protobuf": protobuf,
        "compatibility": compatibility,
        "references": references,
        "rights": rights,
    }
    return [(name, lambda check=check: check(client)) for name, check in named.items()]


if __name__ == "__main__":
    main(checks, lambda settings: [])
