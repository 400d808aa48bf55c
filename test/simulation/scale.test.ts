/** The large cluster of `npm run bench:scale`, at a size that a test may have. TEST_SEED replays one seed. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import type { ScaleResult } from './scale-result.js';
import type { ScalePlay } from './scale-thread.js';

const SEED = Number(process.env['TEST_SEED'] ?? 1);

async function play(settings: ScalePlay): Promise<ScaleResult> {
  const worker = new Worker(new URL('./scale-thread.js', import.meta.url), { workerData: settings });
  try {
    const [result] = (await once(worker, 'message')) as [ScaleResult];
    return result;
  } finally {
    await worker.terminate();
  }
}

test(`after losing 10 of 100 nodes each of 1,000 tasks runs once, shared out evenly (seed ${SEED})`, async (t) => {
  const result = await play({
    seed: SEED,
    nodes: 100,
    tasks: 1000,
    tasksPerConnector: 20,
    copies: 10,
    steadyMs: 1000,
  });
  t.diagnostic(JSON.stringify(result));
  // That it came to rest is what `run` waits for, and that all copies are the same.
  assert.equal(result.killed, 10);
  assert.equal(result.running, 1000);
  assert.ok(result.loadsDifferBy <= 1);
  // Ten copies of members and configs, four of positions and offsets.
  assert.equal(result.digestsCompared, 28);
});
