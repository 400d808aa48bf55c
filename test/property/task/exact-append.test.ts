import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ExactAppend } from '#troupe/actors/task/source/exact-append.js';
import { SourceWriter } from '#troupe/actors/task/source/source-writer.js';
import { decodeRecord, EntryEncoder } from '#troupe/core/replica/envelope.js';
import type { ProgressWord, SourcePosition } from '#troupe/core/model.js';
import {
  positionMachine,
  positionsOf,
  uncoveredOf,
  type PositionEntry,
  type Uncovered,
} from '#troupe/core/progress/progress-machine.js';
import { RecordMarker, writerMark } from '#troupe/core/progress/record-marks.js';
import type { QueueEntry } from '#troupe/log/log.js';
import { encodeValues } from '#troupe/log/replicated-topic.js';
import { hashBytes } from '#troupe/core/hash.js';
import { Crash, TwoStepLog, type Fate } from './two-step-log.js';

const UNIT = 'numbers/0';
const PARTITIONS = 3;
const RECORDS = 25;
const META = { offset: 0, timestamp: 0, writer: { node: 'n', incarnation: 'i' } };

interface World {
  readonly log: TwoStepLog;
  readonly queues: number;
  readonly exactly: boolean;
  readonly next: (bound: number) => number;
}

/** What the position topic comes to. */
function progress({ log }: World): { positions: readonly SourcePosition[]; uncovered: Uncovered } {
  let state = positionMachine.initial();
  for (const { value } of log.stored('positions', 0)) {
    const record = decodeRecord(value ?? new Uint8Array());
    assert.ok(record !== null && 'entry' in record);
    const entry = positionMachine.decode(record.entry);
    assert.ok(entry !== null);
    state = positionMachine.apply(state, entry, META).state;
    // As a node that begins with a snapshot has it.
    state = positionMachine.decodeSnapshot([...positionMachine.encodeSnapshot(state)]) ?? state;
  }
  return { positions: positionsOf(state, 'numbers'), uncovered: uncoveredOf(state, UNIT) };
}

function writerFor({ log, next, exactly }: World, epoch: number, uncovered: Uncovered): SourceWriter {
  const encoder = new EntryEncoder<PositionEntry>({ node: 'n', incarnation: String(epoch) });
  const fence = { key: UNIT, epoch };
  const positionEntry = (words: readonly ProgressWord[], changed: Partial<Uncovered> = {}): QueueEntry => {
    // Nothing is retired here.
    const items = words.flatMap((word) =>
      'part' in word ? [] : [{ partition: word.partition, position: word.position ?? {} }],
    );
    const entry = { type: 'PROGRESS' as const, unit: UNIT, epoch, items, ...changed };
    return { topic: 'positions', queue: 0, batch: encodeValues([encoder.encode(entry)]) };
  };
  const writer = writerMark(UNIT);
  const onFound = (): void => undefined;
  const append = new ExactAppend({
    log,
    fence,
    writer,
    uncovered,
    positionEntry,
    onFound,
    whileLeased: (work) => work({ holds: () => true, signal: new AbortController().signal }),
    warn: (message) => assert.fail(message),
  });
  return new SourceWriter({
    log,
    fence,
    limits: { maxRecords: 1 + next(12), maxBytes: 10_000, lingerMs: 0 },
    positionEntry,
    exact: exactly ? { append, writer } : null,
    retry: () => Promise.resolve(),
    onAppended: () => undefined,
  });
}

/** One life of a task: it polls its partitions in any order, and may drop a record, until all is done or it crashes. */
async function live(world: World, epoch: number): Promise<void> {
  const { next, queues } = world;
  const { positions, uncovered } = progress(world);
  const writer = writerFor(world, epoch, uncovered);
  const marker = new RecordMarker(positions);
  const at = Array.from({ length: PARTITIONS }, () => 0);
  for (const { partition, position } of positions) at[Number(partition['p'])] = Number(position['at']);
  for (;;) {
    const open = at.flatMap((done, p) => (done < RECORDS ? [p] : []));
    const p = open[next(open.length)];
    if (p === undefined) break;
    const number = (at[p] ?? 0) + 1;
    at[p] = number;
    const partition = { p };
    const position = { at: number };
    await writer.room();
    if (!isDropped(number)) {
      // Those of the first partition all look alike, and go to any queue.
      const key = p === 0 ? null : `key ${number % 4}`;
      const value = p === 0 ? 'same' : `${p} ${number}`;
      const queue = key === null ? next(queues) : hashBytes(key) % queues;
      writer.add('numbers', queue, key, value, 0, null, marker.mark(partition, position));
    }
    writer.moved(partition, position);
    if (next(4) === 0) writer.pump();
  }
  await writer.drain();
}

