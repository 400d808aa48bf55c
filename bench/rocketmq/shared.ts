/** Shared sinks of one task and of two: what a task writes, from the creation of the connector to the last record. */
import { closeSync, mkdirSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BatchBuilder } from '#troupe/log/batch.js';
import type { Log } from '#troupe/log/log.js';
import { removeFolder, temporaryFolder } from '#troupe/test/support/node-process.js';
import { pluginPackage } from '#troupe/test/support/plugin-package.js';
import { spread } from '../statistics.js';
import { TroupeNode } from '../troupe.js';
import { startBackend, type Backend } from './backend.js';
import type { Options } from './options.js';
import { say, type PartResult } from './report.js';

const VALUE_BYTES = 200;
const QUEUES = 4;
const BATCH = 1000;
const SAMPLE_MS = 20;
/** A bound, not an expectation: what a task lost comes again after half a minute. */
const DEADLINE_MS = 180_000;

interface Pass {
  readonly tasks: number;
  readonly seconds: number;
  readonly recordsPerSecondPerTask: number;
  /** Between a tenth of the records and nine tenths: without the start of the tasks and the last flush. */
  readonly steadyPerTask: number;
  readonly byTask: readonly number[];
  /** Written more than once, which a shared sink may. */
  readonly repeated: number;
  readonly nodeCpuSeconds: number;
  readonly brokerCpuSeconds: number;
}

interface Bench {
  readonly dir: string;
  readonly records: number;
  readonly node: TroupeNode;
  readonly log: Log;
  readonly backend: Backend;
}

export async function shared(options: Options): Promise<PartResult> {
  const dir = temporaryFolder();
  mkdirSync(join(dir, 'connectors'));
  const plugin = { class: 'ShareableSink', type: 'sink', module: './shareable-sink.js' };
  const pluginPaths = pluginPackage(dir, plugin);
  const backend = await startBackend(options);
  const log = await backend.openLog(dir);
  try {
    const node = await TroupeNode.start(dir, { ...backend.nodeSettings, pluginPaths });
    try {
      const records = Math.max(BATCH, Math.round(options.lines / 10));
      return await measure({ dir, records, node, log, backend }, options);
    } finally {
      await node.stop();
    }
  } finally {
    await log.close();
    await backend.stop();
    removeFolder(dir);
  }
}

async function measure(bench: Bench, { rounds, minutes }: Options): Promise<PartResult> {
  const passes: Pass[] = [];
  const faults: string[] = [];
  const until = performance.now() + minutes * 60_000;
  for (let round = 0; round <= rounds && (round < 2 || performance.now() < until); round += 1) {
    for (const tasks of [1, 2]) {
      const pass = await run(bench, `shared-${round}-${tasks}`, tasks, faults);
      const { recordsPerSecondPerTask, steadyPerTask, nodeCpuSeconds, brokerCpuSeconds } = pass;
      const name = round === 0 ? 'warm-up' : `round ${round}`;
      say(
        `  ${name}, tasks: ${tasks}: ${recordsPerSecondPerTask}/s a task, ${steadyPerTask}/s once it runs ` +
          `(CPU: node ${nodeCpuSeconds.toFixed(1)} s, broker ${brokerCpuSeconds.toFixed(1)} s)`,
      );
      if (round > 0) passes.push(pass);
    }
  }
  const of = (count: number): object => {
    const some = passes.filter(({ tasks }) => tasks === count);
    return {
      recordsPerSecondPerTask: spread(some.map((pass) => pass.recordsPerSecondPerTask)),
      steadyPerTask: spread(some.map((pass) => pass.steadyPerTask)),
      passes: some,
    };
  };
  const { backend, records } = bench;
  const figures = { log: backend.name, records, valueBytes: VALUE_BYTES, queues: QUEUES };
  return { figures: { ...figures, oneTask: of(1), twoTasks: of(2) }, faults };
}

