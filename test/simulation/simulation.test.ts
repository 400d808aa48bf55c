/**
 * Clusters of the real code in made-up worlds. TEST_SEED replays one seed, TEST_SEEDS plays so many, from TEST_FROM on.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { RARE, SITUATIONS } from './coverage.js';
import type { Mutation } from './mutations.js';
import type { Played, Range } from './seeds.js';

const ONLY = process.env['TEST_SEED'];
const FROM = Number(ONLY ?? process.env['TEST_FROM'] ?? 10_000);
const COUNT = ONLY === undefined ? Number(process.env['TEST_SEEDS'] ?? 2000) : 1;
/** The rarest situation comes in one seed of some thousands. */
const ENOUGH_FOR_ALL = 10_000;
const ENOUGH_FOR_COMMON = 500;
/** Within so many seeds each mutation must be noticed. */
const MUTATED = 1000;

async function play(from: number, count: number, mutation: Mutation | null): Promise<Played> {
  const step = Math.min(availableParallelism(), count);
  const all = await Promise.all(
    Array.from({ length: step }, (_, i) =>
      inThread({ from: from + i, count: count - i, step, mutation, stopAtFailure: mutation !== null }),
    ),
  );
  const seen: Record<string, number> = {};
  for (const one of all)
    for (const [what, times] of Object.entries(one.seen)) seen[what] = (seen[what] ?? 0) + times;
  return { failures: all.flatMap(({ failures }) => failures), seen };
}

async function inThread(range: Range): Promise<Played> {
  const worker = new Worker(new URL('./seeds.js', import.meta.url), { workerData: range });
  try {
    const [played] = (await once(worker, 'message')) as [Played];
    return played;
  } finally {
    await worker.terminate();
  }
}

test(`clusters from seed ${FROM} on (${COUNT} of them) keep the invariants, whatever happens to them`, async (t) => {
  const { failures, seen } = await play(FROM, COUNT, null);
  t.diagnostic(JSON.stringify(seen));
  assert.deepEqual(failures, []);
  if (COUNT < ENOUGH_FOR_COMMON) return;
  const expected = SITUATIONS.filter((situation) => COUNT >= ENOUGH_FOR_ALL || !RARE.has(situation));
  const never = expected.filter((situation) => (seen[situation] ?? 0) === 0);
  assert.deepEqual(never, [], 'a simulation in which these never happen shows nothing about them');
});

for (const mutation of ['fence', 'lease', 'tombstone'] as const) {
  test(`without the ${mutation} the simulation fails`, { skip: ONLY !== undefined }, async (t) => {
    const { failures } = await play(6000, MUTATED, mutation);
    t.diagnostic(failures[0] ?? '');
    assert.notEqual(failures.length, 0, `nothing noticed within ${MUTATED} seeds`);
  });
}
