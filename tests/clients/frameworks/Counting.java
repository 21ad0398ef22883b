import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;

/** A Kafka Streams application through the gateway: `Counting SETTINGS`. It counts words, exactly once. */
public final class Counting {
    private static final int WORDS = 20;
    private static final int RECORDS = 8_000;
    private static final Duration LONG = Duration.ofSeconds(120);

    private final Settings settings;
    private final String input;
    private final String output;
    private final String application;

    private Counting(Settings settings) {
        this.settings = settings;
        input = settings.topic;
        output = settings.groupTopic;
        application = settings.run + "-app";
    }

    /** Words are regrouped by a repartition topic and counted in a store with a changelog topic. */
    private Topology topology() {
        var builder = new StreamsBuilder();
        builder.stream(input, Consumed.with(Serdes.String(), Serdes.String()))
                .selectKey((key, word) -> word)
                .groupByKey(Grouped.with("by-word", Serdes.String(), Serdes.String()))
                .count(Materialized.as("counts"))
                .toStream()
                .to(output, Produced.with(Serdes.String(), Serdes.Long()));
        return builder.build();
    }

    private KafkaStreams instance(String user, String id, Path folder, AtomicReference<Throwable> failure) {
        Map<String, Object> all = settings.base(user, "SCRAM-SHA-512", null);
        all.put(StreamsConfig.APPLICATION_ID_CONFIG, id);
        all.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        all.put(StreamsConfig.STATE_DIR_CONFIG, folder.toString());
        all.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        all.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        // Every count is written, so that one too many or too few shows.
        all.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        all.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 200);
        all.put("consumer.auto.offset.reset", "earliest");
        all.put("consumer.session.timeout.ms", 10_000);
        var properties = new java.util.Properties();
        properties.putAll(all);
        var streams = new KafkaStreams(topology(), properties);
        streams.setUncaughtExceptionHandler(error -> {
            failure.set(error);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        return streams;
    }

    private static void until(String what, java.util.function.BooleanSupplier held, AtomicReference<Throwable> failure)
            throws Exception {
        long end = System.nanoTime() + LONG.toNanos();
        while (!held.getAsBoolean()) {
            if (failure.get() != null) {
                throw new IllegalStateException(what, failure.get());
            }
            Report.expect(System.nanoTime() < end, what + ": not within " + LONG);
            Thread.sleep(100);
        }
    }

    private void send(int from, int to) throws Exception {
        try (var producer = settings.producer("owner", Map.of("linger.ms", 5))) {
            for (int number = from; number < to; number++) {
                producer.send(new ProducerRecord<>(input, "word-" + number % WORDS));
            }
        }
    }

    /** A record on every partition that is read is counted once, while instances come and go. */
    String exactlyOnce() throws Exception {
        try (Admin admin = settings.admin("owner")) {
            admin.createTopics(List.of(new NewTopic(input, 4, (short) -1), new NewTopic(output, 3, (short) -1))).all().get();
        }
        var failure = new AtomicReference<Throwable>();
        Path folder = Files.createTempDirectory("counting");
        var first = instance("owner", application, folder.resolve("first"), failure);
        var second = instance("owner", application, folder.resolve("second"), failure);
        try (first; second) {
            first.start();
            send(0, RECORDS / 4);
            until("the first instance runs", () -> first.state() == KafkaStreams.State.RUNNING, failure);
            second.start();
            send(RECORDS / 4, RECORDS / 2);
            until("both instances run", () -> first.state() == KafkaStreams.State.RUNNING
                    && second.state() == KafkaStreams.State.RUNNING, failure);
            send(RECORDS / 2, 3 * RECORDS / 4);
            first.close(Duration.ofSeconds(30));
            send(3 * RECORDS / 4, RECORDS);
            Map<String, List<Long>> counts = read(failure);
            for (int word = 0; word < WORDS; word++) {
                List<Long> expected = new ArrayList<>();
                for (long count = 1; count <= RECORDS / WORDS; count++) {
                    expected.add(count);
                }
                Report.equal(counts.get("word-" + word), expected, "counts of word-" + word);
            }
        } finally {
            second.close(Duration.ofSeconds(30));
        }
        return RECORDS + " records";
    }

    /** What was committed, by word, in the order in which it was written. */
    private Map<String, List<Long>> read(AtomicReference<Throwable> failure) throws Exception {
        Map<String, List<Long>> counts = new HashMap<>();
        Map<String, Object> more = Map.of("isolation.level", "read_committed", "value.deserializer",
                "org.apache.kafka.common.serialization.LongDeserializer");
        try (var consumer = settings.consumer("owner", settings.run + "-checks", more)) {
            consumer.subscribe(List.of(output));
            int[] found = {0};
            until("every count is committed", () -> {
                for (ConsumerRecord<String, ?> it : consumer.poll(Duration.ofMillis(200))) {
                    counts.computeIfAbsent(it.key(), key -> new ArrayList<>()).add((Long) it.value());
                    found[0]++;
                }
                return found[0] >= RECORDS;
            }, failure);
            // Nothing comes after the last one.
            long end = System.nanoTime() + Duration.ofSeconds(2).toNanos();
            while (System.nanoTime() < end) {
                Report.expect(consumer.poll(Duration.ofMillis(200)).isEmpty(), "more than was counted");
            }
        }
        return counts;
    }

    /** The application made its own topics, with the settings that it wants. */
    String internalTopics() throws Exception {
        try (Admin admin = settings.admin("owner")) {
            Set<String> names = new TreeSet<>(admin.listTopics().names().get());
            Report.logical(names);
            names.removeIf(it -> !it.startsWith(application + "-"));
            String changelog = application + "-counts-changelog";
            String repartition = application + "-by-word-repartition";
            Report.equal(names, Set.of(changelog, repartition), "internal topics");
            var resource = new ConfigResource(ConfigResource.Type.TOPIC, changelog);
            var config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
            Report.equal(config.get("cleanup.policy").value(), "compact", "the changelog's policy");
            return names.toString();
        }
    }

    /** A developer may read and write, and cannot make the internal topics: the application says so and ends. */
    String wrongRights() throws Exception {
        var failure = new AtomicReference<Throwable>();
        try (var streams = instance("reader", settings.run + "-refused", Files.createTempDirectory("refused"), failure)) {
            streams.start();
            until("the application ends", () -> streams.state() == KafkaStreams.State.ERROR, new AtomicReference<>());
        }
        StringBuilder said = new StringBuilder();
        for (Throwable it = failure.get(); it != null; it = it.getCause()) {
            said.append(it).append('\n');
        }
        Report.expect(said.toString().contains("uthoriz"), "it should speak of authorization: " + said);
        return said.toString();
    }

    String clear() throws Exception {
        try (Admin admin = settings.admin("owner")) {
            Set<String> names = new TreeSet<>(admin.listTopics().names().get());
            names.removeIf(it -> !it.startsWith(settings.run));
            admin.deleteTopics(names).all().get();
            names.retainAll(admin.listTopics().names().get());
            Report.equal(names, Set.of(), "topics that are left");
        }
        return null;
    }

    public static void main(String[] arguments) throws Exception {
        var counting = new Counting(new Settings(arguments[0]));
        Report.run("exactly once", counting::exactlyOnce);
        Report.run("internal topics", counting::internalTopics);
        Report.run("wrong rights", counting::wrongRights);
        Report.run("cleared", counting::clear);
        // Threads of clients that failed must not hold the program.
        System.exit(0);
    }
}
