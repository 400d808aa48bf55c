/** Transactions of a source in a real node that is killed in their middle, counted in the log. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { BatchReader } from '#troupe/log/batch.js';
import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import type { Log } from '#troupe/log/log.js';
import { readTransaction } from '#troupe/log/transaction-mark.js';
import { NodeProcess, removeFolder, START_MS, temporaryFolder } from '../support/node-process.js';
import { pluginPackage } from '../support/plugin-package.js';
import { random } from '../support/random.js';
import { openTestLog, rocketmqSettings } from '../support/rocketmq-log.js';
import { requireService, rocketmqAvailable, startRocketMq } from '../support/rocketmq.js';
import { isLargeTransfer, sizeOfTransfer, TRANSFER_TOPICS } from '../support/transferring-source.js';
import { letPass, until } from '../support/wait.js';

const KILLS = Number(process.env['TEST_KILLS'] ?? 6);
const TASKS = 2;
const QUEUES = 3;
const ON_REQUEST =
  process.env['TEST_ROCKETMQ_CHAOS'] === undefined
    ? 'takes minutes: set TEST_ROCKETMQ_CHAOS=1 to run it'
    : null;

interface World {
  readonly node: NodeProcess;
  /** Calls with the log, when no node has it open where only one process may. */
  readonly withLog: <T>(body: (log: Log) => Promise<T>) => Promise<T>;
}

/** How often each record of a transaction stands in the log, and where it is marked as its end. */
interface Found {
  readonly records: Map<number, number>;
  ends: number;
}

async function read(log: Log): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  for (const topic of TRANSFER_TOPICS) {
    if ((await log.describeTopic(topic)) === null) continue;
    for (const { queue, startOffset, endOffset } of await log.ranges(topic)) {
      for (let offset = startOffset; offset < endOffset;) {
        const result = await log.read({
          topic,
          queue,
          offset,
          maxBytes: 1 << 22,
          maxRecords: 100_000,
          waitMs: 1000,
        });
        for (const { baseOffset, batch } of result.batches)
          count(found, BatchReader.open(batch.bytes), offset - baseOffset);
        offset = result.nextOffset;
      }
    }
  }
  return found;
}

function count(found: Map<string, Found>, reader: BatchReader, from: number): void {
  for (let i = Math.max(0, from); i < reader.count; i += 1) {
    const [task, number, record] = (reader.valueText(i) ?? '').split(' ').map(Number);
    const { transaction } = readTransaction(reader.headers(i));
    assert.equal(transaction?.id, `t${number}`);
    const key = `${task} ${number}`;
    const known = found.get(key) ?? { records: new Map<number, number>(), ends: 0 };
    found.set(key, known);
    known.records.set(record ?? 0, (known.records.get(record ?? 0) ?? 0) + 1);
    if (transaction.end) known.ends += 1;
  }
}

interface Tally {
  transactions: number;
  inParts: number;
}

/** `whole`: all but a large one, of which each task may be in the middle. */
function check(found: ReadonlyMap<string, Found>, whole: boolean): Tally {
  const tally: Tally = { transactions: 0, inParts: 0 };
  const last = new Map<string, number>();
  for (const key of found.keys()) {
    const [task = '', number = ''] = key.split(' ');
    last.set(task, Math.max(last.get(task) ?? 0, Number(number)));
  }
  for (const [task, newest] of last) {
    for (let number = 1; number <= newest; number += 1) {
      const { records, ends } = found.get(`${task} ${number}`) ?? {
        records: new Map<number, number>(),
        ends: 0,
      };
      const size = sizeOfTransfer(number);
      const twice = [...records.values()].filter((times) => times > 1).length;
      assert.equal(twice, 0, `${twice} records of transaction ${number} of task ${task} stand twice`);
      const half = !whole || (number === newest && isLargeTransfer(number));
      assert.ok(
        half || records.size === size,
        `${records.size} of the ${size} records of transaction ${number} of task ${task}, the last of which is ${newest}`,
      );
      if (records.size < size) tally.inParts += 1;
      else tally.transactions += 1;
      if (whole && !isLargeTransfer(number)) assert.ok(ends >= 1, `an end of ${number} is marked`);
    }
  }
  return tally;
}

/** `atomic`: the log appends everything at once, so that no moment is one in between. */
async function killAgainAndAgain(t: TestContext, { node, withLog }: World, atomic: boolean): Promise<void> {
  const { seed, next } = random();
  t.diagnostic(`seed ${seed}`);
  let inParts = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    node.spawn();
    await until('its tasks run', () => node.output.includes('boot success'), START_MS);
    await letPass(300 + next(1500));
    await node.kill();
    inParts += check(await withLog(read), atomic).inParts;
  }
  const before = (await withLog(read)).size;
  await node.start();
  await until('its tasks go on', async () => (await withLog(read)).size > before, START_MS);
  assert.equal(await node.stop(), 0);
  const { transactions } = check(await withLog(read), true);
  t.diagnostic(`${transactions} transactions, ${inParts} times one stood there in part after a kill`);
  assert.ok(transactions > 2 * KILLS, 'they were many');
}

function writeSource(dir: string): string {
  mkdirSync(join(dir, 'connectors'), { recursive: true });
  const config = {
    'connector.class': 'TransferringSource',
    'tasks.max': String(TASKS),
    topic: TRANSFER_TOPICS[0],
    'topic.creation.default.partitions': String(QUEUES),
    // Below this are 20 records, far beyond it 2000.
    'transaction.max.bytes': '100000',
    'batch.max.records': '500',
  };
  writeFileSync(join(dir, 'connectors', 'bank.json'), JSON.stringify({ name: 'bank', config }));
  return pluginPackage(dir, {
    class: 'TransferringSource',
    type: 'source',
    module: './transferring-source.js',
  });
}

test(`after ${KILLS} kills no transaction below the bound stands in the log in part, and none twice`, async (t) => {
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir, { pluginPaths: writeSource(dir) });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  const withLog: World['withLog'] = async (body) => {
    const log = await EmbeddedStore.open({
      dir: join(dir, 'store', 'log'),
      maxBytes: null,
      cacheBytes: 0,
      retentionCheckMs: 3_600_000,
    });
    try {
      return await body(log);
    } finally {
      await log.close();
    }
  };
  await killAgainAndAgain(t, { node, withLog }, true);
});

test(
  `after ${KILLS} kills no record of a transaction stands in RocketMQ twice, and none is missing`,
  { skip: ON_REQUEST ?? requireService(rocketmqAvailable()) },
  async (t) => {
    const rocketmq = await startRocketMq({ proxy: 'none' });
    t.after(() => rocketmq.stop());
    const log = openTestLog(rocketmqSettings(rocketmq));
    t.after(() => log.close());
    const dir = temporaryFolder();
    const node = await NodeProcess.create(dir, {
      pluginPaths: writeSource(dir),
      namesrvAddr: rocketmq.namesrvAddr,
    });
    t.after(async () => {
      await node.kill();
      removeFolder(dir);
    });
    await killAgainAndAgain(t, { node, withLog: (body) => body(log) }, false);
  },
);
