/** Pools as those for planning, ended while their threads load: a process of its own, as it would be aborted. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Piscina } from 'piscina';
import { PLANNING_THREAD } from '#troupe/actors/config-sync/planning-pool.js';

const POOLS = 60;
/** Within which a thread has loaded everything, also on a busy machine. */
const LOADED_MS = 400;

for (let i = 0; i < POOLS; i += 1) {
  const pool = new Piscina({
    filename: PLANNING_THREAD,
    workerData: { pluginPaths: [] },
    minThreads: 4,
    maxThreads: 4,
  });
  pool.on('error', () => undefined);
  // Not for anything: each is ended at another moment.
  await sleep((i * LOADED_MS) / POOLS);
  await pool.destroy();
}