function isDropped(number: number): boolean {
  return number % 7 === 0;
}

const MADE = Array.from({ length: RECORDS }, (_, i) => i + 1).filter((number) => !isDropped(number));

/** Values of each partition in the order of their queues. */
function found({ log, queues }: World): Map<string, string[][]> {
  const all = new Map<string, string[][]>();
  for (let queue = 0; queue < queues; queue += 1) {
    for (const { key, value } of log.stored('numbers', queue)) {
      const text = Buffer.from(value ?? []).toString();
      if (text === 'other') continue;
      const partition = key === null ? '0' : (text.split(' ')[0] ?? '');
      const lists = all.get(partition) ?? Array.from({ length: queues }, (): string[] => []);
      all.set(partition, lists);
      lists[queue]?.push(text);
    }
  }
  return all;
}

interface Play {
  readonly seed: number;
  readonly queues: number;
  readonly exactly?: boolean;
  /** Whether others write to the queues as well. */
  readonly alone?: boolean;
  readonly onLife?: (world: World) => void;
}

async function play({ seed, queues, exactly = true, alone = false, onLife }: Play): Promise<World> {
  const next = random(seed);
  const fate = (): Fate => {
    const number = next(24);
    return number === 0
      ? 'crash'
      : number === 1
        ? 'crash after'
        : number === 2
          ? 'lost'
          : number === 3
            ? 'answer lost'
            : 'done';
  };
  const log = new TwoStepLog(fate, () => (alone ? 0 : Math.max(0, next(6) - 3)));
  log.createTopic('numbers', queues);
  log.createTopic('positions', 1);
  const world = { log, queues, exactly, next };
  for (let epoch = 1; ; epoch += 1) {
    onLife?.(world);
    try {
      await live(world, epoch);
      return world;
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
  }
}

function random(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

const seeds = fc.record({ seed: fc.nat(), queues: fc.integer({ min: 1, max: 5 }) });

test('whatever crashes or goes unanswered between two sends, every record stands in the log once, in order of its key', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, async ({ seed, queues }) => {
      const values = found(await play({ seed, queues }));
      assert.equal(values.get('0')?.flat().length, MADE.length);
      for (const p of ['1', '2']) {
        const lists = (values.get(p) ?? []).map((list) => list.map((text) => Number(text.split(' ')[1])));
        assert.deepEqual(
          lists.flat().sort((a, b) => a - b),
          MADE,
        );
        for (const list of lists) assertKeysInOrder(list);
      }
    }),
    { numRuns: 500 },
  );
});

function assertKeysInOrder(list: readonly number[]): void {
  for (let key = 0; key < 4; key += 1) {
    const own = list.filter((number) => number % 4 === key);
    assert.deepEqual(
      own,
      own.toSorted((a, b) => a - b),
    );
  }
}

test('what a task looks for after a crash is what no position covers, and nothing else', async () => {
  const marker = new RecordMarker([]);
  const made = new Map<number, { readonly p: number; readonly number: number }>();
  for (let p = 0; p < PARTITIONS; p += 1)
    for (let number = 1; number <= RECORDS; number += 1)
      made.set(marker.mark({ p }, { at: number }), { p, number });
  const onLife = (world: World): void => {
    const { positions, uncovered } = progress(world);
    const behind = uncovered.tails.flatMap(({ topic, queue, offset }) =>
      world.log.stored(topic, queue).slice(offset),
    );
    for (const mark of [...behind.map((record) => record.mark), ...uncovered.left.map(([left]) => left)]) {
      const { p, number } = made.get(mark) ?? assert.fail('not of this task');
      const durable = positions.find(({ partition }) => partition['p'] === p)?.position['at'] ?? 0;
      assert.ok(number > Number(durable), `record ${number} of ${p} is covered`);
    }
  };
  await fc.assert(
    fc.asyncProperty(seeds, async ({ seed, queues }) => {
      onLife(await play({ seed, queues, alone: true, onLife }));
    }),
    { numRuns: 200 },
  );
});

test('switched off, the same crashes lose nothing and leave records twice', async () => {
  let twice = 0;
  for (let seed = 1; seed <= 50; seed += 1) {
    const values = found(await play({ seed, queues: 3, exactly: false }));
    for (const p of ['1', '2']) {
      const list = values.get(p)?.flat() ?? [];
      assert.equal(new Set(list).size, MADE.length);
      twice += list.length - MADE.length;
    }
  }
  assert.ok(twice > 0, 'the faults of this test find the window between records and positions');
});
