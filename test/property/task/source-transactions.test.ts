/** Transactions of a source over logs that fail at every step, and over starts that read them again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ExactAppend } from '#troupe/actors/task/source/exact-append.js';
import { SourceWriter, type SourceWriterOptions } from '#troupe/actors/task/source/source-writer.js';
import type { ProgressWord, SourcePosition, TransactionPart } from '#troupe/core/model.js';
import {
  partsOf,
  positionMachine,
  positionsOf,
  uncoveredOf,
  type PositionEntry,
  type Uncovered,
} from '#troupe/core/progress/progress-machine.js';
import { RecordMarker, writerMark } from '#troupe/core/progress/record-marks.js';
import { decodeRecord, EntryEncoder } from '#troupe/core/replica/envelope.js';
import { LogError, type QueueEntry } from '#troupe/log/log.js';
import { encodeValues } from '#troupe/log/replicated-topic.js';
import { sourceRecord, type RecordTransaction, type SourceRecord } from '#troupe/sdk/index.js';
import { transactionsOf } from '../../support/transactions.js';
import { AtomicLog, type AtomicFate } from './atomic-log.js';
import { Crash, TwoStepLog, type Fate } from './two-step-log.js';

const UNIT = 'changes/0';
const PARTITIONS = 3;
const QUEUES = 3;
const META = { offset: 0, timestamp: 0, writer: { node: 'n', incarnation: 'i' } };
/** Room for all small transactions that can be open at once, and for no large one. */
const MAX_BYTES = 2000;
const SMALL = 3;
const LARGE = 30;

interface Change {
  readonly partition: number;
  /** From 1. */
  readonly at: number;
  readonly transaction: RecordTransaction | null;
  readonly large: boolean;
  /** A transform drops it, or it is bad and skipped. */
  readonly dropped: boolean;
}

type Next = (bound: number) => number;

function random(seed: number): Next {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** What the source holds: in each partition records on their own, and transactions, some without a word of their end. */
function makeChanges(next: Next): readonly (readonly Change[])[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => {
    const changes: Change[] = [];
    for (let n = 0; n < 12; n += 1) {
      const kind = next(8);
      const size = kind < 2 ? 1 : kind < 7 ? 1 + next(SMALL) : SMALL + 1 + next(LARGE);
      // Known by what follows alone; the last one of all says it, as nothing follows.
      const silent = kind === 6 && n < 11;
      for (let i = 1; i <= size; i += 1)
        changes.push({
          partition,
          at: changes.length + 1,
          transaction: kind < 2 ? null : { id: `t${n}`, end: i === size && !silent },
          large: kind === 7,
          dropped: next(6) === 0,
        });
    }
    return changes;
  });
}

interface World {
  readonly next: Next;
  readonly changes: readonly (readonly Change[])[];
  readonly log: AtomicLog | TwoStepLog;
  readonly exactly: boolean;
  lives: number;
}

interface Progress {
  readonly positions: readonly SourcePosition[];
  readonly parts: readonly TransactionPart[];
  readonly uncovered: Uncovered;
}

function progress({ log }: Pick<World, 'log'>): Progress {
  let state = positionMachine.initial();
  for (const { value } of log.stored('positions', 0)) {
    const record = decodeRecord(value ?? new Uint8Array());
    assert.ok(record !== null && 'entry' in record);
    const entry = positionMachine.decode(record.entry);
    assert.ok(entry !== null);
    state = positionMachine.apply(state, entry, META).state;
  }
  // As a node that begins with a snapshot has it.
  const copy = positionMachine.decodeSnapshot([...positionMachine.encodeSnapshot(state)]);
  assert.ok(copy !== null);
  assert.equal(positionMachine.digest(copy), positionMachine.digest(state));
  state = copy;
  const positions = positionsOf(state, 'changes');
  return { positions, parts: partsOf(state, 'changes'), uncovered: uncoveredOf(state, UNIT) };
}

function positionEntries(epoch: number) {
  const encoder = new EntryEncoder<PositionEntry>({ node: 'n', incarnation: String(epoch) });
  return (words: readonly ProgressWord[], changed: Partial<Uncovered> = {}): QueueEntry => {
    const items: SourcePosition[] = [];
    const parts: TransactionPart[] = [];
    for (const word of words) {
      if ('part' in word) parts.push(word.part);
      else items.push({ partition: word.partition, position: word.position ?? {} });
    }
    const entry = { type: 'PROGRESS' as const, unit: UNIT, epoch, items, parts, ...changed };
    return { topic: 'positions', queue: 0, batch: encodeValues([encoder.encode(entry)]) };
  };
}

