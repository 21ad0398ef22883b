// The registry client of kafkajs with `/registry`, records through the gateway into a topic under a contract:
// `node registry.mjs SETTINGS [CHECK ...]`. One JSON line per check.
import { asked, equal, expect, producing, readFrom, refused, require, run, send, settings } from "./client.mjs";

const { SchemaRegistry, SchemaType } = require("@kafkajs/confluent-schema-registry");

const subject = `${settings.topic}-value`;
const { username, password } = settings.owner;
const registry = () => new SchemaRegistry({ host: settings.registry, auth: { username, password } });

const AVRO = {
  type: "record",
  name: "Order",
  namespace: "example",
  fields: [{ name: "id", type: "string" }, { name: "cents", type: "long" }],
};
const JSON_SCHEMA = {
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "Order",
  type: "object",
  properties: { id: { type: "string" }, cents: { type: "integer", minimum: 0 } },
  required: ["id"],
};
const PROTOBUF = `syntax = "proto3"; package example; message Order { string id = 1; int32 cents = 2; }`;

/** The client has no call for it. */
async function fresh() {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  for (const query of ["", "?permanent=true"]) {
    const url = `${settings.registry}/subjects/${encodeURIComponent(subject)}${query}`;
    const { status } = await fetch(url, { method: "DELETE", headers: { authorization } });
    expect(status === 200 || status === 404, `DELETE ${url}: ${status}`);
  }
}

/** Encoded, sent, read back and decoded by who has an empty cache; what is no such record is refused. */
async function thereAndBack(type, schema, value, partition) {
  await fresh();
  const own = registry();
  const { id } = await own.register({ type, schema }, { subject });
  equal(await own.getLatestSchemaId(subject), id, "the latest id");
  const record = await own.encode(id, value);
  const broken = Buffer.concat([record.subarray(0, 5), Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])]);
  await producing(async (producer) => {
    const offset = await send(producer, settings.topic, [{ value: record, partition }]);
    const [found] = await readFrom(settings.topic, partition, offset, 1);
    equal({ ...(await registry().decode(found.value)) }, value, "the value");
    await refused("INVALID_RECORD", () => send(producer, settings.topic, [{ value: broken, partition }]));
  });
}

/** The client leaves out which message of the file a record is (4.1), so nobody else could read it: refused, unless somebody adds it. */
async function protobuf() {
  await fresh();
  const own = registry();
  const { id } = await own.register({ type: SchemaType.PROTOBUF, schema: PROTOBUF }, { subject });
  const record = await own.encode(id, { id: "a", cents: 5 });
  equal({ ...(await registry().decode(record)) }, { id: "a", cents: 5 }, "the value");
  const whole = Buffer.concat([record.subarray(0, 5), Buffer.from([0]), record.subarray(5)]);
  await producing(async (producer) => {
    await refused("INVALID_RECORD", () => send(producer, settings.topic, [{ value: record, partition: 3 }]));
    await send(producer, settings.topic, [{ value: whole, partition: 3 }]);
  });
}

/** What confluent-kafka's Avro serializer wrote into the topic's first partition. */
async function ofOthers() {
  const found = await readFrom(settings.topic, 0, 0, 20);
  const reader = registry();
  const values = await Promise.all(found.map(({ value }) => reader.decode(value)));
  const expected = Array.from({ length: 20 }, (_, number) => ({ id: `p${number}`, amount: number / 2 }));
  equal(values.map((value) => ({ ...value })), expected, "values");
  return `${values.length} records`;
}

const checks = [
  ["of others", ofOthers],
  ["avro", () => thereAndBack(SchemaType.AVRO, JSON.stringify(AVRO), { id: "a", cents: 5 }, 1)],
  ["json", () => thereAndBack(SchemaType.JSON, JSON.stringify(JSON_SCHEMA), { id: "a", cents: 5 }, 2)],
  ["protobuf", protobuf],
];
for (const [name, check] of checks.filter(([name]) => asked(name))) await run(name, check);
