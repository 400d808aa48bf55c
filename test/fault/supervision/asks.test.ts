import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WINDOW } from '#troupe/actors/kernel/channel.js';
import { until } from '../../support/wait.js';
import { actor, Troupe } from './troupe.js';

const HOUR = 3_600_000;
const often = { whenExhausted: 'giveUp', intensity: { restarts: 100, periodMs: 60_000 } } as const;

async function connected(troupe: Troupe): Promise<void> {
  await until('the driver is connected', () => troupe.perform({ do: 'isUp', target: 'counter' }));
}

test('asks under way to an actor that dies fail at once, and a later ask reaches its new incarnation', async () => {
  await using troupe = new Troupe([actor('counter', 'counter')], { peers: ['counter'] });
  await connected(troupe);
  const asks = Array.from({ length: 10 }, () => troupe.ask('counter', 'hang', null, HOUR));
  const settled = Promise.allSettled(asks);
  await troupe.tell('counter', 'die');
  for (const result of await settled) {
    assert.equal(result.status, 'rejected');
    assert.equal((result.reason as { code: string }).code, 'ACTOR_DOWN');
    assert.match(String(result.reason), /counter went down before it answered "hang"/);
  }
  assert.deepEqual(await until('it answers', () => troupe.ask('counter', 'next')), {
    incarnation: 2,
    count: 1,
  });
  assert.deepEqual(await troupe.perform({ do: 'changes', target: 'counter' }), [
    [false, 0],
    [true, 1],
    [false, 1],
    [true, 2],
  ]);
});

test('whatever the moment at which an actor dies, every ask to it is settled', async () => {
  await using troupe = new Troupe([actor('counter', 'counter', often)], { peers: ['counter'] });
  let answered = 0;
  for (let round = 1; round <= 8; round += 1) {
    await connected(troupe);
    const asks = Array.from({ length: 30 }, (_, i) =>
      i === 3 * round ? troupe.tell('counter', 'die') : troupe.ask('counter', 'next', null, HOUR),
    );
    for (const result of await Promise.allSettled(asks)) {
      if (result.status === 'fulfilled') answered += 1;
      else assert.equal((result.reason as { code: string }).code, 'ACTOR_DOWN');
    }
    await troupe.exit('counter', round);
  }
  assert.ok(answered > 0);
});

test('a declared actor that does not run, or does not even exist, is down at once', async () => {
  await using troupe = new Troupe([], { peers: ['nobody'] });
  await assert.rejects(troupe.ask('nobody', 'next', null, HOUR), { code: 'ACTOR_DOWN' });
  assert.equal(await troupe.perform({ do: 'tell', target: 'nobody', kind: 'add', payload: null }), false);
});

test('a teller that floods a busy actor is told no; what was accepted arrives once, in order', async () => {
  await using troupe = new Troupe([actor('counter', 'counter')], { peers: ['counter'] });
  await connected(troupe);
  const gate = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  await troupe.tell('counter', 'block', { gate });
  await until('it is blocked', () => troupe.node('counter')?.mailbox === 0);
  const accepted = Number(
    await troupe.perform({ do: 'flood', target: 'counter', kind: 'add', times: 5 * WINDOW }),
  );
  assert.equal(accepted, WINDOW - 1, 'the message that blocks it is not done either');
  await assert.rejects(troupe.ask('counter', 'next'), { code: 'MAILBOX_FULL' });
  assert.equal(troupe.node('counter')?.mailbox, accepted);

  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  await until('it has caught up', () => troupe.node('counter')?.mailbox === 0);
  const again = Number(await troupe.perform({ do: 'flood', target: 'counter', kind: 'add', times: 10 }));
  assert.equal(again, 10);
  const expected = [...Array(accepted).keys(), ...Array(again).keys()];
  assert.deepEqual(await troupe.ask('counter', 'added'), expected);
});

test('the one who handles an ask learns that its deadline has passed or its asker has given up', async () => {
  await using troupe = new Troupe([actor('counter', 'counter')], { peers: ['counter'] });
  await connected(troupe);
  await assert.rejects(troupe.ask('counter', 'hang', null, 20), { code: 'ASK_TIMEOUT' });
  await until('the handler knows', async () => (await troupe.ask('counter', 'aborted')) === 1);
  const given = troupe.perform({
    do: 'ask',
    target: 'counter',
    kind: 'hang',
    request: null,
    deadlineMs: HOUR,
    abort: true,
  });
  await assert.rejects(given, { code: 'ASK_ABORTED' });
  await until('the handler knows', async () => (await troupe.ask('counter', 'aborted')) === 2);
});

test('an error that a handler throws reaches the asker with its code, its stack and its cause', async () => {
  await using troupe = new Troupe([actor('counter', 'counter')], { peers: ['counter'] });
  await connected(troupe);
  const error = await troupe.ask('counter', 'fail', { code: 'WRONG' }).then(
    () => assert.fail('it answered'),
    (thrown: unknown) => thrown as Record<'code' | 'remoteCode' | 'message' | 'cause', string>,
  );
  const { code, remoteCode, message, cause } = error;
  assert.deepEqual(
    { code, remoteCode, message },
    { code: 'REMOTE_ERROR', remoteCode: 'WRONG', message: 'it went wrong' },
  );
  assert.match(cause, /^TypeError: it went wrong\n.*counter\.[jt]s/);
  assert.match(cause, /Caused by: Error: the root of it/);
  assert.equal(troupe.node('counter')?.incarnation, 1, 'a failed ask is an answer, not a crash');
});

test('a message that nobody knows is refused by name, and the actor goes on', async () => {
  await using troupe = new Troupe([actor('counter', 'counter')], { peers: ['counter'] });
  await connected(troupe);
  for (const kind of ['nonsense', 'toString', '__proto__']) {
    await troupe.tell('counter', kind);
    await assert.rejects(troupe.ask('counter', kind), {
      code: 'UNKNOWN_MESSAGE',
      message: new RegExp(`"${kind}"`),
    });
  }
  assert.deepEqual(await troupe.ask('counter', 'next'), { incarnation: 1, count: 1 });
});
