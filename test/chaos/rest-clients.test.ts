import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { NodeProcess, removeFolder, temporaryFolder, type Reply } from '../support/node-process.js';
import { random } from '../support/random.js';
import { until } from '../support/wait.js';

const CONNECTORS = 200;
const CLIENTS = 20;
const STEPS = 4;

/** What one client knows of its connectors: it alone changes them, so its view is what must be there in the end. */
interface Expected {
  config: Record<string, string>;
  state: 'RUNNING' | 'PAUSED' | 'STOPPED';
}

test(`${CONNECTORS} connectors changed by ${CLIENTS} clients at once: no 500, and the final state is exact after a restart`, async (t) => {
  const { seed, next } = random();
  t.diagnostic(`seed ${seed}`);
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir);
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  const expected = new Map<string, Expected>();

  /** A refusal for load or conflict is tried again; a 500 never is acceptable. */
  async function send(method: string, path: string, body?: unknown): Promise<Reply> {
    return until(`${method} ${path} is answered`, async () => {
      const reply = await node.request(method, path, body);
      assert.notEqual(reply.status, 500, JSON.stringify(reply.body));
      return reply.status === 503 || reply.status === 409 ? null : reply;
    });
  }

  async function change(name: string): Promise<void> {
    const present = expected.get(name);
    const path = `/connectors/${name}`;
    if (present === undefined) {
      // Stopped, so that the test is about configs and states, not about 200 threads.
      const config = {
        'connector.class': 'FileSourceConnector',
        file: join(dir, `${name}.txt`),
        topic: 'all',
      };
      const { status } = await send('POST', '/connectors', { name, config, initial_state: 'STOPPED' });
      assert.equal(status, 201);
      expected.set(name, { config: { ...config, name }, state: 'STOPPED' });
      return;
    }
    switch (next(6)) {
      case 0: {
        const value = `topic-${next(1000)}`;
        assert.equal((await send('PATCH', `${path}/config`, { topic: value })).status, 200);
        present.config['topic'] = value;
        break;
      }
      case 1:
        assert.equal((await send('PUT', `${path}/pause`)).status, 202);
        present.state = 'PAUSED';
        break;
      case 2:
        assert.equal((await send('PUT', `${path}/stop`)).status, 204);
        present.state = 'STOPPED';
        break;
      case 3:
        assert.ok((await send('POST', `${path}/restart`)).status < 300);
        break;
      case 4:
        assert.equal((await send('DELETE', path)).status, 204);
        expected.delete(name);
        break;
      default:
        assert.equal(
          (await send('PUT', `${path}/config`, { ...present.config, 'tasks.max': '2' })).status,
          200,
        );
        present.config['tasks.max'] = '2';
    }
  }

  async function client(number: number): Promise<void> {
    const own = Array.from({ length: CONNECTORS / CLIENTS }, (_, i) => `c${number}-${i}`);
    for (let step = 0; step < STEPS; step += 1) for (const name of own) await change(name);
    // What runs paused has a thread: stop it before the next client's.
    for (const name of own) {
      const present = expected.get(name);
      if (present?.state !== 'PAUSED') continue;
      assert.equal((await send('PUT', `/connectors/${name}/stop`)).status, 204);
      present.state = 'STOPPED';
    }
  }

  async function check(): Promise<void> {
    const { body } = await node.request('GET', '/connectors?expand=info&expand=status');
    const found = body as Record<
      string,
      { info: { config: object }; status: { connector: { state: string } } }
    >;
    assert.deepEqual(Object.keys(found).sort(), [...expected.keys()].sort());
    for (const [name, { config, state }] of expected) {
      assert.deepEqual(found[name]?.info.config, config);
      assert.equal(found[name]?.status.connector.state, state);
    }
  }

  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
  await check();
  await node.kill();
  await node.start();
  await check();
});
