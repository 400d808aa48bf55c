import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';

import { createLease, monotonicMs, renewLease } from '#troupe/actors/kernel/lease.js';
import type { ActorLogger } from '#troupe/actors/kernel/protocol.js';
import { Gate } from '#troupe/actors/task/gate.js';
import { PluginCalls } from '#troupe/actors/task/plugin-calls.js';
import { RecordErrors } from '#troupe/actors/task/record-errors.js';
import { PolledRecords } from '#troupe/plugins/plugin-returns.js';
import { runSource } from '#troupe/actors/task/source/source-loop.js';
import { SourceWriter } from '#troupe/actors/task/source/source-writer.js';
import { Topics } from '#troupe/actors/task/topics.js';
import type { Tolerance } from '#troupe/core/tolerance.js';
import { BatchReader } from '#troupe/log/batch.js';
import { MAX_BATCH_BYTES, type Log } from '#troupe/log/log.js';
import { encodeValues } from '#troupe/log/replicated-topic.js';
import type { PositionWord } from '#troupe/core/model.js';
import type { ConverterInstance } from '#troupe/sdk/plugin.js';
import type { SourceRecord } from '#troupe/sdk/record.js';
import { transactionsOf } from '../../support/transactions.js';
import { KEPT, newFolder, openStore } from '../../fault/log/support.js';
import { taskCounters } from '../../support/metrics.js';
import { NO_REST, NO_SIGNALS, throttlingOf, UNCHANGED } from '../../support/task-parts.js';

const MEGA = 1024 * 1024;
/** The largest that a connector may set. */
const LIMITS = { maxRecords: 10_000, maxBytes: 16 * MEGA, lingerMs: 60_000 };

const silent: ActorLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

const asText: ConverterInstance = {
  fromConnectData: (_topic, _schema, value) => String(value),
  toConnectData: () => assert.fail('a source does not read'),
};

export interface OneShotSource {
  readonly poll: (log: Log) => readonly SourceRecord[] | Promise<readonly SourceRecord[]>;
  /** What it said in its start. */
  readonly begun: PositionWord[];
}

/** A source that is polled once, on a real log. Resolves with the log once all of it is durable. */
export async function pollOnce(t: TestContext, source: OneShotSource, tolerance: Tolerance): Promise<Log> {
  const log = await openStore(t, { dir: newFolder(t) });
  await log.createTopic('texts', { queues: 1, ...KEPT });
  await log.createTopic('positions', { queues: 1, ...KEPT });
  const lease = createLease();
  renewLease(lease, monotonicMs() + 3_600_000);
  const stop = new AbortController();
  const gate = new Gate(lease, stop.signal);
  gate.setTarget('RUNNING');
  const calls = new PluginCalls(3_600_000, () => undefined);
  t.after(() => {
    calls.close();
  });
  const errors = new RecordErrors(tolerance, silent, stop.signal, () => undefined);
  const writer = new SourceWriter({
    log,
    limits: LIMITS,
    positionEntry: (items) => ({
      topic: 'positions',
      queue: 0,
      batch: encodeValues(
        items.map((item) => Buffer.from(JSON.stringify('part' in item ? item : item.position))),
      ),
    }),
    exact: null,
    fence: { key: 'unit', epoch: 1 },
    retry: (error) => Promise.reject(error),
    onAppended: () => undefined,
  });
  await log.fence({ key: 'unit', epoch: 1 });
  const poll = () => {
    stop.abort();
    return source.poll(log);
  };
  await runSource({
    polled: new PolledRecords('texts'),
    task: { start: () => undefined, poll, stop: () => undefined },
    calls,
    gate,
    signal: stop.signal,
    writer,
    transactions: transactionsOf(writer),
    rest: NO_REST,
    throttle: throttlingOf({}),
    topics: new Topics(log, () => null, []),
    errors,
    counters: taskCounters().source,
    transform: null,
    keyConverter: asText,
    valueConverter: asText,
    headerConverter: () => assert.fail('there are no headers'),
    topic: 'texts',
    marker: null,
    signals: NO_SIGNALS,
    changes: UNCHANGED,
    onPaused: () => undefined,
    begun: source.begun,
    log: silent,
    settleTimeoutMs: 10_000,
    bound: { check: () => Promise.resolve() },
  });
  return log;
}

export async function valuesOf(log: Log, topic: string): Promise<(string | null)[]> {
  const values: (string | null)[] = [];
  for (let offset = 0; ;) {
    const { batches, nextOffset } = await log.read({
      topic,
      queue: 0,
      offset,
      maxBytes: MAX_BATCH_BYTES,
      maxRecords: 1_000_000,
      waitMs: 0,
    });
    if (batches.length === 0) return values;
    for (const { batch } of batches) {
      const reader = BatchReader.open(batch.bytes);
      for (let i = 0; i < reader.count; i += 1) values.push(reader.valueText(i));
    }
    offset = nextOffset;
  }
}
