"""Clients of the users of a run, and what the checks do with them."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from checks import PATIENCE_S, Failed, Names, equal, expect


class Client(Names):
    """Makes clients of the users of a run."""

    def base(self, user="owner", **more):
        login = self.settings.users[user]
        return {
            "bootstrap.servers": self.settings.bootstrap,
            "security.protocol": "sasl_plaintext",
            "sasl.mechanism": "PLAIN",
            "sasl.username": login["username"],
            "sasl.password": login["password"],
            "log_level": 2,
            **{name.replace("_", "."): value for name, value in more.items()},
        }

    def producer(self, user="owner", **more):
        return Producer(self.base(user, **more))

    def consumer(self, group, user="owner", **more):
        settings = {"group_id": group, "enable_auto_commit": False, "auto_offset_reset": "earliest", **more}
        return Consumer(self.base(user, **settings))

    def admin(self, user="owner"):
        return AdminClient(self.base(user))


def produce(producer, topic, values, partition=0, **more):
    """Sends and waits for every acknowledgement; gives the offsets."""
    offsets, errors = [], []

    def delivered(error, message):
        (errors if error else offsets).append(error or message.offset())

    for value in values:
        producer.produce(topic, value, partition=partition, on_delivery=delivered, **more)
        producer.poll(0)
    left = producer.flush(PATIENCE_S)
    expect(left == 0, f"{left} records were not acknowledged")
    if errors:
        raise KafkaException(errors[0])
    return offsets


def read_from(client, topic, partition, offset, count, **more):
    """Reads `count` records of a partition without a group's help."""
    consumer = client.consumer(client.name("reads"), **more)
    consumer.assign([TopicPartition(topic, partition, offset)])
    try:
        return take(consumer, count)
    finally:
        consumer.close()


def take(consumer, count):
    found = []
    end = time.monotonic() + PATIENCE_S
    while len(found) < count and time.monotonic() < end:
        for message in consumer.consume(count - len(found), 0.3):
            if message.error():
                raise KafkaException(message.error())
            found.append(message)
    equal(len(found), count, "records read")
    return found


def error_of(call):
    """The Kafka error code of a call that must fail."""
    try:
        call()
    except KafkaException as error:
        return error.args[0].code()
    raise Failed("it succeeded, and should not")
