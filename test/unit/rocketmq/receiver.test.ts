import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogError } from '#troupe/log/log.js';
import { Receiver, type ReceiverOptions } from '#troupe/log/rocketmq/grpc/receiver.js';
import { until } from '../../support/wait.js';
import { queueOf, TOPIC } from './pop-queue.js';

type Pop = (broker: string) => ReturnType<ReceiverOptions['client']['pop']>;

/** Of a proxy that knows these brokers, and hands out what `pop` says. */
async function startReceiver(pop: Pop, options: Partial<ReceiverOptions> = {}) {
  const failures: unknown[] = [];
  const issues: string[] = [];
  const brokers = ['a'];
  const receiver = new Receiver({
    client: {
      brokers: () => Promise.resolve(brokers.map(queueOf)),
      pop: (queue) => pop(queue.broker.name),
    },
    topics: [TOPIC],
    invisibleMs: 30_000,
    prepare: () => Promise.resolve(),
    isGone: () => Promise.reject(new LogError('LOG_UNAVAILABLE', 'nobody knows')),
    onReceived: () => undefined,
    onFailure: (error) => failures.push(error),
    onIssue: (message) => issues.push(message),
    ...options,
  });
  await receiver.readRoutes();
  return { receiver, brokers, failures, issues };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('after a failure for good the proxy is left alone', async () => {
  let calls = 0;
  const { receiver, failures } = await startReceiver(() => {
    calls += 1;
    return Promise.reject(new LogError('LOG_BAD_REQUEST', 'no such user'));
  });
  receiver.resume();
  await until('it fails', () => failures.length > 0);
  for (let n = 0; n < 10; n += 1) await settled();
  receiver.resume();
  assert.equal(receiver.take(1).length, 0);
  await receiver.suspend();
  assert.equal(calls, 1);
});

test('a topic that only the proxy has forgotten is asked for again, until it is gone for certain', async () => {
  let calls = 0;
  const answers = [
    () => Promise.reject(new LogError('LOG_UNAVAILABLE', 'the broker is away')),
    () => Promise.resolve(false),
    () => Promise.resolve(true),
  ];
  const { receiver, failures } = await startReceiver(
    () => {
      calls += 1;
      return Promise.reject(new LogError('LOG_UNKNOWN_TOPIC', 'no topic'));
    },
    { isGone: () => answers[calls - 1]?.() ?? Promise.reject(new Error('not expected to be asked')) },
  );
  receiver.resume();
  await until('it fails', () => failures.length > 0);
  assert.equal(calls, 3);
  await receiver.suspend();
});

test('suspending does not wait for the answer whether a topic is gone', async () => {
  let asked = false;
  const { receiver, failures } = await startReceiver(
    () => Promise.reject(new LogError('LOG_UNKNOWN_TOPIC', 'no topic')),
    {
      isGone: () => {
        asked = true;
        return new Promise<never>(() => undefined);
      },
    },
  );
  receiver.resume();
  await until('it is asked', () => asked);
  await receiver.suspend();
  assert.deepEqual(failures, []);
});

test('a broker that is met later is received from when the group is prepared there, and not before', async () => {
  const popped = new Set<string>();
  const prepared: (readonly string[])[] = [];
  let refuse = false;
  const { receiver, brokers } = await startReceiver(
    async (broker) => {
      popped.add(broker);
      await settled();
      return [];
    },
    {
      prepare: () => {
        prepared.push([...popped]);
        return refuse ? Promise.reject(new LogError('LOG_UNAVAILABLE', 'away')) : Promise.resolve();
      },
    },
  );
  receiver.resume();
  await until('the first is received from', () => popped.has('a'));
  brokers.push('b');
  refuse = true;
  await assert.rejects(receiver.readRoutes(), /away/);
  refuse = false;
  await receiver.readRoutes();
  receiver.resume();
  await until('the second is received from', () => popped.has('b'));
  await receiver.readRoutes();
  assert.deepEqual(prepared, [[], ['a'], ['a']]);
  await receiver.suspend();
});
