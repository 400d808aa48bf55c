import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import { test, type TestContext } from 'node:test';
import { PassiveTasks } from '#troupe/actors/rebalancer/passive-tasks.js';
import type { SinkRest } from '#troupe/core/cluster/passivation.js';
import { LogError, type Log, type ReadResult, type TopicDescription } from '#troupe/log/log.js';
import { LOG } from '../../simulation/node-settings.js';
import { until } from '../../support/wait.js';

const REST: SinkRest = {
  kind: 'sink',
  since: 1,
  queues: [{ topic: 't', queue: 0, offset: 7 }],
  topics: { named: ['t'], pattern: null, refreshMs: 10, known: [{ name: 't', queues: 1, id: 'x' }] },
};

const topic = (over: Partial<TopicDescription> = {}): TopicDescription => ({
  name: 't',
  queues: 1,
  retentionMs: null,
  retentionBytes: null,
  id: 'x',
  ...over,
});

/** Each read waits for `answer`. */
function watched(t: TestContext, topics: () => readonly TopicDescription[] = () => [topic()]) {
  const reads: {
    readonly resolve: (result: ReadResult) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  const woken: string[] = [];
  let looks = 0;
  const log: Pick<Log, 'read' | 'describeTopic' | 'listTopics' | 'close'> = {
    read: ({ signal }) =>
      new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => {
          reject(new Error('ended'));
        });
        reads.push({ resolve, reject });
      }),
    describeTopic: (name) => {
      looks += 1;
      return Promise.resolve(topics().find((each) => each.name === name) ?? null);
    },
    listTopics: () => {
      looks += 1;
      return Promise.resolve(topics());
    },
    close: () => Promise.resolve(),
  };
  const passive = new PassiveTasks({
    openLog: () => Promise.resolve(log as Log),
    ownTopics: ['own'],
    log: LOG,
    onWake: (unit, since) => {
      assert.equal(typeof since, 'number');
      woken.push(unit);
    },
  });
  t.after(() => passive.close());
  const read = (index: number) => until('it reads', () => reads[index]);
  return { passive, woken, read, reads, looks: () => looks };
}

const nothing = (offset: number): ReadResult => ({
  batches: [],
  nextOffset: offset,
  startOffset: offset,
  endOffset: offset,
});

test('a record wakes a passive sink once, and a read that finds none does not', async (t) => {
  const { passive, woken, read } = watched(t);
  passive.add('c/0', REST);
  (await read(0)).resolve(nothing(7));
  const second = await read(1);
  assert.deepEqual(woken, []);
  second.resolve({
    ...nothing(8),
    batches: [{ baseOffset: 7, batch: { bytes: new Uint8Array(), count: 1 } }],
  });
  await until('it wakes', () => woken.length === 1);
  assert.equal(passive.all.size, 0);
});

test('records that were deleted, and a topic that is gone, wake it: the task says so', async (t) => {
  const { passive, woken, read } = watched(t);
  passive.add('c/0', REST);
  (await read(0)).resolve(nothing(9));
  await until('it wakes', () => woken.length === 1);
  passive.add('c/1', REST);
  (await read(1)).reject(new LogError('LOG_UNKNOWN_TOPIC', 'gone'));
  await until('it wakes', () => woken.length === 2);
});

test('a log that is away wakes nobody', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.timers.reset();
    syncBuiltinESMExports();
  });
  const { passive, woken, reads } = watched(t);
  passive.add('c/0', REST);
  for (let read = 1; read <= 3; read += 1) {
    for (let turn = 0; reads.length < read && turn < 100; turn += 1) await new Promise(setImmediate);
    assert.equal(reads.length, read);
    reads.at(-1)?.reject(new LogError('LOG_UNAVAILABLE', 'away'));
    await new Promise(setImmediate);
    t.mock.timers.tick(5000);
  }
  assert.deepEqual(woken, []);
});

test('a topic that gets a queue, or another life, wakes it', async (t) => {
  for (const now of [topic({ queues: 2 }), topic({ id: 'y' })]) {
    const { passive, woken } = watched(t, () => [now]);
    passive.add('c/0', REST);
    await until('it wakes', () => woken.length === 1);
  }
});

test('a new topic of its pattern wakes it, and none of the cluster itself or of another name', async (t) => {
  const topics = [topic(), topic({ name: 'own' }), topic({ name: 'other' })];
  const { passive, woken, looks } = watched(t, () => topics);
  passive.add('c/0', { ...REST, topics: { ...REST.topics, named: [], pattern: /^(t\d?|own)$/ } });
  await until('it has looked', () => looks() > 1);
  assert.deepEqual(woken, []);
  topics.push(topic({ name: 't2' }));
  await until('it wakes', () => woken.length === 1);
});

test('while it is held nothing wakes it, and then what has come does', async (t) => {
  const { passive, woken, read, reads } = watched(t);
  passive.add('c/0', REST);
  await read(0);
  passive.hold('c/0');
  reads[0]?.resolve({
    ...nothing(8),
    batches: [{ baseOffset: 7, batch: { bytes: new Uint8Array(), count: 1 } }],
  });
  await new Promise(setImmediate);
  assert.deepEqual(woken, []);
  passive.resume('c/0');
  (await read(1)).resolve({
    ...nothing(8),
    batches: [{ baseOffset: 7, batch: { bytes: new Uint8Array(), count: 1 } }],
  });
  await until('it wakes', () => woken.length === 1);
});

test('a source wakes at its time, however far that is, and not when it waits for a signal alone', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { passive, woken } = watched(t);
  const days = 60 * 86_400_000;
  passive.add('c/0', { kind: 'source', since: 0, wakeAt: days });
  passive.add('c/1', { kind: 'source', since: 0, wakeAt: null });
  t.mock.timers.tick(2 ** 31 - 1);
  t.mock.timers.tick(days - 2 ** 31);
  assert.deepEqual(woken, []);
  t.mock.timers.tick(1);
  assert.deepEqual(woken, ['c/0']);
  assert.deepEqual([...passive.all.keys()], ['c/1']);
});
