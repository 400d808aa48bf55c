/** Shared sinks on a whole node, whose log is a real RocketMQ and whose cluster topics are written through its proxy. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { BatchBuilder, BatchReader } from '#troupe/log/batch.js';
import type { Log } from '#troupe/log/log.js';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { pluginPackage } from '../../support/plugin-package.js';
import { requireService, rocketmqAvailable, startRocketMq, type RocketMq } from '../../support/rocketmq.js';
import { openTestLog, rocketmqSettings } from '../../support/rocketmq-log.js';
import { until } from '../../support/wait.js';

/** A bound, not an expectation. What was given back takes RocketMQ seconds to find, what was lost half a minute. */
const PATIENCE_MS = 180_000;

describe('a shared sink', { skip: requireService(rocketmqAvailable()) }, () => {
  let rocketmq: RocketMq;
  let log: Log;
  let node: NodeProcess;
  const dir = temporaryFolder();
  let sinks = 0;

  before(async () => {
    rocketmq = await startRocketMq({ version: process.env['ROCKETMQ_VERSION'] });
    log = openTestLog(rocketmqSettings(rocketmq));
    node = await NodeProcess.create(dir, {
      namesrvAddr: rocketmq.namesrvAddr,
      'rocketmq.endpoints': rocketmq.endpoints,
      pluginPaths: pluginPackage(dir, {
        class: 'ShareableSink',
        type: 'sink',
        module: '../support/shareable-sink.js',
      }),
    });
    await node.start();
  });

  afterEach(async (t) => {
    if (!('passed' in t) || t.passed !== false) return;
    process.stderr.write(node.output.slice(-5000));
  });

  after(async () => {
    await node.kill();
    await log.close();
    await rocketmq.stop();
    removeFolder(dir);
  });

  interface Sink {
    readonly name: string;
    readonly topic: string;
    append(values: readonly string[]): Promise<void>;
    written(): readonly { readonly task: string; readonly value: string }[];
    journal: string;
  }

  async function runSink(config: Record<string, string>): Promise<Sink> {
    const name = `sink-${(sinks += 1)}`;
    const topic = `topic-${sinks}`;
    const journal = join(dir, `${name}.txt`);
    await log.createTopic(topic, { queues: 1, retentionMs: null, retentionBytes: null });
    await node.run(name, {
      'connector.class': 'ShareableSink',
      'consume.mode': 'shared',
      'offset.flush.interval.ms': '200',
      'errors.retry.delay.max.ms': '100',
      topics: topic,
      journal,
      ...config,
    });
    return {
      name,
      topic,
      journal,
      append: async (values) => {
        const builder = new BatchBuilder();
        for (const value of values) builder.add(null, value, Date.now());
        await log.append({ entries: [{ topic, queue: 0, batch: builder.build() }] });
      },
      written: () => {
        const lines = (contentOf(journal)?.toString() ?? '').split('\n').slice(0, -1);
        return lines.map((line) => ({ task: line.split('\t')[0] ?? '', value: line.split('\t')[1] ?? '' }));
      },
    };
  }

  async function allWritten(sink: Sink, values: readonly string[]): Promise<void> {
    const missing = new Set(values);
    await until(
      'all are written',
      () => {
        for (const { value } of sink.written()) missing.delete(value);
        if (missing.size > 0) throw new Error(`${missing.size} are missing, as ${[...missing][0] ?? ''}`);
        return true;
      },
      PATIENCE_MS,
    );
  }

  test('three tasks share the one queue of a topic, and each record is written once', async (t) => {
    const sink = await runSink({ 'tasks.max': '3' });
    const values: string[] = [];
    const appendMore = async (): Promise<void> => {
      const more = Array.from({ length: 1000 }, (_, i) => `${values.length + i}`);
      values.push(...more);
      await sink.append(more);
    };
    const from = performance.now();
    while (values.length < 6000) await appendMore();
    await allWritten(sink, values);
    t.diagnostic(`${Math.round((values.length / (performance.now() - from)) * 1000)} records/s`);
    // The first to ask may have fetched all of them before the others did.
    while (new Set(sink.written().map(({ task }) => task)).size === 1) {
      assert.ok(performance.now() - from < PATIENCE_MS, 'one task had them all');
      await appendMore();
      await allWritten(sink, values);
    }
    assert.equal(sink.written().length, values.length);
  });

  test('killed after a put and before its flush has ended, the node writes the records after its restart', async () => {
    const sink = await runSink({});
    await sink.append(['stuck', 'behind it']);
    await until('its flush hangs', () => existsSync(`${sink.journal}.stuck`), PATIENCE_MS);
    assert.deepEqual(sink.written(), []);
    await node.kill();
    await node.start();
    await allWritten(sink, ['stuck', 'behind it']);
  });

  test('a record that always fails ends among the dead letters, and takes no other with it', async () => {
    const sink = await runSink({ 'consume.max.attempts': '4', 'tasks.max': '2' });
    const good = Array.from({ length: 100 }, (_, i) => `good ${i}`);
    await sink.append([...good.slice(0, 50), 'poison', ...good.slice(50)]);
    await allWritten(sink, good);
    const letters = await until('the dead letter is there', () => deadLetters(sink), PATIENCE_MS);
    assert.deepEqual(letters, ['poison']);
    await node.state(sink.name, 'RUNNING');
    assert.ok(!sink.written().some(({ value }) => value === 'poison'));
  });

  test('paused it writes nothing, and resumed it goes on', async () => {
    const sink = await runSink({});
    await sink.append(['before']);
    await allWritten(sink, ['before']);
    await node.request('PUT', `/connectors/${sink.name}/pause`);
    await node.state(sink.name, 'PAUSED');
    await sink.append(['meanwhile']);
    // Longer than a call of an unpaused task waits.
    const quietUntil = performance.now() + 7000;
    await until('it was quiet for long enough', () => {
      assert.equal(sink.written().length, 1);
      return performance.now() > quietUntil;
    });
    await node.request('PUT', `/connectors/${sink.name}/resume`);
    await allWritten(sink, ['meanwhile']);
  });

  test('a sink that keeps offsets is refused', async () => {
    const { status, body } = await node.request('PUT', '/connectors/file/config', {
      'connector.class': 'FileSinkConnector',
      'consume.mode': 'shared',
      topics: 'any',
      file: join(dir, 'any.txt'),
    });
    assert.equal(status, 400);
    assert.match(JSON.stringify(body), /consume\.mode.*needs the order or the offsets/);
  });

  async function deadLetters({ name }: Sink): Promise<readonly string[] | null> {
    const topic = `%DLQ%connect-${name}`;
    if ((await log.describeTopic(topic)) === null) return null;
    const read = await log.read({ topic, queue: 0, offset: 0, maxBytes: 10_000, maxRecords: 100, waitMs: 0 });
    const texts = read.batches.flatMap(({ batch }) => {
      const reader = BatchReader.open(batch.bytes);
      return Array.from({ length: reader.count }, (_, i) => reader.valueText(i) ?? '');
    });
    return texts.length === 0 ? null : texts;
  }
});