function writerFor({ log, next, exactly }: World, epoch: number, uncovered: Uncovered): SourceWriter {
  const fence = { key: UNIT, epoch };
  const positionEntry = positionEntries(epoch);
  let exact: SourceWriterOptions['exact'] = null;
  if (log instanceof TwoStepLog && exactly) {
    const writer = writerMark(UNIT);
    const append = new ExactAppend({
      log,
      fence,
      writer,
      uncovered,
      positionEntry,
      onFound: () => undefined,
      whileLeased: (work) => work({ holds: () => true, signal: new AbortController().signal }),
      warn: (message) => assert.fail(message),
    });
    exact = { append, writer };
  }
  return new SourceWriter({
    log,
    fence,
    limits: { maxRecords: 1 + next(12), maxBytes: 10_000, lingerMs: 0 },
    positionEntry,
    exact,
    retry: () => Promise.resolve(),
    onAppended: () => undefined,
  });
}

function recordOf({ partition, at, transaction }: Change): SourceRecord {
  return sourceRecord({
    value: `${partition} ${at}`,
    sourcePartition: { p: partition },
    sourcePosition: { at },
    transaction,
  });
}

/** One life of a task: it polls its partitions in turns until all is done, or it crashes. */
async function live(world: World, epoch: number): Promise<void> {
  const { next, changes, exactly } = world;
  const { positions, parts, uncovered } = progress(world);
  const writer = writerFor(world, epoch, uncovered);
  const transactions = transactionsOf(writer, { maxBytes: MAX_BYTES, parts });
  const marker = new RecordMarker(positions);
  const at = changes.map(() => 0);
  for (const { partition, position } of positions) at[Number(partition['p'])] = Number(position['at']);
  for (;;) {
    const open = at.flatMap((done, p) => (done < (changes[p]?.length ?? 0) ? [p] : []));
    const p = open[next(open.length)];
    if (p === undefined) break;
    // A poll: some of one partition.
    for (let count = 1 + next(6); count > 0; count -= 1) {
      const change = changes[p]?.[at[p] ?? 0];
      if (change === undefined) break;
      at[p] = change.at;
      const record = recordOf(change);
      await writer.room();
      if (!transactions.enter(record)) continue;
      if (!change.dropped) {
        const mark = exactly ? marker.mark(record.sourcePartition, record.sourcePosition) : undefined;
        const { transaction = null } = record;
        transactions.add('t', change.at % QUEUES, null, String(record.value), 0, null, mark, transaction);
      }
      transactions.passed(record);
      assert.ok(transactions.bytes <= MAX_BYTES, 'what is held is bounded');
    }
    if (next(3) === 0) writer.pump();
    // What happens beside it.
    if (next(3) === 0) await new Promise(setImmediate);
  }
  await writer.drain();
}

async function play(world: World): Promise<void> {
  for (world.lives = 1; ; world.lives += 1) {
    try {
      await live(world, world.lives);
      return;
    } catch (error) {
      // An append of unknown outcome ends a task on a log of one step; both are starts anew.
      if (!(error instanceof Crash) && !(error instanceof LogError)) throw error;
    }
  }
}

function values(world: Pick<World, 'log'>, queue: number): string[] {
  return world.log
    .stored('t', queue)
    .map(({ value }) => Buffer.from(value ?? []).toString())
    .filter((text) => text !== 'other');
}

function allValues(world: Pick<World, 'log'>): string[] {
  return Array.from({ length: QUEUES }, (_, queue) => values(world, queue)).flat();
}

const textOf = ({ partition, at }: Change): string => `${partition} ${at}`;

function assertAtBoundaries(world: World): void {
  for (const { partition, position } of progress(world).positions) {
    const changes = world.changes[Number(partition['p'])] ?? [];
    const last = changes[Number(position['at']) - 1];
    const after = changes[Number(position['at'])];
    assert.ok(last !== undefined);
    const ends = last.transaction === null || last.transaction.id !== after?.transaction?.id;
    assert.ok(ends, `the position of ${textOf(last)} is inside a transaction`);
  }
}

