/** A changed connector on five nodes: until all five answer with it, until its tasks run with it, and what is written. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from '#troupe/test/support/cluster.js';
import { readJournal } from '#troupe/test/support/journal.js';
import { until } from '#troupe/test/support/wait.js';
import type { Log } from '#troupe/log/log.js';
import { startBackend, storePathOf } from './backend.js';
import type { Options } from './options.js';
import { distribution, say, sayDistribution, type Distribution, type PartResult } from './report.js';
import { bytesOf, ends, entriesBetween, kinds } from './topic-entries.js';

const IDS = ['a', 'b', 'c', 'd', 'e'];
const TASKS = 5;
const NAME = 'changed';
const POLL_MS = 2;
/** A bound, not an expectation. */
const PATIENCE_MS = 180_000;

interface Sample {
  readonly answeredMs: number;
  readonly seenByAllMs: number;
  readonly runningMs: number;
  /** Besides heartbeats. */
  readonly entries: number;
  readonly bytes: number;
}

export async function configChange(options: Options): Promise<PartResult> {
  const backend = await startBackend(options);
  const cluster = new Cluster(backend.nodeSettings);
  let log: Log | null = null;
  try {
    for (const id of IDS) await cluster.create(id);
    await Promise.all(IDS.map((id) => cluster.node(id).start(PATIENCE_MS)));
    await cluster.members('a', (found) => IDS.every((id) => found.includes(id)));
    await cluster.put('a', NAME, config(cluster, 1));
    await cluster.running('a', NAME, TASKS, (owners) => new Set(owners).size === IDS.length, PATIENCE_MS);
    log = await backend.openLog(storePathOf(cluster.dir));
    const samples: Sample[] = [];
    let written: Readonly<Record<string, number>> = {};
    const end = performance.now() + options.minutes * 60_000;
    for (let run = 1; run <= options.runs && performance.now() < end; run += 1) {
      const { sample, found } = await change(cluster, log, run + 1);
      samples.push(sample);
      written = found;
    }
    say(`config change, ${backend.name}: 5 nodes, ${TASKS} tasks`);
    const of = (name: keyof Sample): Distribution => {
      const one = distribution(samples.map((sample) => sample[name]));
      sayDistribution(name, one);
      return one;
    };
    const figures = {
      log: backend.name,
      nodes: IDS.length,
      tasks: TASKS,
      answeredMs: of('answeredMs'),
      seenByAllMs: of('seenByAllMs'),
      runningMs: of('runningMs'),
      entries: of('entries'),
      bytes: of('bytes'),
      lastOne: written,
    };
    say(`  of the last one: ${JSON.stringify(written)}`);
    return { figures, faults: [] };
  } finally {
    await log?.close();
    await cluster.destroy();
    await backend.stop();
  }
}

/** Its tasks wait in their poll. */
function config(cluster: Cluster, version: number): Record<string, string> {
  return cluster.source(TASKS, { 'pause.ms': '3600000', batch: String(version) });
}

async function change(
  cluster: Cluster,
  log: Log,
  version: number,
): Promise<{ sample: Sample; found: Readonly<Record<string, number>> }> {
  const startsBefore = starts(cluster);
  const from = await ends(log);
  const sent = performance.now();
  const at = IDS[version % IDS.length] ?? 'a';
  let answeredMs = 0;
  const put = cluster.put(at, NAME, config(cluster, version)).then(() => {
    answeredMs = performance.now() - sent;
  });
  await Promise.all([put, ...IDS.map((id) => answersWith(cluster, id, version))]);
  const seenByAllMs = performance.now() - sent;
  await until('all tasks were started anew', () => starts(cluster) >= startsBefore + TASKS, PATIENCE_MS);
  await cluster.running(at, NAME, TASKS, undefined, PATIENCE_MS);
  const runningMs = performance.now() - sent;
  const entries = (await entriesBetween(log, from, await ends(log))).filter(({ type }) => type !== 'ALIVE');
  const sample = { answeredMs, seenByAllMs, runningMs, entries: entries.length, bytes: bytesOf(entries) };
  return { sample, found: kinds(entries) };
}

async function answersWith(cluster: Cluster, id: string, version: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const { body } = await cluster.node(id).request('GET', `/connectors/${NAME}/config`);
    if (typeof body === 'object' && body !== null && 'batch' in body && body.batch === String(version))
      return;
    if (performance.now() > deadline) throw new Error(`${id} answers ${JSON.stringify(body)}`);
    await sleep(POLL_MS);
  }
}

function starts(cluster: Cluster): number {
  return readJournal(cluster.journal).filter(({ what }) => what === 'start').length;
}
