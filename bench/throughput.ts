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
  /** Of the first pass: a node that has just been started, with nothing compiled yet. */
  readonly firstPassRecordsPerSecond: number;
  readonly cpuSeconds: number;
  /** Of all threads, sampled every 20 ms. */
  readonly peakRssAnonBytes: number;
  /** Whether the output is the input, byte for byte; null where it cannot be. */
  readonly identical: boolean | null;
}

const DEADLINE_MS = 300_000;
const SAMPLE_MS = 20;

/** From the creation of both connectors until the sink's file holds the last byte. */
export async function fileToTopicToFile(
  dir: string,
  input: string,
  lines: number,
  warmUps: number,
): Promise<Throughput> {
  const size = statSync(input).size;
  return measure(dir, lines, warmUps, (pass) => {
    const output = join(dir, `output-${pass}.txt`);
    return {
      connectors: {
        [`sink-${pass}`]: {
          'connector.class': 'FileSinkConnector',
          topics: `lines-${pass}`,
          file: output,
          'base.dir': dir,
        },
        [`source-${pass}`]: { 'connector.class': 'FileSourceConnector', file: input, topic: `lines-${pass}` },
      },
      done: () => Promise.resolve(sizeOf(output) >= size),
      identical: () => same(input, output),
    };
  });
}

/** JSON converter with schemas and three transforms, up to the topic: what the other side measures as well. */
export async function fileToTopic(
  dir: string,
  input: string,
  lines: number,
  warmUps: number,
): Promise<Throughput> {
  const ends = new TopicEnds(dir);
  try {
    return await measure(dir, lines, warmUps, (pass) => ({
      connectors: {
        [`source-${pass}`]: {
          'connector.class': 'FileSourceConnector',
          file: input,
          topic: `lines-${pass}`,
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
      done: async () => (await ends.of(`lines-${pass}`)) >= lines,
      identical: () => null,
    }));
  } finally {
    await ends.close();
  }
}

/** Lines that a sink cannot convert, from a file through a topic, until the last of them stands in its dead-letter queue. */
export async function deadLetterStorm(
  dir: string,
  input: string,
  lines: number,
  warmUps: number,
): Promise<Throughput> {
  const ends = new TopicEnds(dir);
  try {
    return await measure(dir, lines, warmUps, (pass) => ({
      connectors: {
        [`sink-${pass}`]: {
          'connector.class': 'FileSinkConnector',
          topics: `lines-${pass}`,
          file: join(dir, `output-${pass}.txt`),
          'value.converter': 'JsonConverter',
          'errors.tolerance': 'all',
          'errors.deadletterqueue.topic.name': `dead-${pass}`,
          'errors.deadletterqueue.context.headers.enable': 'true',
        },
        [`source-${pass}`]: { 'connector.class': 'FileSourceConnector', file: input, topic: `lines-${pass}` },
      },
      done: async () => (await ends.of(`dead-${pass}`)) >= lines,
      identical: () => null,
    }));
  } finally {
    await ends.close();
  }
}

/** How many records have been written to a topic of a node's store: processes may share it. */
class TopicEnds {
  readonly #dir: string;
  #store: EmbeddedStore | null = null;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async of(topic: string): Promise<number> {
    this.#store ??= await EmbeddedStore.open({
      dir: join(this.#dir, 'store', 'log'),
      maxBytes: null,
      cacheBytes: 0,
      retentionCheckMs: 3_600_000,
    });
    if ((await this.#store.describeTopic(topic)) === null) return 0;
    const ranges = await this.#store.ranges(topic);
    return ranges.reduce((sum, range) => sum + range.endOffset, 0);
  }

  async close(): Promise<void> {
    await this.#store?.close();
  }
}

interface Work {
  readonly connectors: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly done: () => Promise<boolean>;
  readonly identical: () => boolean | null;
}

/** The last pass counts; those before it, on the same node, are what a node that has run for a while has behind it. */
async function measure(
  dir: string,
  lines: number,
  warmUps: number,
  work: (pass: number) => Work,
): Promise<Throughput> {
  const node = await TroupeNode.start(dir);
  try {
    const first = await timedPass(node, lines, work(0));
    let last = first;
    for (let pass = 1; pass <= warmUps; pass += 1) last = await timedPass(node, lines, work(pass));
    return { ...last, firstPassRecordsPerSecond: first.recordsPerSecond };
  } finally {
    await node.stop();
    rmSync(join(dir, 'store'), { recursive: true, force: true });
  }
}

async function timedPass(
  node: TroupeNode,
  lines: number,
  work: Work,
): Promise<Omit<Throughput, 'firstPassRecordsPerSecond'>> {
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
  for (const name of Object.keys(work.connectors)) await node.request('DELETE', `/connectors/${name}`);
  return {
    records: lines,
    seconds,
    recordsPerSecond: Math.round(lines / seconds),
    cpuSeconds,
    peakRssAnonBytes: peak,
    identical: work.identical(),
  };
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
