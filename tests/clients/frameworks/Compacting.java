import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicAuthorizationException;

/** A compacted topic through the gateway: `Compacting SETTINGS`. */
public final class Compacting {
    private static final int KEYS = 50;
    private static final int ROUNDS = 100;
    private static final int DELETED = 10;
    private static final Duration LONG = Duration.ofSeconds(150);

    private final Settings settings;

    private Compacting(Settings settings) {
        this.settings = settings;
    }

    private static String padded(String text) {
        char[] rest = new char[1000];
        Arrays.fill(rest, '.');
        return text + new String(rest);
    }

    /** Old values go, the newest of each key stays, tombstones delete. */
    String newestOfEachKey() throws Exception {
        var topic = new NewTopic(settings.topic, 1, (short) -1).configs(Map.of("cleanup.policy", "compact",
                "segment.bytes", "1048576", "min.cleanable.dirty.ratio", "0.01", "delete.retention.ms", "60000"));
        try (Admin admin = settings.admin("owner")) {
            admin.createTopics(List.of(topic)).all().get();
        }
        try (var producer = settings.producer("owner", Map.of("linger.ms", 5, "acks", "all"))) {
            for (int round = 0; round < ROUNDS; round++) {
                for (int key = 0; key < KEYS; key++) {
                    producer.send(new ProducerRecord<>(settings.topic, 0, "key-" + key, padded("round " + round + " ")));
                }
            }
            for (int key = 0; key < DELETED; key++) {
                producer.send(new ProducerRecord<>(settings.topic, 0, "key-" + key, null));
            }
            // The segment that is written is never compacted.
            for (int filler = 0; filler < 1_500; filler++) {
                producer.send(new ProducerRecord<>(settings.topic, 0, "filler", padded("filler " + filler)));
            }
        }
        long end = System.nanoTime() + LONG.toNanos();
        while (true) {
            List<ConsumerRecord<String, String>> all = read();
            check(all);
            long old = all.stream().filter(it -> it.key().startsWith("key-")).count();
            if (old <= KEYS) {
                return old + " of " + KEYS * ROUNDS + " records are left";
            }
            Report.expect(System.nanoTime() < end, "not compacted: " + old + " records");
            Thread.sleep(1_000);
        }
    }

    /** At any time: each key's last record is its newest, offsets rise. */
    private static void check(List<ConsumerRecord<String, String>> all) {
        Map<String, String> newest = new HashMap<>();
        Set<String> seen = new HashSet<>();
        long last = -1;
        for (var it : all) {
            Report.expect(it.offset() > last, "offsets rise: " + it.offset() + " after " + last);
            last = it.offset();
            newest.put(it.key(), it.value());
            seen.add(it.key());
        }
        for (int key = 0; key < KEYS; key++) {
            String value = newest.get("key-" + key);
            String expected = key < DELETED ? null : padded("round " + (ROUNDS - 1) + " ");
            Report.equal(value, expected, "the newest value of key-" + key);
            Report.expect(key < DELETED || seen.contains("key-" + key), "key-" + key + " is gone");
        }
    }

    private List<ConsumerRecord<String, String>> read() {
        var place = new TopicPartition(settings.topic, 0);
        List<ConsumerRecord<String, String>> all = new ArrayList<>();
        try (var consumer = settings.consumer("owner", settings.run, Map.of())) {
            consumer.assign(List.of(place));
            consumer.seekToBeginning(List.of(place));
            long end = consumer.endOffsets(List.of(place)).get(place);
            while (consumer.position(place) < end) {
                consumer.poll(Duration.ofMillis(200)).forEach(all::add);
            }
        }
        return all;
    }

    /** A record without a key cannot be compacted: the broker's refusal reaches the client. */
    String withoutKey() throws Exception {
        try (var producer = settings.producer()) {
            Report.refused(InvalidRecordException.class,
                    () -> producer.send(new ProducerRecord<>(settings.topic, 0, null, "no key")).get());
        }
        return null;
    }

    String wrongRights() throws Exception {
        var topic = new NewTopic(settings.topic + "-more", 1, (short) -1).configs(Map.of("cleanup.policy", "compact"));
        try (Admin admin = settings.admin("reader"); var producer = settings.producer("reader", Map.of("enable.idempotence", false))) {
            Report.refused(TopicAuthorizationException.class, () -> admin.createTopics(List.of(topic)).all().get());
            Report.refused(TopicAuthorizationException.class,
                    () -> producer.send(new ProducerRecord<>(settings.topic, 0, "key-20", null)).get());
        }
        return null;
    }

    String clear() throws Exception {
        try (Admin admin = settings.admin("owner")) {
            admin.deleteTopics(List.of(settings.topic)).all().get();
        }
        return null;
    }

    public static void main(String[] arguments) throws Exception {
        var compacting = new Compacting(new Settings(arguments[0]));
        Report.run("newest of each key", compacting::newestOfEachKey);
        Report.run("without a key", compacting::withoutKey);
        Report.run("wrong rights", compacting::wrongRights);
        Report.run("cleared", compacting::clear);
    }
}
