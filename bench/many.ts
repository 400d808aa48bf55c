/** A thousand sinks of quiet topics: what they cost, how soon one that rests has a record, and what a rebalance of them takes. */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BatchBuilder } from '#troupe/log/batch.js';
import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import { percentile } from './statistics.js';
import { TroupeNode } from './troupe.js';

/** REST requests under way at once. */
const CLIENTS = 8;
const LATENCIES = 100;
const KEEPS_ITS_THREAD = 'awake';
const PATIENCE_MS = 600_000;

/** Records come from this process, which shares the node's store: no source's thread is in the figures. */
class Topics {
  readonly #store: EmbeddedStore;
  readonly #dir: string;
  /** Records of each topic so far, all of the same size. */
  readonly #records = new Map<string, number>();

  constructor(store: EmbeddedStore, dir: string) {
    this.#store = store;
    this.#dir = dir;
  }

  static async open(dir: string): Promise<Topics> {
    const store = await EmbeddedStore.open({
      dir: join(dir, 'store/log'),
      maxBytes: null,
      cacheBytes: 0,
      retentionCheckMs: 3_600_000,
    });
    return new Topics(store, dir);
  }

  async create(topics: readonly string[]): Promise<void> {
    for (const topic of topics)
      await this.#store.createTopic(topic, { queues: 1, retentionMs: null, retentionBytes: null });
  }

  /** One record to each. */
  async append(topics: readonly string[]): Promise<void> {
    const builder = new BatchBuilder();
    builder.add(null, VALUE, Date.now(), null);
    const batch = builder.build();
    await this.#store.append({ entries: topics.map((topic) => ({ topic, queue: 0, batch })) });
    for (const topic of topics) this.#records.set(topic, (this.#records.get(topic) ?? 0) + 1);
  }

