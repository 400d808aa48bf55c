/** Every stage of a sink fails, in every way, with and without tolerance and a dead-letter queue. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { RebalancerProtocol } from '#troupe/actors/rebalancer/protocol.js';
import type { LoadedSink } from '#troupe/actors/task/load-task.js';
import { startSink } from '#troupe/actors/task/sink/sink-task.js';
import { BatchBuilder } from '#troupe/log/batch.js';
import type { Log } from '#troupe/log/log.js';
import type { SinkRecord, SinkTaskContext } from '#troupe/sdk/index.js';
import { KEPT, newFolder, openStore } from '../../fault/log/support.js';
import { BAD, failing, failingChain, failingConverter, type Fault } from '../../support/failing-stage.js';
import { lettersIn, type FoundLetter } from '../../support/dead-letters.js';
import { loadedSink, taskParts } from '../../support/task-parts.js';
import { DEFAULT_TOLERANCE } from '../../support/tolerance.js';
import { until } from '../../support/wait.js';

const STAGES = [
  'KEY_CONVERTER',
  'VALUE_CONVERTER',
  'HEADER_CONVERTER',
  'TRANSFORMATION',
  'TASK_PUT',
  'report',
  'flush',
] as const;
type Stage = (typeof STAGES)[number];

const VALUES = ['one', BAD, 'two', 'three'];

interface Case {
  readonly stage: Stage;
  readonly fault: Fault;
  readonly tolerance: 'none' | 'all';
  readonly letters: boolean;
}

async function play(t: TestContext, { stage, fault, tolerance, letters }: Case) {
  const log = await openStore(t, { dir: newFolder(t) });
  for (const topic of ['offsets', 'numbers', 'dead']) await log.createTopic(topic, { queues: 1, ...KEPT });
  const builder = new BatchBuilder();
  // The record is bad at one stage alone.
  const at = (part: Stage, value: string): string => (part === stage ? value : 'fine');
  for (const [i, value] of VALUES.entries())
    builder.add(at('KEY_CONVERTER', value), value, 1000 + i, [
      ['h', Buffer.from(at('HEADER_CONVERTER', value))],
    ]);
  await log.append({ entries: [{ topic: 'numbers', queue: 0, batch: builder.build() }] });
  const fail = failing(fault);
  const when = (part: Stage): ((value: unknown) => void) => (part === stage ? fail : () => undefined);
  const taken: unknown[] = [];
  let context: SinkTaskContext | null = null;
  const put = async (records: readonly SinkRecord[]): Promise<void> => {
    for (const { value } of records) when('TASK_PUT')(value);
    for (const record of records) {
      try {
        when('report')(record.value);
        taken.push(record.value);
      } catch (error) {
        await context?.report(record, error as Error);
        if (letters) assert.equal((await lettersIn(log)).length, 1, 'what is reported is safe');
      }
    }
  };
  const words: RebalancerProtocol['tell']['taskState'][] = [];
  const stop = new AbortController();
  const parts = taskParts({ unit: 'sink/0', log, stop, onState: (word) => void words.push(word) });
  const loaded: Partial<LoadedSink> = {
    offsetFlushIntervalMs: 10,
    keyConverter: failingConverter(when('KEY_CONVERTER')),
    valueConverter: failingConverter(when('VALUE_CONVERTER')),
    headerConverter: failingConverter(when('HEADER_CONVERTER')),
    chain: await failingChain(when('TRANSFORMATION')),
    tolerance: { ...DEFAULT_TOLERANCE, tolerance, retryTimeoutMs: 20, retryDelayMaxMs: 5 },
    ...(letters && {
      deadLetters: {
        settings: { topic: 'dead', queues: 1, contextHeaders: true },
        converters: {
          key: failingConverter(fail),
          value: failingConverter(fail),
          header: failingConverter(fail),
        },
      },
    }),
  };
  const task = {
    start: (given: SinkTaskContext) => void (context = given),
    put,
    flush: () => {
      when('flush')(taken.includes(BAD) ? BAD : null);
    },
    stop: () => undefined,
  };
  const { done } = await startSink(
    parts,
    loadedSink(() => task, loaded),
  );
  parts.report.running();
  const ended = done.then(
    () => null,
    (error: unknown) => error,
  );
  t.after(async () => {
    stop.abort();
    await ended;
    parts.calls.close();
  });
  return { log, taken, ended, words, stop };
}

async function committed(log: Log): Promise<number> {
  const offsets = await log.committedOffsets('connect-sink');
  return offsets.find(({ topic }) => topic === 'numbers')?.offset ?? 0;
}

const OTHERS = VALUES.filter((value) => value !== BAD);

for (const stage of STAGES)
  for (const tolerance of ['none', 'all'] as const)
    for (const letters of [false, true]) {
      const where = `${stage}, tolerance ${tolerance}, dead letters ${letters ? 'on' : 'off'}`;

      test(`a sink where something fails once and passes delivers everything: ${where}`, async (t) => {
        const { log, taken } = await play(t, { stage, fault: 'once', tolerance, letters });
        if (stage === 'report') return;
        await until('all is committed', async () => (await committed(log)) === VALUES.length);
        assert.deepEqual(taken, VALUES);
        assert.deepEqual(await lettersIn(log), []);
      });

      for (const fault of ['permanent', 'broken', 'passing'] as const)
        test(`a sink where a record is bad (${fault}) skips it or fails: ${where}`, async (t) => {
          const { log, taken, ended, words } = await play(t, { stage, fault, tolerance, letters });
          const isOfRecord = stage !== 'flush' && (stage !== 'TASK_PUT' || fault === 'permanent');
          if (isOfRecord && tolerance === 'all') {
            await until('all is committed', async () => (await committed(log)) === VALUES.length);
            assert.deepEqual(taken, OTHERS);
            await until('it is counted', () => words.at(-1)?.skipped === 1);
            const [letter, ...more] = await lettersIn(log);
            assert.deepEqual(more, []);
            if (letters) checkLetter(letter, stage);
            else assert.equal(letter, undefined);
          } else if (fault === 'passing' && (stage === 'TASK_PUT' || stage === 'flush')) {
            const call = stage === 'flush' ? 'flush' : 'put';
            await until('it is tried again', () => words.at(-1)?.stalled?.call === call);
            assert.equal(await committed(log), 0);
          } else {
            const error = await ended;
            assert.ok(error instanceof Error);
            assert.match(error.message, /this is bad|this breaks it|it is away/);
            const isBefore = stage.endsWith('CONVERTER') || stage === 'TRANSFORMATION';
            // What comes before a record that cannot be converted is delivered and committed.
            assert.equal(await committed(log), isBefore ? 1 : 0);
            if (isBefore) assert.deepEqual(taken, ['one']);
            assert.deepEqual(await lettersIn(log), []);
          }
          if (letters && tolerance === 'none')
            await until('it is said', () =>
              words.some(({ notes }) => notes?.some(({ code }) => code === 'DEAD_LETTERS_OFF')),
            );
        });
    }

function checkLetter(letter: FoundLetter | undefined, stage: Stage): void {
  assert.equal(letter?.value, BAD);
  assert.equal(letter.key, stage === 'KEY_CONVERTER' ? BAD : 'fine');
  assert.equal(letter.timestamp, 1001);
  const { headers } = letter;
  assert.equal(headers['h'], stage === 'HEADER_CONVERTER' ? BAD : 'fine');
  assert.equal(headers['__connect.errors.stage'], stage === 'report' ? 'TASK_PUT' : stage);
  assert.equal(headers['__connect.errors.topic'], 'numbers');
  assert.equal(headers['__connect.errors.partition'], '0');
  assert.equal(headers['__connect.errors.offset'], '1');
  assert.equal(headers['__connect.errors.connector.name'], 'sink');
  assert.equal(headers['__connect.errors.task.id'], '0');
  if (stage === 'TRANSFORMATION') assert.equal(headers['__connect.errors.class.name'], 'second');
  assert.match(headers['__connect.errors.exception.message'] ?? '', /bad|breaks|away/);
  assert.deepEqual(JSON.parse(headers['TROUPE_LETTER'] ?? ''), {
    connector: 'sink',
    task: 0,
    topic: 'numbers',
    queue: 0,
    offset: 1,
  });
}
