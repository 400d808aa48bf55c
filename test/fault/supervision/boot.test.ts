import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../support/wait.js';
import { actor, Troupe } from './troupe.js';

const BACKOFF = { minMs: 20, maxMs: 60, jitter: 0 };
const giveUp = {
  whenExhausted: 'giveUp',
  intensity: { restarts: 3, periodMs: 60_000 },
  backoff: BACKOFF,
} as const;

test('an actor that dies while booting backs off, is given up alone, and its sibling answers all the while', async () => {
  const children = [
    actor('sibling', 'counter'),
    actor('victim', 'victim', { params: { start: 'throws' }, ...giveUp }),
  ];
  await using troupe = new Troupe(children, { peers: ['sibling'], probe: 'sibling' });
  await troupe.system.started;
  await troupe.reaches('victim', 'failed');

  const exits = troupe.exits('victim');
  assert.deepEqual(
    exits.map((exit) => exit.restartInMs),
    [20, 40, 60, null],
  );
  assert.ok(exits.every(({ reason }) => reason.code === 'START_FAILED' && reason.errorCode === 'NO_START'));
  assert.equal(troupe.node('victim')?.lastExit?.message, 'cannot start');
  const { answered } = await troupe.probed();
  await until('the sibling goes on', async () => (await troupe.probed()).answered > answered);
  assert.equal((await troupe.probed()).failed, 0);
  assert.deepEqual(troupe.givenUp, []);
});

const failures = [
  ['throws', 'START_FAILED', /cannot start/],
  ['exits', 'PROCESS_EXIT', /process\.exit\(3\)/],
  ['hangs', 'START_TIMEOUT', /did not start within 400 ms/],
  ['spins', 'START_TIMEOUT', /did not start within 400 ms/],
] as const;

for (const [start, code, message] of failures) {
  test(`a start that ${start} is ${code}`, async () => {
    const deadline = code === 'START_TIMEOUT' ? { startDeadlineMs: 400 } : {};
    const child = actor('victim', 'victim', { params: { start }, restart: 'temporary', ...deadline });
    await using troupe = new Troupe([child]);
    const { reason, restartInMs } = await troupe.exit('victim');
    assert.equal(reason.code, code);
    assert.match(reason.message, message);
    assert.equal(restartInMs, null);
    await troupe.reaches('victim', 'failed');
  });
}

for (const [module, message] of [
  ['nowhere.js', /Cannot find module .*nowhere\.js/],
  ['protocols.js', /default export is not an actor's behavior/],
] as const) {
  test(`a module that is no actor (${module}) is a failed start that says so`, async () => {
    const url = new URL(`./fixtures/${module}`, import.meta.url).href;
    await using troupe = new Troupe([actor('victim', 'victim', { module: url, restart: 'temporary' })]);
    const { reason } = await troupe.exit('victim');
    assert.equal(reason.code, 'START_FAILED');
    assert.match(reason.message, message);
  });
}

test('params that cannot be cloned are a failed start, not a crash of the supervisor', async () => {
  const params = { callback: (): void => undefined };
  await using troupe = new Troupe([
    actor('victim', 'victim', { params, restart: 'temporary', peers: ['driver'] }),
  ]);
  const { reason } = await troupe.exit('victim');
  assert.equal(reason.code, 'START_FAILED');
});

test('a system that is stopped while a child boots or backs off stops at once and cleanly', async () => {
  for (const [start, state] of [
    ['hangs', 'starting'],
    ['throws', 'backoff'],
  ] as const) {
    const backoff = { minMs: 60_000, maxMs: 60_000, jitter: 0 };
    const troupe = new Troupe([
      actor('victim', 'victim', { params: { start }, backoff, stopDeadlineMs: 100 }),
      actor('later', 'counter'),
    ]);
    await troupe.reaches('victim', state);
    await troupe[Symbol.asyncDispose]();
    await assert.rejects(troupe.system.started, { code: 'START_ABANDONED' });
    assert.equal(troupe.exits('later').length, 0, 'what comes after it was never started');
    assert.equal(troupe.system.tree().state, 'stopped');
    assert.deepEqual(troupe.givenUp, []);
  }
});
