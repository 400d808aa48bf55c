/** A thread that plays a range of seeds. The clusters it leaves behind have timers of their own: it is to be terminated. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Mutation } from './mutations.js';
import { Simulation, settingsOf } from './simulation.js';

export interface Range {
  readonly from: number;
  readonly count: number;
  readonly step: number;
  readonly mutation: Mutation | null;
  /** Whether the first failure is enough. */
  readonly stopAtFailure: boolean;
}

export interface Played {
  readonly failures: readonly string[];
  readonly seen: Readonly<Record<string, number>>;
}

const { from, count, step, mutation, stopAtFailure } = workerData as Range;
const failures: string[] = [];
const seen: Record<string, number> = {};
let played = from;
// Listeners that nobody takes away.
process.on('warning', ({ name, message }) => {
  if (name === 'MaxListenersExceededWarning') failures.push(`${name}: ${message} (seed ${played})`);
});
for (let seed = from; seed < from + count; seed += step) {
  played = seed;
  const simulation = new Simulation(settingsOf(seed, mutation));
  try {
    await simulation.run();
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
    if (stopAtFailure) break;
  }
  for (const [what, times] of Object.entries(simulation.coverage.counts))
    seen[what] = (seen[what] ?? 0) + times;
}
parentPort?.postMessage({ failures, seen } satisfies Played);