/** Below the bound a transaction is there wholly or not at all, and no position covers what is not there. */
function assertWhole(world: World): void {
  const there = new Set(allValues(world));
  const byTransaction = new Map<string, Change[]>();
  for (const change of world.changes.flat()) {
    if (change.dropped || change.large || change.transaction === null) continue;
    const key = `${change.partition} ${change.transaction.id}`;
    byTransaction.set(key, [...(byTransaction.get(key) ?? []), change]);
  }
  for (const [key, changes] of byTransaction) {
    const found = changes.filter((change) => there.has(textOf(change))).length;
    assert.ok(found === 0 || found === changes.length, `${found} of the ${changes.length} of ${key}`);
  }
  for (const { partition, position } of progress(world).positions)
    for (const change of (world.changes[Number(partition['p'])] ?? []).slice(0, Number(position['at'])))
      assert.ok(change.dropped || there.has(textOf(change)), `${textOf(change)} is covered, and not there`);
}

function assertOnceInOrder(world: World): void {
  const made = world.changes.flat().filter(({ dropped }) => !dropped);
  for (let queue = 0; queue < QUEUES; queue += 1)
    for (let p = 0; p < PARTITIONS; p += 1)
      assert.deepEqual(
        values(world, queue).filter((text) => text.startsWith(`${p} `)),
        made.filter(({ partition, at }) => partition === p && at % QUEUES === queue).map(textOf),
      );
}

/** A sink sees the end of each small transaction in each of its queues, and nothing as an end that is none. */
function assertEndsAreMarked({ log, changes }: { log: AtomicLog; changes: World['changes'] }): void {
  for (let queue = 0; queue < QUEUES; queue += 1)
    for (const { value, transaction } of log.stored('t', queue)) {
      const [p, at] = Buffer.from(value ?? [])
        .toString()
        .split(' ')
        .map(Number);
      const own = changes[p ?? 0] ?? [];
      const change = own[(at ?? 0) - 1];
      assert.equal(transaction?.id, change?.transaction?.id);
      if (transaction === null) continue;
      const later = own.slice(at).filter((other) => other.transaction?.id === transaction.id);
      const isLast = !later.some((other) => !other.dropped && other.at % QUEUES === queue);
      if (change?.large === false) assert.equal(transaction.end, isLast, `the mark of ${p} ${at}`);
      else if (transaction.end) assert.ok(isLast);
    }
}

const seeds = fc.nat();

test('where the log can, a transaction is there wholly or not at all at every moment, and everything once after any crashes', async () => {
  let inParts = 0;
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const next = random(seed);
      const fates: readonly AtomicFate[] = ['crash', 'crash after', 'refused', 'answer lost'];
      const log: AtomicLog = new AtomicLog(
        () => fates[next(20)] ?? 'done',
        () => {
          assertWhole(world);
          assertAtBoundaries(world);
          if (progress(world).parts.length > 0) inParts += 1;
        },
      );
      const world: World = { next, changes: makeChanges(next), log, exactly: false, lives: 0 };
      log.createTopic('t', QUEUES);
      log.createTopic('positions', 1);
      await play(world);
      assertOnceInOrder(world);
      assertEndsAreMarked({ log, changes: world.changes });
      assert.deepEqual(progress(world).parts, []);
    }),
    { numRuns: 60 },
  );
  assert.ok(inParts > 0, 'some were larger than what is held');
});

function twoSteps(seed: number, exactly: boolean): World {
  const next = random(seed);
  const fates: readonly Fate[] = ['crash', 'crash after', 'lost', 'answer lost'];
  const log = new TwoStepLog(
    () => fates[next(24)] ?? 'done',
    () => Math.max(0, next(6) - 3),
  );
  log.createTopic('t', QUEUES);
  log.createTopic('positions', 1);
  return { next, changes: makeChanges(next), log, exactly, lives: 0 };
}

test('on a log of two steps every record of every transaction stands once after any crashes, and positions stay at ends', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const world = twoSteps(seed, true);
      await play(world);
      const all = allValues(world);
      assert.equal(new Set(all).size, all.length, 'nothing stands twice');
      assert.deepEqual(
        all.toSorted(),
        world.changes
          .flat()
          .filter(({ dropped }) => !dropped)
          .map(textOf)
          .toSorted(),
      );
      assertAtBoundaries(world);
    }),
    { numRuns: 100 },
  );
});

test('on a log of two steps that is not looked through, transactions may stand twice, and nothing is lost', async () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const world = twoSteps(seed, false);
    await play(world);
    const there = new Set(allValues(world));
    for (const change of world.changes.flat()) assert.ok(change.dropped || there.has(textOf(change)));
    assertAtBoundaries(world);
  }
});
