// What the programs of this folder share: the settings of a run, clients of its users, one JSON line per check.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// The packages lie in a cache folder outside the repository, or beside this file.
export const require = createRequire(`${process.env.WEIR_CLIENTS_NODE_PACKAGES ?? import.meta.dirname}/`);
export const kafkajs = require("kafkajs");
const snappy = require("kafkajs-snappy");

const { CompressionCodecs, Kafka, logLevel } = kafkajs;
export const { CompressionTypes } = kafkajs;
CompressionCodecs[CompressionTypes.Snappy] = snappy;

export const PATIENCE_MS = 20_000;
export const settings = JSON.parse(readFileSync(process.argv[2], "utf8"));
const prefix = randomUUID().slice(0, 8);
let numbers = 0;

/** A group or transactional id that nobody has used. */
export const name = (what) => `${what}-${prefix}-${++numbers}`;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function expect(held, what) {
  if (!held) throw new Error(what);
}

export function equal(found, expected, what) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  expect(a === b, `${what}: expected ${b}, found ${a}`);
}

/** No answer shows a name as the brokers know it. */
export function logical(answer) {
  const text = JSON.stringify(answer);
  expect(!/w0[0-9a-z]{25}-/.test(text), `a physical name is shown: ${text}`);
}

export async function until(what, step) {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const found = await step();
    if (found) return found;
    await pause(50);
  }
  throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
}

export function client(user = "owner", { mechanism = "plain", password, ...more } = {}) {
  const login = settings[user];
  return new Kafka({
    brokers: [settings.bootstrap],
    logLevel: logLevel.NOTHING,
    retry: { retries: 3, initialRetryTime: 100 },
    sasl: { mechanism, username: login.username, password: password ?? login.password },
    ...more,
  });
}

/** Runs with a connected producer, consumer or admin, and disconnects it. */
export async function using(it, act) {
  await it.connect();
  try {
    return await act(it);
  } finally {
    await it.disconnect();
  }
}

export const admin = (act, user, more) => using(client(user, more).admin(), act);
export const producing = (act, more, user) => using(client(user).producer(more), act);

export async function send(producer, topic, messages, more = {}) {
  const [{ baseOffset }] = await producer.send({ topic, messages, acks: -1, ...more });
  return Number(baseOffset);
}

export const batch = (count, value, partition) => Array.from({ length: count }, (_, n) => ({ value: `${value} ${n}`, partition }));

/** Reads `count` records of a partition from an offset on. */
export async function readFrom(topic, partition, offset, count, { user, ...more } = {}) {
  const found = [];
  await using(client(user).consumer({ groupId: name("reads"), maxWaitTimeInMs: 200, ...more }), async (consumer) => {
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition: at, message }) => {
        if (at === partition && Number(message.offset) >= offset) found.push(message);
      },
    });
    consumer.seek({ topic, partition, offset: String(offset) });
    await until(`${count} records`, () => found.length >= count);
  });
  return found.slice(0, count);
}

export async function refused(type, call) {
  try {
    await call();
  } catch (error) {
    const found = [error, error.cause, error.originalError, ...(error.errors ?? [])].filter(Boolean).map((it) => it.type ?? it.name);
    expect(found.includes(type), `expected ${type}, found ${found}: ${error.message}`);
    return;
  }
  throw new Error(`it succeeded, and should fail with ${type}`);
}

/** Runs one check and prints its line. */
export async function run(name, check) {
  const began = Date.now();
  let line;
  try {
    line = { check: name, ok: true, detail: (await check()) ?? "" };
  } catch (error) {
    line = { check: name, ok: false, detail: error.stack };
  }
  console.log(JSON.stringify({ ...line, seconds: (Date.now() - began) / 1000 }));
}

const only = process.argv.slice(3);
/** Whether a check was named, or none was. */
export const asked = (name) => only.length === 0 || only.includes(name);
