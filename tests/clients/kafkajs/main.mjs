// kafkajs through the gateway: `node main.mjs SETTINGS [CHECK ...]`. One JSON line per check.
import {
  admin,
  asked,
  batch,
  client,
  CompressionTypes,
  equal,
  expect,
  kafkajs,
  logical,
  name,
  PATIENCE_MS,
  producing,
  readFrom,
  refused,
  run,
  send,
  settings,
  until,
  using,
} from "./client.mjs";

async function login(mechanism) {
  await admin(async (it) => {
    const topics = await it.listTopics();
    expect(topics.includes(settings.topic), `own topic is not listed: ${topics}`);
    expect(!topics.includes(settings.foreign_topic), "another tenant's topic is listed");
    logical(await it.describeCluster());
  }, "owner", { mechanism });
}

async function wrongPassword() {
  for (const mechanism of ["plain", "scram-sha-256"]) {
    await refused("KafkaJSSASLAuthenticationError", () => admin(() => {}, "owner", { mechanism, password: "wrong" }));
  }
}

async function headers() {
  const topic = settings.topic;
  const sent = { a: ["1", "2"], empty: "", binary: Buffer.from([0, 128, 255]) };
  const offset = await producing((it) => send(it, topic, [{ key: "k", value: "with headers", headers: sent, partition: 0 }]));
  const [found] = await readFrom(topic, 0, offset, 1);
  equal(found.headers.a.map(String), ["1", "2"], "a header twice");
  equal(found.headers.empty.length, 0, "an empty header");
  equal([...found.headers.binary], [0, 128, 255], "a binary header");
}

async function codec(compression) {
  const messages = batch(200, "x".repeat(400), 0);
  const offset = await producing((it) => send(it, settings.topic, messages, { compression }));
  const found = await readFrom(settings.topic, 0, offset, 200);
  equal(found.map((it) => String(it.value)), messages.map((it) => it.value), "values");
}

async function idempotence() {
  await producing(async (it) => {
    const first = await send(it, settings.topic, batch(100, "idempotent", 1));
    equal(await send(it, settings.topic, batch(100, "idempotent", 1)), first + 100, "the second batch's offset");
  }, { idempotent: true, maxInFlightRequests: 1 });
}

async function offsetsByTime() {
  // Later than every other record, so that a topic in use serves too.
  const base = Date.now() + 600_000;
  const at = await producing(async (it) => {
    const offsets = [];
    for (let n = 0; n < 5; n++) {
      offsets.push(await send(it, settings.topic, [{ value: "timed", partition: 2, timestamp: String(base + n * 1000) }]));
    }
    return offsets;
  });
  await admin(async (it) => {
    const found = (await it.fetchTopicOffsetsByTimestamp(settings.topic, base + 2500)).find((it) => it.partition === 2);
    equal(Number(found.offset), at[3], "the first record not older than the time");
    const ends = (await it.fetchTopicOffsets(settings.topic)).find((it) => it.partition === 2);
    equal(Number(ends.high), at[4] + 1, "the end");
  });
}

async function commitAndFetch() {
  const groupId = name("commits");
  await admin(async (it) => {
    await it.setOffsets({ groupId, topic: settings.topic, partitions: [{ partition: 3, offset: "4" }] });
    const [found] = await it.fetchOffsets({ groupId, topics: [settings.topic] });
    const offsets = Object.fromEntries(found.partitions.map((it) => [it.partition, it.offset]));
    equal([offsets[3], offsets[0] ?? "-1"], ["4", "-1"], "committed offsets");
  });
}

/** A member of a group that commits what it read; remembers it by partition:offset. */
async function member(groupId) {
  const consumer = client().consumer({ groupId, heartbeatInterval: 200, sessionTimeout: 10_000, maxWaitTimeInMs: 200 });
  const it = { consumer, seen: new Set(), assigned: [] };
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    it.assigned = payload.memberAssignment[settings.group_topic] ?? [];
  });
  consumer.on(consumer.events.REBALANCING, () => (it.assigned = []));
  await consumer.connect();
  await consumer.subscribe({ topic: settings.group_topic, fromBeginning: true });
  await consumer.run({
    autoCommitThreshold: 1,
    eachMessage: async ({ partition, message }) => void it.seen.add(`${partition}:${message.offset}`),
  });
  return it;
}

