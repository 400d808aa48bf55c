/** What a cluster says that has nothing to do: entries and bytes in its four topics, a node and a second. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '#troupe/log/log.js';
import { Cluster } from '#troupe/test/support/cluster.js';
import { startBackend, storePathOf, type Backend } from './backend.js';
import { cpuSeconds } from './machine.js';
import type { Options } from './options.js';
import { round, say, type PartResult } from './report.js';
import { bytesOf, ends, entriesBetween, kinds, storedBytes } from './topic-entries.js';

const IDS = ['a', 'b', 'c', 'd', 'e'];
const SIZES = [3, 5];
const IDLE_TASKS = 12;
/** After the last change: what follows from it shall not be counted as quiet. */
const SETTLE_MS = 10_000;
/** A bound, not an expectation. */
const PATIENCE_MS = 180_000;

export async function heartbeats(options: Options): Promise<PartResult> {
  const backend = await startBackend(options);
  const cluster = new Cluster(backend.nodeSettings);
  const log: { opened: Log | null } = { opened: null };
  try {
    const quiet: object[] = [];
    for (const size of SIZES) {
      const ids = IDS.slice(0, size);
      for (const id of ids.filter((each) => !cluster.ids.includes(each)))
        await (await cluster.create(id)).start(PATIENCE_MS);
      await cluster.members('a', (found) => ids.every((id) => found.includes(id)));
      // They wait in their poll, and say nothing.
      const idle = { 'pause.ms': '3600000', 'topic.queues': '1' };
      if (size === SIZES[0]) await cluster.put('a', 'idle', cluster.source(IDLE_TASKS, idle));
      const all = (owners: readonly string[]): boolean => ids.every((id) => owners.includes(id));
      await cluster.running('a', 'idle', IDLE_TASKS, all, PATIENCE_MS);
      log.opened ??= await backend.openLog(storePathOf(cluster.dir));
      await sleep(SETTLE_MS);
      quiet.push(await watch(cluster, log.opened, backend, options.quietSeconds));
    }
    return { figures: { log: backend.name, idleTasks: IDLE_TASKS, quiet }, faults: [] };
  } finally {
    await log.opened?.close();
    await cluster.destroy();
    await backend.stop();
  }
}

async function watch(cluster: Cluster, log: Log, backend: Backend, forSeconds: number): Promise<object> {
  const nodes = cluster.nodes.length;
  const from = await ends(log);
  const before = usage(cluster);
  const broker = backend.cpuSeconds();
  const started = performance.now();
  await sleep(forSeconds * 1000);
  const seconds = (performance.now() - started) / 1000;
  const after = usage(cluster);
  const brokerCpuSeconds = backend.cpuSeconds() - broker;
  const to = await ends(log);
  const entries = await entriesBetween(log, from, to);
  const stored = backend.rocketmq === null ? null : await storedBytes(backend.rocketmq, from, to);
  const each = (total: number): number => round(total / seconds / nodes);
  const figures = {
    nodes,
    seconds: round(seconds),
    entriesPerSecondPerNode: each(entries.length),
    payloadBytesPerSecondPerNode: each(bytesOf(entries)),
    storedBytesPerSecondPerNode: stored === null ? null : each(stored),
    kinds: kinds(entries),
    /** With sockets and files: what a node writes, and what it reads of what all write. */
    writtenBytesPerSecondPerNode: each(after.written - before.written),
    readBytesPerSecondPerNode: each(after.read - before.read),
    nodeCpuShare: each(after.cpu - before.cpu),
    brokerCpuShare: round(brokerCpuSeconds / seconds),
  };
  say(
    `  ${backend.name}, ${nodes} nodes, quiet: ${figures.entriesPerSecondPerNode} entries/s a node, ` +
      `${figures.payloadBytesPerSecondPerNode} bytes/s of payload, stored ${String(figures.storedBytesPerSecondPerNode)}; ` +
      `CPU: node ${figures.nodeCpuShare}, broker ${figures.brokerCpuShare} of a core`,
  );
  return figures;
}

/** Of all nodes. */
function usage(cluster: Cluster): { cpu: number; read: number; written: number } {
  const total = { cpu: 0, read: 0, written: 0 };
  for (const { pid } of cluster.nodes) {
    const io = readFileSync(`/proc/${pid}/io`, 'utf8');
    total.cpu += cpuSeconds(pid);
    total.read += Number(/^rchar: (\d+)/m.exec(io)?.[1] ?? Number.NaN);
    total.written += Number(/^wchar: (\d+)/m.exec(io)?.[1] ?? Number.NaN);
  }
  return total;
}
