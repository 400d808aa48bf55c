import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActorError } from '#troupe/actors/kernel/errors.js';
import type { ActorLogger } from '#troupe/actors/kernel/protocol.js';
import { startOrWait, whenLogTakes, type WaitingTask } from '#troupe/actors/task/wait-for-log.js';
import type { Stall } from '#troupe/core/model.js';
import { LogError } from '#troupe/log/log.js';

const silent: ActorLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

function waitingTask(): { task: WaitingTask; stop: AbortController; stalls: (Stall | null)[] } {
  const stop = new AbortController();
  const stalls: (Stall | null)[] = [];
  const report = { stalled: (_noticed: string, stall: Stall | null) => void stalls.push(stall) };
  return { task: { context: { signal: stop.signal, log: silent }, report }, stop, stalls };
}

/** As `persistence` answers when the log has refused what it wrote for the task. */
const refused = (code: string): ActorError =>
  new ActorError('REMOTE_ERROR', 'the disk is full', { remoteCode: code });

test('a start that a full disk refuses is no failure: the task runs, says what it waits for, and starts when there is room', async () => {
  const { task, stalls } = waitingTask();
  let tries = 0;
  const ended: string[] = [];
  const started = await startOrWait(task, () => {
    tries += 1;
    if (tries === 1) return Promise.reject(refused('LOG_FULL'));
    if (tries === 2) return Promise.reject(new LogError('LOG_UNAVAILABLE', 'away'));
    return Promise.resolve({ done: Promise.resolve().then(() => void ended.push('loop')) });
  });
  assert.equal(tries, 1, 'it has started as far as the supervisor is concerned');
  await started.done;
  assert.deepEqual(ended, ['loop']);
  assert.deepEqual(
    stalls.map((stall) => stall?.cause),
    ['the disk is full', 'away', undefined],
  );
});

test('a task that waits for the log ends in order when it is told to stop', async () => {
  const { task, stop } = waitingTask();
  const started = await startOrWait(task, () => Promise.reject(refused('LOG_FULL')));
  stop.abort();
  await started.done;
});

test('what does not pass by itself fails the start, at once or after waiting', async () => {
  const { task } = waitingTask();
  await assert.rejects(
    startOrWait(task, () => Promise.reject(refused('LOG_FENCED'))),
    { remoteCode: 'LOG_FENCED' },
  );
  const outcomes = [refused('LOG_FULL'), new Error('a bug')];
  await assert.rejects(
    whenLogTakes(task, () => Promise.reject(outcomes.shift() ?? new Error('once too often'))),
    /a bug/,
  );
});
