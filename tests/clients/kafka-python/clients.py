"""kafka-python's clients of the users of a run."""

import logging

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from checks import PATIENCE_S, Names

logging.getLogger("kafka").propagate = False


class Client(Names):
    """Makes clients of the users of a run."""

    def base(self, user="owner", mechanism="PLAIN", password=None):
        login = self.settings.users[user]
        return {
            "bootstrap_servers": self.settings.bootstrap,
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": mechanism,
            "sasl_plain_username": login["username"],
            "sasl_plain_password": password or login["password"],
        }

    def producer(self, user="owner", **more):
        return KafkaProducer(**self.base(user), **more)

    def consumer(self, group, user="owner", **more):
        settings = {"enable_auto_commit": False, "auto_offset_reset": "earliest", "client_id": "the-client", **more}
        return KafkaConsumer(group_id=group, **self.base(user), **settings)

    def admin(self, user="owner", **more):
        return KafkaAdminClient(**self.base(user, **more))


def produce(producer, topic, values, partition=0, **more):
    """Sends and waits for every acknowledgement; gives the offsets."""
    futures = [producer.send(topic, value, partition=partition, **more) for value in values]
    producer.flush(PATIENCE_S)
    return [future.get(PATIENCE_S).offset for future in futures]
