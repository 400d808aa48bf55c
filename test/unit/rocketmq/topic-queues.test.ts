import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogError } from '#troupe/log/log.js';
import type { BrokerQueue } from '#troupe/log/rocketmq/remoting/client.js';
import { TopicQueues } from '#troupe/log/rocketmq/topic-queues.js';
import { fakeRemoting } from './fake-remoting.js';

/** What all clients of one cluster see. */
class Scene {
  /** Of each broker that has registered, the queues of the topic. */
  brokers: Record<string, number> = {};
  kept: readonly BrokerQueue[] | null = null;
  writes = 0;

  client(): TopicQueues {
    let last: { text: string; route: readonly BrokerQueue[] } | null = null;
    const route = (): readonly BrokerQueue[] | null => {
      const queues = Object.keys(this.brokers)
        .sort()
        .flatMap((broker) =>
          Array.from({ length: this.brokers[broker] ?? 0 }, (_, queueId) => ({ broker, queueId })),
        );
      const text = JSON.stringify(queues);
      if (last?.text !== text) last = { text, route: queues };
      return queues.length === 0 ? null : last.route;
    };
    return new TopicQueues(
      fakeRemoting({
        queues: () => Promise.resolve(route()),
        registeredBrokers: () => Promise.resolve(Object.keys(this.brokers)),
        keptQueues: () => Promise.resolve(this.kept),
        keepQueues: (_topic, queues) => {
          this.writes += 1;
          this.kept = queues;
          return Promise.resolve();
        },
        forgetQueues: () => {
          this.kept = null;
          return Promise.resolve();
        },
      }),
    );
  }

  async numbers(client = this.client()): Promise<string> {
    const queues = await client.all('t');
    return queues === null ? 'none' : queues.map(({ broker, queueId }) => `${broker}${queueId}`).join(' ');
  }
}

const isAway = (error: unknown): boolean => error instanceof LogError && error.code === 'LOG_UNAVAILABLE';

test('a client that starts while a broker is missing gives no number of its queues to another', async () => {
  const scene = new Scene();
  scene.brokers = { a: 2, b: 2 };
  assert.equal(await scene.numbers(), 'a0 a1 b0 b1');
  scene.brokers = { b: 2 };
  assert.equal(await scene.numbers(), 'a0 a1 b0 b1');
  scene.brokers = { a: 2 };
  assert.equal(await scene.numbers(), 'a0 a1 b0 b1');
});

test('what is known is neither asked for nor kept again', async () => {
  const scene = new Scene();
  scene.brokers = { a: 2 };
  const client = scene.client();
  for (let i = 0; i < 3; i += 1) await scene.numbers(client);
  await scene.numbers();
  assert.equal(scene.writes, 1);
});

test('queues that come later get the numbers behind, wherever their names stand, and on every client the same', async () => {
  const scene = new Scene();
  scene.brokers = { b: 2 };
  const early = scene.client();
  assert.equal(await scene.numbers(early), 'b0 b1');
  scene.brokers = { b: 2, c: 1 };
  assert.equal(await scene.numbers(), 'b0 b1 c0');
  scene.brokers = { a: 1, b: 3, c: 1 };
  assert.equal(await scene.numbers(), 'b0 b1 c0 a0 b2');
  assert.equal(await scene.numbers(early), 'b0 b1 c0 a0 b2');
});

test('a topic whose only broker is missing is not unknown: somebody would make it anew', async () => {
  const scene = new Scene();
  scene.brokers = { a: 1, b: 0 };
  const known = scene.client();
  assert.equal(await scene.numbers(known), 'a0');
  scene.brokers = { b: 0 };
  await assert.rejects(scene.numbers(), isAway);
  await assert.rejects(scene.numbers(known), isAway);
  scene.brokers = { a: 1, b: 0 };
  assert.equal(await scene.numbers(), 'a0');
});

test('a topic that was deleted is unknown, and begins anew', async () => {
  const scene = new Scene();
  scene.brokers = { a: 2, b: 2 };
  const known = scene.client();
  await scene.numbers(known);
  scene.brokers = { a: 0, b: 0 };
  assert.equal(await scene.numbers(known), 'none');
  scene.brokers = { a: 0, b: 1 };
  assert.equal(await scene.numbers(), 'b0');
  assert.equal(await scene.numbers(known), 'b0');
});

test('a topic that was made anew unseen has fewer queues, or is refused where its queues moved', async () => {
  const scene = new Scene();
  scene.brokers = { a: 3 };
  await scene.numbers();
  scene.brokers = { a: 1 };
  assert.equal(await scene.numbers(), 'a0');
  assert.deepEqual(scene.kept, [{ broker: 'a', queueId: 0 }]);
  scene.brokers = { a: 0, b: 1 };
  await assert.rejects(scene.numbers(), /queue 0 of it any more.*see "Queues"/);
});
