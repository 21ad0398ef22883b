import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;

/** Exactly once. */
final class Transactions {
    private static final Map<String, Object> COMMITTED = Map.of("isolation.level", "read_committed");
    private final Settings settings;

    Transactions(Settings settings) {
        this.settings = settings;
    }

    private KafkaProducer<String, String> producer(String name) {
        var producer = settings.producer("owner", Map.of("transactional.id", name));
        producer.initTransactions();
        return producer;
    }

    String commitAndAbort() throws Exception {
        try (var producer = producer(settings.name("tx"))) {
            producer.beginTransaction();
            var kept = Records.produce(producer, settings.topic, 1, Collections.nCopies(20, "kept"));
            producer.commitTransaction();
            producer.beginTransaction();
            Records.produce(producer, settings.topic, 1, Collections.nCopies(20, "dropped"));
            producer.abortTransaction();
            producer.beginTransaction();
            var last = Records.produce(producer, settings.topic, 1, List.of("last"));
            producer.commitTransaction();
            List<String> expected = new ArrayList<>(Collections.nCopies(20, "kept"));
            expected.add("last");
            var found = Records.readFrom(settings, "owner", 1, kept.get(0), 21, COMMITTED);
            Report.equal(Records.valuesOf(found), expected, "read_committed");
            var all = Records.readFrom(settings, "owner", 1, kept.get(0), 41, Map.of());
            Report.equal(all.get(40).offset(), last.get(0), "read_uncommitted");
        }
        return null;
    }

    String consumeTransformProduce() throws Exception {
        String group = settings.name("ctp");
        var place = new TopicPartition(settings.topic, 2);
        try (var plain = settings.producer(); var consumer = settings.consumer("owner", group, COMMITTED);
                var producer = producer(settings.name("ctp"))) {
            var inputs = Records.produce(plain, settings.topic, 2, Records.values("in", 10));
            consumer.assign(List.of(place));
            var next = Map.of(place, new OffsetAndMetadata(inputs.get(9) + 1));
            for (boolean commits : new boolean[] {false, true}) {
                producer.beginTransaction();
                Records.produce(producer, settings.topic, 3, Records.values("out", 10));
                producer.sendOffsetsToTransaction(next, consumer.groupMetadata());
                if (commits) {
                    producer.commitTransaction();
                } else {
                    producer.abortTransaction();
                    Report.equal(consumer.committed(Set.of(place)).get(place), null, "an aborted transaction's offset");
                }
            }
            Report.equal(consumer.committed(Set.of(place)).get(place).offset(), inputs.get(9) + 1, "committed offset");
        }
        return null;
    }

    String fencing() throws Exception {
        String name = settings.name("fenced");
        var old = producer(name);
        old.beginTransaction();
        Records.produce(old, settings.topic, 0, List.of("of the old"));
        try (var fresh = producer(name)) {
            try {
                old.commitTransaction();
                throw new AssertionError("the old producer committed");
            } catch (ProducerFencedException | InvalidProducerEpochException fenced) {
                return fenced.getClass().getSimpleName();
            }
        } finally {
            old.close(java.time.Duration.ZERO);
        }
    }

    String described() throws Exception {
        String name = settings.name("told");
        try (var producer = producer(name); Admin admin = settings.admin("owner")) {
            producer.beginTransaction();
            Records.produce(producer, settings.topic, 0, List.of("open"));
            var found = admin.describeTransactions(List.of(name)).description(name).get();
            Report.equal(found.topicPartitions(), Set.of(new TopicPartition(settings.topic, 0)), "the transaction's partitions");
            var listed = admin.listTransactions().all().get();
            Report.expect(listed.stream().anyMatch(it -> it.transactionalId().equals(name)), "it is not listed: " + listed);
            Report.logical(listed);
            var place = new TopicPartition(settings.topic, 0);
            var producers = admin.describeProducers(List.of(place)).partitionResult(place).get().activeProducers();
            Report.expect(!producers.isEmpty(), "no producers");
            producer.commitTransaction();
        }
        return null;
    }
}
