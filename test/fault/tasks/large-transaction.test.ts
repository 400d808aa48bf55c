/** A transaction far larger than the heap of its thread. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { SourceWriter } from '#troupe/actors/task/source/source-writer.js';
import type { ProgressWord } from '#troupe/core/model.js';
import type { QueueEntry } from '#troupe/log/log.js';
import { encodeValues } from '#troupe/log/replicated-topic.js';
import { sourceRecord, type SourceRecord } from '#troupe/sdk/index.js';
import { transactionsOf } from '../../support/transactions.js';

const RECORDS = 1_000_000;
const MAX_BYTES = 8 * 1024 * 1024;
const LIMITS = { maxRecords: 10_000, maxBytes: 1024 * 1024, lingerMs: 0 };
const FILLER = 'x'.repeat(150);

interface Figures {
  records: number;
  largestAppend: number;
  held: number;
  readonly positions: unknown[];
  lastPart: number;
}

function recordAt(n: number): SourceRecord {
  return sourceRecord({
    value: `${n} ${FILLER}`,
    sourcePartition: { p: 1 },
    sourcePosition: { n },
    transaction: { id: 'large', end: n === RECORDS },
  });
}

function countingWriter(figures: Figures): SourceWriter {
  const append = async ({ entries }: { readonly entries: readonly QueueEntry[] }) => {
    await new Promise(setImmediate);
    const own = entries.filter(({ topic }) => topic === 't');
    const bytes = own.reduce((sum, { batch }) => sum + batch.bytes.byteLength, 0);
    figures.largestAppend = Math.max(figures.largestAppend, bytes);
    figures.records += own.reduce((sum, { batch }) => sum + batch.count, 0);
    return entries.map(() => 0);
  };
  const positionEntry = (words: readonly ProgressWord[]): QueueEntry => {
    for (const word of words)
      if ('part' in word) figures.lastPart = word.part.records;
      else figures.positions.push(word.position);
    return { topic: 'positions', queue: 0, batch: encodeValues([Buffer.from('p')]) };
  };
  return new SourceWriter({
    log: {
      append,
      capabilities: { atomicAppend: true, fencing: true, trim: true, maxRecordBytes: 1 << 20 },
    },
    limits: LIMITS,
    positionEntry,
    exact: null,
    fence: { key: 'c/0', epoch: 1 },
    retry: (error) => Promise.reject(error),
    onAppended: () => undefined,
  });
}

async function appendAll(): Promise<Figures> {
  const figures: Figures = { records: 0, largestAppend: 0, held: 0, positions: [], lastPart: 0 };
  const writer = countingWriter(figures);
  const transactions = transactionsOf(writer, { maxBytes: MAX_BYTES });
  for (let n = 1; n <= RECORDS; n += 1) {
    const record = recordAt(n);
    if (writer.full) await writer.room();
    assert.ok(transactions.enter(record));
    const { transaction = null } = record;
    transactions.add('t', 0, null, String(record.value), 0, null, undefined, transaction);
    transactions.passed(record);
    figures.held = Math.max(figures.held, transactions.bytes);
    if (n % 1000 === 0) writer.pump();
  }
  await writer.drain();
  return figures;
}

if (isMainThread) {
  test('a transaction of a million records goes through a heap of a fraction of it, and its position moves once', async () => {
    const worker = new Worker(fileURLToPath(import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 },
    });
    const exited = once(worker, 'exit');
    const [figures] = (await once(worker, 'message')) as [Figures];
    await exited;
    assert.equal(figures.records, RECORDS);
    assert.ok(figures.held <= MAX_BYTES, `${figures.held} bytes were held`);
    assert.ok(figures.largestAppend < 2 * MAX_BYTES, `${figures.largestAppend} bytes were in one append`);
    assert.deepEqual(figures.positions, [{ n: RECORDS }]);
    assert.ok(figures.lastPart > 0 && figures.lastPart < RECORDS);
  });
} else parentPort?.postMessage(await appendAll());
