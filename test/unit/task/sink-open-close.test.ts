/** Queues come and go while a sink runs that wants to be told. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startSink } from '#troupe/actors/task/sink/sink-task.js';
import type { LoadedSink } from '#troupe/actors/task/load-task.js';
import type { EmbeddedStore } from '#troupe/log/embedded/store.js';
import type { Log } from '#troupe/log/log.js';
import { RetriableError } from '#troupe/sdk/errors.js';
import type { QueueRef, SinkTask, SinkTaskContext } from '#troupe/sdk/plugin.js';
import { batchOf } from '../../conformance/log-batches.js';
import { committedIn } from '../../support/committed-offsets.js';
import { KEPT, newFolder, openStore } from '../../fault/log/support.js';
import { loadedSink, taskParts } from '../../support/task-parts.js';
import { until } from '../../support/wait.js';

interface Stage {
  readonly store: EmbeddedStore;
  /** What the plugin was called for, in order; puts and flushes with values. */
  readonly acts: string[];
  readonly context: () => SinkTaskContext;
  readonly create: (topic: string) => Promise<void>;
  readonly write: (topic: string, ...values: string[]) => Promise<void>;
  /** What a start would find, as `topic offset`. */
  readonly committed: () => Promise<readonly string[]>;
  /** Undefined: as it stopped in order. */
  readonly stop: () => Promise<unknown>;
  readonly ended: Promise<unknown>;
}

/** Null: it has none. */
type Plugged = Omit<Partial<SinkTask>, 'open'> & { readonly open?: SinkTask['open'] | null };

interface Script {
  readonly task?: (context: () => SinkTaskContext, acts: string[]) => Plugged;
  readonly sink?: Partial<LoadedSink>;
  readonly seen?: (store: EmbeddedStore) => Log;
  readonly first?: readonly string[];
}

/** A sink of `orders-.*` that flushes when it has to only. */
async function stage(
  t: TestContext,
  { task, sink, seen, first = ['orders-a'] }: Script = {},
): Promise<Stage> {
  const store = await openStore(t, { dir: newFolder(t) });
  const create = async (topic: string): Promise<void> => {
    await store.createTopic(topic, { queues: 1, ...KEPT });
  };
  await create('offsets');
  for (const topic of first) await create(topic);
  const acts: string[] = [];
  let given: SinkTaskContext | null = null;
  const context = (): SinkTaskContext => given ?? assert.fail('it has started');
  const refs = (queues: readonly QueueRef[]): string =>
    queues.map(({ topic, queue }) => `${topic}/${queue}`).join(' ');
  const { open = (queues: readonly QueueRef[]): void => void acts.push(`open ${refs(queues)}`), ...rest } =
    task?.(context, acts) ?? {};
  const loaded = loadedSink(
    () => ({
      start: (started) => {
        given = started;
        acts.push('start');
      },
      put: (records) => void acts.push(...records.map(({ topic, value }) => `put ${topic} ${String(value)}`)),
      flush: () => void acts.push('flush'),
      close: (queues) => void acts.push(`close ${refs(queues)}`),
      stop: () => void acts.push('stop'),
      ...rest,
      ...(open !== null && { open }),
    }),
    {
      topics: [],
      topicsRegex: /^orders-/,
      topicsRefreshMs: 20,
      offsetFlushIntervalMs: 3_600_000,
      ...sink,
    },
  );
  const stop = new AbortController();
  let known = await committedIn(store, 'orders');
  const parts = taskParts({
    unit: 'orders/0',
    log: seen?.(store) ?? store,
    stop,
    opened: async () => {
      known = await committedIn(store, 'orders');
    },
    offsets: () => known,
  });
  const { done } = await startSink(parts, loaded);
  const ended = done.then(
    () => undefined,
    (error: unknown) => error,
  );
  const end = async (): Promise<unknown> => {
    stop.abort();
    const error = await ended;
    parts.calls.close();
    return error;
  };
  t.after(end);
  return {
    store,
    acts,
    context,
    create,
    write: async (topic, ...values) => {
      await store.append({ entries: [{ topic, queue: 0, batch: batchOf(values) }] });
    },
    committed: async () =>
      (await committedIn(store, 'orders')).map(({ topic, offset }) => `${topic} ${offset}`).sort(),
    stop: end,
    ended,
  };
}

const ignore = (): void => undefined;

