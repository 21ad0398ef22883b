"""An idempotent producer and a group that reads along, until told to stop: `steady.py SETTINGS`.

`progress` is a file that tells how many records are acknowledged, `stop` one whose existence ends the run.
"""

import json
import os
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from confluent_kafka import Consumer, KafkaException, Producer

from checks import Settings, expect, run, until

PARTITIONS = 4
LONGEST_S = 400


def base(settings):
    login = settings.users["owner"]
    return {
        "bootstrap.servers": settings.bootstrap,
        "security.protocol": "sasl_plaintext",
        "sasl.mechanism": "SCRAM-SHA-256",
        "sasl.username": login["username"],
        "sasl.password": login["password"],
        # What it says of broken connections is not an error: it mends them.
        "log_level": 0,
    }


class Reader(threading.Thread):
    """A member of a group that commits what it read."""

    def __init__(self, settings):
        super().__init__(daemon=True)
        self.consumer = Consumer(
            {
                **base(settings),
                "group.id": f"{settings.run}-readers",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
            }
        )
        self.consumer.subscribe([settings.topic])
        self.places, self.values, self.errors = [], [], []
        self.enough = threading.Event()

    def run(self):
        while not self.enough.is_set():
            for message in self.consumer.consume(500, 0.2):
                if message.error():
                    self.errors.append(str(message.error()))
                    continue
                self.places.append((message.partition(), message.offset()))
                self.values.append(int(message.value()))
            try:
                if self.places:
                    self.consumer.commit(asynchronous=True)
            except KafkaException as error:
                self.errors.append(f"commit: {error}")
        self.consumer.close()


def main():
    settings = Settings(sys.argv[1])
    with open(sys.argv[1], encoding="utf-8") as file:
        values = json.load(file)
    progress, stop = pathlib.Path(values["progress"]), pathlib.Path(values["stop"])
    producer = Producer({**base(settings), "enable.idempotence": True, "linger.ms": 5})
    acknowledged, errors = [], []
    reader = Reader(settings)
    reader.start()

    def delivered(error, message):
        if error:
            errors.append(str(error))
        else:
            acknowledged.append(int(message.value()))

    sent, began = 0, time.monotonic()
    while not stop.exists() and time.monotonic() - began < LONGEST_S:
        for _record in range(20):
            producer.produce(settings.topic, str(sent), partition=sent % PARTITIONS, on_delivery=delivered)
            sent += 1
        producer.poll(0.01)
        fresh = progress.with_suffix(".new")
        fresh.write_text(str(len(acknowledged)))
        os.replace(fresh, progress)
    left = producer.flush(60)
    progress.write_text(str(len(acknowledged)))

    def no_error():
        until("every record read", 60, lambda: len(set(reader.values)) >= sent or time.sleep(0.1))
        reader.enough.set()
        reader.join(30)
        expect(left == 0, f"{left} records were not acknowledged")
        expect(not errors and not reader.errors, f"{errors[:5]} {reader.errors[:5]}")
        return f"{sent} records"

    def nothing_lost():
        expect(sorted(acknowledged) == list(range(sent)), "not everything was acknowledged once")
        missing = set(acknowledged) - set(reader.values)
        expect(not missing, f"{len(missing)} records are lost")

    def nothing_twice():
        expect(len(set(reader.places)) == len(set(reader.values)), "a record is in the log twice")
        expect(len(reader.places) == len(set(reader.places)), "a record was delivered twice")

    run("no error", no_error)
    run("nothing lost", nothing_lost)
    run("nothing twice", nothing_twice)


main()
