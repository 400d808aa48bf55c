/** Signals in the thread of a task, with a rebalancer that the test plays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ActorError } from '#troupe/actors/kernel/errors.js';
import type { RebalancerProtocol } from '#troupe/actors/rebalancer/protocol.js';
import { PluginCalls } from '#troupe/actors/task/plugin-calls.js';
import { TaskSignals } from '#troupe/actors/task/signals.js';
import type { SourceTask } from '#troupe/sdk/plugin.js';
import { refTo } from '../../support/ref.js';
import { silent } from '../../support/task-parts.js';

type Answered = RebalancerProtocol['ask']['answerSignal']['request'];

function signalsOf(timeoutMs = 60_000, refuse: () => ActorError | null | Promise<null> = () => null) {
  const answered: Answered[] = [];
  const gate = { leased: true, wake: () => undefined };
  const ending = new AbortController();
  const signals = new TaskSignals({
    unit: 'c/0',
    rebalancer: refTo<RebalancerProtocol>({
      ask: {
        answerSignal: async (request) => {
          const error = await refuse();
          if (error !== null) throw error;
          answered.push(request);
          return {};
        },
      },
    }),
    gate,
    calls: new PluginCalls(60_000, () => undefined),
    log: silent,
    signal: ending.signal,
    timeoutMs,
  });
  return { signals, answered, gate, ending };
}

const signal = (id: string) => ({ id, offset: 1, type: 't', data: id });
const echo: Pick<SourceTask, 'signal'> = { signal: ({ data }) => data };

test('signals wait for a task without a lease, as another node may run it, and are taken in order', async () => {
  const { signals, answered, gate } = signalsOf();
  let woken = 0;
  signals.onArrival(() => (woken += 1));
  signals.arrived([signal('a'), signal('b')]);
  assert.equal(woken, 1);
  gate.leased = false;
  await signals.serve(echo);
  assert.deepEqual([answered, signals.waiting], [[], true]);
  gate.leased = true;
  await signals.serve(echo);
  await signals.settled();
  assert.deepEqual(
    answered.map(({ id, answer }) => [id, answer]),
    [
      ['a', { ok: true, answer: 'a' }],
      ['b', { ok: true, answer: 'b' }],
    ],
  );
  assert.equal(signals.waiting, false);
});

test('a task that is told to stop is given no more signals', async () => {
  const { signals, answered, ending } = signalsOf();
  signals.arrived([signal('a')]);
  ending.abort();
  await signals.serve(echo);
  assert.deepEqual(answered, []);
});

test('a signal that never returns is answered for before the task fails', async () => {
  // The log takes a while.
  const { signals, answered } = signalsOf(10, () => nextTurn(null));
  signals.arrived([signal('a'), signal('b')]);
  await assert.rejects(
    signals.serve({ signal: () => new Promise(() => undefined) }),
    /did not return within 10 ms/,
  );
  assert.deepEqual(
    answered.map(({ id, answer }) => [id, answer.ok ? '' : answer.code]),
    [['a', 'SIGNAL_TIMEOUT']],
  );
});

test('an answer that could not be written is sent again, and one that nobody waits for is not', async () => {
  const codes = ['LOG_UNAVAILABLE', null];
  const { signals, answered } = signalsOf(60_000, () => {
    const code = codes.shift() ?? null;
    return code === null ? null : new ActorError('REMOTE_ERROR', code, { remoteCode: code });
  });
  signals.arrived([signal('a')]);
  await signals.serve(echo);
  await signals.settled();
  assert.deepEqual(
    answered.map(({ id }) => id),
    ['a'],
  );

  let asked = 0;
  const late = signalsOf(60_000, () => {
    asked += 1;
    return new ActorError('REMOTE_ERROR', 'gone', { remoteCode: 'SIGNAL_NOT_FOUND' });
  });
  late.signals.arrived([signal('a')]);
  await late.signals.serve(echo);
  await late.signals.settled();
  assert.equal(asked, 1);
});
