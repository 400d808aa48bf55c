import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExitReason } from '#troupe/actors/kernel/protocol.js';
import { MemoryWatch } from '#troupe/supervisor/memory-watch.js';
import { PoolWatch } from '#troupe/supervisor/pool-watch.js';

const MB = 1024 * 1024;

function threadsOf(usages: readonly { bytes?: number; silentMs?: number; poolCalls?: number }[]) {
  const ended: { which: number; reason: ExitReason }[] = [];
  const problems: string[] = [];
  const threads = {
    suspects: () =>
      usages.map((usage, which) => ({
        bytes: 0,
        silentMs: 0,
        poolCalls: 0,
        ...usage,
        thread: { end: (reason: ExitReason) => ended.push({ which, reason }) },
      })),
    onProblem: (message: string) => problems.push(message),
  };
  return { threads, ended, problems };
}

test('while the node has memory nobody is ended; above its limit the task that holds most, and then its end is waited for', () => {
  const { threads, ended, problems } = threadsOf([
    { bytes: 20 * MB },
    { bytes: 700 * MB },
    { bytes: 90 * MB },
  ]);
  let used = 900;
  const watch = new MemoryWatch(1000 * MB, threads, () => used * MB);
  watch.look();
  assert.equal(ended.length, 0);
  used = 1001;
  watch.look();
  watch.look();
  assert.equal(ended.length, 1);
  assert.equal(ended.at(0)?.which, 1);
  assert.equal(ended.at(0)?.reason.code, 'NODE_MEMORY_LIMIT');
  assert.match(
    ended.at(0)?.reason.message ?? '',
    /holds 1001 MB, of at most 1000 .*this task holds 700 MB of it/,
  );
  assert.deepEqual(problems, []);
});

test('a task whose loop stands still while memory runs out goes before one that says what it holds', () => {
  const { threads, ended } = threadsOf([{ bytes: 700 * MB }, { bytes: 1 * MB, silentMs: 4000 }]);
  new MemoryWatch(1000 * MB, threads, () => 2000 * MB).look();
  assert.equal(ended.at(0)?.which, 1);
});

test('tasks that hold little are not ended for memory that is not theirs: it is said, once', () => {
  const { threads, ended, problems } = threadsOf([{ bytes: 20 * MB }, { bytes: 30 * MB }]);
  const watch = new MemoryWatch(1000 * MB, threads, () => 2000 * MB);
  for (let round = 0; round < 10; round += 1) watch.look();
  assert.equal(ended.length, 0);
  assert.equal(problems.length, 1);
});

test('a pool that takes on no work costs the task that has most calls in it, and none before it is late', () => {
  const { threads, ended } = threadsOf([{ poolCalls: 3 }, { poolCalls: 64 }]);
  let answer = (): void => undefined;
  const watch = new PoolWatch(threads, (onAnswer) => {
    answer = onAnswer;
  });
  for (let round = 0; round < 5; round += 1) watch.look();
  answer();
  for (let round = 0; round < 5; round += 1) watch.look();
  assert.equal(ended.length, 0);
  watch.look();
  assert.equal(ended.at(0)?.which, 1);
  assert.equal(ended.at(0)?.reason.code, 'THREAD_POOL_LIMIT');
  assert.match(ended.at(0)?.reason.message ?? '', /no work for 5 s, and this task has 64 calls/);
});

test('a pool that is held by nobody who is known is said, once', () => {
  const { threads, ended, problems } = threadsOf([{}, {}]);
  const watch = new PoolWatch(threads, () => undefined);
  for (let round = 0; round < 30; round += 1) watch.look();
  assert.equal(ended.length, 0);
  assert.equal(problems.length, 1);
});
