import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { BatchReader } from '#troupe/log/batch.js';
import type { Log } from '#troupe/log/log.js';
import { Cluster } from '../support/cluster.js';
import { made, readJournal, unstopped } from '../support/journal.js';
import type { NodeProcess } from '../support/node-process.js';
import { random } from '../support/random.js';
import { openTestLog, rocketmqSettings } from '../support/rocketmq-log.js';
import { requireService, rocketmqAvailable, startRocketMq } from '../support/rocketmq.js';
import { letPass, until } from '../support/wait.js';

const ON_REQUEST =
  process.env['TEST_ROCKETMQ_CHAOS'] === undefined
    ? 'takes minutes: set TEST_ROCKETMQ_CHAOS=1 to run it'
    : null;
const KILLS = Number(process.env['TEST_KILLS'] ?? 6);
const TASKS = 2;
const QUEUES = 4;
const SETTINGS = ['requested', 'disabled'] as const;
/** A bound, not an expectation. */
const PATIENCE_MS = 120_000;

interface Found {
  readonly records: number;
  readonly duplicates: number;
  readonly lost: number;
}

test(
  `after ${KILLS} kills every record of a source stands in RocketMQ, and once unless that was switched off`,
  { skip: ON_REQUEST ?? requireService(rocketmqAvailable()) },
  async (t) => {
    const { seed, next } = random();
    t.diagnostic(`seed ${seed}`);
    const { log, cluster } = await start(t);
    const node = cluster.node('a');
    for (const setting of SETTINGS) await cluster.put('a', setting, source(cluster, setting));
    let leftOut = 0;
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await bothWrite(log);
      await letPass(next(1500));
      await node.kill();
      leftOut += leftOutBy(node);
      await node.start();
    }
    await bothWrite(log);
    for (const setting of SETTINGS) await stop(cluster, setting);
    leftOut += leftOutBy(node);
    t.diagnostic(`${leftOut} records were found in the log and not appended again`);
    const makes = made(readJournal(cluster.journal));
    const found: Found[] = [];
    for (const setting of SETTINGS) {
      const each = await tally(log, setting, makes);
      t.diagnostic(`${setting}: ${each.records} records, ${each.duplicates} twice, ${each.lost} lost`);
      found.push(each);
    }
    const [requested, disabled] = found;
    assert.deepEqual([requested?.duplicates, requested?.lost, disabled?.lost], [0, 0, 0]);
  },
);

async function start(t: TestContext): Promise<{ readonly log: Log; readonly cluster: Cluster }> {
  const rocketmq = await startRocketMq({ proxy: 'none' });
  t.after(() => rocketmq.stop());
  const log = openTestLog(rocketmqSettings(rocketmq));
  t.after(() => log.close());
  for (const name of SETTINGS)
    await log.createTopic(name, { queues: QUEUES, retentionMs: null, retentionBytes: null });
  const cluster = new Cluster({
    namesrvAddr: rocketmq.namesrvAddr,
    'task.stop.timeout.ms': String(PATIENCE_MS),
  });
  t.after(() => cluster.destroy());
  await cluster.start('a');
  return { log, cluster };
}

function source(cluster: Cluster, setting: string): Record<string, string> {
  return cluster.source(TASKS, {
    topic: setting,
    'exactly.once.support': setting,
    batch: '300',
    'pause.ms': '10',
  });
}

async function bothWrite(log: Log): Promise<void> {
  const ends = await Promise.all(SETTINGS.map((topic) => end(log, topic)));
  await until(
    'both sources write',
    async () => {
      const now = await Promise.all(SETTINGS.map((topic) => end(log, topic)));
      return now.every((records, i) => records > (ends[i] ?? 0));
    },
    PATIENCE_MS,
  );
}

async function end(log: Log, topic: string): Promise<number> {
  return (await log.ranges(topic)).reduce((sum, { endOffset }) => sum + endOffset, 0);
}

/** What its tasks said since its start. */
function leftOutBy({ output }: NodeProcess): number {
  const said = output.matchAll(/"records":(\d+),"msg":"records that were in the log already/g);
  return [...said].reduce((sum, [, records]) => sum + Number(records), 0);
}

/** Then each task has said how much it has made. */
async function stop(cluster: Cluster, connector: string): Promise<void> {
  await cluster.running('a', connector, TASKS, undefined, PATIENCE_MS);
  const { status } = await cluster.node('a').request('PUT', `/connectors/${connector}/stop`);
  assert.equal(status, 204);
  // The status names no task from the moment the stop is known; the tasks still append what they had polled.
  await until(
    `the tasks of ${connector} have stopped`,
    () => {
      const units = Array.from({ length: TASKS }, (_, task) => `${connector}/${task}`);
      return unstopped(readJournal(cluster.journal), units).length === 0;
    },
    PATIENCE_MS,
  );
}

/** How often each number of each unit stands in the topic. */
async function countsOf(log: Log, topic: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const counts = new Map<string, Uint8Array>();
  for (const { queue, startOffset, endOffset } of await log.ranges(topic)) {
    for (let offset = startOffset; offset < endOffset;) {
      const read = await log.read({
        topic,
        queue,
        offset,
        maxBytes: 1 << 22,
        maxRecords: 10_000,
        waitMs: 1000,
      });
      for (const { baseOffset, batch } of read.batches) {
        const records = BatchReader.open(batch.bytes);
        for (let i = Math.max(0, offset - baseOffset); i < records.count; i += 1)
          count(counts, records.valueText(i) ?? '');
      }
      offset = read.nextOffset;
    }
  }
  return counts;
}

function count(counts: Map<string, Uint8Array>, value: string): void {
  const [unit = '', text] = value.split(' ');
  const number = Number(text);
  let own = counts.get(unit) ?? new Uint8Array(0);
  if (number >= own.length) {
    const larger = new Uint8Array(number * 2);
    larger.set(own);
    own = larger;
    counts.set(unit, own);
  }
  own[number] = Math.min(255, (own[number] ?? 0) + 1);
}

async function tally(log: Log, connector: string, makes: ReadonlyMap<string, number>): Promise<Found> {
  const found = { records: 0, duplicates: 0, lost: 0 };
  const counts = await countsOf(log, connector);
  for (let task = 0; task < TASKS; task += 1) {
    const unit = `${connector}/${task}`;
    const own = counts.get(unit) ?? new Uint8Array(0);
    const last = makes.get(unit) ?? 0;
    // Beyond the last: a task that is stopped soon after a kill has not made again all that the log holds of it.
    for (let number = 1; number < Math.max(own.length, last + 1); number += 1) {
      const times = own[number] ?? 0;
      found.records += times;
      if (times > 1) found.duplicates += times - 1;
      if (times === 0 && number <= last) found.lost += 1;
    }
  }
  return found;
}
