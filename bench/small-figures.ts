import { appendFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BatchBuilder } from '#troupe/log/batch.js';
import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import { percentile } from './statistics.js';
import { TroupeNode } from './troupe.js';

/** From the spawn of the process; memory a little after everything runs. */
export async function startAndIdle(dir: string): Promise<object> {
  const node = await TroupeNode.start(dir);
  await sleep(2000);
  const figures = { restMs: node.restMs, healthyMs: node.healthyMs, ...node.memory() };
  await node.stop();
  return figures;
}

/** What a task's thread costs when it has nothing to do. */
export async function idleCost(dir: string, tasks: number): Promise<object> {
  const node = await TroupeNode.start(dir);
  const before = node.memory();
  for (let i = 0; i < tasks; i += 1) {
    const file = join(dir, `${i}.txt`);
    writeFileSync(file, '');
    await node.put(`idle-${i}`, { 'connector.class': 'FileSourceConnector', file, topic: 'idle' });
  }
  const running = (status: unknown): number =>
    JSON.stringify(status).split('"id":0,"state":"RUNNING"').length - 1;
  while (running(await node.request('GET', '/connectors?expand=status')) < tasks) await sleep(200);
  // Until files count as quiet: a node that has run for a while is what is asked for.
  await sleep(8000);
  const after = node.memory();
  const cpu = node.cpuSeconds();
  await sleep(5000);
  const idleCpuShare = (node.cpuSeconds() - cpu) / 5;
  await node.stop();
  return {
    tasks,
    ...after,
    rssAnonBytesPerTask: (after.rssAnonBytes - before.rssAnonBytes) / tasks,
    idleCpuShare,
  };
}

/** One append of 64 KB at a time, until it is flushed. */
export async function appendLatency(dir: string): Promise<object> {
  const store = await EmbeddedStore.open({
    dir: join(dir, 'log'),
    maxBytes: null,
    cacheBytes: 0,
    retentionCheckMs: 3_600_000,
  });
  await store.createTopic('t', { queues: 1, retentionMs: null, retentionBytes: null });
  const builder = new BatchBuilder();
  const took: number[] = [];
  for (let i = 0; i < 500; i += 1) {
    for (let k = 0; k < 320; k += 1) builder.add(null, 'x'.repeat(200), 0, null);
    const started = performance.now();
    await store.append({ entries: [{ topic: 't', queue: 0, batch: builder.build() }] });
    took.push(performance.now() - started);
    builder.reset();
  }
  await store.close();
  return { p50: percentile(took, 0.5), p99: percentile(took, 0.99), appends: took.length };
}

/** From a line appended to the source's file until it stands in the sink's. */
export async function appendToSink(dir: string): Promise<object> {
  const input = join(dir, 'input.txt');
  const output = join(dir, 'output.txt');
  writeFileSync(input, '');
  const node = await TroupeNode.start(dir);
  await node.put('sink', {
    'connector.class': 'FileSinkConnector',
    topics: 't',
    file: output,
    'base.dir': dir,
  });
  await node.put('source', { 'connector.class': 'FileSourceConnector', file: input, topic: 't' });
  const took: number[] = [];
  let size = 0;
  for (let i = 0; i < 60; i += 1) {
    const line = `line ${i}\n`;
    size += line.length;
    const started = performance.now();
    appendFileSync(input, line);
    while ((statSync(output, { throwIfNoEntry: false })?.size ?? 0) < size) await sleep(1);
    // The first waits for the connectors to start.
    if (i >= 10) took.push(performance.now() - started);
  }
  await node.stop();
  return { p50: percentile(took, 0.5), p99: percentile(took, 0.99), lines: took.length };
}
