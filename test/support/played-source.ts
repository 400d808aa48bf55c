/** The loop of a source whose plugin the test plays, on a log that takes everything. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { createLease, monotonicMs, renewLease } from '#troupe/actors/kernel/lease.js';
import { Gate } from '#troupe/actors/task/gate.js';
import { PluginCalls } from '#troupe/actors/task/plugin-calls.js';
import { RecordErrors } from '#troupe/actors/task/record-errors.js';
import { PolledRecords } from '#troupe/plugins/plugin-returns.js';
import { runSource, type SourceLoopParts } from '#troupe/actors/task/source/source-loop.js';
import { SourceWriter } from '#troupe/actors/task/source/source-writer.js';
import type { SourceTransactionsOptions } from '#troupe/actors/task/source/source-transactions.js';
import type { PositionWord } from '#troupe/core/model.js';
import type { Tolerance } from '#troupe/core/tolerance.js';
import { BatchReader } from '#troupe/log/batch.js';
import { encodeValues } from '#troupe/log/replicated-topic.js';
import { readTransaction } from '#troupe/log/transaction-mark.js';
import {
  sourceRecord,
  type RecordTransaction,
  type SourceRecord,
  type SourceTask,
} from '#troupe/sdk/index.js';
import { taskCounters } from './metrics.js';
import { NO_REST, NO_SIGNALS, throttlingOf, UNCHANGED } from './task-parts.js';
import { DEFAULT_TOLERANCE } from './tolerance.js';
import { transactionsOf } from './transactions.js';

export const ignore = (): void => undefined;
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => silent };
const noLog = () => assert.fail('nothing is written');

/** A record whose value is its place. */
export const at = (n: number, transaction: RecordTransaction | null = null, part = 'one'): SourceRecord =>
  sourceRecord({ value: String(n), sourcePartition: { part }, sourcePosition: { n }, transaction });

export interface Played {
  readonly transform?: (record: SourceRecord) => SourceRecord | null;
  readonly commit?: NonNullable<SourceTask['commit']>;
  readonly settleTimeoutMs?: number;
  readonly tolerance?: Tolerance;
  readonly rest?: SourceLoopParts['rest'];
  readonly throttle?: SourceLoopParts['throttle'];
  readonly changes?: SourceLoopParts['changes'];
  readonly transactions?: Partial<SourceTransactionsOptions>;
}

/** Runs the loop until the end of the test. */
export function play(t: TestContext, poll: SourceTask['poll'], options: Played = {}) {
  const lease = createLease();
  renewLease(lease, monotonicMs() + 3_600_000);
  const ending = new AbortController();
  const { signal } = ending;
  const gate = new Gate(lease, signal);
  gate.setTarget('RUNNING');
  const calls = new PluginCalls(60_000, ignore);
  const said: string[] = [];
  const appended: { value: string | null; timestamp: number }[] = [];
  const positions: unknown[] = [];
  /** The records of each append, and what it says of positions. */
  const appends: { values: (string | null)[]; ends: boolean[]; words: unknown[] }[] = [];
  let words: unknown[] = [];
  const told: string[] = [];
  const warned: string[] = [];
  const begun: PositionWord[] = [];
  const log = {
    ...silent,
    info: (fields: object, message: string) => told.push(`${message} ${JSON.stringify(fields)}`),
    warn: (fields: object, message: string) => warned.push(`${message} ${JSON.stringify(fields)}`),
  };
  const instance = {
    fromConnectData: (_topic: string, _schema: unknown, value: unknown) => value as string,
    toConnectData: () => ({ schema: null, value: null }),
  };
  const writer = new SourceWriter({
    log: {
      append: async ({ entries }) => {
        const append = { values: new Array<string | null>(), ends: new Array<boolean>(), words };
        words = [];
        for (const { topic, batch } of entries) {
          const reader = BatchReader.open(batch.bytes);
          for (let i = 0; topic === 't' && i < reader.count; i += 1) {
            appended.push({ value: reader.valueText(i), timestamp: reader.timestamp(i) });
            append.values.push(reader.valueText(i));
            append.ends.push(readTransaction(reader.headers(i)).transaction?.end === true);
          }
        }
        appends.push(append);
        return entries.map(() => 0);
      },
      capabilities: { atomicAppend: true, trim: true, fencing: true, maxRecordBytes: 1000 },
    },
    limits: { maxRecords: 10, maxBytes: 1000, lingerMs: 5 },
    positionEntry: (items) => {
      words = items.map((item) => ('part' in item ? item : item.position));
      positions.push(...words);
      return { topic: 'positions', queue: 0, batch: encodeValues([Buffer.from('p')]) };
    },
    exact: null,
    fence: { key: 'c/0', epoch: 1 },
    retry: noLog,
    onAppended: ignore,
  });
  const loop: SourceLoopParts = {
    polled: new PolledRecords('c'),
    task: { start: ignore, stop: ignore, poll, ...(options.commit && { commit: options.commit }) },
    calls,
    gate,
    signal,
    writer,
    counters: taskCounters().source,
    signals: NO_SIGNALS,
    changes: options.changes ?? UNCHANGED,
    rest: options.rest ?? NO_REST,
    throttle: options.throttle ?? throttlingOf({}),
    transactions: transactionsOf(writer, { log, ...options.transactions }),
    topics: { queues: () => 1, ensure: noLog, route: () => 0 },
    errors: new RecordErrors(options.tolerance ?? DEFAULT_TOLERANCE, log, signal, (call, stall) =>
      said.push(stall === null ? 'recovered' : call),
    ),
    transform: options.transform ?? null,
    keyConverter: instance,
    valueConverter: instance,
    headerConverter: () => noLog(),
    topic: 't',
    marker: null,
    begun,
    log,
    settleTimeoutMs: options.settleTimeoutMs ?? 10_000,
    bound: { check: () => Promise.resolve() },
    onPaused: (paused) => said.push(paused ? 'paused' : 'running'),
  };
  const ended = runSource(loop);
  const use = (transform: SourceLoopParts['transform']): void => {
    loop.transform = transform;
  };
  t.after(async () => {
    ending.abort();
    await ended.catch(ignore);
    calls.close();
  });
  return { ended, ending, gate, use, begun, said, appended, appends, positions, warned, told };
}