async function rebalance() {
  const groupId = name("moves");
  const sent = new Set();
  const fill = () => producing(async (it) => {
    for (let partition = 0; partition < 4; partition++) {
      const first = await send(it, settings.group_topic, batch(50, "moving", partition));
      for (let n = 0; n < 50; n++) sent.add(`${partition}:${first + n}`);
    }
  });
  const settled = (members) => () =>
    members.every((it) => it.assigned.length) &&
    members.flatMap((it) => it.assigned).sort().join() === "0,1,2,3";
  await fill();
  const first = await member(groupId);
  await until("one member with every partition", settled([first]));
  const second = await member(groupId);
  await until("two members that share", settled([first, second]));
  await fill();
  await until("a record at the second member", () => second.seen.size > 0);
  await second.consumer.disconnect();
  await until("one member again", settled([first]));
  await fill();
  await until("every record read", () => [...sent].every((it) => first.seen.has(it) || second.seen.has(it)));
  await first.consumer.disconnect();
  return `${sent.size} records, ${second.seen.size} by the second member`;
}

async function describeGroup() {
  const groupId = name("described");
  await using(client().consumer({ groupId, maxWaitTimeInMs: 200 }), async (consumer) => {
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.subscribe({ topic: settings.topic });
    await consumer.run({ eachMessage: async () => {} });
    await joined;
    await admin(async (it) => {
      const { groups: [found] } = await it.describeGroups([groupId]);
      equal([found.groupId, found.state, found.members.length], [groupId, "Stable", 1], "the group");
      const assignment = kafkajs.AssignerProtocol.MemberAssignment.decode(found.members[0].memberAssignment);
      equal(assignment.assignment, { [settings.topic]: [0, 1, 2, 3] }, "the assignment");
      const { groups } = await it.listGroups();
      expect(groups.some((it) => it.groupId === groupId), "the group is not listed");
      logical(groups);
    });
  });
}

async function transaction() {
  const topic = settings.topic;
  const groupId = name("offsets");
  const more = { transactionalId: name("tx"), idempotent: true, maxInFlightRequests: 1 };
  const [kept, last] = await producing(async (it) => {
    const first = await it.transaction();
    const kept = await send(first, topic, batch(20, "kept", 1));
    await first.sendOffsets({ consumerGroupId: groupId, topics: [{ topic, partitions: [{ partition: 2, offset: "7" }] }] });
    await first.commit();
    const second = await it.transaction();
    await send(second, topic, batch(20, "dropped", 1));
    await second.sendOffsets({ consumerGroupId: groupId, topics: [{ topic, partitions: [{ partition: 2, offset: "9" }] }] });
    await second.abort();
    const third = await it.transaction();
    const last = await send(third, topic, [{ value: "last", partition: 1 }]);
    await third.commit();
    return [kept, last];
  }, more);
  const found = await readFrom(topic, 1, kept, 21);
  equal(found.map((it) => String(it.value).split(" ")[0]), [...Array(20).fill("kept"), "last"], "read_committed");
  const all = await readFrom(topic, 1, kept, 41, { readUncommitted: true });
  equal(Number(all[40].offset), last, "read_uncommitted");
  await until("the committed offset", () => admin(async (it) => {
    const [found] = await it.fetchOffsets({ groupId, topics: [topic] });
    return found.partitions.find((it) => it.partition === 2)?.offset === "7";
  }));
}

async function foreignTopic() {
  await admin((it) => refused("UNKNOWN_TOPIC_OR_PARTITION", () => it.fetchTopicMetadata({ topics: [settings.foreign_topic] })));
}

async function sameNames() {
  const { topic } = settings;
  const groupId = name("twin");
  const partitions = [{ partition: 0, offset: "3" }];
  await admin((it) => it.setOffsets({ groupId, topic, partitions }));
  const theirs = await admin((it) => it.fetchOffsets({ groupId, topics: [topic] }), "other");
  expect(theirs[0].partitions.every((it) => it.offset === "-1"), `the other tenant's group: ${JSON.stringify(theirs)}`);
  const metadata = await admin((it) => it.fetchTopicMetadata({ topics: [topic] }), "other");
  equal(metadata.topics[0].partitions.length, 2, "partitions of the other tenant's topic");
}

