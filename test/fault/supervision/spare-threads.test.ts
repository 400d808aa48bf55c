import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import workerThreads, { BroadcastChannel, type Worker } from 'node:worker_threads';
import { SpareThreads, type SpareSpec } from '#troupe/supervisor/spare-threads.js';
import { until } from '../../support/wait.js';
import { actor, supervisor, Troupe } from './troupe.js';

const { module, heap } = actor('counter', 'counter');
const spares: SpareSpec = { count: 2, calmMs: 10, module, heap, loads: [] };
const options = { peers: ['counter', 'other'], spares };

/** A module of this text. */
function loads(text: string): Partial<SpareSpec> {
  return { loads: [`data:text/javascript,${encodeURIComponent(text)}`] };
}

function make(change: Partial<SpareSpec> = {}): Troupe {
  return new Troupe([supervisor('tasks', [])], { ...options, spares: { ...spares, ...change } });
}

async function add(troupe: Troupe, id: string, change: Parameters<typeof actor>[2] = {}): Promise<void> {
  await troupe.perform({ do: 'startChild', supervisor: 'tasks', spec: actor(id, 'counter', change) });
}

function ready(troupe: Troupe, count: number): Promise<true> {
  return until(`${count} are ready`, () => troupe.system.spareThreads === count, 30_000);
}

test('an actor becomes one of the threads that are ready, behaves as in any other, and is replaced', async () => {
  await using troupe = make({ count: 1 });
  await ready(troupe, 1);
  await add(troupe, 'counter');
  await add(troupe, 'other');
  // A thread has its number from when it was made: after the driver's, and before the other's.
  const [own = 0, others = 0] = ['counter', 'other'].map((id) => troupe.node(id)?.threadId);
  assert.equal(own, (troupe.node('driver')?.threadId ?? 0) + 1);
  assert.ok(others > own);
  await ready(troupe, 1);
  for (const id of ['counter', 'other']) {
    const next = (): Promise<unknown> => troupe.ask(id, 'next');
    assert.deepEqual(await until('it answers', next), { incarnation: 1, count: 1 });
  }
  await troupe.tell('counter', 'die');
  assert.equal((await troupe.exit('counter')).reason.code, 'CRASH');
  await troupe.reaches('counter', 'running', 2);
  await troupe.perform({ do: 'stopChild', id: 'other' });
  assert.equal((await troupe.exit('other')).reason.code, 'NORMAL');
});

test('an actor with another heap, or another module, gets a thread of its own', async () => {
  await using troupe = make();
  await ready(troupe, 2);
  await add(troupe, 'counter', { heap: { ...heap, maxOldMb: heap.maxOldMb + 1 } });
  await add(troupe, 'other', { module: new URL('./fixtures/victim.js', import.meta.url).href, params: {} });
  assert.equal(troupe.system.spareThreads, 2);
});

for (const [what, text] of [
  ['does not load', 'throw new Error("no")'],
  ['ends at once', 'process.exit(1)'],
  ['never comes to its end', 'setInterval(() => undefined, 1000); await new Promise(() => undefined)'],
]) {
  test(`a spare thread that ${what} is nobody's concern`, async () => {
    await using troupe = make(loads(text ?? ''));
    await add(troupe, 'counter');
    assert.deepEqual(await until('it answers', () => troupe.ask('counter', 'next')), {
      incarnation: 1,
      count: 1,
    });
    assert.deepEqual(troupe.givenUp, []);
  });
}

test('a spare thread that ends while it waits is not taken', async () => {
  const channel = `end-${randomUUID()}`;
  await using troupe = make(loads(`new BroadcastChannel("${channel}").onmessage = () => process.exit(1)`));
  await ready(troupe, 2);
  const sender = new BroadcastChannel(channel);
  sender.postMessage('end');
  sender.close();
  await ready(troupe, 0);
  await add(troupe, 'counter');
  await until('it answers', () => troupe.ask('counter', 'next'));
});

test('a spare thread that the machine does not give is reported, and made after the next start', async (t) => {
  const problems: string[] = [];
  const threads = new SpareThreads(
    spares,
    () => null,
    (problem) => problems.push(problem),
  );
  t.after(() => threads.stop());
  const refused = t.mock.method(workerThreads, 'Worker', function () {
    throw Object.assign(new Error('no thread'), { code: 'ERR_WORKER_INIT_FAILED' });
  });
  syncBuiltinESMExports();
  threads.refillLater();
  try {
    await until('it is reported', () => problems.length > 0);
  } finally {
    refused.mock.restore();
    syncBuiltinESMExports();
  }
  assert.deepEqual(problems, ['a spare thread could not be made: Error: no thread']);
  assert.equal(threads.take(actor('counter', 'counter')), null);
  await until('they are ready', () => threads.ready === spares.count, 30_000);
});

test('no thread is left when the system has stopped', async (t) => {
  const made: Worker[] = [];
  const { Worker: Original } = workerThreads;
  const counted = t.mock.method(
    workerThreads,
    'Worker',
    function (...args: ConstructorParameters<typeof Worker>) {
      const worker = new Original(...args);
      made.push(worker);
      return worker;
    },
  );
  syncBuiltinESMExports();
  t.after(() => {
    counted.mock.restore();
    syncBuiltinESMExports();
  });
  const troupe = make();
  await ready(troupe, 2);
  await troupe[Symbol.asyncDispose]();
  assert.ok(made.length > 2);
  assert.deepEqual(
    made.map(({ threadId }) => threadId),
    made.map(() => -1),
  );
});
