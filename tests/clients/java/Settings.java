import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The file that the driver wrote, and clients of its users. */
final class Settings {
    static final String PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule";
    static final String SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule";

    final String topic;
    final String groupTopic;
    final String foreignTopic;
    final String run;
    private final JsonNode values;
    private final String prefix = UUID.randomUUID().toString().substring(0, 8);
    private final AtomicInteger numbers = new AtomicInteger();

    Settings(String path) throws IOException {
        values = new ObjectMapper().readTree(new File(path));
        topic = values.get("topic").asText();
        groupTopic = values.get("group_topic").asText();
        foreignTopic = values.get("foreign_topic").asText();
        run = values.get("run").asText();
    }

    /** A further value of the file. */
    String text(String name) {
        return values.get(name).asText();
    }

    /** A group or transactional id that nobody has used. */
    String name(String what) {
        return what + "-" + prefix + "-" + numbers.incrementAndGet();
    }

    /** {@code name:password} of a user, for what wants both in one. */
    String credentials(String user) {
        JsonNode login = values.get(user);
        return login.get("username").asText() + ":" + login.get("password").asText();
    }

    int port() {
        String bootstrap = values.get("bootstrap").asText();
        return Integer.parseInt(bootstrap.substring(bootstrap.lastIndexOf(':') + 1));
    }

    Map<String, Object> base(String user, String mechanism, String password) {
        JsonNode login = values.get(user);
        String module = mechanism.equals("PLAIN") ? PLAIN : SCRAM;
        String secret = password == null ? login.get("password").asText() : password;
        Map<String, Object> out = new HashMap<>();
        out.put("bootstrap.servers", values.get("bootstrap").asText());
        out.put("security.protocol", "SASL_PLAINTEXT");
        out.put("sasl.mechanism", mechanism);
        out.put("sasl.jaas.config", String.format("%s required username=\"%s\" password=\"%s\";",
                module, login.get("username").asText(), secret));
        out.put("default.api.timeout.ms", 15_000);
        out.put("request.timeout.ms", 10_000);
        return out;
    }

    /** By short-lived tokens, which the client gets by itself. */
    Map<String, Object> byToken(String secret) {
        String url = values.get("token_url").asText();
        System.setProperty("org.apache.kafka.sasl.oauthbearer.allowed.urls", url);
        JsonNode login = values.get("owner");
        Map<String, Object> out = base("owner", "PLAIN", null);
        out.put("sasl.mechanism", "OAUTHBEARER");
        out.put("sasl.oauthbearer.token.endpoint.url", url);
        out.put("sasl.login.callback.handler.class",
                "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler");
        out.put("sasl.jaas.config", String.format(
                "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId=\"%s\" clientSecret=\"%s\";",
                login.get("username").asText(), secret == null ? login.get("password").asText() : secret));
        return out;
    }

    KafkaProducer<String, String> producer(String user, Map<String, Object> more) {
        Map<String, Object> all = base(user, "SCRAM-SHA-256", null);
        all.put("key.serializer", StringSerializer.class);
        all.put("value.serializer", StringSerializer.class);
        all.put("max.block.ms", 15_000);
        all.putAll(more);
        return new KafkaProducer<>(all);
    }

    KafkaProducer<String, String> producer() {
        return producer("owner", Map.of());
    }

    KafkaConsumer<String, String> consumer(String user, String group, Map<String, Object> more) {
        Map<String, Object> all = base(user, "PLAIN", null);
        all.put("key.deserializer", StringDeserializer.class);
        all.put("value.deserializer", StringDeserializer.class);
        all.put("group.id", group);
        all.put("client.id", "the-client");
        all.put("enable.auto.commit", false);
        all.put("auto.offset.reset", "earliest");
        all.putAll(more);
        return new KafkaConsumer<>(all);
    }

    Admin admin(String user) {
        return Admin.create(base(user, "SCRAM-SHA-512", null));
    }
}
