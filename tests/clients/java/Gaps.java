import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** What {@code gaps.py} of confluent-kafka left, by Kafka's Java client: {@code Gaps SETTINGS}. */
public final class Gaps {
    private static final Duration QUIET = Duration.ofSeconds(3);

    private Gaps() {}

    public static void main(String[] arguments) throws Exception {
        var settings = new Settings(arguments[0]);
        for (String isolation : List.of("read_uncommitted", "read_committed")) {
            Report.run("gaps " + isolation, () -> gaps(settings, isolation));
        }
    }

    /** The good records, none of what is withheld, and what comes behind it. */
    private static String gaps(Settings settings, String isolation) throws Exception {
        Map<String, Object> reading = settings.base("owner", "PLAIN", null);
        reading.put("isolation.level", isolation);
        var bytes = new ByteArrayDeserializer();
        var place = new TopicPartition(settings.topic, 3);
        List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
        try (var consumer = new KafkaConsumer<>(reading, bytes, bytes);
                var producer = new KafkaProducer<>(settings.base("owner", "PLAIN", null),
                        new ByteArraySerializer(), new ByteArraySerializer())) {
            consumer.assign(List.of(place));
            consumer.seek(place, 0);
            long end = consumer.endOffsets(List.of(place)).get(place);
            Report.until("the end of the log", () -> {
                consumer.poll(Duration.ofMillis(200)).forEach(found::add);
                return consumer.position(place) == end;
            });
            int count = found.size();
            Report.expect(count >= 2, "the good are read: " + count);
            consumer.poll(QUIET).forEach(found::add);
            Report.equal(found.size(), count, "nothing comes out of a gap");
            var sent = producer.send(new ProducerRecord<>(settings.topic, 3, null, found.get(0).value()));
            long offset = sent.get(20, TimeUnit.SECONDS).offset();
            Report.until("the record behind the gap", () -> {
                consumer.poll(Duration.ofMillis(200)).forEach(found::add);
                return found.size() > count;
            });
            Report.equal(found.get(count).offset(), offset, "its offset");
        }
        return found.size() + " records";
    }
}