async function run(bench: Bench, name: string, tasks: number, faults: string[]): Promise<Pass> {
  const { dir, records, node, log, backend } = bench;
  await fill(log, name, records);
  const journal = join(dir, `${name}.txt`);
  const lines = new LineCounter(journal);
  const cpu = { node: node.cpuSeconds(), broker: backend.cpuSeconds() };
  const started = performance.now();
  await node.put(name, {
    'connector.class': 'ShareableSink',
    'consume.mode': 'shared',
    'offset.flush.interval.ms': '500',
    'tasks.max': String(tasks),
    topics: name,
    journal,
  });
  const samples: [number, number][] = [];
  // Some may be written twice: then there are more lines than records.
  while (lines.count() < records || distinct(journal).values < records) {
    samples.push([performance.now() - started, lines.count()]);
    if (performance.now() - started > DEADLINE_MS) break;
    await sleep(SAMPLE_MS);
  }
  const seconds = (performance.now() - started) / 1000;
  samples.push([seconds * 1000, lines.count()]);
  const nodeCpuSeconds = node.cpuSeconds() - cpu.node;
  const brokerCpuSeconds = backend.cpuSeconds() - cpu.broker;
  await node.request('DELETE', `/connectors/${name}`);
  lines.close();
  const { values, byTask, repeated } = distinct(journal);
  if (values < records) faults.push(`${name}: ${records - values} of ${records} records were not written`);
  return {
    tasks,
    seconds,
    recordsPerSecondPerTask: Math.round(values / seconds / tasks),
    steadyPerTask: Math.round(steady(samples) / tasks),
    byTask,
    repeated,
    nodeCpuSeconds,
    brokerCpuSeconds,
  };
}

async function fill(log: Log, topic: string, records: number): Promise<void> {
  await log.createTopic(topic, { queues: QUEUES, retentionMs: null, retentionBytes: null });
  const builder = new BatchBuilder();
  for (let from = 0; from < records; from += BATCH) {
    builder.reset();
    for (let i = from; i < Math.min(records, from + BATCH); i += 1)
      builder.add(null, `${i} `.padEnd(VALUE_BYTES, 'x'), Date.now(), null);
    await log.append({ entries: [{ topic, queue: (from / BATCH) % QUEUES, batch: builder.build() }] });
  }
}

/** Records a second, from one tenth of what was written to nine tenths. */
function steady(samples: readonly [number, number][]): number {
  const total = samples.at(-1)?.[1] ?? 0;
  const at = (share: number): readonly [number, number] =>
    samples.find(([, count]) => count >= total * share) ?? [0, 0];
  const [from, before] = at(0.1);
  const [to, after] = at(0.9);
  return to > from ? ((after - before) / (to - from)) * 1000 : Number.NaN;
}

/** Of a file that grows. */
class LineCounter {
  readonly #path: string;
  readonly #chunk = Buffer.alloc(1 << 20);
  #file: number | null = null;
  #lines = 0;

  constructor(path: string) {
    this.#path = path;
  }

  count(): number {
    this.#file ??= openIfThere(this.#path);
    if (this.#file === null) return 0;
    for (;;) {
      const length = readSync(this.#file, this.#chunk);
      if (length === 0) return this.#lines;
      for (let at = this.#chunk.indexOf(10); at >= 0 && at < length; at = this.#chunk.indexOf(10, at + 1))
        this.#lines += 1;
    }
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
  }
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch {
    return null;
  }
}

/** Lines are `task<TAB>number and filler`. */
function distinct(journal: string): { values: number; byTask: number[]; repeated: number } {
  const seen = new Set<number>();
  const byTask: number[] = [];
  let lines = 0;
  for (const line of readFileSync(journal, 'latin1').split('\n').slice(0, -1)) {
    const [task = '', value = ''] = line.split('\t');
    byTask[Number(task)] = (byTask[Number(task)] ?? 0) + 1;
    seen.add(Number.parseInt(value, 10));
    lines += 1;
  }
  return { values: seen.size, byTask, repeated: lines - seen.size };
}
