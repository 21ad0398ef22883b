import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Load while parts are killed, and the check of its history: `Load SETTINGS`. Idempotent producers write to `topic`,
 * transactional ones to `group_topic`, a group reads along, until the file `stop` exists.
 */
public final class Load {
    private static final int WRITERS = 2;
    private static final int PER_TRANSACTION = 10;
    private static final Map<String, Object> PATIENT = Map.of("delivery.timeout.ms", 900_000, "max.block.ms", 300_000,
            "default.api.timeout.ms", 120_000, "linger.ms", 5, "acks", "all");

    /**
     * One request at a time. A broker that starts again after a kill remembers only the last batch of each producer
     * (its snapshots hold no more), so the retry of an earlier one is "out of order" to it, and the client sends it
     * again under a new epoch: with more requests in flight, and one copy of the log, Kafka itself doubles batches.
     */
    private static final Map<String, Object> ONCE = Map.of("max.in.flight.requests.per.connection", 1);

    /** What became of something that was sent. */
    private enum Fate { ACKNOWLEDGED, ABORTED, UNKNOWN }

    private final Settings settings;
    private final Path stop;
    private final Path progress;
    private final AtomicLong passed = new AtomicLong();
    private final AtomicLong complaints = new AtomicLong();
    /** By writer, in the order of the numbers. */
    private final List<List<Fate>> records = new ArrayList<>();
    private final List<List<Fate>> transactions = new ArrayList<>();
    /** Why transactions were aborted that were not meant to be, by key. */
    private final Map<String, String> stories = new ConcurrentHashMap<>();
    /** When a transaction began and was over, by key. */
    private final Map<String, Instant[]> times = new ConcurrentHashMap<>();

    private Load(Settings settings) {
        this.settings = settings;
        stop = Path.of(settings.text("stop"));
        progress = Path.of(settings.text("progress"));
        for (int writer = 0; writer < WRITERS; writer++) {
            records.add(new ArrayList<>());
            transactions.add(new ArrayList<>());
        }
    }

    private boolean enough() {
        return Files.exists(stop);
    }

    private void complain(Exception error) {
        complaints.incrementAndGet();
        System.err.println(error);
    }

    /** Numbers to one partition, each once. */
    private void write(int writer) {
        List<Fate> fates = records.get(writer);
        var patient = new HashMap<>(PATIENT);
        patient.putAll(ONCE);
        while (!enough()) {
            try (var producer = settings.producer("owner", patient)) {
                while (!enough()) {
                    int number;
                    synchronized (fates) {
                        number = fates.size();
                        fates.add(Fate.UNKNOWN);
                    }
                    String value = number + " " + "x".repeat(number % 200);
                    producer.send(new ProducerRecord<>(settings.topic, writer, "r" + writer, value), (told, error) -> {
                        if (error == null) {
                            synchronized (fates) {
                                fates.set(number, Fate.ACKNOWLEDGED);
                            }
                            passed.incrementAndGet();
                        } else {
                            complain(error);
                        }
                    });
                    if (number % 5 == 0) {
                        Thread.sleep(10);
                    }
                }
            } catch (KafkaException error) {
                complain(error);
            } catch (InterruptedException error) {
                return;
            }
        }
    }

    private KafkaProducer<String, String> transactional(int writer) {
        var more = new HashMap<>(PATIENT);
        more.put("transactional.id", settings.run + "-" + writer);
        more.put("transaction.timeout.ms", 60_000);
        more.put("delivery.timeout.ms", 50_000);
        return settings.producer("owner", more);
    }

    private void transact(int writer) {
        List<Fate> fates = transactions.get(writer);
        while (!enough()) {
            try (var producer = transactional(writer)) {
                initialize(producer);
                while (!enough()) {
                    int number = fates.size();
                    fates.add(Fate.UNKNOWN);
                    Instant begun = Instant.now();
                    try {
                        fates.set(number, one(producer, writer, number));
                    } finally {
                        times.put("t" + writer + "-" + number, new Instant[] {begun, Instant.now()});
                    }
                    passed.addAndGet(PER_TRANSACTION);
                }
            } catch (KafkaException error) {
                // The next producer of this id ends what this one left open.
                complain(error);
            } catch (InterruptedException error) {
                return;
            }
        }
    }

