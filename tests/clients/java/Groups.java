import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.TopicPartition;

/** Groups of both protocols. */
final class Groups {
    private final Settings settings;

    Groups(Settings settings) {
        this.settings = settings;
    }

    /** A member of a group that commits what it read; remembers it by partition:offset. */
    private final class Member extends Thread {
        final Set<String> seen = ConcurrentHashMap.newKeySet();
        volatile Set<Integer> assigned = Set.of();
        private volatile boolean leaving;
        private volatile RuntimeException error;
        private final KafkaConsumer<String, String> consumer;

        Member(String group, Map<String, Object> more) {
            consumer = settings.consumer("owner", group, more);
            setDaemon(true);
            start();
        }

        @Override
        public void run() {
            try (consumer) {
                consumer.subscribe(List.of(settings.groupTopic));
                while (!leaving) {
                    consumer.poll(Duration.ofMillis(100)).forEach(it -> seen.add(it.partition() + ":" + it.offset()));
                    assigned = consumer.assignment().stream().map(TopicPartition::partition).collect(Collectors.toSet());
                    consumer.commitAsync();
                }
            } catch (RuntimeException failed) {
                error = failed;
            }
        }

        void leave() throws InterruptedException {
            leaving = true;
            join(Report.PATIENCE.toMillis());
            if (error != null) {
                throw error;
            }
        }
    }

    private static boolean settled(Member... members) {
        List<Integer> held = new ArrayList<>();
        for (Member it : members) {
            if (it.assigned.isEmpty()) {
                return false;
            }
            held.addAll(it.assigned);
        }
        return held.size() == 4 && new HashSet<>(held).size() == 4;
    }

    private void send(Set<String> sent) throws Exception {
        try (var producer = settings.producer()) {
            for (int partition = 0; partition < 4; partition++) {
                for (long it : Records.produce(producer, settings.groupTopic, partition, Records.values("moving", 50))) {
                    sent.add(partition + ":" + it);
                }
            }
        }
    }

    String rebalance(Map<String, Object> more) throws Exception {
        String group = settings.name("moves");
        Set<String> sent = new HashSet<>();
        send(sent);
        Member first = new Member(group, more);
        Report.until("one member with every partition", () -> settled(first));
        Member second = new Member(group, more);
        Report.until("two members that share", () -> settled(first, second));
        send(sent);
        Report.until("a record at the second member", () -> !second.seen.isEmpty());
        second.leave();
        Report.until("one member again", () -> settled(first));
        send(sent);
        Report.until("every record read", () -> sent.stream().allMatch(it -> first.seen.contains(it) || second.seen.contains(it)));
        first.leave();
        return sent.size() + " records, " + second.seen.size() + " by the second member";
    }

    private static void awaitAssignment(KafkaConsumer<String, String> consumer) throws InterruptedException {
        Report.until("an assignment", () -> {
            consumer.poll(Duration.ofMillis(100));
            return !consumer.assignment().isEmpty();
        });
    }

    private static Set<String> topics(KafkaConsumer<String, String> consumer) {
        return consumer.assignment().stream().map(TopicPartition::topic).collect(Collectors.toCollection(TreeSet::new));
    }

    /** A regular expression under KIP-848, resolved by the gateway; and one that the client itself resolves. */
    String patterns() throws Exception {
        String pattern = "^(conformance|foreign)-" + settings.run + "$";
        Map<String, Object> protocol = Map.of("group.protocol", "consumer");
        try (var consumer = settings.consumer("owner", settings.name("pattern"), protocol)) {
            consumer.subscribe(new SubscriptionPattern(pattern));
            awaitAssignment(consumer);
            Report.equal(topics(consumer), Set.of(settings.topic), "topics that match");
        }
        try (var consumer = settings.consumer("owner", settings.name("pattern"), Map.of())) {
            consumer.subscribe(Pattern.compile(pattern));
            awaitAssignment(consumer);
            Report.equal(topics(consumer), Set.of(settings.topic), "topics that match by the client");
        }
        return null;
    }

    String describe(String protocol) throws Exception {
        String group = settings.name("described");
        try (Admin admin = settings.admin("owner");
                var consumer = settings.consumer("owner", group, Map.of("group.protocol", protocol))) {
            consumer.subscribe(List.of(settings.topic));
            awaitAssignment(consumer);
            var found = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
            Report.equal(found.members().size(), 1, "members");
            var member = found.members().iterator().next();
            Report.equal(member.clientId(), "the-client", "client id");
            var places = Set.of(0, 1, 2, 3).stream().map(it -> new TopicPartition(settings.topic, it));
            Report.equal(member.assignment().topicPartitions(), places.collect(Collectors.toSet()), "assignment");
            Report.expect(Math.abs(found.coordinator().port() - settings.port()) < 100, "coordinator " + found.coordinator());
            Report.logical(found);
            var all = admin.listGroups().all().get();
            Report.expect(all.stream().anyMatch(it -> it.groupId().equals(group)), "the group is not listed");
            Report.logical(all);
        }
        return null;
    }

    String commitAndFetch() throws Exception {
        String group = settings.name("commits");
        var place = new TopicPartition(settings.topic, 3);
        try (Admin admin = settings.admin("owner"); var consumer = settings.consumer("owner", group, Map.of())) {
            consumer.assign(List.of(place));
            consumer.commitSync(Map.of(place, new OffsetAndMetadata(4, "half")));
            var back = consumer.committed(Set.of(place)).get(place);
            Report.equal(back.offset() + " " + back.metadata(), "4 half", "committed offset and metadata");
            var listed = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
            Report.equal(listed.keySet(), Set.of(place), "offsets by the admin client");
        }
        return null;
    }

    /** The other tenant's topic and group of the same names are others. */
    String sameNames() throws Exception {
        String group = settings.name("twin");
        var place = new TopicPartition(settings.topic, 0);
        String marker = "mine-" + settings.run;
        try (var producer = settings.producer(); var theirs = settings.producer("other", Map.of());
                var mine = settings.consumer("owner", group, Map.of());
                var other = settings.consumer("other", group, Map.of())) {
            long offset = Records.produce(producer, settings.topic, 0, List.of(marker)).get(0);
            Records.produce(theirs, settings.topic, 0, List.of("theirs"));
            mine.commitSync(Map.of(place, new OffsetAndMetadata(offset)));
            Report.equal(other.committed(Set.of(place)).get(place), null, "the other tenant's group of the same name");
            other.commitSync(Map.of(place, new OffsetAndMetadata(1)));
            Report.equal(mine.committed(Set.of(place)).get(place).offset(), offset, "own offset afterwards");
            Report.equal(other.partitionsFor(settings.topic).size(), 2, "partitions of the other tenant's topic");
            other.assign(List.of(place));
            other.seekToBeginning(List.of(place));
            long begin = other.beginningOffsets(List.of(place)).get(place);
            long end = other.endOffsets(List.of(place)).get(place);
            var found = Records.valuesOf(Records.take(other, (int) (end - begin)));
            Report.expect(!found.contains(marker), "the other tenant reads our record");
        }
        return null;
    }
}
