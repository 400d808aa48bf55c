/** Every stage of a source fails, in every way, with and without tolerance and a dead-letter queue. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { RebalancerProtocol } from '#troupe/actors/rebalancer/protocol.js';
import type { LoadedSource } from '#troupe/actors/task/load-task.js';
import { startSource } from '#troupe/actors/task/source/source-task.js';
import { BatchReader } from '#troupe/log/batch.js';
import type { Log } from '#troupe/log/log.js';
import { discoverPlugins } from '#troupe/plugins/discover.js';
import { buildConverter } from '#troupe/plugins/converter-config.js';
import { DataError, sourceRecord, type SourceRecord } from '#troupe/sdk/index.js';
import { KEPT, newFolder, openStore } from '../../fault/log/support.js';
import { lettersIn, type FoundLetter } from '../../support/dead-letters.js';
import { BAD, failing, failingChain, failingConverter, type Fault } from '../../support/failing-stage.js';
import { loadedSource, taskParts } from '../../support/task-parts.js';
import { DEFAULT_TOLERANCE } from '../../support/tolerance.js';
import { until } from '../../support/wait.js';

const STAGES = [
  'TASK_POLL',
  'KEY_CONVERTER',
  'VALUE_CONVERTER',
  'HEADER_CONVERTER',
  'TRANSFORMATION',
  'KAFKA_PRODUCE',
] as const;
type Stage = (typeof STAGES)[number];

const VALUES = ['one', BAD, 'two', 'three'];
const OTHERS = VALUES.filter((value) => value !== BAD);

interface Case {
  readonly stage: Stage;
  readonly fault: Fault;
  readonly tolerance: 'none' | 'all';
  readonly letters: boolean;
}

async function play(t: TestContext, { stage, fault, tolerance, letters }: Case) {
  const log = await openStore(t, { dir: newFolder(t) });
  for (const topic of ['positions', 'numbers', 'dead']) await log.createTopic(topic, { queues: 1, ...KEPT });
  const fail = failing(fault);
  const when = (part: Stage): ((value: unknown) => void) => (part === stage ? fail : () => undefined);
  const words: RebalancerProtocol['tell']['taskState'][] = [];
  const stop = new AbortController();
  const parts = taskParts({ unit: 'source/0', log, stop, onState: (word) => void words.push(word) });
  const catalog = discoverPlugins([]);
  const json = (part: 'key' | 'value' | 'header') =>
    buildConverter({ [`${part}.converter.schemas.enable`]: 'true' }, part, 'JsonConverter', catalog);
  const loaded: Partial<LoadedSource> = {
    keyConverter: failingConverter(when('KEY_CONVERTER')),
    valueConverter: failingConverter(when('VALUE_CONVERTER')),
    headerConverter: failingConverter(when('HEADER_CONVERTER')),
    chain: await failingChain(when('TRANSFORMATION')),
    tolerance: { ...DEFAULT_TOLERANCE, tolerance, retryTimeoutMs: 20, retryDelayMaxMs: 5 },
    ...(letters && {
      deadLetters: {
        settings: { topic: 'dead', queues: 1, contextHeaders: true },
        converters: { key: await json('key'), value: await json('value'), header: await json('header') },
      },
    }),
  };
  let next = 0;
  const committed: number[] = [];
  const source = {
    start: () => undefined,
    stop: () => undefined,
    commit: (positions: readonly { readonly position: Readonly<Record<string, unknown>> }[]) => {
      committed.push(...positions.map(({ position }) => Number(position['n'])));
    },
    poll: (): SourceRecord[] => {
      const value = VALUES[next];
      if (value === undefined) return [];
      const skipTo = { partition: { part: 'one' }, position: { n: next + 1 } };
      try {
        when('TASK_POLL')(value);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        next += 1;
        throw new DataError(error.message, { skipTo });
      }
      next += 1;
      return [record(stage, value, skipTo)];
    },
  };
  const { done } = await startSource(
    parts,
    loadedSource(() => source, loaded),
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
  return { log, ended, words, committed };
}

const NO_TOPIC = 'not a topic';

/** It is bad at one stage alone. */
function record(
  stage: Stage,
  value: string,
  { partition, position }: DataError['skipTo'] & object,
): SourceRecord {
  const at = (part: Stage): string => (part === stage ? value : 'fine');
  return sourceRecord({
    sourcePartition: partition,
    sourcePosition: position,
    topic: stage === 'KAFKA_PRODUCE' && value === BAD ? NO_TOPIC : null,
    keySchema: { type: 'STRING', optional: false },
    key: at('KEY_CONVERTER'),
    value,
    timestamp: 1000 + Number(position['n']),
    headers: [{ key: 'h', schema: null, value: at('HEADER_CONVERTER') }],
  });
}

