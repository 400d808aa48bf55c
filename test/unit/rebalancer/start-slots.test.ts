import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StartSlots } from '#troupe/actors/rebalancer/start-slots.js';
import { until } from '../../support/wait.js';

test('so many start at once, the others in turn, also after one that fails', async () => {
  const slots = new StartSlots(2, 3_600_000);
  const ends: ((error?: Error) => void)[] = [];
  const begun: number[] = [];
  const runs = [0, 1, 2, 3].map((index) =>
    slots.run(
      () =>
        new Promise((resolve, reject) => {
          begun.push(index);
          ends[index] = (error) => {
            if (error === undefined) resolve();
            else reject(error);
          };
        }),
    ),
  );
  assert.deepEqual(begun, [0, 1]);
  ends[1]?.(new Error('it fails'));
  await assert.rejects(runs[1] ?? Promise.resolve(), /it fails/);
  await until('the next begins', () => begun.length === 3);
  ends[0]?.();
  await until('the last begins', () => begun.length === 4);
  assert.deepEqual(begun, [0, 1, 2, 3]);
  ends[2]?.();
  ends[3]?.();
  await Promise.all([runs[0], runs[2], runs[3]]);
});

test('a start that takes long makes room for the next', async () => {
  const slots = new StartSlots(1, 1);
  void slots.run(() => new Promise(() => undefined));
  let begun = false;
  await slots.run(() => {
    begun = true;
    return Promise.resolve();
  });
  assert.ok(begun);
});

test('the more starts take long, the longer the others wait for their places', async () => {
  const pauses: { readonly ms: number; readonly over: () => void }[] = [];
  const slots = new StartSlots(
    2,
    1000,
    (ms, signal) =>
      new Promise((resolve, reject) => {
        pauses.push({ ms, over: resolve });
        signal.addEventListener('abort', () => {
          reject(new Error('it has started'));
        });
      }),
  );
  const ends: (() => void)[] = [];
  const runs = Array.from({ length: 40 }, () =>
    slots.run(() => new Promise<void>((resolve) => ends.push(resolve))),
  );
  for (let slow = 0; slow < 38; slow += 1) {
    pauses[slow]?.over();
    await until('the next begins', () => ends.length === slow + 3);
  }
  const asked = pauses.map(({ ms }) => ms);
  assert.deepEqual(asked.slice(0, 6), [1000, 1000, 1500, 2000, 2500, 3000]);
  assert.equal(Math.max(...asked), 8000);
  for (const end of ends) end();
  await Promise.all(runs);
  void slots.run(() => Promise.resolve());
  assert.equal(pauses.at(-1)?.ms, 1000);
});
