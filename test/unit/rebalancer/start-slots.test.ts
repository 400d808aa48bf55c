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