function withOther(log: EmbeddedStore, other: Partial<Log>): Log {
  return new Proxy<Log>(log, {
    get(_target, name) {
      const value: unknown = Reflect.get(name in other ? other : log, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => Reflect.apply(value, log, args);
    },
  });
}

const has = (acts: readonly string[], act: string): Promise<boolean> =>
  until(
    `${act} in ${acts.join(', ')}`,
    () => acts.includes(act) || Promise.reject(new Error(acts.join(', '))),
  );

test('a topic that comes while a sink runs is opened before its first record, where the sink asked, and nobody starts again', async (t) => {
  const { acts, context, create, write, committed, stop } = await stage(t, {
    task: (given, said) => ({
      open: (queues) => {
        const context = given();
        const { assignment } = context;
        for (const { topic, queue } of queues) {
          assert.ok(assignment.some((each) => each.topic === topic && each.queue === queue));
          assert.ok(context.topicId(topic) !== null);
          said.push(`open ${topic}/${queue}`);
          if (topic === 'orders-b') context.seek([{ topic, queue, offset: 1 }]);
        }
      },
    }),
  });
  await write('orders-a', '1');
  await has(acts, 'put orders-a 1');
  await create('orders-b');
  await write('orders-b', '1', '2');
  await has(acts, 'put orders-b 2');
  await write('orders-a', '2');
  await has(acts, 'put orders-a 2');
  assert.deepEqual(context().assignment, [
    { topic: 'orders-a', queue: 0 },
    { topic: 'orders-b', queue: 0 },
  ]);
  assert.equal(await stop(), undefined);
  assert.deepEqual(acts, [
    'start',
    'open orders-a/0',
    'put orders-a 1',
    'open orders-b/0',
    'put orders-b 2',
    'put orders-a 2',
    'flush',
    'close orders-a/0 orders-b/0',
    'stop',
  ]);
  assert.deepEqual(await committed(), ['orders-a 2', 'orders-b 2']);
});

test('a topic with more queues than before is opened for the new ones alone', async (t) => {
  let queues = 1;
  const { acts, store } = await stage(t, {
    first: [],
    seen: (log) =>
      withOther(log, {
        listTopics: async () => (await log.listTopics()).map((topic) => ({ ...topic, queues })),
      }),
  });
  await store.createTopic('orders-a', { queues: 3, ...KEPT });
  for (const queue of [0, 1, 2])
    await store.append({ entries: [{ topic: 'orders-a', queue, batch: batchOf([`of ${queue}`]) }] });
  await has(acts, 'put orders-a of 0');
  queues = 3;
  await has(acts, 'put orders-a of 1');
  await has(acts, 'put orders-a of 2');
  assert.deepEqual(
    acts.filter((act) => /^(start|open|close)/.test(act)),
    ['start', 'open orders-a/0', 'open orders-a/1 orders-a/2'],
  );
});

for (const named of [true, false])
  test(`a topic that is made anew is closed with what it had, and opened with another id, ${named ? 'by its name' : 'by a pattern'}`, async (t) => {
    const ids: (string | null)[] = [];
    let looks = Promise.resolve();
    const { acts, store, create, write, committed, stop } = await stage(t, {
      ...(named && { sink: { topics: ['orders-a'], topicsRegex: null } }),
      task: (given, said) => ({
        open: () => {
          said.push('open');
          ids.push(given().topicId('orders-a'));
        },
        close: () => {
          said.push('close');
          ids.push(given().topicId('orders-a'));
        },
      }),
      seen: (log) =>
        withOther(log, {
          describeTopic: (name) => looks.then(() => log.describeTopic(name)),
          listTopics: () => looks.then(() => log.listTopics()),
        }),
    });
    await write('orders-a', 'old 1', 'old 2');
    await has(acts, 'put orders-a old 2');
    // Whoever looks in between finds nothing, and that fails a sink that has named it.
    let madeAnew = ignore;
    looks = new Promise((resolve) => {
      madeAnew = resolve;
    });
    await store.deleteTopic('orders-a');
    await create('orders-a');
    madeAnew();
    await write('orders-a', 'new 1');
    await has(acts, 'put orders-a new 1');
    await create('orders-b');
    assert.equal(await stop(), undefined);
    const expected = ['start', 'open', 'put orders-a old 1', 'put orders-a old 2', 'flush', 'close', 'open'];
    assert.deepEqual(acts.slice(0, 8), [...expected, 'put orders-a new 1']);
    assert.equal(ids[0], ids[1]);
    assert.notEqual(ids[1], ids[2]);
    assert.deepEqual(await committed(), ['orders-a 1']);
  });

test('a topic of a pattern that is deleted is closed, and the sink goes on with the others, and with it when it comes again', async (t) => {
  const { acts, store, create, write, committed, stop } = await stage(t, { first: ['orders-a', 'orders-b'] });
  await write('orders-a', '1');
  await write('orders-b', '1');
  await has(acts, 'put orders-a 1');
  await has(acts, 'put orders-b 1');
  await store.deleteTopic('orders-a');
  await has(acts, 'close orders-a/0');
  assert.equal(acts[acts.indexOf('close orders-a/0') - 1], 'flush');
  await write('orders-b', '2');
  await has(acts, 'put orders-b 2');
  await create('orders-a');
  await write('orders-a', 'new');
  await has(acts, 'put orders-a new');
  assert.ok(acts.lastIndexOf('open orders-a/0') > acts.indexOf('close orders-a/0'));
  assert.equal(await stop(), undefined);
  assert.deepEqual(await committed(), ['orders-a 1', 'orders-b 2']);
  assert.equal(acts.filter((act) => act === 'start').length, 1);
});

test('a sink that does not want to be told starts again without the topic of a pattern that is deleted', async (t) => {
  const { acts, store, write, stop } = await stage(t, {
    first: ['orders-a', 'orders-b'],
    task: () => ({ open: null }),
  });
  await write('orders-a', '1');
  await write('orders-b', '1');
  await has(acts, 'put orders-a 1');
  await has(acts, 'put orders-b 1');
  await store.deleteTopic('orders-a');
  await until('it has started again', () => acts.filter((act) => act === 'start').length === 2);
  await write('orders-b', '2');
  await has(acts, 'put orders-b 2');
  assert.equal(await stop(), undefined);
  const first = acts.slice(0, acts.lastIndexOf('start'));
  assert.deepEqual(first.slice(-3), ['flush', 'close orders-a/0 orders-b/0', 'stop']);
  assert.equal(acts.filter((act) => act === 'put orders-b 1').length, 1);
});

test('a topic that was named and is deleted fails the task, which is told to close nothing', async (t) => {
  const { acts, store, write, ended } = await stage(t, {
    sink: { topics: ['orders-a'], topicsRegex: null },
  });
  await write('orders-a', '1');
  await has(acts, 'put orders-a 1');
  await store.deleteTopic('orders-a');
  assert.match(String(await ended), /there is no topic "orders-a"/);
  assert.deepEqual(acts, ['start', 'open orders-a/0', 'put orders-a 1', 'stop']);
});

test('a queue is closed only when what was put of it is durable, and the others are delivered while that waits', async (t) => {
  let away = true;
  const { acts, store, write, stop } = await stage(t, {
    first: ['orders-a', 'orders-b'],
    task: (_context, said) => ({
      flush: () => {
        said.push(away ? 'flush refused' : 'flush');
        if (away) throw new RetriableError('away');
      },
    }),
  });
  await write('orders-a', '1');
  await has(acts, 'put orders-a 1');
  await store.deleteTopic('orders-a');
  await has(acts, 'flush refused');
  await write('orders-b', '1');
  await has(acts, 'put orders-b 1');
  assert.ok(!acts.includes('close orders-a/0'));
  away = false;
  await has(acts, 'close orders-a/0');
  assert.equal(await stop(), undefined);
});

test('nothing is put of a queue whose open is to be called again', async (t) => {
  let refused = 0;
  const { acts, write } = await stage(t, {
    task: (_context, said) => ({
      open: () => {
        said.push(refused < 2 ? 'open refused' : 'open');
        refused += 1;
        if (refused <= 2) throw new RetriableError('away', { retryAfterMs: 0 });
      },
    }),
  });
  await write('orders-a', '1');
  await has(acts, 'put orders-a 1');
  assert.deepEqual(acts, ['start', 'open refused', 'open refused', 'open', 'put orders-a 1']);
});

test('a sink that holds offsets back until it closes has them committed then, and none of that life later', async (t) => {
  const { acts, store, create, write, committed, stop } = await stage(t, {
    sink: { offsetFlushIntervalMs: 1 },
    task: (_context, said) => ({
      // As one that uploads in the background.
      preCommit: (flushed) => {
        said.push('preCommit');
        return flushed.map((item) => ({ ...item, offset: 1 }));
      },
    }),
  });
  await write('orders-a', '1', '2', '3');
  await has(acts, 'put orders-a 3');
  await store.deleteTopic('orders-a');
  await has(acts, 'close orders-a/0');
  assert.deepEqual(await committed(), ['orders-a 1']);
  await create('orders-a');
  await has(acts, 'open orders-a/0');
  await until('it is read from its beginning', async () => (await committed()).includes('orders-a 0'));
  assert.equal(await stop(), undefined);
  assert.deepEqual(await committed(), ['orders-a 0']);
});
