import { test } from 'node:test';
import { Simulation } from './simulation.js';

/** TROUPE_SEED repeats one run. */
const only = process.env['TROUPE_SEED'];
const SEEDS = 500;

test('a cluster whose nodes crash, pause, and lose the log keeps its invariants', (t) => {
  const base = only === undefined ? Date.now() % 1_000_000_000 : Number(only);
  const count = only === undefined ? SEEDS : 1;
  for (let seed = base; seed < base + count; seed += 1) {
    try {
      new Simulation(seed).run();
    } catch (error) {
      t.diagnostic(`repeat with TROUPE_SEED=${seed}`);
      throw error;
    }
  }
});
