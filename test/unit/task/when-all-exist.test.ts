import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whenAllExist } from '#troupe/actors/task/sink/queues-to-come.js';
import type { Stall, TargetState } from '#troupe/core/model.js';
import { LogError, type TopicDescription } from '#troupe/log/log.js';
import { until } from '../../support/wait.js';

const WANTED = ['orders', 'returns'];

/** A sink of two topics, of which those in `there` exist. `look` may be made to fail. */
function setUp(...existing: readonly string[]) {
  const there = new Set(existing);
  const stop = new AbortController();
  const world = {
    there,
    stop,
    looks: 0,
    failure: null as Error | null,
    target: 'RUNNING' as TargetState,
    paused: [] as boolean[],
    stalls: [] as (Stall | null)[],
    warnings: [] as object[],
    started: [] as (readonly string[])[],
    /** Of the start, once. */
    refusal: null as Error | null,
    end: (): void => undefined,
  };
  const ended = new Promise<void>((resolve) => {
    world.end = resolve;
  });
  const described = (name: string): TopicDescription => ({
    name,
    id: null,
    queues: 1,
    retentionMs: null,
    retentionBytes: null,
  });
  const run = (): ReturnType<typeof whenAllExist> =>
    whenAllExist(
      {
        context: {
          signal: stop.signal,
          log: { debug: () => undefined, warn: (fields) => void world.warnings.push(fields) },
        },
        gate: {
          get target() {
            return world.target;
          },
        },
        report: {
          stalled: (_noticed, stall) => void world.stalls.push(stall),
          paused: (paused) => void world.paused.push(paused),
        },
      },
      {
        look: async () => {
          world.looks += 1;
          if (world.failure !== null) throw world.failure;
          return WANTED.filter((name) => there.has(name)).map(described);
        },
        missing: (found) => WANTED.filter((name) => !found.some((topic) => topic.name === name)),
      },
      async (topics) => {
        world.started.push(topics.map(({ name }) => name));
        const { refusal } = world;
        world.refusal = null;
        if (refusal !== null) throw refusal;
        return { done: ended };
      },
    );
  return { ...world, world, run };
}

test('a shared sink whose topics exist starts at once, and is never said to wait', async () => {
  const { run, world, started, stalls, warnings } = setUp(...WANTED);
  const { done } = await run();
  assert.deepEqual(started, [WANTED]);
  world.end();
  await done;
  assert.deepEqual(stalls, []);
  assert.deepEqual(warnings, []);
});

test('a shared sink waits until the last of its topics exists, and says so until then', async () => {
  const { run, world, there, started, stalls, warnings } = setUp();
  let over = false;
  const { done } = await run();
  const ended = done.then(() => {
    over = true;
  });
  const cause = 'these topics do not exist: orders, returns';
  assert.deepEqual(
    stalls.map((stall) => [stall?.call, stall?.cause]),
    [['topics', cause]],
  );
  assert.deepEqual(warnings, [{ topics: WANTED, count: 2 }]);

  there.add('orders');
  await until('one is found', () => warnings.length === 2);
  assert.deepEqual(warnings[1], { topics: ['returns'], count: 1 });
  assert.deepEqual(started, []);

  world.failure = new Error('the log is away');
  const { looks } = world;
  await until('it was looked in vain', () => world.looks > looks + 1);
  assert.deepEqual(started, [], 'what cannot be looked at is no reason to start, or to end');
  world.failure = null;

  there.add('returns');
  await until('it starts', () => started.length > 0);
  assert.deepEqual(started, [WANTED]);
  assert.equal(stalls.length, 2);
  assert.equal(stalls[1], null);
  assert.equal(over, false, 'it is done when what it has started is');
  world.end();
  await ended;
});

test('a shared sink whose broker is away when its topics have come waits for it, as at any other start', async () => {
  const { run, world, there, started, stalls } = setUp('orders');
  const { done } = await run();
  world.refusal = new LogError('LOG_UNAVAILABLE', 'no broker answers');
  there.add('returns');
  await until('it starts again', () => started.length > 1);
  world.end();
  await done;
  assert.deepEqual(
    stalls.map((stall) => stall?.cause),
    ['these topics do not exist: returns', undefined, 'no broker answers', undefined],
  );
});

test('a signal ends the wait of a shared sink: it does not start, and nothing is said to be waited for', async () => {
  const { run, world, there, stop, started, stalls } = setUp('orders');
  const { done } = await run();
  assert.equal(stalls.length, 1);
  stop.abort();
  await done;
  assert.deepEqual(stalls.slice(1), [null]);
  const { looks } = world;
  there.add('returns');
  assert.equal(world.looks, looks);
  assert.deepEqual(started, []);
});

test('a shared sink that is paused while it waits for its topics says so', async () => {
  const { run, world, stop, paused } = setUp();
  const { done } = await run();
  world.target = 'PAUSED';
  await until('it says that it is paused', () => paused.length === 1);
  world.target = 'RUNNING';
  await until('it says that it runs', () => paused.length === 2);
  assert.deepEqual(paused, [true, false]);
  stop.abort();
  await done;
});
