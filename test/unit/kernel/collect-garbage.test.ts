import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { allowCollections } from '#troupe/actors/kernel/collect-garbage.js';

test('a thread can collect its garbage, and what else runs in it sees no gc', async () => {
  allowCollections();
  const module = import.meta.resolve('#troupe/actors/kernel/collect-garbage.js');
  const thread = new Worker(
    `(async () => {
      const before = typeof gc;
      const { collectGarbage } = await import(${JSON.stringify(module)});
      const gone = new WeakRef(new ArrayBuffer(1000));
      await new Promise(setImmediate);
      collectGarbage();
      require('node:worker_threads').parentPort.postMessage({ before, after: typeof gc, left: gone.deref() !== undefined });
    })()`,
    { eval: true },
  );
  const [message] = (await once(thread, 'message')) as [unknown];
  assert.deepEqual(message, { before: 'function', after: 'undefined', left: false });
  await thread.terminate();
});
