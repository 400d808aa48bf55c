import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { CELL_WORDS, readCell, SharedCell, type Words } from '#troupe/actors/kernel/shared-cell.js';
import { until } from '../../support/wait.js';

function newMemory(): Words {
  return new Int32Array(new SharedArrayBuffer(CELL_WORDS * Int32Array.BYTES_PER_ELEMENT));
}

/** A thread that writes until it is terminated. */
function writing(t: TestContext, words: Words, values: readonly number[] = []): Worker {
  const worker = new Worker(new URL('counting-thread.js', import.meta.url), {
    workerData: { memory: words.buffer, values },
  });
  t.after(() => worker.terminate());
  return worker;
}

test('a reader sees each number whole while another thread writes', async (t) => {
  const words = newMemory();
  // Their halves are all different.
  const values = [Math.PI, -Math.E * 1e200, 1 / 3, 123456789.123456789];
  writing(t, words, values);
  await until('it writes', () => readCell(words, 0) !== 0);
  const seen = new Set<number>();
  for (let i = 0; i < 1_000_000; i += 1) seen.add(readCell(words, 0));
  assert.deepEqual(
    [...seen].filter((value) => !values.includes(value)),
    [],
  );
  assert.ok(seen.size > 1, 'nothing was written meanwhile');
});

test('a counter never goes back, whenever the thread that adds is terminated', async (t) => {
  const words = newMemory();
  let most = 0;
  for (let life = 1; life <= 20; life += 1) {
    const before = most;
    const worker = writing(t, words);
    await until('it adds', () => (most = readCell(words, 0)) > before + 1000);
    await worker.terminate();
    const left = readCell(words, 0);
    assert.ok(left >= most && Number.isInteger(left), `${left} after ${most}`);
    most = left;
  }
});

test('what a write left half done does not count, and the next one goes on', () => {
  const words = newMemory();
  new SharedCell(words, 0).add(5);
  // One write makes place 1 the one that counts, so the next one begins in place 0.
  words[1] = -1;
  assert.equal(readCell(words, 0), 5);
  const next = new SharedCell(words, 0);
  next.add(2);
  assert.equal(readCell(words, 0), 7);
  next.add(0.5);
  assert.equal(readCell(words, 0), 7.5);
});

test('a cell goes on over the end of its count of writes', () => {
  const words = newMemory();
  words[0] = 2 ** 31 - 1;
  const cell = new SharedCell(words, 0);
  for (let i = 1; i <= 3; i += 1) {
    cell.add(1);
    assert.equal(readCell(words, 0), i);
  }
});