async function appended(log: Log): Promise<(string | null)[]> {
  const { batches } = await log.read({
    topic: 'numbers',
    queue: 0,
    offset: 0,
    maxBytes: 1e6,
    maxRecords: 100,
    waitMs: 0,
  });
  return batches.flatMap(({ batch }) => {
    const reader = BatchReader.open(batch.bytes);
    return Array.from({ length: reader.count }, (_, i) => reader.valueText(i));
  });
}

for (const stage of STAGES)
  for (const tolerance of ['none', 'all'] as const)
    for (const letters of [false, true]) {
      const where = `${stage}, tolerance ${tolerance}, dead letters ${letters ? 'on' : 'off'}`;

      test(`a source where something fails once and passes appends everything: ${where}`, async (t) => {
        if (stage === 'KAFKA_PRODUCE') return;
        const { log, committed } = await play(t, { stage, fault: 'once', tolerance, letters });
        await until('all are durable', () => committed.includes(VALUES.length));
        assert.deepEqual(await appended(log), VALUES);
        assert.deepEqual(await lettersIn(log), []);
      });

      for (const fault of ['permanent', 'broken', 'passing'] as const)
        test(`a source where a record is bad (${fault}) skips it or fails: ${where}`, async (t) => {
          const { log, ended, words, committed } = await play(t, { stage, fault, tolerance, letters });
          const isOfRecord = stage !== 'TASK_POLL' || fault === 'permanent';
          if (isOfRecord && tolerance === 'all') {
            await until('all are durable', () => committed.includes(VALUES.length));
            assert.deepEqual(await appended(log), OTHERS);
            await until('it is counted', () => words.at(-1)?.skipped === 1);
            const [letter, ...more] = await lettersIn(log);
            assert.deepEqual(more, []);
            if (letters) checkLetter(letter, stage);
            else assert.equal(letter, undefined);
          } else if (!isOfRecord && fault === 'passing') {
            await until('it is tried again', () => words.at(-1)?.stalled?.call === 'poll');
            await until('what came before is appended', async () => (await appended(log)).length === 1);
            assert.deepEqual(await appended(log), ['one']);
          } else {
            const error = await ended;
            assert.ok(error instanceof Error);
            assert.match(error.message, /this is bad|this breaks it|it is away|cannot name a topic/);
            // What comes before it is appended.
            assert.deepEqual(await appended(log), ['one']);
            assert.deepEqual(await lettersIn(log), []);
          }
          if (letters && tolerance === 'none')
            await until('it is said', () =>
              words.some(({ notes }) => notes?.some(({ code }) => code === 'DEAD_LETTERS_OFF')),
            );
        });
    }

function checkLetter(letter: FoundLetter | undefined, stage: Stage): void {
  const polled = stage === 'TASK_POLL';
  const json = (value: string, type = 'string') =>
    JSON.stringify({ schema: type === '' ? null : { type, optional: false }, payload: value });
  assert.equal(letter?.value, polled ? null : json(BAD, ''));
  assert.equal(letter.key, polled ? null : json(stage === 'KEY_CONVERTER' ? BAD : 'fine'));
  if (!polled) assert.equal(letter.timestamp, 1002);
  const { headers } = letter;
  if (!polled) assert.equal(headers['h'], json(stage === 'HEADER_CONVERTER' ? BAD : 'fine', ''));
  assert.equal(headers['__connect.errors.stage'], stage);
  const topic = stage === 'KAFKA_PRODUCE' ? NO_TOPIC : 'numbers';
  assert.equal(headers['__connect.errors.topic'], topic);
  assert.equal(headers['__connect.errors.source.position'], '{"n":2}');
  assert.deepEqual(JSON.parse(headers['TROUPE_LETTER'] ?? ''), {
    connector: 'source',
    task: 0,
    topic,
    partition: { part: 'one' },
    position: { n: 2 },
    form: polled ? 'none' : 'json',
  });
}
