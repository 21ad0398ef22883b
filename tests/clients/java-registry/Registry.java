import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericData;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumReader;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumWriter;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.apache.flink.avro.shaded.org.apache.avro.io.DecoderFactory;
import org.apache.flink.avro.shaded.org.apache.avro.io.EncoderFactory;
import org.apache.flink.formats.avro.registry.confluent.ConfluentSchemaRegistryCoder;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Confluent's own registry client in Java and Flink's coder on top of it, both as Flink ships them (flink-sql-avro-confluent-registry),
 * with {@code /registry}: {@code Registry SETTINGS}.
 */
public final class Registry {
    private static final String FIRST = "{\"type\":\"record\",\"name\":\"Payment\",\"fields\":[{\"name\":\"card\",\"type\":\"string\"}]}";
    private static final String SECOND = "{\"type\":\"record\",\"name\":\"Payment\",\"fields\":[{\"name\":\"card\",\"type\":\"string\"},"
            + "{\"name\":\"note\",\"type\":\"string\",\"default\":\"-\"}]}";
    private static final String BROKEN = "{\"type\":\"record\",\"name\":\"Payment\",\"fields\":[{\"name\":\"card\",\"type\":\"string\"},"
            + "{\"name\":\"note\",\"type\":\"string\"}]}";

    private Registry() {}

    public static void main(String[] arguments) throws Exception {
        var settings = new Settings(arguments[0]);
        Report.run("registry client", () -> client(settings));
        Report.run("compatibility", () -> compatibility(settings));
        Report.run("flink's coder", () -> coder(settings));
        Report.run("rights", () -> rights(settings));
    }

    private static SchemaRegistryClient as(Settings settings, String credentials) {
        Map<String, String> login =
                Map.of("basic.auth.credentials.source", "USER_INFO", "basic.auth.user.info", credentials);
        return new CachedSchemaRegistryClient(settings.text("registry"), 100, login);
    }

    private static SchemaRegistryClient owner(Settings settings) {
        return as(settings, settings.credentials("owner"));
    }

    private static String client(Settings settings) throws Exception {
        var writer = owner(settings);
        String subject = settings.name("java");
        int id = writer.register(subject, new AvroSchema(FIRST));
        // Another client keeps nothing of it.
        var reader = owner(settings);
        Report.equal(reader.getSchemaById(id).canonicalString(), new AvroSchema(FIRST).canonicalString(), "the schema");
        Report.equal(reader.getId(subject, new AvroSchema(FIRST)), id, "its id under the subject");
        Report.equal(reader.getVersion(subject, new AvroSchema(FIRST)), 1, "its version");
        Report.equal(writer.register(subject, new AvroSchema(SECOND)) == id, false, "another schema has the id");
        Report.equal(reader.getAllVersions(subject), List.of(1, 2), "the versions");
        Report.equal(owner(settings).getLatestSchemaMetadata(subject).getVersion(), 2, "the newest");
        Report.expect(reader.getAllSubjects().contains(subject), "the subject is listed");
        Report.equal(reader.getAllSubjectsById(id), List.of(subject), "whose schema it is");
        Report.equal(writer.deleteSubject(subject), List.of(1, 2), "what was deleted");
        refused(40401, () -> owner(settings).getLatestSchemaMetadata(subject));
        return "id " + id;
    }

    private static String compatibility(Settings settings) throws Exception {
        var client = owner(settings);
        String subject = settings.name("java");
        client.register(subject, new AvroSchema(FIRST));
        Report.expect(client.testCompatibility(subject, new AvroSchema(SECOND)), "a field with a default is compatible");
        Report.expect(!client.testCompatibility(subject, new AvroSchema(BROKEN)), "one without is not");
        List<String> said = client.testCompatibilityVerbose(subject, new AvroSchema(BROKEN));
        Report.expect(String.join(" ", said).contains("note"), "the violation names the field: " + said);
        refused(409, () -> client.register(subject, new AvroSchema(BROKEN)));
        Report.equal(client.updateCompatibility(subject, "NONE"), "NONE", "the level");
        Report.equal(client.getCompatibility(subject), "NONE", "the level, asked for");
        client.register(subject, new AvroSchema(BROKEN));
        return said.get(0);
    }

    /** Written by Flink's coder, through the gateway, read by the schema that the frame names. */
    private static String coder(Settings settings) throws Exception {
        var schema = new Schema.Parser().parse(FIRST);
        GenericRecord record = new GenericData.Record(schema);
        record.put("card", "4000-1");
        var framed = new ByteArrayOutputStream();
        new ConfluentSchemaRegistryCoder(settings.topic + "-value", owner(settings)).writeSchema(schema, framed);
        var encoder = EncoderFactory.get().directBinaryEncoder(framed, null);
        new GenericDatumWriter<GenericRecord>(schema).write(record, encoder);
        encoder.flush();
        ConsumerRecord<byte[], byte[]> found = through(settings, framed.toByteArray());
        var frame = new ByteArrayInputStream(found.value());
        var written = new ConfluentSchemaRegistryCoder(owner(settings)).readSchema(frame);
        Report.equal(written, schema, "the schema of the frame");
        var decoder = DecoderFactory.get().directBinaryDecoder(frame, null);
        Report.equal(new GenericDatumReader<GenericRecord>(written).read(null, decoder), record, "the record");
        return found.value().length + " bytes";
    }

    private static ConsumerRecord<byte[], byte[]> through(Settings settings, byte[] value) throws Exception {
        var place = new TopicPartition(settings.topic, 0);
        Map<String, Object> owner = settings.base("owner", "PLAIN", null);
        try (var producer = new KafkaProducer<>(owner, new ByteArraySerializer(), new ByteArraySerializer());
                var consumer = new KafkaConsumer<>(owner, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            var sent = producer.send(new ProducerRecord<>(settings.topic, 0, null, value)).get(20, TimeUnit.SECONDS);
            consumer.assign(List.of(place));
            consumer.seek(place, sent.offset());
            List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
            Report.until("the record", () -> {
                consumer.poll(Duration.ofMillis(200)).forEach(found::add);
                return !found.isEmpty();
            });
            return found.get(0);
        }
    }

    private static String rights(Settings settings) throws Exception {
        refused(401, () -> as(settings, settings.credentials("owner") + "x").getAllSubjects());
        String subject = settings.name("java");
        owner(settings).register(subject, new AvroSchema(FIRST));
        Report.expect(!as(settings, settings.credentials("other")).getAllSubjects().contains(subject),
                "another tenant does not see the subject");
        return null;
    }

    /** The registry answers this status, or this code of its own. */
    private static void refused(int code, Report.Act act) throws Exception {
        try {
            act.run();
        } catch (RestClientException error) {
            Report.expect(error.getStatus() == code || error.getErrorCode() == code, "it says " + error);
            return;
        }
        throw new AssertionError("it succeeded, and should be refused with " + code);
    }
}