  /** Until everything of these topics is in the files of their sinks. */
  async written(topics: readonly string[], pollMs: number): Promise<void> {
    const left = new Set(topics);
    await until('all records in the files', pollMs, () => {
      for (const topic of left) {
        const size = statSync(this.output(topic), { throwIfNoEntry: false })?.size ?? 0;
        if (size >= (this.#records.get(topic) ?? 0) * (VALUE.length + 1)) left.delete(topic);
        else if (pollMs > 1) break;
      }
      return Promise.resolve(left.size === 0);
    });
  }

  output(topic: string): string {
    return join(this.#dir, 'out', `${topic}.txt`);
  }

  async close(): Promise<void> {
    await this.#store.close();
  }
}

const VALUE = 'x'.repeat(200);

/** `passivateAfterMs`: shorter than the default, so that the run is. */
export async function manySinks(dir: string, count: number, passivateAfterMs: number): Promise<object> {
  const names = Array.from({ length: count }, (_, i) => `quiet-${i}`);
  mkdirSync(join(dir, 'out'));
  const topics = await Topics.open(dir);
  const settings = { 'task.passivate.after.ms': String(passivateAfterMs) };
  let node = await TroupeNode.start(dir, settings);
  try {
    await topics.create([...names, KEEPS_ITS_THREAD]);
    await topics.append([...names, KEEPS_ITS_THREAD]);
    const before = node.memory();
    const creation = await withPeak(node, () => create(node, topics, names));
    const resting = await withPeak(node, () => allRest(node, count));
    await topics.written(names, 100);
    const atRest = await restCosts(node);
    const listing = await listingCosts(node);
    await put(node, topics, KEEPS_ITS_THREAD, { 'task.passivate.after.ms': '0' });
    const latency = {
      keptThread: await latencies(topics, Array<string>(LATENCIES).fill(KEEPS_ITS_THREAD)),
      passive: await latencies(topics, names.slice(0, LATENCIES)),
    };
    await node.request('DELETE', `/connectors/${KEEPS_ITS_THREAD}`);
    await allRest(node, count);
    const allAtOnce = await withPeak(node, async () => {
      await topics.append(names);
      return timed(() => topics.written(names, 20));
    });
    await allRest(node, count);
    const stopMs = await timed(() => node.stop());
    node = await TroupeNode.start(dir, settings);
    const running = await withPeak(node, () => timed(() => allRun(node, count)));
    const rest = await withPeak(node, () => allRest(node, count));
    await node.stop();
    // What one node has written is the log of two.
    const shared = { ...settings, 'store.path': join(dir, 'store/log'), workerId: 'first' };
    node = await TroupeNode.start(dir, shared);
    await allRest(node, count);
    const rebalance = await rebalanceCosts(node, dir, count, shared);
    return {
      sinks: count,
      passivateAfterMs,
      rssAnonBytesBefore: before.rssAnonBytes,
      creation,
      untilAllRest: resting,
      atRest,
      listing,
      firstRecordMs: latency,
      allWokenAtOnce: allAtOnce,
      restart: {
        stopMs,
        restMs: node.restMs,
        healthyMs: node.healthyMs,
        untilAllRun: running,
        untilAllRest: rest,
      },
      rebalance,
    };
  } finally {
    await node.stop();
    await topics.close();
  }
}

/** A second node comes, takes half of them, and leaves again. */
async function rebalanceCosts(
  first: TroupeNode,
  dir: string,
  count: number,
  settings: Readonly<Record<string, string>>,
): Promise<object> {
  const share = Math.floor(count / 2);
  const on = async (worker: string): Promise<number> =>
    occurrences(await statuses(first), `"id":0,"state":"RUNNING","worker_id":"${worker}"`);
  const second = await TroupeNode.start(dir, {
    ...settings,
    workerId: 'second',
    storePathRootDir: join(dir, 'store-2'),
  });
  try {
    const shared = await withPeak(second, () =>
      timed(() =>
        until('each has its share', 200, async () => {
          const [left, taken] = [await on('first'), await on('second')];
          return taken >= share && left + taken >= count;
        }),
      ),
    );
    await allRest(first, count);
    const stopMs = await timed(() => second.stop());
    const back = await withPeak(first, () =>
      timed(() => until('all are back', 200, async () => (await on('first')) >= count)),
    );
    return { untilShared: shared, leaves: { stopMs, untilAllRun: back } };
  } finally {
    await second.stop();
  }
}

async function put(
  node: TroupeNode,
  topics: Topics,
  name: string,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const config = { 'connector.class': 'FileSinkConnector', topics: name, file: topics.output(name), ...more };
  await node.put(name, config);
}

async function create(node: TroupeNode, topics: Topics, names: readonly string[]): Promise<object> {
  const took: number[] = [];
  const cpu = node.cpuSeconds();
  const left = [...names];
  const client = async (): Promise<void> => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      const own = name;
      took.push(await timed(() => put(node, topics, own)));
    }
  };
  const ms = await timed(() => Promise.all(Array.from({ length: CLIENTS }, client)));
  const allRunMs = ms + (await timed(() => allRun(node, names.length)));
  return {
    clients: CLIENTS,
    ms,
    requestsPerSecond: (names.length * 1000) / ms,
    requestMs: quantiles(took),
    allRunMs,
    cpuMsPerConnector: ((node.cpuSeconds() - cpu) * 1000) / names.length,
  };
}

/** After V8 has had time to give back what the threads left. */
async function restCosts(node: TroupeNode): Promise<object> {
  await sleep(20_000);
  const cpu = node.cpuSeconds();
  const started = performance.now();
  await sleep(20_000);
  const seconds = (performance.now() - started) / 1000;
  return { ...node.memory(), cpuShare: (node.cpuSeconds() - cpu) / seconds };
}

async function listingCosts(node: TroupeNode): Promise<object> {
  const figures: Record<string, object> = {};
  for (const query of ['', '?expand=status', '?expand=status&expand=info']) {
    const took: number[] = [];
    for (let i = 0; i < 10; i += 1) took.push(await timed(() => node.request('GET', `/connectors${query}`)));
    figures[`GET /connectors${query}`] = { firstMs: took[0], ...quantiles(took) };
  }
  return figures;
}

/** One record after the other. */
async function latencies(topics: Topics, names: readonly string[]): Promise<object> {
  const took: number[] = [];
  await topics.written([...new Set(names)], 10);
  for (const name of names) {
    await topics.append([name]);
    took.push(await timed(() => topics.written([name], 1)));
  }
  return { ...quantiles(took), records: took.length };
}

interface Seen {
  readonly running: number;
  readonly passive: number;
}

async function statuses(node: TroupeNode): Promise<string> {
  return JSON.stringify(await node.request('GET', '/connectors?expand=status'));
}

function occurrences(text: string, words: string): number {
  return text.split(words).length - 1;
}

async function seen(node: TroupeNode): Promise<Seen> {
  const text = await statuses(node);
  return {
    running: occurrences(text, '"id":0,"state":"RUNNING"'),
    passive: occurrences(text, '"passive":{'),
  };
}

async function allRun(node: TroupeNode, count: number): Promise<void> {
  await until('all tasks RUNNING', 200, async () => (await seen(node)).running >= count);
}

async function allRest(node: TroupeNode, count: number): Promise<void> {
  await until('all tasks passive', 500, async () => (await seen(node)).passive >= count);
}

async function until(what: string, pollMs: number, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
    await sleep(pollMs);
  }
}

async function timed(body: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await body();
  return performance.now() - started;
}

/** With the most anonymous memory that the node had meanwhile, and how long it took. */
async function withPeak(node: TroupeNode, body: () => Promise<unknown>): Promise<object> {
  let peak = 0;
  const look = setInterval(() => {
    peak = Math.max(peak, node.memory().rssAnonBytes);
  }, 100);
  try {
    const started = performance.now();
    const result = await body();
    const figures =
      typeof result === 'object' && result !== null ? result : { ms: performance.now() - started };
    return { ...figures, peakRssAnonBytes: peak };
  } finally {
    clearInterval(look);
  }
}

function quantiles(values: readonly number[]): object {
  return { p50: percentile(values, 0.5), p99: percentile(values, 0.99), max: percentile(values, 1) };
}
