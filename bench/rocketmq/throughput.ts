/** A file into a topic, and a topic into a file, one task each: from the creation of the connector to the far end. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LogError, type Log } from '#troupe/log/log.js';
import { removeFolder, temporaryFolder } from '#troupe/test/support/node-process.js';
import { writeLines } from '../input.js';
import { spread } from '../statistics.js';
import { TroupeNode } from '../troupe.js';
import { startBackend, type Backend } from './backend.js';
import type { Options } from './options.js';
import { say, type PartResult } from './report.js';

export const LINE_BYTES = 200;
const SAMPLE_MS = 20;
/** A bound, not an expectation. */
const DEADLINE_MS = 300_000;

interface Pass {
  readonly seconds: number;
  readonly recordsPerSecond: number;
  readonly nodeCpuSeconds: number;
  readonly brokerCpuSeconds: number;
}

interface Bench {
  readonly dir: string;
  readonly input: string;
  readonly lines: number;
  readonly node: TroupeNode;
  readonly log: Log;
  readonly backend: Backend;
}

export async function throughput(options: Options): Promise<PartResult> {
  const { lines, rounds } = options;
  const dir = temporaryFolder();
  mkdirSync(join(dir, 'connectors'));
  const input = join(dir, 'input.txt');
  say(`writing ${lines} lines of ${LINE_BYTES} bytes`);
  await writeLines(input, lines, LINE_BYTES);
  const backend = await startBackend(options);
  const log = await backend.openLog(dir);
  try {
    const node = await TroupeNode.start(dir, backend.nodeSettings);
    try {
      return await measure({ dir, input, lines, node, log, backend }, options, rounds);
    } finally {
      await node.stop();
    }
  } finally {
    await log.close();
    await backend.stop();
    removeFolder(dir);
  }
}

async function measure(bench: Bench, options: Options, rounds: number): Promise<PartResult> {
  const { backend, lines } = bench;
  const produced: Pass[] = [];
  const consumed: Pass[] = [];
  const faults: string[] = [];
  const until = performance.now() + options.minutes * 60_000;
  // The first warms up: programs that have run for a while are what people have.
  for (let round = 0; round <= rounds && (round < 2 || performance.now() < until); round += 1) {
    const topic = `lines-${round}`;
    const into = await produce(bench, topic, faults);
    const outOf = await consume(bench, topic, faults);
    const name = round === 0 ? 'warm-up' : `round ${round}`;
    say(`  ${name}: produce ${told(into)}, consume ${told(outOf)}`);
    if (round === 0) continue;
    produced.push(into);
    consumed.push(outOf);
  }
  const rate = (passes: readonly Pass[]): object => ({
    recordsPerSecond: spread(passes.map(({ recordsPerSecond }) => recordsPerSecond)),
    passes,
  });
  const figures = { log: backend.name, lines, lineBytes: LINE_BYTES };
  return { figures: { ...figures, produce: rate(produced), consume: rate(consumed) }, faults };
}

async function produce(bench: Bench, topic: string, faults: string[]): Promise<Pass> {
  const { input, lines, log } = bench;
  const config = { 'connector.class': 'FileSourceConnector', file: input, topic };
  const pass = await timed(
    bench,
    `source-${topic}`,
    config,
    async () => (await recordsIn(log, topic)) >= lines,
  );
  const records = await recordsIn(log, topic);
  if (records !== lines) faults.push(`${topic} has ${records} records for ${lines} lines`);
  return pass;
}

async function consume(bench: Bench, topic: string, faults: string[]): Promise<Pass> {
  const { dir, input } = bench;
  const output = join(dir, `${topic}.txt`);
  const size = statSync(input).size;
  const config = { 'connector.class': 'FileSinkConnector', topics: topic, file: output, 'base.dir': dir };
  const pass = await timed(bench, `sink-${topic}`, config, () =>
    Promise.resolve((statSync(output, { throwIfNoEntry: false })?.size ?? 0) >= size),
  );
  if (!same(input, output)) faults.push(`what came out of ${topic} is not what went in`);
  rmSync(output, { force: true });
  return pass;
}

async function timed(
  { node, backend, lines }: Bench,
  name: string,
  config: Readonly<Record<string, string>>,
  done: () => Promise<boolean>,
): Promise<Pass> {
  const cpu = { node: node.cpuSeconds(), broker: backend.cpuSeconds() };
  const started = performance.now();
  await node.put(name, config);
  while (!(await done())) {
    if (performance.now() - started > DEADLINE_MS)
      throw new Error(`${name}: the records did not arrive in time`);
    await sleep(SAMPLE_MS);
  }
  const seconds = (performance.now() - started) / 1000;
  const pass = {
    seconds,
    recordsPerSecond: Math.round(lines / seconds),
    nodeCpuSeconds: node.cpuSeconds() - cpu.node,
    brokerCpuSeconds: backend.cpuSeconds() - cpu.broker,
  };
  await node.request('DELETE', `/connectors/${name}`);
  return pass;
}

/** By the broker's own count. */
async function recordsIn(log: Log, topic: string): Promise<number> {
  try {
    return (await log.ranges(topic)).reduce((sum, { endOffset }) => sum + endOffset, 0);
  } catch (error) {
    if (error instanceof LogError && error.code === 'LOG_UNKNOWN_TOPIC') return 0;
    throw error;
  }
}

function told({ recordsPerSecond, nodeCpuSeconds, brokerCpuSeconds }: Pass): string {
  return `${recordsPerSecond}/s (CPU: node ${nodeCpuSeconds.toFixed(1)} s, broker ${brokerCpuSeconds.toFixed(1)} s)`;
}

function same(a: string, b: string): boolean {
  try {
    execFileSync('cmp', ['-s', a, b]);
    return true;
  } catch {
    return false;
  }
}
