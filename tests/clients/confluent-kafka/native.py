"""A client of brokers that have no gateway before them: `native.py SETTINGS`.

Beside a login the settings say `secure` (a CA file; absent for plain text), `alive` (the login shall work) and `records`.
"""

import json
import sys
import pathlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from checks import Settings, equal, expect, run

SECONDS = 20
INTERNAL = "__consumer_offsets"


class Native:
    """The clients of one key."""

    def __init__(self, settings, values):
        self.settings, self.secure = settings, values.get("secure")

    def base(self, mechanism="SCRAM-SHA-512", password=None):
        login = self.settings.users["owner"]
        tls = {"security.protocol": "sasl_ssl", "ssl.ca.location": self.secure}
        return {
            "bootstrap.servers": self.settings.bootstrap,
            "sasl.mechanism": mechanism,
            "sasl.username": login["username"],
            "sasl.password": password or login["password"],
            "log_level": 0,
            **(tls if self.secure else {"security.protocol": "sasl_plaintext"}),
        }

    def produce(self, count, **more):
        """Sends, and tells where the records are."""
        places, errors = [], []

        def delivered(error, message):
            if error:
                errors.append(str(error))
            else:
                places.append((message.partition(), message.offset()))

        producer = Producer({**self.base(), "enable.idempotence": True, **more})
        for number in range(count):
            producer.produce(self.settings.topic, str(number), on_delivery=delivered)
        left = producer.flush(SECONDS)
        expect(left == 0 and not errors, f"{left} records were not sent, {errors[:3]}")
        return set(places)

    def read(self, wanted):
        """Reads in a group until all of these have come."""
        consumer = Consumer(
            {**self.base(), "group.id": f"{self.settings.run}-native", "auto.offset.reset": "earliest"}
        )
        consumer.subscribe([self.settings.topic])
        seen = set()
        for _try in range(SECONDS * 5):
            message = consumer.poll(0.2)
            if message and not message.error():
                seen.add((message.partition(), message.offset()))
            if wanted <= seen:
                break
        consumer.commit(asynchronous=False)
        consumer.close()
        expect(wanted <= seen, f"{len(wanted - seen)} records did not come")
        return len(seen)

    def login(self, mechanism, password=None):
        """`None` when it works, or what the first error is."""
        errors = []
        base = {**self.base(mechanism, password), "error_cb": errors.append, "group.id": "none"}
        consumer = Consumer(base)
        try:
            consumer.list_topics(timeout=8)
        except KafkaException:
            codes = [it.code() for it in errors]
            return KafkaError._AUTHENTICATION if KafkaError._AUTHENTICATION in codes else codes
        finally:
            consumer.close()


def alive(native, records):
    def everything():
        return f"{native.read(native.produce(records))} records"

    def transaction():
        producer = Producer({**native.base(), "transactional.id": f"{native.settings.run}-native"})
        producer.init_transactions(SECONDS)
        producer.begin_transaction()
        producer.produce(native.settings.topic, "in a transaction")
        producer.commit_transaction(SECONDS)

    def mechanisms():
        equal(native.login("SCRAM-SHA-512"), None, "SCRAM-SHA-512")

    def wrong():
        equal(native.login("SCRAM-SHA-512", "wrong"), KafkaError._AUTHENTICATION, "a wrong password")

    def internal():
        consumer = Consumer({**native.base(), "group.id": f"{native.settings.run}-curious"})
        consumer.assign([TopicPartition(INTERNAL, 0, 0)])
        message = consumer.poll(SECONDS)
        consumer.close()
        code = message and message.error() and message.error().code()
        equal(code, KafkaError.TOPIC_AUTHORIZATION_FAILED, INTERNAL)
        shown = AdminClient(native.base()).list_topics(timeout=SECONDS).topics
        expect(INTERNAL not in shown, f"{sorted(shown)} are shown")

    def administration():
        made = AdminClient(native.base()).create_topics([NewTopic("not-mine", 1, 1)])
        try:
            made["not-mine"].result(SECONDS)
        except KafkaException as error:
            return str(error.args[0].code())
        expect(False, "it made a topic")

    run("produce and read", everything)
    run("transaction", transaction)
    run("login", mechanisms)
    run("wrong password", wrong)
    run("internal topics", internal)
    run("administration refused", administration)


def main():
    settings = Settings(sys.argv[1])
    with open(sys.argv[1], encoding="utf-8") as file:
        values = json.load(file)
    native = Native(settings, values)
    if values["alive"]:
        alive(native, values["records"])
        return

    def refused():
        equal(native.login("SCRAM-SHA-512"), KafkaError._AUTHENTICATION, "a revoked key")

    run("refused", refused)


main()