    /** `initTransactions` may be called again when its time was up. */
    private static void initialize(KafkaProducer<String, String> producer) {
        for (int attempt = 0; ; attempt++) {
            try {
                producer.initTransactions();
                return;
            } catch (TimeoutException late) {
                if (attempt == 5) {
                    throw late;
                }
            }
        }
    }

    /** One transaction; throws when nobody knows what became of it. */
    private Fate one(KafkaProducer<String, String> producer, int writer, int number) throws InterruptedException {
        producer.beginTransaction();
        try {
            for (int part = 0; part < PER_TRANSACTION; part++) {
                String key = "t" + writer + "-" + number;
                producer.send(new ProducerRecord<>(settings.groupTopic, part % WRITERS, key, number + " " + part));
            }
            Thread.sleep(30);
            if (number % 7 == 3) {
                producer.abortTransaction();
                return Fate.ABORTED;
            }
            producer.flush();
            commit(producer);
            return Fate.ACKNOWLEDGED;
        } catch (TimeoutException late) {
            throw late;
        } catch (KafkaException error) {
            complain(error);
            stories.put("t" + writer + "-" + number, Instant.now() + " " + error);
            // Succeeds only while the transaction is open.
            producer.abortTransaction();
            return Fate.ABORTED;
        }
    }

    /** A commit may be asked for again when its time was up. */
    private static void commit(KafkaProducer<String, String> producer) {
        for (int attempt = 0; ; attempt++) {
            try {
                producer.commitTransaction();
                return;
            } catch (TimeoutException late) {
                if (attempt == 5) {
                    throw late;
                }
            }
        }
    }

    /** A member of a group that commits as it goes. */
    private void follow() {
        Map<String, Object> more = Map.of("isolation.level", "read_committed", "default.api.timeout.ms", 120_000);
        while (!enough()) {
            try (var consumer = settings.consumer("owner", settings.run + "-followers", more)) {
                consumer.subscribe(List.of(settings.topic, settings.groupTopic));
                while (!enough()) {
                    if (!consumer.poll(Duration.ofMillis(200)).isEmpty()) {
                        consumer.commitSync();
                    }
                }
            } catch (KafkaException error) {
                complain(error);
            }
        }
    }

