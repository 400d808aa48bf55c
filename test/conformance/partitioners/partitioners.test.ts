/**
 * Our queues for keys beside those of Kafka's producer and of RocketMQ's SelectMessageQueueByHash. Partitioners.java runs their
 * classes where Java is; known.jsonl has what they answered, for everywhere else. It is written anew with RECORD_KAFKA=1.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { requireService } from '@troupe/test-support/require-service';
import { kafkaQueue, rocketmqQueue } from '#troupe/core/partitioning.js';
import { askJava } from '../../support/java-oracle.js';
import { kafkaAvailable, kafkaJars } from '../../support/kafka-jars.js';
import { random } from '../../support/random.js';

const JARS = {
  name: 'partitioners-4.3.1-5.5.0',
  artifacts: ['org.apache.kafka:kafka-clients:4.3.1', 'org.apache.rocketmq:rocketmq-client:5.5.0'],
};
const fileOf = (name: string): string =>
  fileURLToPath(
    new URL(`../test/conformance/partitioners/${name}`, import.meta.resolve('#troupe/supervisor.js')),
  );

type Row = readonly [queues: number, key: string, kafka: number, rocketmq: number];

function isRow(value: unknown): value is Row {
  return Array.isArray(value) && value.length === 4 && typeof value[1] === 'string';
}

function check([queues, key, kafka, rocketmq]: Row): void {
  const bytes = Buffer.from(key, 'utf8');
  for (const each of [key, bytes, new Uint8Array([1, ...bytes]).subarray(1)]) {
    assert.equal(kafkaQueue(each, queues), kafka, `${JSON.stringify(key)} of ${queues} by kafka`);
    assert.equal(rocketmqQueue(each, queues), rocketmq, `${JSON.stringify(key)} of ${queues} by rocketmq`);
  }
}

test('keys go to the queues that Kafka and RocketMQ are known to choose', () => {
  const lines = readFileSync(fileOf('known.jsonl'), 'utf8').trim().split('\n');
  const rows = lines.map((line): unknown => JSON.parse(line)).filter(isRow);
  assert.ok(rows.length > 100 && rows.length === lines.length);
  for (const row of rows) check(row);
});

test(
  "keys go to the queues that Kafka's and RocketMQ's own classes choose",
  { skip: requireService(kafkaAvailable(JARS)) },
  async (t) => {
    const { seed, next } = random();
    t.diagnostic(`seed ${seed}`);
    const recording = process.env['RECORD_KAFKA'] === '1';
    const keys = Array.from({ length: recording ? 150 : 5000 }, () => keyOf(next));
    const asked = keys.map((key) => [1 + next(64), key] as const);
    const lines = asked.map(([queues, key]) => `${queues} ${Buffer.from(key).toString('base64')}`);
    const answers = await askJava(fileOf('Partitioners.java'), await kafkaJars(JARS), lines);
    const rows = asked.map(([queues, key], i) => [queues, key, ...numbers(answers[i])] as const);
    for (const row of rows) check(row);
    if (!recording) return;
    writeFileSync(fileOf('known.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  },
);

function numbers(answer: unknown): readonly [number, number] {
  assert.ok(Array.isArray(answer));
  return [Number(answer[0]), Number(answer[1])];
}

/** Letters of one to four bytes. */
const LETTERS = ['a', 'Z', '7', ' ', '\n', '\0', 'é', 'ß', '你', '\uffff', '😀'];

function keyOf(next: (bound: number) => number): string {
  return Array.from({ length: next(20) }, () => LETTERS[next(LETTERS.length)]).join('');
}
