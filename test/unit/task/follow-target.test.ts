/** A task's long poll of its target state, from a rebalancer that the test plays. */
import { test, type TestContext } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { newCounters } from '#troupe/actors/kernel/channel.js';
import { Mailbox } from '#troupe/actors/kernel/mailbox.js';
import { PortRef } from '#troupe/actors/kernel/ref.js';
import type { RebalancerProtocol } from '#troupe/actors/rebalancer/protocol.js';
import { followTarget } from '#troupe/actors/task/follow-target.js';
import type { TargetState } from '#troupe/core/model.js';
import { until } from '../../support/wait.js';

const ignore = (): void => undefined;
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => silent };

type Answer = () => Promise<{ state: TargetState }>;
const never: Answer = () => new Promise(ignore);
const saying =
  (state: TargetState): Answer =>
  () =>
    Promise.resolve({ state });

/** Follows with polls that last `deadlineMs`; `begin` connects a rebalancer that answers them in turn, then never. */
function follow(t: TestContext, deadlineMs: number) {
  const rebalancer = new PortRef<RebalancerProtocol>('rebalancer');
  const ending = new AbortController();
  const heard: TargetState[] = [];
  let asked = 0;
  const begin = (...answers: Answer[]): void => {
    const mailbox = new Mailbox({
      id: 'rebalancer',
      handlers: {
        tell: {},
        ask: {
          target: () => {
            asked += 1;
            return (answers.shift() ?? never)();
          },
        },
      },
      log: silent,
      crash: ignore,
    });
    const { port1, port2 } = new MessageChannel();
    const counters = newCounters();
    mailbox.serve({ peer: 'task', port: port2, counters, incarnation: 1 });
    rebalancer.connect({ peer: 'rebalancer', port: port1, counters, incarnation: 1 });
    t.after(() => {
      port1.close();
    });
  };
  void followTarget({
    rebalancer,
    unit: 'c/0',
    epoch: 1,
    signal: ending.signal,
    onTarget: (target) => heard.push(target),
    deadlineMs,
  });
  t.after(() => {
    ending.abort();
  });
  return { begin, heard, asked: () => asked };
}

test('a target that changes after long polls ended without news is heard', async (t) => {
  const { begin, heard } = follow(t, 20);
  // On a busy machine an answer may come after the end of its poll: then the next one counts.
  begin(never, never, ...Array.from({ length: 100 }, () => saying('PAUSED')));
  await until('the pause is heard', () => heard.includes('PAUSED'));
});

test('a rebalancer that cannot answer is asked again', async (t) => {
  const { begin, heard } = follow(t, 60_000);
  begin(() => Promise.reject(new Error('not now')), saying('RUNNING'));
  await until('the target is heard', () => heard.length > 0);
});

test('a new rebalancer is asked that is there before the old one is known to be gone', async (t) => {
  const { begin, heard, asked } = follow(t, 60_000);
  begin();
  await until('the old one is asked', () => asked() === 1);
  begin(saying('PAUSED'));
  await until('the new one is heard', () => heard.includes('PAUSED'));
});