/** An administrator makes a topic, changes it, makes it grow, and deletes it. */
async function administer() {
  const topic = `made-${settings.run}-js`;
  await admin(async (it) => {
    const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic };
    const retention = async () => {
      const { resources: [found] } = await it.describeConfigs({ resources: [resource], includeSynonyms: false });
      return found.configEntries.find((it) => it.configName === "retention.ms")?.configValue;
    };
    const made = { topic, numPartitions: 2, configEntries: [{ name: "retention.ms", value: "7200000" }] };
    expect(await it.createTopics({ topics: [made], timeout: PATIENCE_MS }), "it was not made");
    equal(await retention(), "7200000", "retention as it was made");
    await it.createPartitions({ topicPartitions: [{ topic, count: 3 }], timeout: PATIENCE_MS });
    const { topics: [told] } = await it.fetchTopicMetadata({ topics: [topic] });
    equal(told.partitions.length, 3, "partitions");
    const changed = { ...resource, configEntries: [{ name: "retention.ms", value: "3600000" }] };
    await it.alterConfigs({ validateOnly: false, resources: [changed] });
    equal(await retention(), "3600000", "retention as it was changed");
    await it.deleteTopics({ topics: [topic], timeout: PATIENCE_MS });
    expect(!(await it.listTopics()).includes(topic), "it is deleted, and listed");
  }, "administrator");
}

async function reader() {
  const { topic } = settings;
  const offset = await producing((it) => send(it, topic, [{ value: "for readers", partition: 0 }]));
  await producing((it) => refused("TOPIC_AUTHORIZATION_FAILED", () => send(it, topic, [{ value: "no", partition: 0 }])), {}, "reader");
  const [found] = await readFrom(topic, 0, offset, 1, { user: "reader" });
  equal(String(found.value), "for readers", "read by a reader");
  await admin((it) => refused("TOPIC_AUTHORIZATION_FAILED", () => it.createTopics({ topics: [{ topic: `${topic}-more` }] })), "reader");
  const more = { transactionalId: name("no"), idempotent: true, maxInFlightRequests: 1 };
  // Every producer of transactions asks for an id without one first.
  const producer = client("reader").producer(more);
  await refused("CLUSTER_AUTHORIZATION_FAILED", () => producer.connect());
  await producer.disconnect();
}

/** May see one topic, and is no member of any group. */
async function stranger() {
  const { topic, group_topic: hidden } = settings;
  await admin(async (it) => {
    equal(await it.listTopics(), [topic], "its topics");
    await refused("TOPIC_AUTHORIZATION_FAILED", () => it.fetchTopicMetadata({ topics: [hidden] }));
  }, "stranger");
  // Else it starts itself again, for ever.
  const once = { restartOnFailure: async () => false };
  await using(client("stranger").consumer({ groupId: name("no"), retry: once }), async (consumer) => {
    const crashed = new Promise((resolve) => consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.error)));
    await consumer.subscribe({ topic });
    // What kafkajs makes of GROUP_AUTHORIZATION_FAILED: it asks the next broker, and there is none.
    await refused("KafkaJSGroupCoordinatorNotFound", async () => {
      await consumer.run({ eachMessage: async () => {} });
      throw await crashed;
    });
  });
}

const checks = [
  ["login PLAIN", () => login("plain")],
  ["login SCRAM-SHA-256", () => login("scram-sha-256")],
  ["login SCRAM-SHA-512", () => login("scram-sha-512")],
  ["wrong password", wrongPassword],
  ["headers", headers],
  ["codec gzip", () => codec(CompressionTypes.GZIP)],
  ["codec snappy", () => codec(CompressionTypes.Snappy)],
  ["idempotence", idempotence],
  ["offsets by time", offsetsByTime],
  ["describe group", describeGroup],
  ["transaction", transaction],
  ["foreign topic", foreignTopic],
  ["administration", administer],
  ["reader", reader],
  ["stranger", stranger],
];

// What waits on groups runs beside the rest.
const waiting = [["rebalance", rebalance], ["commit and fetch", commitAndFetch], ["same names", sameNames]];
const beside = waiting.filter(([name]) => asked(name)).map(([name, check]) => run(name, check));
for (const [name, check] of checks.filter(([name]) => asked(name))) await run(name, check);
await Promise.all(beside);
