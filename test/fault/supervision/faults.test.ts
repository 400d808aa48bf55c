import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActorSpec, ExitReason } from '#troupe/actors/kernel/protocol.js';
import { until } from '../../support/wait.js';
import type { Fault } from './fixtures/protocols.js';
import { actor, Troupe } from './troupe.js';

const cases: readonly [Fault, ExitReason['code'], RegExp, Partial<ActorSpec>][] = [
  ['throws in a handler', 'CRASH', /thrown on purpose/, {}],
  ['throws later', 'CRASH', /thrown on purpose/, {}],
  ['rejects', 'CRASH', /rejected on purpose/, {}],
  ['calls process.exit', 'PROCESS_EXIT', /process\.exit\(7\)/, {}],
  ['calls crash', 'CRASH', /crashed on purpose/, {}],
  ['spins for ever', 'HUNG', /did not turn for more than 3000 ms/, { beatDeadlineMs: 3000 }],
  [
    'holds a large heap',
    'HEAP_SOFT_LIMIT',
    /more than 10 MB after a collection/,
    { heap: { maxOldMb: 48, softLimit: 0.2 } },
  ],
  [
    'holds many buffers',
    'EXTERNAL_MEMORY_LIMIT',
    /more than 50 MB outside its heap/,
    { heap: { maxOldMb: 48, softLimit: 1, maxExternalMb: 50 } },
  ],
  ['grows its heap without end', 'HEAP_HARD_LIMIT', /memory/, { heap: { maxOldMb: 32, softLimit: 1 } }],
];

for (const [fault, code, message, overrides] of cases) {
  test(`an actor that ${fault} is restarted, and its sibling answers all the while`, async () => {
    const children = [actor('sibling', 'counter'), actor('victim', 'victim', overrides)];
    await using troupe = new Troupe(children, { peers: ['sibling', 'victim'], probe: 'sibling' });
    await troupe.system.started;
    await until('the sibling answers', async () => (await troupe.probed()).answered > 0);
    const before = await troupe.probed();

    await troupe.tell('victim', 'fault', { fault });
    const { reason, restartInMs, incarnation } = await troupe.exit('victim');
    const after = await troupe.probed();

    assert.equal(reason.code, code);
    assert.match(reason.message, message);
    assert.equal(incarnation, 1);
    assert.ok(restartInMs !== null && restartInMs >= 4 && restartInMs <= 5, `backs off: ${restartInMs}`);
    await troupe.reaches('victim', 'running', 2);
    assert.equal(await until('it answers again', () => troupe.ask('victim', 'incarnation')), 2);
    if (code === 'HUNG')
      assert.ok(after.answered - before.answered > 10, 'the sibling went on during the hang');
    await until('the sibling goes on', async () => (await troupe.probed()).answered > after.answered + 5);
    assert.equal((await troupe.probed()).failed, 0);
    assert.equal(troupe.node('sibling')?.incarnation, 1);
    assert.equal(troupe.node('victim')?.restarts, 1);
  });
}

test('the cause of a crash is kept with its stack and code', async () => {
  await using troupe = new Troupe([actor('victim', 'victim')], { peers: ['victim'] });
  await troupe.system.started;
  await troupe.tell('victim', 'fault', { fault: 'calls crash' });
  const { reason } = await troupe.exit('victim');
  assert.equal(reason.errorCode, 'ON_PURPOSE');
  assert.match(reason.stack ?? '', /victim\.[jt]s/);
  assert.deepEqual(troupe.node('victim')?.lastExit, reason);
});

for (const [stop, code, stopDeadlineMs] of [
  ['hangs', 'STOP_FORCED', 300],
  ['spins', 'STOP_FORCED', 300],
  ['throws', 'CRASH', 30_000],
] as const) {
  test(`a stop that ${stop} ends all the same`, async () => {
    const victim = actor('victim', 'victim', { params: { stop }, stopDeadlineMs });
    const troupe = new Troupe([victim]);
    await troupe.system.started;
    await troupe.system.stop('enough');
    await troupe[Symbol.asyncDispose]();
    assert.equal(troupe.exits('victim')[0]?.reason.code, code);
    assert.equal(troupe.exits('driver')[0]?.reason.code, 'NORMAL');
    assert.equal(troupe.node('victim'), undefined, 'no thread is left');
  });
}

test('an actor whose work is done ends as NORMAL: transient stays down, permanent comes back', async () => {
  const children = [actor('once', 'victim', { restart: 'transient' }), actor('always', 'victim')];
  await using troupe = new Troupe(children, { peers: ['once', 'always'] });
  await troupe.system.started;
  await troupe.tell('once', 'fault', { fault: 'finishes' });
  await troupe.tell('always', 'fault', { fault: 'finishes' });
  const once = await troupe.exit('once');
  assert.equal(once.reason.code, 'NORMAL');
  assert.equal(once.restartInMs, null);
  await troupe.reaches('always', 'running', 2);
  assert.equal(troupe.node('once')?.state, 'stopped');
});

test('an actor that keeps process.exit from ending its thread is ended all the same, with its cause', async () => {
  await using troupe = new Troupe([actor('victim', 'victim')], { peers: ['victim'] });
  await troupe.system.started;
  await troupe.tell('victim', 'fault', { fault: 'replaces process.exit and throws' });
  const { reason } = await troupe.exit('victim');
  assert.equal(reason.code, 'CRASH');
  assert.match(reason.message, /thrown on purpose/);
  await troupe.reaches('victim', 'running', 2);
});

test('what code in a thread sends to the parent port steers nothing', async () => {
  await using troupe = new Troupe([actor('victim', 'victim')], { peers: ['victim'] });
  await troupe.system.started;
  await troupe.tell('victim', 'fault', { fault: 'speaks for the kernel' });
  await until('it has done so and answers', () => troupe.ask('victim', 'incarnation'));
  assert.deepEqual(troupe.shutdowns, []);
  assert.deepEqual(troupe.exits('victim'), []);
  assert.equal(troupe.node('victim')?.incarnation, 1);
});

test('a flood on the output of a thread stays in that thread', async () => {
  await using troupe = new Troupe([actor('victim', 'victim')], { peers: ['victim'] });
  await troupe.system.started;
  const before = process.memoryUsage.rss();
  await troupe.tell('victim', 'fault', { fault: 'floods its output' });
  assert.equal(await until('it has done so and answers', () => troupe.ask('victim', 'incarnation')), 1);
  assert.ok(process.memoryUsage.rss() - before < 300_000_000, 'two gigabytes were written');
});
