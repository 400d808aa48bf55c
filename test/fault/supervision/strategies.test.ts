import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeFolder, temporaryFolder } from '../../support/node-process.js';
import { until } from '../../support/wait.js';
import { actor, supervisor, Troupe } from './troupe.js';

function lifeOf(troupe: Troupe, from = 0): string[] {
  return troupe.events
    .slice(from)
    .map(({ event }) => `${event.id} ${event.type === 'started' ? 'started' : event.reason.code}`);
}

test('children start in order, each after the one before has started, and stop in the reverse order', async () => {
  const children = [
    actor('a', 'counter'),
    supervisor('s', [actor('b', 'counter'), actor('c', 'counter')]),
    actor('d', 'counter'),
  ];
  const troupe = new Troupe(children);
  await troupe.system.started;
  await troupe[Symbol.asyncDispose]();
  const started = ['driver', 'a', 'b', 'c', 's', 'd'].map((id) => `${id} started`);
  const stopped = ['d', 'c', 'b', 's', 'a', 'driver'].map((id) => `${id} NORMAL`);
  assert.deepEqual(lifeOf(troupe), [...started, ...stopped]);
});

test('rest_for_one: a crash restarts exactly the later ones, in order', async () => {
  const later = supervisor('pool', [actor('c', 'counter')]);
  const rest = supervisor(
    'rest',
    [actor('a', 'counter'), actor('b', 'victim'), later, actor('d', 'counter')],
    {
      strategy: 'rest_for_one',
    },
  );
  await using troupe = new Troupe([rest], { peers: ['b'] });
  await troupe.system.started;
  const before = troupe.events.length;
  await troupe.tell('b', 'fault', { fault: 'throws later' });
  await troupe.reaches('d', 'running', 2);
  assert.deepEqual(lifeOf(troupe, before), [
    'b CRASH',
    'd NORMAL',
    'c NORMAL',
    'pool NORMAL',
    'b started',
    'c started',
    'pool started',
    'd started',
  ]);
  assert.equal(troupe.node('a')?.incarnation, 1);
  assert.equal(troupe.node('c')?.incarnation, 2, 'incarnations count over restarts of the supervisor');
  assert.equal(troupe.node('d')?.restarts, 1);
});

test('a supervisor that has too many restarts fails, and its own supervisor starts it anew', async () => {
  const inner = supervisor('inner', [actor('other', 'counter'), actor('victim', 'victim')], {
    intensity: { restarts: 1, periodMs: 60_000 },
  });
  await using troupe = new Troupe([inner], { peers: ['victim', 'other'] });
  await troupe.system.started;
  for (const incarnation of [1, 2]) {
    await troupe.reaches('victim', 'running', incarnation);
    await troupe.tell('victim', 'fault', { fault: 'throws later' });
    await troupe.exit('victim', incarnation);
  }
  const { reason } = await troupe.exit('inner');
  assert.match(
    reason.message,
    /inner gave up: more than 1 restarts in 60000 ms, the last of victim \(CRASH: thrown on purpose\)/,
  );
  await troupe.reaches('victim', 'running', 3);
  await troupe.reaches('other', 'running', 2);
  assert.equal(troupe.node('inner')?.state, 'running');
  assert.equal(troupe.node('inner')?.restarts, 1);
  assert.deepEqual(await until('it answers', () => troupe.ask('victim', 'incarnation')), 3);
  assert.deepEqual(troupe.givenUp, []);
});

test('when the root gives up everything is stopped, and one line says why', async () => {
  const inner = supervisor('inner', [actor('victim', 'victim', { params: { start: 'throws' } })], {
    intensity: { restarts: 1, periodMs: 60_000 },
  });
  const troupe = new Troupe([inner, actor('never', 'counter')], {
    root: { intensity: { restarts: 1, periodMs: 60_000 } },
  });
  await until('the root gives up', () => troupe.givenUp.length > 0, 30_000);
  await troupe[Symbol.asyncDispose]();
  const { line } = troupe.givenUp[0]!;
  assert.match(
    line,
    /^root gave up: .*the last of inner .*inner gave up: .*victim \(START_FAILED: cannot start\)\)$/,
  );
  assert.ok(!line.includes('\n'));
  assert.equal(troupe.exits('victim').length, 4);
  assert.equal(troupe.exits('driver')[0]?.reason.code, 'NORMAL');
  assert.equal(troupe.system.tree().state, 'failed');
  await assert.rejects(troupe.system.started, /root gave up/);
});

test('the root gives up though a thread is stuck in native code', async (t) => {
  const dir = temporaryFolder();
  const fifo = join(dir, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const troupe = new Troupe(
    [
      actor('stuck', 'victim', { params: { stop: { opens: fifo } }, stopDeadlineMs: 100 }),
      actor('victim', 'victim', { params: { start: 'throws' } }),
    ],
    { root: { intensity: { restarts: 1, periodMs: 60_000 } } },
  );
  t.after(async () => {
    // Whoever waits to read from it goes on.
    closeSync(openSync(fifo, 'r+'));
    await troupe[Symbol.asyncDispose]();
    removeFolder(dir);
  });
  await until('the root gives up', () => troupe.givenUp.length > 0, 60_000);
  assert.deepEqual(await troupe.system.stop('the test is over'), ['stuck']);
});
