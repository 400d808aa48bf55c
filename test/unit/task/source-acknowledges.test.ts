/** A source of a message queue, which has each of its messages acknowledged. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { startSource } from '#troupe/actors/task/source/source-task.js';
import { BatchReader } from '#troupe/log/batch.js';
import type { EmbeddedStore } from '#troupe/log/embedded/store.js';
import type { Log } from '#troupe/log/log.js';
import { DataError, sourceRecord, type CommittedRecord, type SourceTask } from '#troupe/sdk/index.js';
import { KEPT, newFolder, openStore } from '../../fault/log/support.js';
import { loadedSource, taskParts } from '../../support/task-parts.js';
import { DEFAULT_TOLERANCE } from '../../support/tolerance.js';
import { until } from '../../support/wait.js';

const MESSAGES = 40;
const PREFETCH = 10;
const DROPPED = 3;
const BAD = 17;

/** Gives out at most PREFETCH messages that were not acknowledged. */
class Broker {
  readonly acknowledged: { readonly tag: number; readonly at: CommittedRecord['at'] }[] = [];
  #given = 0;

  task(): SourceTask {
    this.#given = this.acknowledged.length;
    return {
      start: () => undefined,
      poll: async () => {
        const room = PREFETCH - (this.#given - this.acknowledged.length);
        const count = Math.min(4, room, MESSAGES - this.#given);
        if (count === 0) await sleep(5);
        return Array.from({ length: count }, () => {
          const tag = this.#given++;
          return sourceRecord({
            key: `k${tag % 7}`,
            value: `message ${tag}`,
            sourcePartition: { queue: 'q' },
            sourcePosition: { tag },
          });
        });
      },
      commitRecords: (records) => {
        for (const { record, at } of records)
          this.acknowledged.push({ tag: Number(record.sourcePosition['tag']), at });
      },
      stop: () => undefined,
    };
  }
}

async function newStore(t: TestContext): Promise<EmbeddedStore> {
  const store = await openStore(t, { dir: newFolder(t) });
  for (const [topic, queues] of [
    ['numbers', 3],
    ['positions', 1],
  ] as const)
    await store.createTopic(topic, { queues, ...KEPT });
  return store;
}

async function valueAt(store: EmbeddedStore, at: CommittedRecord['at']): Promise<string | null> {
  assert.ok(at !== null && at.offset !== null);
  const read = { ...at, offset: at.offset, maxBytes: 1, maxRecords: 1, waitMs: 0 };
  const [found] = (await store.read(read)).batches;
  assert.ok(found);
  return BatchReader.open(found.batch.bytes).valueText(at.offset - found.baseOffset);
}

function run(log: Log, broker: Broker): { readonly start: () => Promise<() => Promise<unknown>> } {
  const loaded = loadedSource(() => broker.task(), {
    chain: {
      size: 1,
      apply: (record) => (record.value === `message ${DROPPED}` ? null : record),
      close: () => Promise.resolve(),
    },
    tolerance: { ...DEFAULT_TOLERANCE, tolerance: 'all' },
    valueConverter: {
      input: 'text',
      instance: {
        fromConnectData: (_topic, _schema, value) => {
          if (value === `message ${BAD}`) throw new DataError('bad');
          return String(value);
        },
        toConnectData: () => assert.fail('a source does not read'),
      },
    },
  });
  return {
    start: async () => {
      const stop = new AbortController();
      const parts = taskParts({ unit: 'mq/0', log, stop });
      const { done } = await startSource(parts, loaded);
      const ended = done.catch((error: unknown) => error);
      return async () => {
        stop.abort();
        parts.calls.close();
        return ended;
      };
    },
  };
}

test('each message is acknowledged once it stands in the log, or was left out, in order and with its place', async (t) => {
  const store = await newStore(t);
  const broker = new Broker();
  const end = await run(store, broker).start();
  t.after(end);
  await until('all are acknowledged', () => broker.acknowledged.length === MESSAGES);
  assert.deepEqual(
    broker.acknowledged.map(({ tag }) => tag),
    Array.from({ length: MESSAGES }, (_, tag) => tag),
  );
  for (const { tag, at } of broker.acknowledged) {
    if (tag === DROPPED || tag === BAD) assert.equal(at, null);
    else assert.equal(await valueAt(store, at), `message ${tag}`);
  }
  assert.equal(await end(), undefined);
});

test('no message is acknowledged that does not stand in the log, also where its append fails for good', async (t) => {
  const store = await newStore(t);
  const broker = new Broker();
  let appends = 0;
  const failing: Log = new Proxy<Log>(store, {
    get(_target, name) {
      if (name === 'append')
        return (request: Parameters<Log['append']>[0]) => {
          appends += 1;
          return appends === 3 ? Promise.reject(new Error('the disk is gone')) : store.append(request);
        };
      const value: unknown = Reflect.get(store, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => Reflect.apply(value, store, args);
    },
  });
  const { start } = run(failing, broker);
  const first = await start();
  await until('it has failed', () => appends === 3);
  assert.match(String(await first()), /the disk is gone/);
  const ended = broker.acknowledged.length;
  assert.ok(ended < MESSAGES);
  const values = new Set<string>();
  for (const { at } of broker.acknowledged) if (at !== null) values.add((await valueAt(store, at)) ?? '');
  assert.equal(values.size, broker.acknowledged.filter(({ at }) => at !== null).length);
  // The broker gives the others again.
  const second = await start();
  t.after(second);
  await until('all are acknowledged', () => broker.acknowledged.length === MESSAGES);
  assert.equal(await second(), undefined);
});
