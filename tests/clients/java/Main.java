import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Kafka's Java client through the gateway: `Main SETTINGS`. */
public final class Main {
    private Main() {}

    private static Thread beside(String name, Report.Check check) {
        Thread thread = new Thread(() -> Report.run(name, check));
        thread.start();
        return thread;
    }

    public static void main(String[] arguments) throws Exception {
        var settings = new Settings(arguments[0]);
        var records = new Records(settings);
        var groups = new Groups(settings);
        var transactions = new Transactions(settings);
        Map<String, Object> quick = Map.of("heartbeat.interval.ms", 200);
        Map<String, Object> cooperative = Map.of("heartbeat.interval.ms", 200,
                "partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
        List<Thread> waiting = new ArrayList<>();
        waiting.add(beside("rebalance", () -> groups.rebalance(quick)));
        waiting.add(beside("rebalance cooperative", () -> groups.rebalance(cooperative)));
        waiting.add(beside("rebalance KIP-848", () -> groups.rebalance(Map.of("group.protocol", "consumer"))));

        for (String it : List.of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")) {
            Report.run("login " + it, () -> records.login(it));
        }
        Report.run("login OAUTHBEARER", records::byToken);
        Report.run("wrong password", records::wrongPassword);
        Report.run("headers", records::headers);
        for (String it : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            Report.run("codec " + it, () -> records.codec(it));
        }
        Report.run("idempotence", records::idempotence);
        Report.run("offsets by time", records::offsetsByTime);
        Report.run("commit and fetch", groups::commitAndFetch);
        Report.run("describe group", () -> groups.describe("classic"));
        Report.run("describe group KIP-848", () -> groups.describe("consumer"));
        Report.run("pattern KIP-848", groups::patterns);
        Report.run("transaction", transactions::commitAndAbort);
        Report.run("consume transform produce", transactions::consumeTransformProduce);
        Report.run("fencing", transactions::fencing);
        Report.run("described", transactions::described);
        Report.run("foreign topic", records::foreignTopic);
        Report.run("same names", groups::sameNames);
        Report.run("administration", records::administer);
        Report.run("reader", records::reader);
        Report.run("stranger", records::stranger);
        for (Thread it : waiting) {
            it.join();
        }
    }
}
