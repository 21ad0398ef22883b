"""A client of brokers that have no gateway before them: `native.py SETTINGS`.

Beside a login the settings say `secure` (a CA file; absent for plain text), `alive` (the login shall work) and `records`.
"""

import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from checks import Settings, equal, expect, run, until

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
        end = time.monotonic() + SECONDS
        while not wanted <= seen and time.monotonic() < end:
            for message in consumer.consume(len(wanted), 0.3):
                if message.error():
                    raise KafkaException(message.error())
                seen.add((message.partition(), message.offset()))
        consumer.commit(asynchronous=False)
        consumer.close()
        expect(wanted <= seen, f"{len(wanted - seen)} records did not come")
        return len(seen)

    def login(self, mechanism, password=None):
        """`None` when it works, or what the first error is."""
        errors = []
        producer = Producer({**self.base(mechanism, password), "error_cb": errors.append})
        try:
            producer.list_topics(timeout=8)
        except KafkaException:
            # Errors are told when somebody polls.
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                producer.poll(0.2)
                if any(it.code() == KafkaError._AUTHENTICATION for it in errors):
                    return KafkaError._AUTHENTICATION
            return [it.code() for it in errors]


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
        admin = AdminClient(native.base())
        told = admin.list_topics(INTERNAL, timeout=SECONDS).topics[INTERNAL].error
        equal(told and told.code(), KafkaError.TOPIC_AUTHORIZATION_FAILED, INTERNAL)
        shown = admin.list_topics(timeout=SECONDS).topics
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
        # The control plane has let go of the key; the agent takes it from Kafka, and each broker follows its controller.
        until("a revoked key is refused", SECONDS, lambda: native.login("SCRAM-SHA-512") == KafkaError._AUTHENTICATION or time.sleep(0.1))

    run("refused", refused)


main()
