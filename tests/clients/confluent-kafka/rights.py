"""What an administrator may do, and what others may not."""

from confluent_kafka import KafkaError
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic

from checks import PATIENCE_S, equal, expect
from clients import error_of, produce, read_from, take


def administer(client):
    """An administrator makes a topic, changes it, makes it grow, and deletes it."""
    admin, name = client.admin("administrator"), f"made-{client.settings.run}-confluent"
    resource = ConfigResource(ConfigResource.Type.TOPIC, name)

    def done(futures):
        for future in futures.values():
            future.result(PATIENCE_S)

    def retention():
        return admin.describe_configs([resource])[resource].result(PATIENCE_S)["retention.ms"].value

    done(admin.create_topics([NewTopic(name, 2, config={"retention.ms": "7200000"})]))
    equal(retention(), "7200000", "retention as it was made")
    done(admin.create_partitions([NewPartitions(name, 3)]))
    equal(len(admin.list_topics(name, timeout=PATIENCE_S).topics[name].partitions), 3, "partitions")
    entry = ConfigEntry("retention.ms", "3600000", incremental_operation=AlterConfigOpType.SET)
    changed = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=[entry])
    done(admin.incremental_alter_configs([changed]))
    equal(retention(), "3600000", "retention as it was changed")
    done(admin.delete_topics([name]))
    expect(name not in admin.list_topics(timeout=PATIENCE_S).topics, "it is deleted, and listed")


def reader(client):
    topic = client.settings.topic
    [offset] = produce(client.producer(), topic, [b"for readers"])
    code = error_of(lambda: produce(client.producer("reader"), topic, [b"no"]))
    equal(code, KafkaError.TOPIC_AUTHORIZATION_FAILED, "produce by a reader")
    [message] = read_from(client, topic, 0, offset, 1, user="reader")
    equal(message.value(), b"for readers", "read by a reader")
    producer = client.producer("reader", transactional_id=client.name("no"))
    code = error_of(lambda: producer.init_transactions(PATIENCE_S))
    equal(code, KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, "transaction by a reader")
    admin = client.admin("reader")
    [created] = admin.create_topics([NewTopic(f"{topic}-more", 1)]).values()
    equal(error_of(created.result), KafkaError.TOPIC_AUTHORIZATION_FAILED, "a topic made by a reader")


def stranger(client):
    """May see one topic, and is no member of any group: librdkafka's consumer always has one, so it reads nothing."""
    settings = client.settings
    admin = client.admin("stranger")
    equal(set(admin.list_topics(timeout=PATIENCE_S).topics), {settings.topic}, "its topics")
    hidden = admin.list_topics(settings.group_topic, timeout=PATIENCE_S).topics[settings.group_topic]
    equal(hidden.error.code(), KafkaError.TOPIC_AUTHORIZATION_FAILED, "another topic")
    for protocol in ("classic", "consumer"):
        consumer = client.consumer(client.name("no"), user="stranger", group_protocol=protocol)
        consumer.subscribe([settings.topic])
        code = error_of(lambda consumer=consumer: take(consumer, 1))
        equal(code, KafkaError.GROUP_AUTHORIZATION_FAILED, f"a group ({protocol})")
        consumer.close()
