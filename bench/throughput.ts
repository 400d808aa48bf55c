import { execFileSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import { TroupeNode } from './troupe.js';

export interface Throughput {
  readonly records: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
  readonly cpuSeconds: number;
  /** Of all threads, sampled every 20 ms. */
  readonly peakRssAnonBytes: number;
  /** Whether the output is the input, byte for byte; null where it cannot be. */
  readonly identical: boolean | null;
}

const DEADLINE_MS = 300_000;
const SAMPLE_MS = 20;

/** From the creation of both connectors until the sink's file holds the last byte. */
export async function fileToTopicToFile(dir: string, input: string, lines: number): Promise<Throughput> {
  const output = join(dir, 'output.txt');
  const size = statSync(input).size;
  return measure(dir, lines, {
    connectors: {
      sink: { 'connector.class': 'FileSinkConnector', topics: 'lines', file: output, 'base.dir': dir },
      source: { 'connector.class': 'FileSourceConnector', file: input, topic: 'lines' },
    },
    done: () => Promise.resolve(sizeOf(output) >= size),
    identical: () => same(input, output),
  });
}

/** JSON converter with schemas and three transforms, up to the topic: what the other side measures as well. */
export async function fileToTopic(dir: string, input: string, lines: number): Promise<Throughput> {
  let store: EmbeddedStore | null = null;
  try {
    return await measure(dir, lines, {
      connectors: {
        source: {
          'connector.class': 'FileSourceConnector',
          file: input,
          topic: 'lines',
          'value.converter': 'JsonConverter',
          transforms: 'hoist,insert,replace',
          'transforms.hoist.type': 'HoistField$Value',
          'transforms.hoist.field': 'line',
          'transforms.insert.type': 'InsertField$Value',
          'transforms.insert.static.field': 'origin',
          'transforms.insert.static.value': 'bench',
          'transforms.replace.type': 'ReplaceField$Value',
          'transforms.replace.renames': 'line:text',
        },
      },
      // The store may be shared by processes, so the end of the topic can be read from here.
      done: async () => {
        store ??= await EmbeddedStore.open({
          dir: join(dir, 'store', 'log'),
          maxBytes: null,
          cacheBytes: 0,
          retentionCheckMs: 3_600_000,
        });
        if ((await store.describeTopic('lines')) === null) return false;
        const ranges = await store.ranges('lines');
        return ranges.reduce((sum, range) => sum + range.endOffset, 0) >= lines;
      },
      identical: () => null,
    });
  } finally {
    await (store as EmbeddedStore | null)?.close();
  }
}

interface Work {
  readonly connectors: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly done: () => Promise<boolean>;
  readonly identical: () => boolean | null;
}

async function measure(dir: string, lines: number, work: Work): Promise<Throughput> {
  const node = await TroupeNode.start(dir);
  try {
    const cpu = node.cpuSeconds();
    const started = performance.now();
    for (const [name, config] of Object.entries(work.connectors)) await node.put(name, config);
    let peak = 0;
    while (!(await work.done())) {
      peak = Math.max(peak, node.memory().rssAnonBytes);
      if (performance.now() - started > DEADLINE_MS) throw new Error('the records did not arrive in time');
      await sleep(SAMPLE_MS);
    }
    const seconds = (performance.now() - started) / 1000;
    const cpuSeconds = node.cpuSeconds() - cpu;
    return {
      records: lines,
      seconds,
      recordsPerSecond: Math.round(lines / seconds),
      cpuSeconds,
      peakRssAnonBytes: peak,
      identical: work.identical(),
    };
  } finally {
    await node.stop();
    rmSync(join(dir, 'store'), { recursive: true, force: true });
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? -1;
}

function same(a: string, b: string): boolean {
  try {
    execFileSync('cmp', ['-s', a, b]);
    return true;
  } catch {
    return false;
  }
}
