import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { NodeProcess, removeFolder, temporaryFolder, type Reply } from '../support/node-process.js';
import { random } from '../support/random.js';
import { until } from '../support/wait.js';

const CONNECTORS = 200;
const CLIENTS = 20;
const STEPS = 4;
/** A bound, not an expectation. */
const PATIENCE_MS = 120_000;
/** Answers to requests of which nothing was done. */
const NOT_BEGUN = /"code":"(?:TOO_BUSY|MAILBOX_FULL)"/;

/** What one client knows of its connectors: it alone changes them, so its view is what must be there in the end. */
interface Expected {
  config: Record<string, string>;
  state: 'RUNNING' | 'PAUSED' | 'STOPPED';
}

/** How a request is answered that was carried out at an earlier try, which said nothing clear about it. */
interface Repeated {
  readonly status: number;
  readonly wasDone: () => Promise<boolean>;
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

  /** A refusal for load or conflict is tried again; any other answer than that status, as a 500, never is acceptable. */
  async function send(
    status: number,
    method: string,
    path: string,
    body?: unknown,
    repeated?: Repeated,
  ): Promise<void> {
    let unclear = false;
    const reply = await until(
      `${method} ${path} is answered`,
      async (): Promise<Reply | null> => {
        const before = unclear;
        unclear = true;
        const reply = await node.request(method, path, body);
        if (before && reply.status === repeated?.status && (await repeated.wasDone()))
          return { status, body: null };
        unclear = before || (reply.status === 503 && !NOT_BEGUN.test(JSON.stringify(reply.body)));
        return reply.status === 503 || reply.status === 409 ? null : reply;
      },
      PATIENCE_MS,
    );
    assert.equal(reply.status, status, JSON.stringify(reply.body));
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
      const created: Expected = { config: { ...config, name }, state: 'STOPPED' };
      const body = { name, config, initial_state: 'STOPPED' };
      await send(201, 'POST', '/connectors', body, {
        status: 409,
        wasDone: async () => {
          const [info, status] = await Promise.all([
            node.request('GET', path),
            node.request('GET', `${path}/status`),
          ]);
          return (
            isDeepStrictEqual((info.body as { config?: unknown }).config, created.config) &&
            (status.body as { connector?: { state: string } }).connector?.state === created.state
          );
        },
      });
      expected.set(name, created);
      return;
    }
    switch (next(6)) {
      case 0: {
        const value = `topic-${next(1000)}`;
        await send(200, 'PATCH', `${path}/config`, { topic: value });
        present.config['topic'] = value;
        break;
      }
      case 1:
        await send(202, 'PUT', `${path}/pause`);
        present.state = 'PAUSED';
        break;
      case 2:
        await send(204, 'PUT', `${path}/stop`);
        present.state = 'STOPPED';
        break;
      case 3:
        await send(204, 'POST', `${path}/restart`);
        break;
      case 4:
        await send(204, 'DELETE', path, undefined, {
          status: 404,
          wasDone: async () => (await node.request('GET', path)).status === 404,
        });
        expected.delete(name);
        break;
      default:
        await send(200, 'PUT', `${path}/config`, { ...present.config, 'tasks.max': '2' });
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
      await send(204, 'PUT', `/connectors/${name}/stop`);
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
