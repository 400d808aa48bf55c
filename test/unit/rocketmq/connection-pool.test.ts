import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionPool } from '#troupe/log/rocketmq/remoting/connection-pool.js';
import { RemotingError } from '#troupe/log/rocketmq/remoting/errors.js';
import { FakeServer } from './fake-server.js';

const CLOSED = new RemotingError('LOG_CLOSED', 'closed', { refused: false });
const question = { code: 11, fields: {} };

function createPool(): { pool: ConnectionPool; issues: string[] } {
  const issues: string[] = [];
  const onIssue = (message: string): void => void issues.push(message);
  return { pool: new ConnectionPool({ acl: null, tls: null, random: () => 0, onIssue }), issues };
}

test('a server that is away is not tried by every call', async () => {
  const server = await FakeServer.start(() => undefined);
  await server.stop();
  const { pool, issues } = createPool();
  for (let n = 0; n < 100; n += 1)
    await assert.rejects(
      pool.call(server.address, question, { lane: 'call', timeoutMs: 10_000 }),
      (error) => error instanceof RemotingError && error.code === 'LOG_UNAVAILABLE' && error.refused,
    );
  assert.ok(issues.length < 20, `${issues.length} attempts`);
});

test('calls share a connection, and pulls have another', async () => {
  const server = await FakeServer.start((request) => request.answer(0));
  const { pool, issues } = createPool();
  const lanes = ['call', 'call', 'pull', 'call', 'pull'] as const;
  await Promise.all(lanes.map((lane) => pool.call(server.address, question, { lane, timeoutMs: 10_000 })));
  assert.equal(server.connections, 2);
  await pool.close(CLOSED);
  await assert.rejects(pool.call(server.address, question, { lane: 'call', timeoutMs: 10_000 }), CLOSED);
  await server.stop();
  assert.deepEqual(issues, []);
});
