import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createLease, leaseLeftMs, monotonicMs, renewLease } from '#troupe/actors/kernel/lease.js';
import { serialised } from '#troupe/actors/kernel/serialised.js';

test('calls of one lane never overlap and keep their order, though one of them fails', async () => {
  const lane = serialised();
  const trace: string[] = [];
  const slow = lane(async (name: string, turns: number) => {
    trace.push(`${name} begins`);
    for (let i = 0; i < turns; i += 1) await new Promise((resolve) => setImmediate(resolve));
    trace.push(`${name} ends`);
    if (name === 'b') throw new Error('b fails');
    return name;
  });
  const quick = lane((name: string) => trace.push(name));
  const results = await Promise.allSettled([slow('a', 3), slow('b', 2), quick('c'), slow('d', 1)]);
  assert.deepEqual(trace, ['a begins', 'a ends', 'b begins', 'b ends', 'c', 'd begins', 'd ends']);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  );
});

test('a lease is over until it is renewed, may be taken back, and is the same in another thread', async () => {
  const lease = createLease();
  assert.ok(leaseLeftMs(lease) <= 0, 'nobody holds it yet');
  renewLease(lease, monotonicMs() + 60_000);
  const left = leaseLeftMs(lease);
  assert.ok(left > 50_000 && left <= 60_000, `${left}`);

  const code = `
    const { workerData, parentPort } = require('node:worker_threads');
    import(workerData.module).then(({ leaseLeftMs, renewLease }) => {
      parentPort.postMessage(leaseLeftMs(workerData.lease));
      renewLease(workerData.lease, 0);
    });`;
  const module = import.meta.resolve('#troupe/actors/kernel/lease.js');
  const worker = new Worker(code, { eval: true, workerData: { lease, module } });
  const exited = once(worker, 'exit');
  const there: unknown = await new Promise((resolve) => worker.once('message', resolve));
  assert.ok(Number(there) > 0 && Number(there) <= left, `the clock is one for all threads: ${String(there)}`);
  await exited;
  assert.ok(leaseLeftMs(lease) <= 0, 'what the other thread wrote is seen here');
});
