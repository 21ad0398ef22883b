// What `gaps.py` of confluent-kafka left, by kafkajs: `node gaps.mjs SETTINGS`. One JSON line.
import { client, equal, name, producing, run, send, settings, until, using } from "./client.mjs";

const QUIET_MS = 3000;

/** The good records, none of what is withheld, what comes behind it, and no asking without a pause. */
async function gaps() {
  const { topic } = settings;
  const found = [];
  let fetches = 0;
  await using(client().consumer({ groupId: name("gaps"), maxWaitTimeInMs: 200 }), async (consumer) => {
    consumer.on(consumer.events.FETCH, () => { fetches += 1; });
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => { if (partition === 3) found.push(message); },
    });
    consumer.seek({ topic, partition: 3, offset: "0" });
    await until("two records", () => found.length >= 2);
    const [count, before] = [found.length, fetches];
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    equal(found.length, count, "nothing comes out of a gap");
    equal(fetches - before < 60, true, `${fetches - before} fetches in ${QUIET_MS} ms that wait 200 ms each`);
    const offset = await producing((it) => send(it, topic, [{ value: found[0].value, partition: 3 }]));
    await until("the record behind the gap", () => found.some((it) => Number(it.offset) === offset));
  });
  return `offsets ${found.map((it) => it.offset)}`;
}

await run("gaps", gaps);
