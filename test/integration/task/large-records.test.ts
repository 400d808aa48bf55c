import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { createLease, monotonicMs, renewLease } from '#troupe/actors/kernel/lease.js';
import type { ActorLogger } from '#troupe/actors/kernel/protocol.js';
import { Gate } from '#troupe/actors/task/gate.js';
import { PluginCalls } from '#troupe/actors/task/plugin-calls.js';
import { RecordErrors } from '#troupe/actors/task/record-errors.js';
import { runSource } from '#troupe/actors/task/source-loop.js';
import { SourceWriter } from '#troupe/actors/task/source-writer.js';
import { Topics } from '#troupe/actors/task/topics.js';
import { DEFAULT_TOLERANCE, type Tolerance } from '#troupe/core/tolerance.js';
import { BatchReader } from '#troupe/log/batch.js';
import { MAX_BATCH_BYTES, type Log } from '#troupe/log/log.js';
import { encodeValues } from '#troupe/log/replicated-topic.js';
import type { ConverterInstance } from '#troupe/sdk/plugin.js';
import { sourceRecord } from '#troupe/sdk/record.js';
import { KEPT, newFolder, openStore } from '../../fault/log/support.js';

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

/** A source that polls these texts at once, on a real log. Resolves with the log once all of them are durable. */
async function moved(t: TestContext, texts: readonly string[], tolerance: Tolerance): Promise<Log> {
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
    window: 1,
    positionEntry: (items) => ({
      topic: 'positions',
      queue: 0,
      batch: encodeValues(items.map((item) => Buffer.from(JSON.stringify(item.position)))),
    }),
    exact: null,
    fence: { key: 'unit', epoch: 1 },
    retry: (error) => Promise.reject(error),
    onAppended: () => undefined,
  });
  await log.fence({ key: 'unit', epoch: 1 });
  const poll = () => {
    stop.abort();
    return texts.map((value, at) =>
      sourceRecord({ value, sourcePartition: {}, sourcePosition: { read: at + 1 } }),
    );
  };
  await runSource({
    task: { start: () => undefined, poll, stop: () => undefined },
    calls,
    gate,
    signal: stop.signal,
    writer,
    topics: new Topics(log, () => null),
    errors,
    transform: null,
    keyConverter: asText,
    valueConverter: asText,
    headerConverter: () => assert.fail('there are no headers'),
    topic: 'texts',
    marker: null,
    onPaused: () => undefined,
  });
  return log;
}

async function valuesOf(log: Log, topic: string): Promise<(string | null)[]> {
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

test('text whose characters take three bytes never makes a batch that the log refuses', async (t) => {
  const wide = Array.from({ length: 40 }, (_, i) => `${i} ${'한'.repeat(MEGA / 2)}`);
  const narrow = Array.from({ length: 40 }, (_, i) => `${i} ${'x'.repeat(MEGA)}`);
  const texts = wide.flatMap((text, i) => [text, narrow[i] ?? '']);
  const log = await moved(t, texts, DEFAULT_TOLERANCE);
  const found = await valuesOf(log, 'texts');
  assert.equal(found.length, texts.length);
  assert.ok(
    found.every((text, i) => text === texts[i]),
    'each text once, in order',
  );
  assert.equal((await valuesOf(log, 'positions')).at(-1), `{"read":${texts.length}}`);
});

test('a record that no batch can hold fails its task by name, or is skipped where that is tolerated', async (t) => {
  const texts = ['before', '한'.repeat(11 * MEGA), 'behind'];
  await assert.rejects(moved(t, texts, DEFAULT_TOLERANCE), { code: 'RECORD_TOO_LARGE', name: 'DataError' });

  const log = await moved(t, texts, { ...DEFAULT_TOLERANCE, tolerance: 'all' });
  assert.deepEqual(await valuesOf(log, 'texts'), ['before', 'behind']);
  assert.equal((await valuesOf(log, 'positions')).at(-1), '{"read":3}');
});
