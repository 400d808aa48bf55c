/** A sink's offsets on a real log, through crashes and topics that are made anew. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { SinkOffsets } from '#troupe/actors/task/sink/sink-offsets.js';
import type { SinkOffset } from '#troupe/core/progress/progress-machine.js';
import type { EmbeddedStore } from '#troupe/log/embedded/store.js';
import type { Log } from '#troupe/log/log.js';
import fc from 'fast-check';
import { batchOf } from '../../conformance/log-batches.js';
import { committedIn } from '../../support/committed-offsets.js';
import { KEPT, newFolder, openStore } from '../../fault/log/support.js';

const QUEUES = 2;
const ASSIGNMENT = Array.from({ length: QUEUES }, (_, queue) => ({ topic: 't', queue }));

async function newLog(t: TestContext): Promise<EmbeddedStore> {
  const log = await openStore(t, { dir: newFolder(t) });
  await log.createTopic('offsets', { queues: 1, ...KEPT });
  return log;
}

/** A start of the sink's task, of which nothing is left but the log. */
async function start(
  log: Log,
  epoch: number,
  committed: readonly SinkOffset[],
): Promise<{ readonly offsets: SinkOffsets; readonly warned: object[]; readonly noted: string[] }> {
  const warned: object[] = [];
  const noted: string[] = [];
  const topic = await log.describeTopic('t');
  assert.ok(topic);
  await log.fence({ key: 'sink/0', epoch });
  const offsets = new SinkOffsets({
    log,
    logger: { warn: (fields) => void warned.push(typeof fields === 'string' ? {} : fields) },
    note: (code) => void noted.push(code),
    signal: new AbortController().signal,
    gate: { leased: true },
    errors: {
      backoff: () => Promise.reject(new Error('the log is not away')),
      recovered: () => undefined,
      pause: () => Promise.resolve(),
    },
    unit: 'sink/0',
    epoch,
    node: { id: 'n', incarnation: 'i' },
    offsetTopic: 'offsets',
    mayGo: () => false,
  });
  await offsets.begin({ queues: ASSIGNMENT, topics: [topic], committed });
  return { offsets, warned, noted };
}

const act = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('commit' as const), queue: fc.nat(QUEUES - 1), to: fc.nat(30) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('rewind' as const), queue: fc.nat(QUEUES - 1), to: fc.nat(30) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('make anew' as const), records: fc.nat(40) }) },
);

test('whatever it commits and goes back to, a sink goes on there after a crash, and in a topic made anew at its first record', async (t) => {
  const log = await newLog(t);
  let epoch = 0;
  const makeAnew = async (records: number): Promise<void> => {
    if ((await log.describeTopic('t')) !== null) await log.deleteTopic('t');
    await log.createTopic('t', { queues: QUEUES, ...KEPT });
    const values = Array.from({ length: records }, String);
    for (let queue = 0; queue < QUEUES && records > 0; queue += 1)
      await log.append({ entries: [{ topic: 't', queue, batch: batchOf(values) }] });
  };
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 15 }), async (acts) => {
      await makeAnew(30);
      const expected = ASSIGNMENT.map(() => 0);
      let { offsets } = await start(log, (epoch += 1), await committedIn(log, 'sink'));
      for (const step of [...acts, { do: 'crash' as const }]) {
        if (step.do === 'make anew') {
          await makeAnew(step.records);
          expected.fill(0);
        }
        if (step.do === 'commit' || step.do === 'rewind') {
          const { queue, to } = step;
          await offsets[step.do]([{ topic: 't', queue, offset: to }]);
          if (step.do === 'commit' || to < (expected[queue] ?? 0)) expected[queue] = to;
          continue;
        }
        ({ offsets } = await start(log, (epoch += 1), await committedIn(log, 'sink')));
        assert.deepEqual(
          ASSIGNMENT.map((queue) => offsets.beginning(queue).offset),
          expected,
        );
        const group = await log.committedOffsets('connect-sink');
        assert.deepEqual(
          [...group].sort((a, b) => a.queue - b.queue).map(({ offset }) => offset),
          expected,
          'retention waits for what is still to be read',
        );
      }
    }),
    { numRuns: 20 },
  );
});

test('offsets that an older release has committed hold, and belong to the topic from then on', async (t) => {
  const log = await newLog(t);
  await log.createTopic('t', { queues: QUEUES, ...KEPT });
  for (const { topic, queue } of ASSIGNMENT)
    await log.append({ entries: [{ topic, queue, batch: batchOf(['a', 'b', 'c']) }] });
  const old = ASSIGNMENT.map((queue) => ({ ...queue, offset: 2 }));
  const { offsets } = await start(log, 1, old);
  assert.deepEqual(offsets.beginning({ topic: 't', queue: 1 }).offset, 2);
  const id = (await log.describeTopic('t'))?.id;
  assert.deepEqual(
    await committedIn(log, 'sink'),
    old.map((item) => ({ ...item, topicId: id })),
  );
});

test('where a log gives topics no ids, one that ends before what was committed is taken for another one', async (t) => {
  const store = await newLog(t);
  await store.createTopic('t', { queues: QUEUES, ...KEPT });
  await store.append({ entries: [{ topic: 't', queue: 0, batch: batchOf(['a', 'b', 'c']) }] });
  await store.trim('t', 0, 1);
  const log = new Proxy<Log>(store, {
    get: (target, name): unknown => {
      if (name === 'describeTopic') return async () => ({ name: 't', queues: QUEUES, ...KEPT, id: null });
      const found: unknown = Reflect.get(target, name);
      return typeof found === 'function' ? found.bind(target) : found;
    },
  });
  const { offsets, warned, noted } = await start(log, 1, [
    { topic: 't', queue: 0, offset: 3 },
    { topic: 't', queue: 1, offset: 1 },
  ]);
  assert.deepEqual(
    ASSIGNMENT.map((queue) => offsets.beginning(queue)),
    [
      { offset: 3, how: 'goes on', commit: false },
      { offset: 0, how: 'anew', commit: true },
    ],
  );
  assert.deepEqual(warned, [
    { topic: 't', queues: [{ queue: 1, committed: 1, offset: 0 }], code: 'TOPIC_MADE_ANEW' },
  ]);
  assert.deepEqual(noted, ['TOPIC_MADE_ANEW']);
  // Those of another log, which had ids, say nothing here.
  const moved = await start(log, 2, [{ topic: 't', queue: 0, offset: 3, topicId: 'elsewhere' }]);
  assert.deepEqual(moved.offsets.beginning({ topic: 't', queue: 0 }).offset, 1);
});