    private void tell() {
        Path fresh = progress.resolveSibling("progress.new");
        try {
            while (!enough()) {
                Files.writeString(fresh, passed.toString());
                Files.move(fresh, progress, StandardCopyOption.ATOMIC_MOVE);
                Thread.sleep(100);
            }
        } catch (java.io.IOException | InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    private List<ConsumerRecord<String, String>> committed(String topic) {
        List<ConsumerRecord<String, String>> all = new ArrayList<>();
        Map<String, Object> more = Map.of("isolation.level", "read_committed", "default.api.timeout.ms", 120_000);
        try (var consumer = settings.consumer("owner", settings.name("check"), more)) {
            List<TopicPartition> places = new ArrayList<>();
            for (int partition = 0; partition < WRITERS; partition++) {
                places.add(new TopicPartition(topic, partition));
            }
            consumer.assign(places);
            consumer.seekToBeginning(places);
            var ends = consumer.endOffsets(places);
            while (!places.stream().allMatch(it -> consumer.position(it) >= ends.get(it))) {
                consumer.poll(Duration.ofMillis(200)).forEach(all::add);
            }
        }
        return all;
    }

    private static int number(ConsumerRecord<String, String> it) {
        return Integer.parseInt(it.value().substring(0, it.value().indexOf(' ')));
    }

    String checkRecords() {
        var found = committed(settings.topic);
        long acknowledged = 0;
        long unknown = 0;
        for (int writer = 0; writer < WRITERS; writer++) {
            List<Fate> fates = records.get(writer);
            int[] times = new int[fates.size()];
            int last = -1;
            for (var it : found) {
                if (it.partition() == writer) {
                    times[number(it)]++;
                    Report.expect(number(it) >= last, "order: " + number(it) + " after " + last);
                    last = number(it);
                }
            }
            for (int number = 0; number < fates.size(); number++) {
                boolean sure = fates.get(number) == Fate.ACKNOWLEDGED;
                Report.expect(times[number] <= 1, "record " + number + " of writer " + writer + " is there twice");
                Report.expect(!sure || times[number] == 1, "record " + number + " of writer " + writer + " is lost");
                acknowledged += sure ? 1 : 0;
                unknown += sure ? 0 : 1;
            }
        }
        return acknowledged + " acknowledged, " + unknown + " unknown, " + found.size() + " found";
    }

    /**
     * When the broker gave up the end of a transaction, by transactional id. Apache Kafka 4.3.1 (and 4.4.0) takes a partition
     * without a leader for a deleted one: a lone broker that starts after a kill completes what it finds half ended
     * without writing markers, while it is not yet its own leader. Such a transaction ends as the next one of its id does.
     * The broker tells so in its log, and nothing before it could; whatever the log does not tell is no excuse.
     */
    private Map<String, List<Instant>> forgottenMarkers() {
        var line = Pattern.compile("^\\[(\\S+ \\S+)\\] .*Couldn't find leader endpoint .* for \\S*?(" + settings.run + "-\\d+),");
        var form = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss,SSS").withZone(ZoneId.systemDefault());
        Map<String, List<Instant>> found = new HashMap<>();
        // With those that were rolled over: the log's name and a number.
        Path log = Path.of(settings.text("broker_log"));
        try (var files = Files.newDirectoryStream(log.getParent(), log.getFileName() + "*")) {
            for (Path file : files) {
                try (Stream<String> lines = Files.lines(file)) {
                    lines.map(line::matcher).filter(Matcher::find).forEach(it -> found
                            .computeIfAbsent(it.group(2), id -> new ArrayList<>()).add(Instant.from(form.parse(it.group(1)))));
                }
            }
        } catch (java.io.IOException error) {
            throw new IllegalStateException(error);
        }
        return found;
    }

    String checkTransactions() {
        // What was left open is ended by its next producer.
        for (int writer = 0; writer < WRITERS; writer++) {
            try (var producer = transactional(writer)) {
                initialize(producer);
            }
        }
        Map<String, Map<String, Integer>> found = new HashMap<>();
        Map<String, List<String>> places = new HashMap<>();
        for (var it : committed(settings.groupTopic)) {
            found.computeIfAbsent(it.key(), key -> new HashMap<>()).merge(it.value(), 1, Integer::sum);
            String place = "partition " + it.partition() + " offset " + it.offset() + " of " + Instant.ofEpochMilli(it.timestamp());
            places.computeIfAbsent(it.key(), key -> new ArrayList<>()).add(place);
        }
        var counts = new HashMap<Fate, Integer>();
        var forgotten = forgottenMarkers();
        List<String> swapped = new ArrayList<>();
        for (int writer = 0; writer < WRITERS; writer++) {
            List<Fate> fates = transactions.get(writer);
            for (int number = 0; number < fates.size(); number++) {
                String key = "t" + writer + "-" + number;
                var parts = found.getOrDefault(key, Map.of());
                Report.expect(parts.values().stream().allMatch(it -> it == 1), key + " is there twice: " + parts);
                Fate fate = fates.get(number);
                counts.merge(fate, 1, Integer::sum);
                boolean whole = parts.isEmpty() || parts.size() == PER_TRANSACTION;
                if (!whole || fate != Fate.UNKNOWN && parts.isEmpty() != (fate == Fate.ABORTED)) {
                    String story = key + " is " + fate + " (" + stories.getOrDefault(key, "as planned") + ") and "
                            + (parts.isEmpty() ? "not there" : parts.size() + " records of it are: " + places.get(key));
                    Instant[] time = times.get(key);
                    boolean known = forgotten.getOrDefault(settings.run + "-" + writer, List.of()).stream()
                            .anyMatch(at -> !at.isBefore(time[0]) && !at.isAfter(time[1].plusSeconds(1)));
                    Report.expect(known, story);
                    swapped.add(story);
                }
            }
        }
        return counts + ", ended by their successors since the broker forgot their markers: " + swapped;
    }

    public static void main(String[] arguments) throws Exception {
        var load = new Load(new Settings(arguments[0]));
        List<Thread> threads = new ArrayList<>();
        for (int writer = 0; writer < WRITERS; writer++) {
            int mine = writer;
            threads.add(new Thread(() -> load.write(mine)));
            threads.add(new Thread(() -> load.transact(mine)));
        }
        threads.add(new Thread(load::follow));
        threads.add(new Thread(load::tell));
        threads.forEach(Thread::start);
        for (Thread it : threads) {
            it.join();
        }
        Report.run("records", load::checkRecords);
        Report.run("transactions", load::checkTransactions);
        Report.run("complaints", () -> load.complaints + " errors were shown to the application");
    }
}
