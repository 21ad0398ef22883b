import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** Records out and in, and who may not. */
final class Records {
    private final Settings settings;

    Records(Settings settings) {
        this.settings = settings;
    }

    static List<String> values(String what, int count) {
        return IntStream.range(0, count).mapToObj(it -> what + " " + it).toList();
    }

    /** Sends and waits for every acknowledgement; gives the offsets. */
    static List<Long> produce(KafkaProducer<String, String> producer, String topic, int partition, List<String> values)
            throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (String value : values) {
            sent.add(producer.send(new ProducerRecord<>(topic, partition, null, value)));
        }
        producer.flush();
        List<Long> offsets = new ArrayList<>();
        for (Future<RecordMetadata> it : sent) {
            offsets.add(it.get().offset());
        }
        return offsets;
    }

    static List<ConsumerRecord<String, String>> take(KafkaConsumer<String, String> consumer, int count) {
        List<ConsumerRecord<String, String>> found = new ArrayList<>();
        long end = System.nanoTime() + Report.PATIENCE.toNanos();
        while (found.size() < count && System.nanoTime() < end) {
            consumer.poll(Duration.ofMillis(200)).forEach(found::add);
        }
        Report.expect(found.size() >= count, "read " + found.size() + " of " + count);
        return found.subList(0, count);
    }

    /** Reads `count` records of a partition without a group's help. */
    static List<ConsumerRecord<String, String>> readFrom(
            Settings settings, String user, int partition, long offset, int count, Map<String, Object> more) {
        try (var consumer = settings.consumer(user, settings.name("reads"), more)) {
            var place = new TopicPartition(settings.topic, partition);
            consumer.assign(List.of(place));
            consumer.seek(place, offset);
            return take(consumer, count);
        }
    }

    static List<String> valuesOf(List<ConsumerRecord<String, String>> records) {
        return records.stream().map(ConsumerRecord::value).toList();
    }

    String login(String mechanism) throws Exception {
        try (Admin admin = Admin.create(settings.base("owner", mechanism, null))) {
            var topics = admin.listTopics().names().get();
            Report.expect(topics.contains(settings.topic), "own topic is not listed: " + topics);
            Report.expect(!topics.contains(settings.foreignTopic), "another tenant's topic is listed");
            var nodes = admin.describeCluster().nodes().get();
            Report.expect(nodes.stream().allMatch(it -> Math.abs(it.port() - settings.port()) < 100), "nodes " + nodes);
            Report.logical(admin.describeTopics(List.of(settings.topic)).allTopicNames().get());
        }
        return null;
    }

    String byToken() throws Exception {
        try (Admin admin = Admin.create(settings.byToken(null))) {
            var topics = admin.listTopics().names().get();
            Report.expect(topics.contains(settings.topic), "own topic is not listed: " + topics);
            Report.expect(!topics.contains(settings.foreignTopic), "another tenant's topic is listed");
        }
        String wrong = "weirs_" + "0".repeat(49);
        Report.refused(Exception.class, () -> Admin.create(settings.byToken(wrong)).close());
        return null;
    }

    String wrongPassword() throws Exception {
        for (String mechanism : List.of("PLAIN", "SCRAM-SHA-512")) {
            try (Admin admin = Admin.create(settings.base("owner", mechanism, "wrong"))) {
                Report.refused(SaslAuthenticationException.class, () -> admin.listTopics().names().get());
            }
        }
        return null;
    }

    String headers() throws Exception {
        var headers = new RecordHeaders();
        headers.add("a", bytes("1")).add("a", bytes("2")).add("empty", new byte[0]).add("null", null);
        try (var producer = settings.producer()) {
            var record = new ProducerRecord<String, String>(settings.topic, 0, null, "key", "with headers", headers);
            long offset = producer.send(record).get().offset();
            var found = readFrom(settings, "owner", 0, offset, 1, Map.of()).get(0);
            List<String> told = new ArrayList<>();
            for (Header it : found.headers()) {
                told.add(it.key() + "=" + (it.value() == null ? null : new String(it.value(), StandardCharsets.UTF_8)));
            }
            Report.equal(told, List.of("a=1", "a=2", "empty=", "null=null"), "headers");
        }
        return null;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    String codec(String name) throws Exception {
        List<String> sent = values(name + " " + "x".repeat(500), 200);
        try (var producer = settings.producer("owner", Map.of("compression.type", name, "linger.ms", 50))) {
            List<Long> offsets = produce(producer, settings.topic, 0, sent);
            Report.equal(valuesOf(readFrom(settings, "owner", 0, offsets.get(0), 200, Map.of())), sent, "values");
        }
        return null;
    }

    String idempotence() throws Exception {
        try (var producer = settings.producer()) {
            List<Long> offsets = produce(producer, settings.topic, 1, values("idempotent", 1000));
            Report.equal(offsets.get(999) - offsets.get(0), 999L, "offsets without gap");
        }
        return null;
    }

    String offsetsByTime() throws Exception {
        // Later than every other record, so that a topic in use serves too.
        long base = System.currentTimeMillis() + 600_000;
        var place = new TopicPartition(settings.topic, 2);
        List<Long> at = new ArrayList<>();
        try (var producer = settings.producer(); Admin admin = settings.admin("owner")) {
            for (int step = 0; step < 5; step++) {
                var record = new ProducerRecord<String, String>(settings.topic, 2, base + step * 1000L, null, "timed");
                at.add(producer.send(record).get().offset());
            }
            for (var asked : Map.of(OffsetSpec.forTimestamp(base + 2500), at.get(3), OffsetSpec.latest(), at.get(4) + 1,
                    OffsetSpec.maxTimestamp(), at.get(4)).entrySet()) {
                ListOffsetsResultInfo found =
                        admin.listOffsets(Map.of(place, asked.getKey())).partitionResult(place).get();
                Report.equal(found.offset(), asked.getValue(), asked.getKey().getClass().getSimpleName());
            }
        }
        return null;
    }

    String foreignTopic() throws Exception {
        try (Admin admin = settings.admin("owner")) {
            Report.refused(UnknownTopicOrPartitionException.class,
                    () -> admin.describeTopics(List.of(settings.foreignTopic)).allTopicNames().get());
        }
        return null;
    }

    /** An administrator makes a topic, changes it, makes it grow, and deletes it. */
    String administer() throws Exception {
        String name = "made-" + settings.run + "-java";
        var resource = new ConfigResource(ConfigResource.Type.TOPIC, name);
        try (Admin admin = settings.admin("administrator")) {
            var topic = new NewTopic(name, 2, (short) -1).configs(Map.of("retention.ms", "7200000"));
            admin.createTopics(List.of(topic)).all().get();
            Report.equal(retention(admin, resource), "7200000", "retention as it was made");
            admin.createPartitions(Map.of(name, NewPartitions.increaseTo(3))).all().get();
            var told = admin.describeTopics(List.of(name)).allTopicNames().get().get(name);
            Report.equal(told.partitions().size(), 3, "partitions");
            var change = new AlterConfigOp(new ConfigEntry("retention.ms", "3600000"), AlterConfigOp.OpType.SET);
            admin.incrementalAlterConfigs(Map.of(resource, List.of(change))).all().get();
            Report.equal(retention(admin, resource), "3600000", "retention as it was changed");
            admin.deleteTopics(List.of(name)).all().get();
            Report.expect(!admin.listTopics().names().get().contains(name), "it is deleted, and listed");
        }
        return null;
    }

    private static String retention(Admin admin, ConfigResource resource) throws Exception {
        return admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms").value();
    }

    String reader() throws Exception {
        try (var producer = settings.producer();
                var forbidden = settings.producer("reader", Map.of("enable.idempotence", false))) {
            long offset = produce(producer, settings.topic, 0, List.of("for readers")).get(0);
            Report.refused(TopicAuthorizationException.class,
                    () -> produce(forbidden, settings.topic, 0, List.of("no")));
            var found = readFrom(settings, "reader", 0, offset, 1, Map.of());
            Report.equal(found.get(0).value(), "for readers", "read by a reader");
        }
        try (var producer = settings.producer("reader", Map.of("transactional.id", settings.name("no")))) {
            Report.refused(TransactionalIdAuthorizationException.class, producer::initTransactions);
        }
        try (Admin admin = settings.admin("reader")) {
            var topic = new NewTopic(settings.topic + "-more", 1, (short) -1);
            Report.refused(TopicAuthorizationException.class, () -> admin.createTopics(List.of(topic)).all().get());
        }
        return null;
    }

    /** May read one topic, and is no member of any group. */
    String stranger() throws Exception {
        try (var producer = settings.producer()) {
            long offset = produce(producer, settings.topic, 0, List.of("for strangers")).get(0);
            var found = readFrom(settings, "stranger", 0, offset, 1, Map.of());
            Report.equal(found.get(0).value(), "for strangers", "its topic");
        }
        try (var consumer = settings.consumer("stranger", settings.name("no"), Map.of())) {
            consumer.assign(List.of(new TopicPartition(settings.groupTopic, 0)));
            consumer.seekToBeginning(consumer.assignment());
            Report.refused(TopicAuthorizationException.class, () -> take(consumer, 1));
        }
        for (String protocol : List.of("classic", "consumer")) {
            try (var consumer = settings.consumer("stranger", settings.name("no"), Map.of("group.protocol", protocol))) {
                consumer.subscribe(List.of(settings.topic));
                Report.refused(GroupAuthorizationException.class, () -> take(consumer, 1));
            }
        }
        return null;
    }
}
