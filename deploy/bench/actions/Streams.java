import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.FileReader;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;

/** The steps of the benchmark of ACTION jobs as a Kafka Streams application: settings, source, sink, `filter` or `mask`. */
public class Streams {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        var settings = new Properties();
        try (var file = new FileReader(arguments[0])) {
            settings.load(file);
        }
        settings.put("default.key.serde", Serdes.ByteArraySerde.class);
        settings.put("default.value.serde", Serdes.ByteArraySerde.class);
        var builder = new StreamsBuilder();
        var source = builder.<byte[], byte[]>stream(arguments[1]);
        var done = arguments[3].equals("filter")
                ? source.filter((key, value) -> passes(value))
                : source.mapValues(Streams::masked);
        done.to(arguments[2]);
        var streams = new KafkaStreams(builder.build(), settings);
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
        Thread.currentThread().join();
    }

    /** What was read goes out byte for byte, as from an ACTION job. */
    private static boolean passes(byte[] value) {
        try {
            return JSON.readTree(value).get("customer_1").asLong() > 0;
        } catch (java.io.IOException error) {
            throw new IllegalArgumentException(error);
        }
    }

    private static byte[] masked(byte[] value) {
        try {
            var record = (ObjectNode) JSON.readTree(value);
            record.put("order_0", "***").put("street_2", "***").put("supplier_5", "***");
            return JSON.writeValueAsBytes(record);
        } catch (java.io.IOException error) {
            throw new IllegalArgumentException(error);
        }
    }
}
